# Moves the lease to the second $_ostler_until; never back.
read -r _ostler_was <$_ostler_s/lease
if [ "${_ostler_was:-0}" -lt "$_ostler_until" ] || [ ! -e $_ostler_s/touched ]; then
  for _ostler_file in lease start-by; do
    echo "$_ostler_until" >$_ostler_s/$_ostler_file.$$ && "$_ostler_b" mv $_ostler_s/$_ostler_file.$$ $_ostler_s/$_ostler_file
  done
  : >$_ostler_s/touched
fi
