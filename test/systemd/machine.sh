# shellcheck shell=bash
# Sourced: a machine that systemd boots, made of this one's files with a layer on
# top that is thrown away, in namespaces of its own: its network is a loopback
# interface, and whatever happens to the caller it is gone with it.

# alone SCRIPT ARG...: runs SCRIPT anew in a mount namespace of its own, so that no
# mount can be left behind, with what it needs in ODIN_MACHINE_FILES; and exits.
alone() {
	[ -z "${ODIN_MACHINE_ALONE:-}" ] || return 0
	[ "$(id -u)" = 0 ] || { echo "$1: booting a machine needs root" >&2; exit 1; }
	machine_files
	ODIN_MACHINE_ALONE=yes setpriv --pdeathsig TERM unshare --mount --propagation private -- "$@" && exit 0 || exit $?
}

# machine_files makes what the machine gets, unless a caller has: the package as
# `make deb` would, a later version of it, and a broker.
machine_files() {
	[ -z "${ODIN_MACHINE_FILES:-}" ] || return 0
	local top
	top=$(dirname "${BASH_SOURCE[0]}")/../..
	"$top/scripts/tools.sh" systemd-nspawn >/dev/null
	"$top/scripts/apt.sh" iproute2 procps curl
	ODIN_MACHINE_FILES=$(mktemp -d)
	export ODIN_MACHINE_FILES
	trap 'rm -rf "$ODIN_MACHINE_FILES"' EXIT
	"$top/deploy/deb/build.sh" '' "$ODIN_MACHINE_FILES/now" >/dev/null
	"$top/deploy/deb/build.sh" 999.0 "$ODIN_MACHINE_FILES/later" >/dev/null
	cp "$("$top/bench/build.sh")/kfaked.bin" "$ODIN_MACHINE_FILES/kfaked"
}

# cgroup_mounts: the hierarchies that systemd would use, as MOUNT:PATH-OF-OURS.
cgroup_mounts() {
	local path
	path=$(sed -n 's/^0:://p' /proc/self/cgroup)
	[ -z "$path" ] || findmnt -rno TARGET -t cgroup2 | sed "s|\$|:$path|"
	path=$(sed -n 's/^[0-9]*:name=systemd://p' /proc/self/cgroup)
	[ -z "$path" ] || findmnt -rno TARGET -t cgroup -O name=systemd | sed "s|\$|:$path|"
}

# sweep HIERARCHY: what is left of machines whose script was killed.
sweep() {
	local dir
	for dir in "${1%/}"/odin-[0-9]* /run/systemd/nspawn/propagate/odin-[0-9]*; do
		[ ! -d "$dir" ] || kill -0 "${dir##*-}" 2>/dev/null || remove_tree "$dir" || true
	done
}

# own_cgroup moves this shell into control groups of its own: machines that start
# in the same one would be in each other's way.
own_cgroup() {
	local at
	machine_cgroups=()
	for at in $(cgroup_mounts); do
		at=${at%%:*}${at#*:}
		sweep "$at"
		mkdir "${at%/}/$machine" && machine_cgroups+=("${at%/}/$machine")
		echo $$ >"${at%/}/$machine/cgroup.procs"
	done
}

# leave_cgroup goes back and removes what the machine has left. The last of its
# processes may still be ending, and a part of this script may still be waiting for
# something in there.
leave_cgroup() {
	local group left
	for group in "${machine_cgroups[@]}"; do
		echo $$ >"${group%/*}/cgroup.procs"
		mapfile -t left <"$group/cgroup.procs"
		[ ${#left[@]} = 0 ] || kill -KILL "${left[@]}" 2>/dev/null || true
		await 30 remove_tree "$group" || echo "machine.sh: $group is left" >&2
	done
}

# remove_tree DIR: directories alone, as those of control groups are removed.
remove_tree() {
	find "$1" -depth -type d -exec rmdir {} + 2>/dev/null || true
	[ ! -d "$1" ]
}

# machine_boot DIR: boots it; DIR is /opt/odin inside.
machine_boot() {
	machine=odin-$$
	machine_root=$(mktemp -d)
	mount -t tmpfs -o mode=755 tmpfs "$machine_root"
	mkdir "$machine_root"/{upper,work,root}
	mount -t overlay -o "lowerdir=/,upperdir=$machine_root/upper,workdir=$machine_root/work" overlay "$machine_root/root"
	machine_prepare "$machine_root/root"
	own_cgroup
	setpriv --pdeathsig KILL systemd-nspawn --quiet --directory "$machine_root/root" --boot --private-network --register=no --keep-unit \
		--machine="$machine" --hostname=odin --bind-ro="$1:/opt/odin" --console=pipe --link-journal=no \
		systemd.unit=basic.target systemd.mask=systemd-networkd.service systemd.mask=systemd-networkd-wait-online.service \
		</dev/null >"$machine_root/console" 2>&1 &
	machine_nspawn=$!
	await 60 machine_up || { cat "$machine_root/console" >&2; return 1; }
}

# machine_prepare ROOT: what this machine forbids (a container's policy for
# packages) or has (an odind of its own) is not the new one's.
machine_prepare() {
	rm -f "$1/usr/sbin/policy-rc.d"
	rm -rf "$1/var/log/journal" "$1/etc/odin"
	echo odin >"$1/etc/hostname"
}

machine_up() {
	kill -0 "$machine_nspawn" 2>/dev/null || return 1
	leader=$(pgrep -P "$machine_nspawn" | head -n1)
	[ -n "$leader" ] && inside systemctl is-active -q basic.target 2>/dev/null
}

# inside COMMAND...: as root of the machine.
inside() {
	nsenter -t "$leader" -m -u -i -n -p -C -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TERM=dumb SYSTEMD_PAGER='' "$@"
}

# machine_end throws it away. May be called at any time.
machine_end() {
	trap '' TERM INT HUP
	[ -n "${machine:-}" ] || return 0
	{
		[ -z "${leader:-}" ] || kill -KILL "$leader"
		[ -z "${machine_nspawn:-}" ] || kill -KILL "$machine_nspawn"
		wait "${machine_nspawn:-}"
	} 2>/dev/null || true
	umount -l "$machine_root/root" "$machine_root" 2>/dev/null || true
	rmdir "$machine_root" "/run/systemd/nspawn/propagate/$machine" 2>/dev/null || true
	leave_cgroup
	machine=
}

# await SECONDS COMMAND...
await() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}
