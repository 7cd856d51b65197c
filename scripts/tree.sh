#!/usr/bin/env bash
# scripts/tree.sh
# Fails if what ran before left files in the tree, or if a binary is in it.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -n "${ODIN_TREE_BEFORE:-}" ] && ! git status --porcelain | diff "$ODIN_TREE_BEFORE" - >&2; then
	echo "tree.sh: the tests changed the tree" >&2
	exit 1
fi
binaries=$(git diff --numstat "$(git hash-object -t tree /dev/null)" HEAD -- ':!docs/*.png' ':!**/testdata/**' | sed -n 's/^-\t-\t//p')
if [ -n "$binaries" ]; then
	echo "tree.sh: binaries in the tree: $binaries" >&2
	exit 1
fi
