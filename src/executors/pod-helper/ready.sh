# Waits until the main process has made the pod's folder fit for use: the platform calls a container running before that.
_ostler_looks=0
until [ -e $_ostler_s/ready ]; do
  [ $((_ostler_looks += 1)) -le 3000 ] || { echo "refused setup the pod's main process does nothing" >&2 && exit; }
  "$_ostler_b" usleep 5000
done
