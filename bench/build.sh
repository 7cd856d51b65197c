#!/usr/bin/env bash
# bench/build.sh: builds the tools of the benchmark in a copy outside of the tree
# and prints where. The copy's name carries a digest of the sources.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/cache.sh

compile() {
	scripts/apt.sh gcc libc6-dev
	cp -r bench/. "$1"
	cc -O2 -Wall -o "$1/fanload" bench/fanload.c
	cc -O2 -Wall -o "$1/limit" bench/limit.c
	(cd bench/fanpub && GOFLAGS=-mod=readonly go build -o "$1/fanpub.bin" .)
	(cd bench/fanmix && GOFLAGS=-mod=readonly go build -o "$1/fanmix.bin" .)
	(cd bench/kfaked && GOFLAGS=-mod=readonly go build -o "$1/kfaked.bin" .)
}

digest=$(find bench -type f ! -path 'bench/suite/*' ! -name '*.md' | sort | xargs sha256sum | sha256sum | cut -c1-16)
once bench "$ODIN_CACHE/bench/$digest" compile >&2
echo "$ODIN_CACHE/bench/$digest"
