# What the other scripts share. They run in busybox's shell, in the pod's main container. Whatever the image or the step sets
# must neither be changed nor do harm: names begin with _ostler_, programs are called by the helper's own path.
_ostler_b=/ostler/bin/busybox _ostler_s=/ostler/pod

# _ostler_uptime: hundredths of a second since some moment, without a process
_ostler_uptime() {
  read -r _ostler_up _ostler_rest </proc/uptime
  _ostler_up=${_ostler_up%.*}${_ostler_up#*.}
}

# _ostler_find NAME: prints the path of a program of the image, never of the helper
_ostler_find() {
  case $1 in
    */*)
      [ -x "$1" ] && echo "$1"
      return
      ;;
  esac
  IFS=:
  for _ostler_file in $PATH; do
    [ -x "$_ostler_file/$1" ] && [ ! -d "$_ostler_file/$1" ] && echo "$_ostler_file/$1" && return
  done
  return 1
}

# _ostler_lives FILE: whether the process runs whose line of /proc/<pid>/stat FILE begins with
_ostler_lives() {
  read -r _ostler_was <"$1"
  { read -r _ostler_is </proc/"${_ostler_was%% *}"/stat; } 2>/dev/null || return 1
  set -- ${_ostler_was##*) }
  _ostler_was=${20}
  set -- ${_ostler_is##*) }
  [ "${20}" = "$_ostler_was" ] && [ "$1" != Z ]
}

# _ostler_signal NAME ASKED: sends NAME to every process of the pod that is not the helper's own nor in ASKED (" 7 9 "), leaves
# their ids in _ostler_others, and succeeds if there is any such process, signalled or not. A process is the helper's if it runs its
# busybox outside of all steps' sessions: an image without a shell has its steps run by the same program.
_ostler_signal() {
  _ostler_name=$1 _ostler_asked=$2 _ostler_sessions=" " _ostler_others=" "
  for _ostler_file in $_ostler_s/steps/*/leader; do
    { read -r _ostler_pid <"$_ostler_file"; } 2>/dev/null && _ostler_sessions="$_ostler_sessions$_ostler_pid "
  done
  for _ostler_file in /proc/[0-9]*; do
    _ostler_pid=${_ostler_file#/proc/}
    [ "$_ostler_pid" != 1 ] || continue
    { read -r _ostler_is <"$_ostler_file/stat"; } 2>/dev/null || continue
    set -- ${_ostler_is##*) }
    [ "$1" != Z ] && [ "$1" != X ] || continue
    _ostler_was=
    { IFS= read -r _ostler_was <"$_ostler_file/cmdline"; } 2>/dev/null
    case $_ostler_was in
      "$_ostler_b"*) case $_ostler_sessions in *" $4 "*) ;; *) continue ;; esac ;;
    esac
    _ostler_others="$_ostler_others$_ostler_pid "
    case $_ostler_asked in *" $_ostler_pid "*) continue ;; esac
    kill "-$_ostler_name" "$_ostler_pid" 2>/dev/null
  done
  [ "$_ostler_others" != " " ]
}

# _ostler_end_all HUNDREDTHS: TERM to all that run, KILL after that time, until nothing is left.
_ostler_end_all() {
  _ostler_uptime
  _ostler_kill_at=$((_ostler_up + $1)) _ostler_told=" "
  while :; do
    _ostler_uptime
    if [ "$_ostler_up" -ge "$_ostler_kill_at" ]; then
      _ostler_signal KILL " " || return 0
    else
      _ostler_signal TERM "$_ostler_told" || return 0
      _ostler_told=$_ostler_others
    fi
    "$_ostler_b" usleep 20000
  done
}
