#!/usr/bin/env bash
# test/readme/run.sh
# Every command that README.md shows is one that is tried: here, or by the part
# of .ci/run that runs the very same words.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'kill -KILL -- "-${group:-0}" 2>/dev/null || true; rm -rf "$work"' EXIT

fail() {
	echo "readme: $1" >&2
	exit 1
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

fetch() { python3 -c 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=5).read().decode())' "$1"; }
gone() { ! kill -0 -- "-$group" 2>/dev/null; }

# make demo: it says where its page is, the page is there, and ^C ends all of it.
try_demo() {
	local page
	set -m
	DEMO='--listen 127.0.0.1:0 --operator-listen 127.0.0.1:0 --broker-listen 127.0.0.1:0' make demo >"$work/demo" 2>"$work/demo.log" &
	group=$!
	set +m
	await 300 grep -qs 'the page:' "$work/demo" || { cat "$work/demo" "$work/demo.log" >&2; fail "make demo doesn't say where its page is"; }
	page=$(sed -n 's/.*the page: //p' "$work/demo")
	fetch "$page" | grep -q '<title>Odin</title>' || fail "no page at $page"
	fetch "${page}api/status" | python3 -c 'import json, sys; assert json.load(sys.stdin)["workers"]' || fail "no status beside the page"
	kill -INT -- "-$group"
	await 20 gone || fail "make demo is still there 20 s after ^C"
	wait "$group" || true
}

# shellcheck disable=SC2016 # Markdown's fences
mapfile -t commands < <(sed -n '/^```sh$/,/^```$/p' README.md | sed '/^```/d; s/ *#.*//; /^$/d' | sort -u)
[ ${#commands[@]} -ge 2 ] || fail "README.md shows ${#commands[@]} commands"
for command in "${commands[@]}"; do
	case $command in
	"make demo") try_demo ;;
	"make bench") grep -qE '^QUICK=1 .*make bench$' bench/test/check.sh || fail "bench/test/check.sh doesn't run: make bench" ;;
	"make "*) grep -qE "^part .* -- $command( |\$)" .ci/run || fail ".ci/run doesn't run: $command" ;;
	*) fail "nothing tries: $command" ;;
	esac
	echo "ok: $command"
done
