#!/usr/bin/env bash
# deploy/deb/build.sh [VERSION [DIR]]
# Builds the Debian package in DIR (bin/) and prints its path. The version comes
# from git unless it is given.
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=${2:-bin}

# Sorts by time as long as there is no tag: v1.2.3-4-gabc is 1.2.3+4.gabc.
version_of_git() {
	local described
	if described=$(git describe --tags --match 'v[0-9]*' --dirty=+dirty 2>/dev/null); then
		described=${described#v}
		described=${described/-/+}
		echo "${described/-/.}"
	else
		TZ=UTC git log -1 --date=format-local:%Y%m%d%H%M%S --format='0~%cd.%h'
	fi
}

nfpm=$(scripts/tools.sh nfpm)
ODIN_VERSION=${1:-$(version_of_git)}
ODIN_BUILT=$(mktemp -d)
trap 'rm -rf "$ODIN_BUILT"' EXIT
ODIN_ARCH=$(go env GOARCH)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export ODIN_VERSION ODIN_BUILT ODIN_ARCH SOURCE_DATE_EPOCH

# Without cgo the programs need no library of any release of Debian.
CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${1:-$(git describe --always --dirty)}" -o "$ODIN_BUILT/" ./cmd/odind ./cmd/odinctl
for shell in bash zsh; do # by a program of this machine, whatever the package is for
	env -u GOOS -u GOARCH go run ./cmd/odinctl completion "$shell" >"$ODIN_BUILT/odinctl.$shell"
done
mkdir -p "$dir"
"$nfpm" package --config deploy/deb/nfpm.yaml --packager deb --target "$ODIN_BUILT/" >&2
package=$(cd "$ODIN_BUILT" && ls ./*.deb)
mv "$ODIN_BUILT/$package" "$dir/"
echo "$dir/${package#./}"
