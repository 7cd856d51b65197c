#!/usr/bin/env bash
# test/systemd/run.sh
# The Debian package and its unit in a machine booted by systemd: installed, wrongly
# configured, started, reloaded, wedged, killed, stopped, upgraded, purged. Needs root.
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/tools.sh systemd-nspawn >/dev/null
scripts/apt.sh iproute2 procps curl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
deploy/deb/build.sh 0.0.1 "$work" >/dev/null
deploy/deb/build.sh 0.0.2 "$work" >/dev/null
cp "$(bench/build.sh)/kfaked.bin" "$work/kfaked"
test/systemd/checks.sh "$work"
