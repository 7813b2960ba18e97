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

# Debian's `busybox` needs libraries of the system, which an image made of it lacks; that of busybox-static does not.
# A program says near its beginning what loads its libraries.
have_static_busybox() { have busybox && ! head -c 4096 "$(command -v busybox)" | grep -q '/ld-'; }

# Sets `docker_packages` to what tests with containers lack on this machine, and `docker_obstacle` to why it cannot have them.
find_docker() {
  docker_packages=
  docker_obstacle=
  [ -n "${need_docker:-}" ] || return 0
  have dockerd && have containerd && have runc || docker_packages=docker.io
  have_static_busybox || docker_packages="${docker_packages:+$docker_packages }busybox-static"
  if [ "$(id -u)" != 0 ]; then docker_obstacle='a Docker daemon needs root'
  elif [ -n "$docker_packages" ] && ! have apt-get; then docker_obstacle="there is no apt-get to install $docker_packages with"
  fi
  [ -z "$docker_obstacle" ] || docker_packages=
}

# --- what installs Redis and Docker ------------------------------------------------------------------------------------------

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

update_package_lists() {
  [ -z "${lists_updated:-}" ] || return 0
  $as_root apt-get update >&2 || say "apt-get update failed: trying with the package lists that are there"
  lists_updated=yes
}

# Packages link their services for systemd even where that is not there, for the day when it is.
disable_service() {
  if have systemctl; then $as_root systemctl disable "$1"
  else
    $as_root rm -f /etc/systemd/system/*.wants/"$1"
    ! have update-rc.d || $as_root update-rc.d "${1%.*}" disable
  fi
}

# install_with_apt PACKAGES SERVICES: Debian's packages start and enable a service when they are installed; ostler wants the program
# only. A policy of our own keeps services from starting, and those named are disabled before the policy goes again.
install_with_apt() {
  policy='/usr/sbin/policy-rc.d'
  made_policy=
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null && $as_root chmod 755 "$policy" && made_policy=yes
  fi
  # shellcheck disable=SC2064
  trap "[ -z '$made_policy' ] || $as_root rm -f '$policy'" EXIT INT TERM
  # shellcheck disable=SC2086
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $1 >&2
  status=$?
  for service in $2; do disable_service "$service" >/dev/null 2>&1; done
  [ -z "$made_policy" ] || $as_root rm -f "$policy"
  trap - EXIT INT TERM
  return "$status"
}

install_redis_with_apt() {
  update_package_lists
  for candidate in redis-server valkey-server; do
    version=$(apt-cache policy "$candidate" 2>/dev/null | sed -n 's/^ *Candidate: *\([0-9]*:\)\{0,1\}\([0-9][0-9]*\)\..*/\2/p')
    [ "${version:-0}" -ge "$least_redis" ] && { install_with_apt "$candidate" "$candidate.service"; return; }
  done
  return 1
}

# What was there before keeps its services as they are.
install_docker() {
  as_root=
  services=
  have containerd || services=containerd.service
  have dockerd || services="docker.service docker.socket $services"
  case $docker_packages in *docker.io*) ;; *) services= ;; esac
  update_package_lists
  install_with_apt "$docker_packages" "$services" || fail "apt-get could not install $docker_packages; what it said is above"
}

install_redis() {
  case $manager in
    apt-get) install_redis_with_apt ;;
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

# Asks once about what was listed. --yes and CI=true answer; without them there must be somebody to ask. Where the answer is no,
# `refusal` says so.
agreed() {
  [ "${YES:-}" = yes ] || [ "${CI:-}" = true ] && return
  refusal='there is no terminal to ask on: start with --yes to install the above'
  [ -t 0 ] && [ -t 2 ] || return 1
  printf 'Go on? [Y/n] ' >&2
  read -r answer || answer=n
  refusal='nothing was installed'
  case $answer in
    '' | y | Y | yes | Yes) return 0 ;;
    *) return 1 ;;
  esac
}

skip_docker() {
  [ "${CI:-}" != true ] || fail "tests that need containers cannot run, and CI=true allows none to be skipped: $1"
  say "tests that need containers are skipped: $1"
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
  find_manager
  if ! have_redis; then
    [ -n "$manager" ] && find_root || fail "there is no Redis, and this script may not install one. Type this, and start again:
  $(redis_line)"
    plan="$plan
  - a Redis server with $manager; it is neither enabled nor started as a service of the system"
  fi
  find_docker
  [ -z "$docker_obstacle" ] || skip_docker "$docker_obstacle"
  wish=
  [ -z "$docker_packages" ] || wish="
  - $docker_packages with apt-get, at most 80 MB to fetch, for tests that need containers; nothing of it is enabled or started as a service"
  if [ -n "$plan$wish" ]; then
    say "ostler needs to install:$plan$wish"
    if agreed; then
      have_packages || install_packages
      have_redis || install_redis
      [ -z "$docker_packages" ] || install_docker
    elif [ -n "$plan" ]; then fail "$refusal"
    else skip_docker "$refusal"
    fi
  fi
  install_own_node
  PATH="$ROOT/node_modules/.bin:$PATH"
  export PATH
}
