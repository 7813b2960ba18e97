# Ends all that runs in the pod, then says `done` once the step has recorded its end. Set by the caller:
#
#   _ostler_index   the step's number     _ostler_grace   hundredths of a second until KILL

_ostler_step=$_ostler_s/steps/$_ostler_index
_ostler_uptime
_ostler_over=$((_ostler_up + _ostler_grace))
while :; do
  _ostler_uptime
  _ostler_left=$((_ostler_over - _ostler_up))
  _ostler_end_all $((_ostler_left > 0 ? _ostler_left : 0))
  # A supervisor that has only just claimed the step may start it after a look.
  [ -e "$_ostler_step/claim" ] && [ ! -e "$_ostler_step/end" ] && _ostler_lives "$_ostler_step/claim" || break
  "$_ostler_b" usleep 10000
done
