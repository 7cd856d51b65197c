#!/usr/bin/env bash
# scripts/apt.sh PACKAGE...
# Installs the Debian packages that are missing. Needs root, or sudo without a password.
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

command -v dpkg-query >/dev/null || { echo "apt.sh: not a Debian system; install by hand: $*" >&2; exit 1; }
exec 9>"$ODIN_CACHE/apt.lock"
flock 9
mapfile -t wanted < <(missing "$@")
[ ${#wanted[@]} -gt 0 ] || exit 0
# The lists of a fresh machine are empty or old: update them only when they don't do.
apt_get install -y --no-install-recommends "${wanted[@]}" 9>&- 2>/dev/null && exit 0
apt_get update 9>&-
apt_get install -y --no-install-recommends "${wanted[@]}" 9>&- || {
	echo "apt.sh: apt-get could not install: ${wanted[*]}" >&2
	exit 1
}
