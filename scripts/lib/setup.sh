# Sourced by scripts/start and scripts/test: finds out what is missing on this machine, asks once, installs it.
# POSIX sh. Expects ROOT, the checkout's absolute path. Talk goes to stderr; stdout belongs to the program.

least_node=18  # what npm ci needs; the project's own Node is 24
own_node=24
least_redis=7

say() { printf '%s\n' "$*" >&2; }
fail() { say "$0: $*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# The major version that a program prints after "v" or "v="; 0 if it does not run.
node_major() { "$1" --version 2>/dev/null | sed -n 's/^v\([0-9][0-9]*\)\..*/\1/p' | grep . || echo 0; }
redis_major() { "$1" --version 2>/dev/null | sed -n 's/.*v=\([0-9][0-9]*\)\..*/\1/p' | grep . || echo 0; }

# --- what is there -----------------------------------------------------------------------------------------------------------

have_packages() {
  # npm writes this file last; a lock file that changed since is not installed yet.
  [ -f "$ROOT/node_modules/.package-lock.json" ] && [ -z "$(find "$ROOT/package-lock.json" -newer "$ROOT/node_modules/.package-lock.json")" ]
}

have_own_node() { [ -x "$ROOT/node_modules/.bin/node" ] && [ "$(node_major "$ROOT/node_modules/.bin/node")" -ge "$own_node" ]; }
have_new_node() { have node && [ "$(node_major node)" -ge "$own_node" ]; }

have_redis() {
  [ -n "${OSTLER_REDIS_URL:-}${OSTLER_REDIS_URL_FILE:-}" ] && [ -z "${need_redis_server:-}" ] && return 0
  for server in valkey-server redis-server; do
    have "$server" && [ "$(redis_major "$server")" -ge "$least_redis" ] && return 0
  done
  return 1
}

# --- what installs Redis -----------------------------------------------------------------------------------------------------

# Sets `manager`, empty if there is none that we know.
find_manager() {
  manager=
  for candidate in apt-get dnf apk pacman brew; do
    if have "$candidate"; then manager=$candidate; return; fi
  done
}

# Sets `as_root` to what a command must be prefixed with; fails where we may not become root without a question.
find_root() {
  as_root=
  [ "$manager" = brew ] && return 0
  [ "$(id -u)" = 0 ] && return 0
  as_root='sudo -n'
  have sudo && sudo -n true 2>/dev/null
}

redis_line() {
  case $manager in
    apt-get) echo 'sudo apt-get install redis-server && sudo systemctl disable --now redis-server' ;;
    dnf) echo 'sudo dnf install valkey' ;;
    apk) echo 'sudo apk add valkey' ;;
    pacman) echo 'sudo pacman -S valkey' ;;
    brew) echo 'brew install valkey' ;;
    *) echo "(install Redis $least_redis or Valkey, or set OSTLER_REDIS_URL to one that runs)" ;;
  esac
}

# Debian's packages start and enable a service when they are installed; ostler wants the program only.
# A policy of our own keeps it from starting, and it is disabled before the policy goes again.
install_with_apt() {
  policy='/usr/sbin/policy-rc.d'
  made_policy=
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null && $as_root chmod 755 "$policy" && made_policy=yes
  fi
  # shellcheck disable=SC2064
  trap "[ -z '$made_policy' ] || $as_root rm -f '$policy'" EXIT INT TERM
  $as_root apt-get update >&2 || say "apt-get update failed: trying with the package lists that are there"
  package=
  for candidate in redis-server valkey-server; do
    version=$(apt-cache policy "$candidate" 2>/dev/null | sed -n 's/^ *Candidate: *\([0-9]*:\)\{0,1\}\([0-9][0-9]*\)\..*/\2/p')
    if [ "${version:-0}" -ge "$least_redis" ]; then package=$candidate; break; fi
  done
  status=1
  if [ -n "$package" ]; then
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$package" >&2
    status=$?
    if have systemctl; then $as_root systemctl disable "$package" >/dev/null 2>&1
    elif have update-rc.d; then $as_root update-rc.d "$package" disable >/dev/null 2>&1
    fi
  fi
  [ -z "$made_policy" ] || $as_root rm -f "$policy"
  trap - EXIT INT TERM
  return "$status"
}

install_redis() {
  case $manager in
    apt-get) install_with_apt ;;
    dnf) { $as_root dnf install -y valkey || $as_root dnf install -y redis; } >&2 ;;
    apk) { $as_root apk add valkey || $as_root apk add redis; } >&2 ;;
    pacman) $as_root pacman -S --noconfirm valkey >&2 ;;
    brew) brew install valkey >&2 ;;
  esac
  hash -r 2>/dev/null
  have_redis || fail "$manager did not bring a Redis of version $least_redis or newer. Type this, and start again:
  $(redis_line)"
}

# --- npm ---------------------------------------------------------------------------------------------------------------------

install_packages() {
  (cd "$ROOT" && npm ci --no-audit --no-fund >&2) || fail "npm ci failed; what it said is above"
}

# The package `node` brings its binary with an install script, which npm does not run where `ignore-scripts` is set.
install_own_node() {
  have_own_node && return
  (cd "$ROOT" && npm rebuild node --ignore-scripts=false >&2)
  have_own_node || have_new_node || fail "ostler needs Node $own_node. This is $(node --version), and npm did not install the project's own,
probably because of its setting ignore-scripts. Install Node $own_node, or allow that one script:
  npm rebuild node --ignore-scripts=false"
}

# --- consent -----------------------------------------------------------------------------------------------------------------

# Asks once about the list on stdin. --yes and CI=true answer; without them there must be somebody to ask.
ask() {
  [ "${YES:-}" = yes ] || [ "${CI:-}" = true ] && return
  [ -t 0 ] && [ -t 2 ] || fail "there is no terminal to ask on: start with --yes to install the above"
  printf 'Go on? [Y/n] ' >&2
  read -r answer || answer=n
  case $answer in
    '' | y | Y | yes | Yes) ;;
    *) fail 'nothing was installed' ;;
  esac
}

# Installs what is missing, after asking; then puts the project's Node first on the PATH.
set_up() {
  have node || fail "there is no Node. Install any version from $least_node on, with npm: https://nodejs.org"
  have npm || fail "there is Node $(node --version), but no npm. Install npm, which usually comes with Node"
  [ "$(node_major node)" -ge "$least_node" ] || fail "Node $(node --version) is too old to install the project: it takes $least_node or newer"

  plan=
  have_packages || plan="$plan
  - npm packages, about 400 MB, into $ROOT/node_modules (npm ci)"
  have_own_node || have_new_node || plan="$plan
  - Node $own_node for this project only, as one of them"
  if ! have_redis; then
    find_manager
    [ -n "$manager" ] && find_root || fail "there is no Redis, and this script may not install one. Type this, and start again:
  $(redis_line)"
    plan="$plan
  - a Redis server with $manager; it is neither enabled nor started as a service of the system"
  fi
  if [ -n "$plan" ]; then
    say "ostler needs to install:$plan"
    ask
    have_packages || install_packages
    have_redis || install_redis
  fi
  install_own_node
  PATH="$ROOT/node_modules/.bin:$PATH"
  export PATH
}
