#!/usr/bin/env bash
# scripts/demo.sh [FLAG...]
# Runs `odind demo` with the flags and says where its page is once it is ready.
set -euo pipefail
cd "$(dirname "$0")/.."

# odind gets a ^C of the terminal as well: wait until it is gone.
trap : INT

say_where() {
	trap '' INT
	local word line
	while read -r line; do
		echo "$line"
		for word in $line; do
			case $word in
			operator=*) printf '\n  the page: %s/\n\n' "${word#operator=}" ;;
			esac
		done
	done
}

bin/odind demo "$@" > >(say_where) || exit $?
