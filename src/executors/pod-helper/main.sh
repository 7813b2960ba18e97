# The first process of the pod's main container: keeps the pod there, and ends it when its time is over.
#
#   $1  no step starts at this second (since the epoch) or later, unless the pod was touched
#   $2  the second at which the pod ends
#   $3  for how many seconds the pod goes on without being touched
#   $4  seconds between looks at the clock     $5  seconds that steps get to end by themselves
#
#   ready      the folder is fit for use
#   start-by   $1, or the end of the lease once the pod was touched
#   lease      the second at which steps are stopped unless it is moved
#   expired    why the time is over: the reason of the attempt's end

trap '_ostler_removed=1' TERM INT
umask 022
# Steps may run as somebody else. Where the platform made the folder it is everybody's already, and not ours to change.
"$_ostler_b" mkdir -p $_ostler_s/steps $_ostler_s/jobs
"$_ostler_b" chmod 1777 $_ostler_s $_ostler_s/steps $_ostler_s/jobs 2>/dev/null
: >$_ostler_s/outputs && "$_ostler_b" chmod 666 $_ostler_s/outputs
echo "$1" >$_ostler_s/start-by
echo $(($("$_ostler_b" date +%s) + $3)) >$_ostler_s/lease
: >$_ostler_s/ready

# _ostler_finish REASON CODE SECONDS: ends all steps, lets those who follow them read what is left, and exits.
_ostler_finish() {
  [ -z "$1" ] || echo "$1" >$_ostler_s/expired
  _ostler_end_all $(($3 * 100))
  "$_ostler_b" usleep 500000
  exit "$2"
}

while [ -z "$_ostler_removed" ]; do
  _ostler_now=$("$_ostler_b" date +%s)
  [ "$_ostler_now" -lt "$2" ] || _ostler_finish timeout 90 "$5"
  _ostler_until=
  read -r _ostler_until <$_ostler_s/lease
  # An empty one is being written.
  [ "$_ostler_now" -lt "${_ostler_until:-$2}" ] || _ostler_finish executor_lost 91 "$5"
  "$_ostler_b" sleep "$4" &
  wait $!
done
_ostler_end_all 360000
exit 143
