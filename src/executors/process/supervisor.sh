# Starts one step in a session of its own, records how it ends, and stops it when its pod's lease has run out.
# (Files are made with `true`: in some shells a redirection that fails ends the script if it is one of `:`.)
# It outlives the executor that started it, and runs with the step's environment: names of variables begin with
# _ostler_, so that nothing of the step's own is changed.
#
#   $1  the step's folder     $2  the pod's lease: a file that holds two seconds (since the epoch), from which on
#       no step starts, and at which the lease ends (an older pod's holds one for both)
#   $3  setsid or ""          $4  seconds between looks at the lease     $5  seconds between TERM and KILL
#   then the step's command
#
#   claim     this supervisor (its line of /proc/<pid>/stat, or its pid): whoever creates it runs the step
#   pid       the step's own process, in the same form; renamed to
#   exit.<n>  the step has ended with <n>; a rename needs no space on a full disk
#   expired   the lease ended before the step did

_ostler_path=$PATH
PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:$PATH
_ostler_step=$1 _ostler_lease=$2 _ostler_setsid=$3 _ostler_look=$4 _ostler_grace=$5
shift 5

# _ostler_leased start|run
_ostler_leased() {
  _ostler_until=
  read -r _ostler_start _ostler_until <"$_ostler_lease" || return 1
  [ "$1" = run ] && [ -n "$_ostler_until" ] || _ostler_until=$_ostler_start
  [ "$(date +%s)" -lt "$_ostler_until" ]
}

{ read -r _ostler_self </proc/$$/stat; } 2>/dev/null || _ostler_self=$$
# A link is made whole or not at all, and only once.
{ printf '%s\n' "$_ostler_self" >"$_ostler_step/claim.$$" && ln "$_ostler_step/claim.$$" "$_ostler_step/claim"; } 2>/dev/null || exit 120
_ostler_leased start 2>/dev/null || { true >"$_ostler_step/expired"; exit 121; }

[ -n "$_ostler_setsid" ] || set -m
(
  PATH=$_ostler_path
  exec $_ostler_setsid /bin/sh -c '
    { read -r _ostler_self </proc/$$/stat; } 2>/dev/null || _ostler_self=$$
    printf "%s\n" "$_ostler_self" >"$1/pid" || exit 122
    shift
    exec "$@"' ostler-step "$_ostler_step" "$@"
) &
_ostler_pid=$!
set +m

(
  while sleep "$_ostler_look"; do
    _ostler_leased run && continue
    true >"$_ostler_step/expired"
    kill -TERM "-$_ostler_pid"
    sleep "$_ostler_grace"
    kill -KILL "-$_ostler_pid"
    exit
  done
) >/dev/null 2>&1 &

wait "$_ostler_pid"
_ostler_code=$?
# A process that was killed before it wrote its pid has ended, too; one that could not write it (122) never was the step.
mv "$_ostler_step/pid" "$_ostler_step/exit.$_ostler_code" 2>/dev/null ||
  [ "$_ostler_code" -eq 122 ] || true 2>/dev/null >"$_ostler_step/exit.$_ostler_code"
# The rest of this process group is the watch and its sleep.
trap '' TERM
kill -TERM 0
exit "$_ostler_code"
