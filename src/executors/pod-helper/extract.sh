# Unpacks an archive of $_ostler_parts parts whose names are full paths. _ostler_folders is a function that calls
# `_ostler_check ROOT FOLDER…` with the folders that something is put into: links that are there already may lead anywhere, and
# nothing is written through one that leaves its destination. Prints `left FOLDER` for the first that does.

_ostler_check() {
  _ostler_root=$1
  shift
  for _ostler_folder; do
    [ -h "$_ostler_folder" ] || continue
    case $("$_ostler_b" readlink -f "$_ostler_folder")/ in
      "${_ostler_root%/}"/*) ;;
      *) echo "left $_ostler_folder" && return 1 ;;
    esac
  done
}
_ostler_archive() {
  _ostler_part=0
  while [ $_ostler_part -lt "$_ostler_parts" ]; do
    "$_ostler_b" cat "$_ostler_step.parts/$_ostler_part" || return
    _ostler_part=$((_ostler_part + 1))
  done
}
_ostler_work() {
  _ostler_folders || return 0
  cd / && _ostler_archive | "$_ostler_b" tar -xpof -
}
