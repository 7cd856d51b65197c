#!/usr/bin/env bash
# test/browser/picture.sh
# Draws docs/page.png, which README.md shows: five minutes of `odind demo`.
# Needs bin/odind.
set -euo pipefail
cd "$(dirname "$0")/../.."
mapfile -t tools < <(scripts/tools.sh chromium playwright-core pngquant)
[ ${#tools[@]} = 3 ]
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

CHROMIUM=${tools[0]} PLAYWRIGHT=${tools[1]} ODIN_NODE=fra-1 ODIND=$PWD/bin/odind SEEN=$work/page.png WORK=$work \
	timeout -k 10 480 node test/browser/picture.mjs
"${tools[2]}" --strip --speed 1 --output docs/page.png --force 96 "$work/page.png"
[ "$(stat -c %s docs/page.png)" -lt 150000 ] || { echo "picture.sh: docs/page.png is larger than 150 kB" >&2; exit 1; }
ls -l docs/page.png
