#!/usr/bin/env bash
# scripts/apt.sh [--stopped UNIT]... PACKAGE...
# Installs the Debian packages that are missing. Needs root, or sudo without a password.
# Services of theirs that systemd would start, and is not to, are named by --stopped.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/cache.sh

missing() {
	local package
	for package; do
		dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
	done
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif sudo -n true 2>/dev/null; then
		sudo -n -- "$@"
	else
		echo "apt.sh: installing needs root; run as root: apt-get install -y --no-install-recommends ${wanted[*]}" >&2
		return 1
	fi
}

apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 "$@" </dev/null >&2
}

# units VERB: does so with the services that are not to run, where systemd does.
units() {
	[ ${#stopped[@]} -gt 0 ] && [ -d /run/systemd/system ] || return 0
	as_root systemctl "$1" "${stopped[@]}" >&2
}

stopped=()
while [ "${1:-}" = --stopped ]; do
	stopped+=("$2")
	shift 2
done
command -v dpkg-query >/dev/null || { echo "apt.sh: not a Debian system; install by hand: $*" >&2; exit 1; }
exec 9>"$ODIN_CACHE/apt.lock"
flock 9
mapfile -t wanted < <(missing "$@")
[ ${#wanted[@]} -gt 0 ] || exit 0
units mask # nothing starts what is masked, not even an installation
trap 'units unmask; units disable' EXIT
# The lists of a fresh machine are empty or old: update them only when they don't do.
apt_get install -y --no-install-recommends "${wanted[@]}" 9>&- 2>/dev/null && exit 0
apt_get update 9>&-
apt_get install -y --no-install-recommends "${wanted[@]}" 9>&- || {
	echo "apt.sh: apt-get could not install: ${wanted[*]}" >&2
	exit 1
}
