#!/usr/bin/env bash
# scripts/tools.sh NAME...
# Makes sure that each tool is there in the version pinned here, and prints the
# path of each, one a line. Nothing is put into the tree or into PATH.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/cache.sh

golangci_lint=v2.15.0
gofumpt=v0.9.2
k6=v1.8.1
nats_server=v2.15.3
nfpm=v2.41.0
autobahn=0.8.2
autobahn_python=2.7.18

# go_tool PROGRAM MODULE VERSION
go_tool() {
	local target=$ODIN_CACHE/tools/$1@$3
	once "$1" "$target" go_install "$2@$3"
	echo "$target/$1"
}

go_install() {
	echo "tools.sh: building $1" >&2
	GOBIN=$2 GOFLAGS=-mod=readonly go install "$1" >&2
}

# debian_tool PROGRAM [PACKAGE...]
debian_tool() {
	local program=$1
	shift
	command -v "$program" || {
		scripts/apt.sh "$@"
		command -v "$program"
	}
}

# debian_daemon PROGRAM UNIT PACKAGE: of a package that would start a service.
debian_daemon() {
	command -v "$1" || {
		scripts/apt.sh --stopped "$2" "$3"
		command -v "$1"
	}
}

# node_tool NAME DIR: what package.json in DIR asks for. The lock file beside it
# is the version: another content is another directory.
node_tool() {
	local target
	target=$ODIN_CACHE/tools/$1@$(cat "$2/package.json" "$2/package-lock.json" | sha256sum | cut -c1-16)
	once "$1" "$target" npm_ci "$2"
	echo "$target/node_modules"
}

npm_ci() {
	command -v npm >/dev/null || { echo "tools.sh: this needs Node.js with npm" >&2; return 1; }
	cp "$1/package.json" "$1/package-lock.json" "$2"
	npm ci --prefix "$2" --ignore-scripts --no-audit --no-fund >&2
}

# Autobahn's suite is written for Python 2.7, which Debian no longer has: pyenv has.
autobahn() {
	once autobahn "$ODIN_CACHE/tools/autobahn@$autobahn" pip2_install
	echo "$ODIN_CACHE/tools/autobahn@$autobahn"
}

pip2_install() {
	PYENV_VERSION=$autobahn_python python -c 'import sys; sys.exit(sys.version_info[0] != 2)' 2>/dev/null || {
		echo "tools.sh: Autobahn needs Python $autobahn_python by pyenv" >&2
		return 1
	}
	PYENV_VERSION=$autobahn_python python -m pip install -q --no-warn-script-location \
		--target "$1" "autobahntestsuite==$autobahn" >&2
}

for name; do
	case $name in
	gofumpt) go_tool gofumpt mvdan.cc/gofumpt "$gofumpt" ;;
	golangci-lint) go_tool golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint "$golangci_lint" ;;
	k6) go_tool k6 go.k6.io/k6 "$k6" ;;
	nats-server) go_tool nats-server github.com/nats-io/nats-server/v2 "$nats_server" ;;
	nfpm) go_tool nfpm github.com/goreleaser/nfpm/v2/cmd/nfpm "$nfpm" ;;
	systemd-nspawn) debian_tool systemd-nspawn systemd-container ;;
	shellcheck) debian_tool shellcheck shellcheck ;;
	chromium) debian_tool chromium chromium fonts-dejavu-core ;;
	pngquant) debian_tool pngquant pngquant ;;
	prometheus | promtool) debian_daemon "$name" prometheus.service prometheus ;;
	alertmanager) debian_daemon prometheus-alertmanager prometheus-alertmanager.service prometheus-alertmanager ;;
	playwright-core) node_tool playwright-core test/browser ;;
	tsc) echo "$(node_tool tsc clients/js/test)/.bin/tsc" ;;
	autobahn) autobahn ;;
	*)
		echo "tools.sh: no such tool: $name" >&2
		exit 2
		;;
	esac
done
