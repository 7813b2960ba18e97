# Prints the paths of all files below $_ostler_path, each behind a NUL. A folder that is missing has none.
cd "$_ostler_path" 2>/dev/null && "$_ostler_b" find . -mindepth 1 -print0
