#!/usr/bin/env bash
# scripts/lint.sh: the form of everything in the tree; `scripts/lint.sh ./x/...`
# looks at these packages alone.
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0

# check WHAT COMMAND...: an output or a failure is a finding.
check() {
	local what=$1 output
	shift
	if ! output=$("$@" 2>&1) || [ -n "$output" ]; then
		printf -- '--- %s\n%s\n' "$what" "$output"
		failed=1
	fi
}

shell_files() {
	git ls-files -co --exclude-standard | while read -r file; do
		[ -f "$file" ] || continue
		case $file in
		*.sh) echo "$file" ;;
		*) if head -c 64 "$file" | head -n1 | tr -d '\0' | grep -qE '^#!.*\b(ba|da)?sh\b'; then echo "$file"; fi ;;
		esac
	done
}

check_shell() {
	local shellcheck
	shellcheck=$(scripts/tools.sh shellcheck)
	shell_files | xargs "$shellcheck"
}

# Nothing in the tree may know the machine that it was written on.
check_machine() {
	git grep -nE '/work/(main|shared)|/root/|/home/[a-z]|(proxy|sum)\.golang\.org|registry\.npmjs\.org|pypi\.org|repo1?\.maven' -- \
		':!scripts/lint.sh' || true
}

check_go() {
	local golangci_lint
	golangci_lint=$(scripts/tools.sh golangci-lint)
	"$golangci_lint" run --allow-parallel-runners --show-stats=false "$@"
}

# bench/ has modules of its own, which stay as they are.
check_format() {
	local gofumpt
	gofumpt=$(scripts/tools.sh gofumpt)
	git ls-files -co --exclude-standard -- '*.go' ':!bench' | xargs ls -d 2>/dev/null | xargs "$gofumpt" -l
}

check_tidy() {
	go mod tidy -diff 2>&1 | { grep -v '^go: downloading ' || true; }
}

check "gofumpt ($(scripts/tools.sh gofumpt) -w FILE)" check_format
check "shellcheck" check_shell
check "paths and hosts of a machine" check_machine
check "go mod tidy" check_tidy
check "golangci-lint" check_go "${@:-./...}"
[ "$failed" = 0 ] && echo "lint: nothing found"
exit "$failed"
