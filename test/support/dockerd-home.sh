#!/bin/sh
# A home for one dockerd of a test: processes, network and mounts of its own, which all end with whoever holds this script's stdin.
#
#   dockerd-home.sh FOLDER CGROUP
#
# Prints `outer PID` (the parent of the home's first process) and then `ready`. When stdin ends, or the home cannot be made, it kills
# what runs in the home and removes FOLDER and the cgroups of that name.
set -u
folder=$1
cgroup=$2

# The home's first process reaps what dies in it. /run is empty there: sockets and locks of another daemon stay unseen.
# So is /etc/docker, where daemons of old keep the id that they are known by.
unshare --net --mount --pid --fork --kill-child --mount-proc sh -c '
  mkdir -p /etc/docker && mount -t tmpfs tmpfs /etc/docker && mount -t tmpfs tmpfs /run && busybox ip link set lo up && echo ready
  sleep infinity & wait "$!"' &
outer=$!
echo "outer $outer"

cat >/dev/null
read -r first _ <"/proc/$outer/task/$outer/children"
kill -KILL "$outer" 2>/dev/null
wait "$outer" 2>/dev/null

# The home's first process takes all others with it, in the kernel's own time. Mounts and cgroups go after that.
is_left() { [ -e "/proc/${first:-none}" ] || [ -e "$folder" ] || find /sys/fs/cgroup -type d -path "*/$cgroup*" | grep -q .; }
tries=200
while is_left; do
  [ "$tries" -gt 0 ] || exit 1
  [ -e "/proc/${first:-none}" ] || rm -rf "$folder" 2>/dev/null
  find /sys/fs/cgroup -depth -type d -path "*/$cgroup*" -exec rmdir {} + 2>/dev/null
  sleep 0.05
  tries=$((tries - 1))
done
