# Starts a step unless it was started before. Set by the caller, as values:
#
#   _ostler_index _ostler_command _ostler_directory   the step's number, script, and working directory
#   _ostler_now                                       the executor's clock (ms): times are told by it
#   _ostler_environment                               a function that exports the step's variables
#   $@                                                the shell and its arguments
#
# In the step's folder:
#   script   what the shell runs        output  what it prints      wake    a pipe that followers sleep on
#   claim    whoever makes it runs the step: its line of /proc/<pid>/stat, then when the step began (ms)
#   leader   the step's first process, whose id is that of its session
#   end      `exited CODE` or `gone REASON`, when it began and ended (ms), bytes of output at its end
# Told on stderr, if it cannot be started: `refused REASON MESSAGE`

_ostler_uptime
_ostler_up0=$_ostler_up
_ostler_step=$_ostler_s/steps/$_ostler_index

_ostler_refuse() {
  echo "refused $*" >&2
  exit 0
}

# By the executor's clock (ms).
_ostler_clock() {
  _ostler_uptime
  _ostler_ms=$((_ostler_now + (_ostler_up - _ostler_up0) * 10))
}

_ostler_may_start() {
  _ostler_second=$("$_ostler_b" date +%s) _ostler_until=
  read -r _ostler_until <$_ostler_s/start-by
  [ ! -e $_ostler_s/expired ] && [ "$_ostler_second" -lt "${_ostler_until:-0}" ]
}

_ostler_oom_kills() {
  _ostler_kills=0
  for _ostler_file in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
    [ -r $_ostler_file ] || continue
    while read -r _ostler_key _ostler_value; do
      [ "$_ostler_key" != oom_kill ] || _ostler_kills=$_ostler_value
    done <$_ostler_file
  done
}

# _ostler_record WHAT…: how the step has ended; followers need not wait for their next look.
_ostler_record() {
  _ostler_clock
  echo "$1 $2 $_ostler_began $_ostler_ms $("$_ostler_b" stat -c %s "$_ostler_step/output")" >"$_ostler_step/end.new"
  "$_ostler_b" mv "$_ostler_step/end.new" "$_ostler_step/end"
  echo >&4
}

_ostler_supervise() {
  # Who ends all that runs spares supervisors; a signal from within the pod must not keep one from recording the end.
  trap '' TERM HUP INT
  read -r _ostler_self </proc/self/stat
  _ostler_clock
  _ostler_began=$_ostler_ms
  # A link is made whole or not at all, and only once.
  printf '%s\n' "$_ostler_self" "$_ostler_began" >"$_ostler_step/claim.${_ostler_self%% *}" || return
  "$_ostler_b" ln "$_ostler_step/claim.${_ostler_self%% *}" "$_ostler_step/claim" || return
  _ostler_may_start || { _ostler_record gone executor_lost && return; }
  _ostler_oom_kills
  _ostler_kills0=$_ostler_kills
  (
    trap - TERM HUP INT
    exec 4>&-
    umask "$_ostler_umask"
    _ostler_environment
    cd "$_ostler_directory" || exit
    exec "$_ostler_b" setsid "$@" "$_ostler_step/script"
  ) >"$_ostler_step/output" 2>&1 </dev/null &
  _ostler_child=$!
  echo $_ostler_child >"$_ostler_step/leader"
  wait $_ostler_child
  _ostler_code=$?
  _ostler_oom_kills
  if [ -e $_ostler_s/expired ]; then
    read -r _ostler_why <$_ostler_s/expired
    _ostler_record gone "$_ostler_why"
  elif [ $_ostler_code -ne 0 ] && [ "$_ostler_kills" -gt "$_ostler_kills0" ]; then
    _ostler_record gone oom
  else
    _ostler_record exited $_ostler_code
  fi
}

if [ ! -e "$_ostler_step/claim" ]; then
  case $_ostler_directory in
    "~") _ostler_directory=$HOME ;;
    "~/"*) _ostler_directory=$HOME/${_ostler_directory#??} ;;
    /*) ;;
    *) _ostler_directory=$HOME/$_ostler_directory ;;
  esac
  _ostler_why=$("$_ostler_b" mkdir -p "$_ostler_directory" 2>&1) ||
    _ostler_refuse config "the working directory $_ostler_directory cannot be made: ${_ostler_why#mkdir: }"
  (cd "$_ostler_directory") >/dev/null 2>/dev/null || _ostler_refuse config "the working directory $_ostler_directory cannot be entered"
  if [ "$1" = /bin/sh ] && [ ! -x /bin/sh ]; then
    # The image has no shell of its own.
    shift
    set -- "$_ostler_b" sh "$@"
  else
    _ostler_program=$(_ostler_environment && _ostler_find "$1") || _ostler_refuse config "the image has no shell $1"
    shift
    set -- "$_ostler_program" "$@"
  fi
  _ostler_umask=$(umask)
  umask 077
  "$_ostler_b" mkdir -p "$_ostler_step" &&
    printf '%s\n' "$_ostler_command" >"$_ostler_step/script.$$" &&
    "$_ostler_b" mv "$_ostler_step/script.$$" "$_ostler_step/script" &&
    { [ -p "$_ostler_step/wake" ] || "$_ostler_b" mkfifo "$_ostler_step/wake" || [ -p "$_ostler_step/wake" ]; } &&
    : >>"$_ostler_step/output" || _ostler_refuse setup "the step could not be started: is the disk full?"
  exec 4<>"$_ostler_step/wake"
  _ostler_supervise "$@" </dev/null >/dev/null 2>&1 &
  until [ -e "$_ostler_step/claim" ]; do
    kill -0 $! 2>/dev/null || [ -e "$_ostler_step/claim" ] || _ostler_refuse setup "the step could not be started: is the disk full?"
    "$_ostler_b" usleep 1000
  done
fi
