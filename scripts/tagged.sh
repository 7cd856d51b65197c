#!/usr/bin/env bash
# scripts/tagged.sh TAG [FLAG...]
# Runs the tests of the files that carry the build tag, and only those.
set -euo pipefail
cd "$(dirname "$0")/.."
tag=$1
shift

mapfile -t files < <(grep -rlE --include='*_test.go' "^//go:build (.*[ (])?$tag([ )].*)?\$" . | sort)
[ ${#files[@]} -gt 0 ] || { echo "tagged.sh: no test carries the tag $tag" >&2; exit 1; }
names=$(grep -hoE '^func (Test[A-Za-z0-9_]*)\(t ' "${files[@]}" | sed 's/^func //; s/(t $//' | paste -sd '|')
[ -n "$names" ] || { echo "tagged.sh: no test in: ${files[*]}" >&2; exit 1; }
mapfile -t packages < <(printf '%s\n' "${files[@]}" | xargs -n1 dirname | sort -u)
exec scripts/gotest.sh -tags "$tag" -run "^($names)\$" -count=1 "$@" "${packages[@]}"
