# Prints the number of every step that was ever started, and when (ms).
for _ostler_file in $_ostler_s/steps/*/claim; do
  [ -e "$_ostler_file" ] || continue
  { read -r _ostler_was && read -r _ostler_began; } <"$_ostler_file"
  _ostler_file=${_ostler_file%/claim}
  echo "${_ostler_file##*/} $_ostler_began"
done
