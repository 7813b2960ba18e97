# The first process of a service's container: runs its command, and ends it at a deadline.
#
#   $1  the second (since the epoch) at which it ends     then the command

_ostler_left=$(($1 - $("$_ostler_b" date +%s)))
shift
_ostler_program=$(_ostler_find "$1") || { echo "$1: not found" >&2 && exit 127; }
shift
trap 'kill -TERM "$_ostler_child"' TERM INT
"$_ostler_program" "$@" </dev/null &
_ostler_child=$!
(
  "$_ostler_b" sleep $((_ostler_left > 0 ? _ostler_left : 0))
  kill -TERM $_ostler_child
  "$_ostler_b" sleep 10
  kill -KILL $_ostler_child
) >/dev/null 2>&1 &
while :; do
  wait $_ostler_child
  _ostler_code=$?
  # A signal that was passed on wakes, too.
  kill -0 $_ostler_child 2>/dev/null || exit $_ostler_code
done
