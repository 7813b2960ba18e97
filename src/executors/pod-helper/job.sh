# Runs the function _ostler_work once, its output to a file, and prints that file from $_ostler_offset on until the work is over.
# The connection may drop: asked again, it goes on from there. Set by the caller: _ostler_job, a name; _ostler_offset.
#
# Told on stderr, last: `over CODE BYTES`

_ostler_step=$_ostler_s/jobs/$_ostler_job
if "$_ostler_b" mkdir -m 700 "$_ostler_step" 2>/dev/null; then
  (
    trap '' TERM HUP INT
    read -r _ostler_self </proc/self/stat
    echo "$_ostler_self" >"$_ostler_step/claim"
    _ostler_work </dev/null >"$_ostler_step/output" 2>"$_ostler_step/errors"
    echo "$? $("$_ostler_b" stat -c %s "$_ostler_step/output")" >"$_ostler_step/end.new"
    "$_ostler_b" mv "$_ostler_step/end.new" "$_ostler_step/end"
  ) </dev/null >/dev/null 2>&1 &
fi
_ostler_looks=0
until [ -e "$_ostler_step/output" ]; do
  [ $((_ostler_looks += 1)) -le 10000 ] || { echo "it could not be begun: is the disk full?" >&2 && echo "over 1 0" >&2 && exit; }
  "$_ostler_b" usleep 1000
done
_ostler_looks=0 _ostler_code=
while :; do
  _ostler_lives "$_ostler_step/claim" || _ostler_code=137
  _ostler_size=$("$_ostler_b" stat -c %s "$_ostler_step/output")
  { read -r _ostler_code _ostler_size <"$_ostler_step/end"; } 2>/dev/null
  if [ "$_ostler_size" -gt "$_ostler_offset" ]; then
    "$_ostler_b" dd if="$_ostler_step/output" bs=65536 iflag=skip_bytes,count_bytes skip="$_ostler_offset" count=$((_ostler_size - _ostler_offset)) 2>/dev/null
    _ostler_offset=$_ostler_size
  fi
  [ -z "$_ostler_code" ] || break
  if [ $((_ostler_looks += 1)) -le 20 ]; then "$_ostler_b" usleep 5000; else "$_ostler_b" usleep 100000; fi
done
[ "$_ostler_code" = 0 ] || "$_ostler_b" head -n 3 "$_ostler_step/errors" >&2
echo "over $_ostler_code $_ostler_size" >&2
