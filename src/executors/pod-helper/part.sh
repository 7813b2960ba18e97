# Keeps the next $_ostler_count bytes of stdin as part $_ostler_part of a job's archive. Asked again, it keeps the same again.
umask 077
_ostler_step=$_ostler_s/jobs/$_ostler_job
"$_ostler_b" mkdir -p "$_ostler_step.parts"
"$_ostler_b" dd bs=65536 count="$_ostler_count" iflag=count_bytes,fullblock 2>/dev/null >"$_ostler_step.parts/new.$$"
[ "$("$_ostler_b" stat -c %s "$_ostler_step.parts/new.$$")" -eq "$_ostler_count" ] || exit
"$_ostler_b" mv "$_ostler_step.parts/new.$$" "$_ostler_step.parts/$_ostler_part"
