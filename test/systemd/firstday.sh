#!/usr/bin/env bash
# test/systemd/firstday.sh [FILE]
# An operator's first day with odind, typed into a machine that systemd boots, with a
# Kafka of one's own: the transcript goes to standard output, and to FILE. Every
# command that docs/OPERATIONS.md shows under systemd is among them. Needs root.
set -euo pipefail
. "$(dirname "$0")/machine.sh"
alone "$0" "$@"
trap machine_end EXIT
transcript=$(realpath "${1:-/dev/null}")
page=$(dirname "$0")/../../docs/OPERATIONS.md
passed=0 failed=0
typed=() output=

record() { tee -a "$transcript"; }
note() { printf '\n### %s\n\n' "$1" | record; }

# types COMMAND: as an operator does, who says yes to apt.
types() {
	typed+=("$1")
	printf 'root@odin:~# %s\n' "${1//$'\n'/$'\n'> }" | record
	output=$(inside bash -c "cd; exec 2>&1; $1" <<<y | shorten "$1") && code=0 || code=$?
	[ -z "$output" ] || printf '%s\n' "$output" | record
}

# shorten COMMAND: apt's output without what tells an operator nothing.
shorten() {
	case $1 in
	apt*) sed 's/.*\r//' | sed -E '/^$|stable CLI interface|apt-utils is not installed|^Reading |^Building |^Get:/d' ;;
	*) cat ;;
	esac
}

# expect CODE [TEXT...]: of what was typed last.
expect() {
	local text want=$1 wrong=
	shift
	[ "$code" = "$want" ] || [ "$want" = any ] || wrong="exit $code, not $want"
	for text; do
		grep -qF -- "$text" <<<"$output" || wrong+="${wrong:+; }no \"$text\""
	done
	if [ -z "$wrong" ]; then
		passed=$((passed + 1))
		return
	fi
	printf 'not ok - %s: %s\n' "${typed[-1]}" "$wrong"
	failed=$((failed + 1))
}

# types_late COMMAND CODE TEXT...: types it when its output has the first TEXT, or
# after a minute.
types_late() {
	await 60 inside bash -c "cd; $1 2>&1 | grep -F -- '$3' >/dev/null" || true
	types "$1"
	shift
	expect "$@"
}

install_it() {
	note "Install"
	types 'apt install ./odind_*.deb'
	expect 0 'systemctl start odind'
	types 'systemctl is-enabled odind; systemctl is-active odind'
	expect any enabled inactive
}

three_mistakes() {
	note "Configure: words that are not there, and numbers that are not allowed"
	types "cat >/etc/odin/odin.yaml <<END
kafka:
  brokrs: [\"127.0.0.1:9092\"]
workers: 0
log: {level: verbose}
END"
	types 'odind check'
	expect 2 '/etc/odin/odin.yaml:2:3: kafka.brokrs: unknown key' 'did you mean "brokers"' 'odin.yaml:3:10: workers: 0 is out of range' 'odin.yaml:4:14: log.level'
	note "Again: a login without a password; started without a check"
	types "cat >/etc/odin/odin.yaml <<END
kafka:
  brokers: [\"127.0.0.1:9092\"]
  sasl: {mechanism: PLAIN, user: odin}
END"
	types 'systemctl start odind'
	expect 1 'systemctl status odind.service'
	types_late 'systemctl status odind' 3 'PLAIN needs a user and a password' 'odin.yaml:3:21' 'Active: failed'
	note "And again: an address that this machine does not have, which no check can know"
	types "cat >/etc/odin/odin.yaml <<END
runtime_dir: /run/odin
kafka: {brokers: [\"127.0.0.1:9092\"]}
operator: {listen: \"10.9.8.7:9464\"}
END"
	types 'odind check --quiet'
	expect 0
	types 'systemctl start odind'
	expect 1
	types 'systemctl status odind'
	expect any 'Status: "failed: listen on 10.9.8.7:9464' 'cannot assign requested address'
	types 'systemctl stop odind'
	expect 0
}

begin() {
	note "Start"
	types "cat >/etc/odin/odin.yaml <<END
runtime_dir: /run/odin
workers: 2
kafka: {brokers: [\"127.0.0.1:9092\"]}
END"
	types 'odind check'
	expect 0 'is good'
	types 'systemctl start odind'
	expect 0
	types_late 'systemctl status odind' 0 'ready: 2 of 2 workers ready'
	types 'journalctl -u odind -n 20'
	expect 0 '"msg":"ready"'
}

look() {
	note "Look"
	types 'odinctl status'
	expect 0 ready
	types "systemd-run -q --unit listener odinctl sub '*.*'"
	types_late 'odinctl status --json | grep sessions' 0 '"sessions": 1,'
	types "odinctl publish odin.trades BTC '{\"price\":42}'"
	expect 0 odin.trades
	types_late 'journalctl -q -o cat -u listener' 0 '{"price":42}'
	types 'odinctl top --once'
	expect 0 deliveries
	types 'odinctl conns'
	expect 0 127.0.0.1
	types 'odinctl explain BTC.trade'
	expect 0 odin.trades
	note "Scrape"
	types 'curl -s http://127.0.0.1:9464/readyz'
	expect 0 ready
	types "curl -s http://127.0.0.1:9464/metrics | grep -E '^odin_(sessions|deliveries_total)\\{'"
	expect 0 odin_deliveries_total
}

change() {
	note "Change the configuration: with a mistake, then without"
	types "cat >>/etc/odin/odin.yaml <<END
origins: [\"https://app.example.com\"]
log: {level: warning}
END"
	types 'odinctl reload'
	expect 1 '/etc/odin/odin.yaml:5:14: log.level: "warning" is unknown' 'nothing has changed'
	types "sed -i 's/level: warning/level: warn/; s/workers: 2/workers: 3/' /etc/odin/odin.yaml"
	types 'odinctl reload'
	expect 0 'in force       log.level' 'needs restart  workers'
	types 'systemctl reload odind'
	expect 0
	types 'systemctl restart odind'
	expect 0
	types_late 'journalctl -q -o cat -u listener' 0 'odind closed the connection: 1001'
	types_late 'systemctl status odind' 0 'ready: 3 of 3 workers ready'
}

drain() {
	note "Drain"
	types "for n in 1 2 3 4; do systemd-run -q --unit listener-\$n odinctl sub '*.*'; done"
	types_late 'odinctl status --json | grep sessions' 0 '"sessions": 4,'
	types 'odinctl drain --over 4s --wait'
	expect 0
	types 'curl -s http://127.0.0.1:9464/readyz'
	expect 0 draining
	types_late 'systemctl status odind' 0 'Active: active' 'draining'
	types "journalctl -q -o cat -u 'listener-*' | grep closed"
	expect 0 'odind closed the connection: 1001 draining; try again in'
	types 'odinctl undrain'
	expect 0
	types_late 'curl -s http://127.0.0.1:9464/readyz' 0 ready
}

leave() {
	note "Stop"
	types 'systemctl stop odind'
	expect 0
	types 'odinctl status'
	expect 3 'no running odind found'
	note "Remove"
	types 'apt remove odind'
	expect 0 'Removing odind'
	types 'ls /etc/odin'
	expect 0 odin.yaml
	types 'apt purge odind'
	expect 0 'Purging configuration files for odind'
	types 'ls -d /etc/odin /run/odin /usr/bin/odind'
	expect 2
}

# shown: the commands that the page has under systemd.
shown() {
	sed -n '/^## Under systemd/,/^## Exit/p' "$page" | awk '/^```/ {inside = $0 == "```sh"; next} inside' | sed 's/ *#.*//; /^$/d'
}

page_is_tried() {
	local line lines
	mapfile -t lines < <(shown)
	[ ${#lines[@]} -ge 5 ] || { echo "not ok - the page shows ${#lines[@]} commands"; failed=$((failed + 1)); }
	for line in "${lines[@]}"; do
		if printf '%s\n' "${typed[@]}" | grep -qxF -- "$line"; then
			passed=$((passed + 1))
		else
			echo "not ok - nobody typed what docs/OPERATIONS.md shows: $line"
			failed=$((failed + 1))
		fi
	done
}

: >"$transcript"
machine_boot "$ODIN_MACHINE_FILES"
inside sh -c 'cp /opt/odin/now/*.deb ~/'
inside install -D -m 644 /dev/stdin /etc/apt/apt.conf.d/90plain <<<'Dpkg::Use-Pty "0";'
inside systemd-run -q --unit kafka /opt/odin/kfaked -port 9092 -partitions 3
for part in install_it three_mistakes begin look change drain leave page_is_tried; do
	$part
done
[ "$failed" = 0 ] || inside journalctl -q -n 60 -t systemd -t odind | sed 's/^/# /'
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
