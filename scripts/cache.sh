# shellcheck shell=bash
# Sourced by the scripts. Everything that they fetch or build lives in ODIN_CACHE,
# outside of the tree, under a name that carries the version: a new pin is a new
# name, so that nothing is ever replaced under a running test.
ODIN_CACHE=${ODIN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/odin}
mkdir -p "$ODIN_CACHE"

# once NAME TARGET COMMAND...: runs COMMAND under the lock NAME unless TARGET
# exists; COMMAND gets the path of an empty directory as its last argument, which
# becomes TARGET when the command succeeds. Concurrent callers wait for the first.
once() {
	local lock=$ODIN_CACHE/$1.lock target=$2
	shift 2
	[ -e "$target" ] && return 0
	mkdir -p "$(dirname "$target")"
	(
		flock 9
		[ -e "$target" ] && exit 0
		partial=$(mktemp -d "$target.XXXXXX")
		trap 'chmod -R u+w "$partial" 2>/dev/null; rm -rf "$partial"' EXIT
		"$@" "$partial" </dev/null 9>&-
		chmod 755 "$partial"
		mv -T "$partial" "$target"
		trap - EXIT
	) 9>"$lock"
}
