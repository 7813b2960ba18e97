# $_ostler_path as a step writes it, in full.
case $_ostler_path in
  "~") _ostler_path=$HOME ;;
  "~/"*) _ostler_path=$HOME/${_ostler_path#??} ;;
  /*) ;;
  *) _ostler_path=$HOME/$_ostler_path ;;
esac
