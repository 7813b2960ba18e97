# Tells of a step until it has ended. Set by the caller:
#
#   _ostler_index    the step's number
#   _ostler_offset   from where on its output is printed; "" to print nothing
#
# Told on stderr: `absent`, or `started MS`, then `ended` and what the step's file `end` says. A step's output is what was there
# at its end: what daemons of it print later is left out.

_ostler_step=$_ostler_s/steps/$_ostler_index
[ -e "$_ostler_step/claim" ] || { echo absent >&2 && exit; }

{ read -r _ostler_was && read -r _ostler_began; } <"$_ostler_step/claim"
echo "started $_ostler_began" >&2
exec 4<>"$_ostler_step/wake"

# _ostler_print BYTES: the output up to there.
_ostler_print() {
  [ -n "$_ostler_offset" ] && [ "$1" -gt "$_ostler_offset" ] || return
  "$_ostler_b" dd if="$_ostler_step/output" bs=65536 iflag=skip_bytes,count_bytes skip="$_ostler_offset" count=$(($1 - _ostler_offset)) 2>/dev/null
  _ostler_offset=$1
}

_ostler_idle=0
while :; do
  _ostler_size=
  [ -z "$_ostler_offset" ] || _ostler_size=$("$_ostler_b" stat -c %s "$_ostler_step/output")
  # The size was taken before the look: all of it was printed before the end.
  { read -r _ostler_end <"$_ostler_step/end"; } 2>/dev/null && break
  if [ "${_ostler_size:-0}" -gt "${_ostler_offset:-0}" ]; then
    _ostler_print "$_ostler_size"
    _ostler_idle=0
  fi
  if ! _ostler_lives "$_ostler_step/claim" && [ ! -e "$_ostler_step/end" ]; then
    _ostler_end="gone pod_lost $_ostler_began 0 $("$_ostler_b" stat -c %s "$_ostler_step/output")"
    break
  fi
  # Quick at first, and while it prints.
  if [ $((_ostler_idle += 1)) -le 20 ]; then _ostler_pause=0.05; elif [ $_ostler_idle -le 240 ]; then _ostler_pause=0.25; else _ostler_pause=0.5; fi
  read -r -t $_ostler_pause _ostler_rest <&4
done
_ostler_print "${_ostler_end##* }"
echo "ended $_ostler_end" >&2
