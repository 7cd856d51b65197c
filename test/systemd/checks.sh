#!/usr/bin/env bash
# test/systemd/checks.sh
# The Debian package and its unit in a machine that systemd boots: installed, wrongly
# configured, started, reloaded, wedged, killed, stopped, upgraded, purged. One failure
# ends it: each check builds on those before. Needs root.
set -euo pipefail
. "$(dirname "$0")/machine.sh"
alone "$0" "$@"
passed=0
trap machine_end EXIT

# check WHAT COMMAND...
check() {
	local what=$1 output
	shift
	if output=$("$@" 2>&1); then
		echo "ok - $what"
		passed=$((passed + 1))
		return
	fi
	printf 'not ok - %s\n# %s\n%s\n' "$what" "$*" "$output"
	{
		inside systemctl status --no-pager -n0 odind
		inside journalctl --no-pager -q -n 40 -t systemd -t odind -t odinctl
	} 2>&1 | sed 's/^/# /' || true
	echo "$passed passed, 1 failed"
	exit 1
}

# patience is how long what should come at once may take on a busy machine.
patience=60
soon() { await "$patience" "$@"; }

not() { ! "$@"; }
has() { grep -F -- "$1" >/dev/null; }
prop() { inside systemctl show -P "$1" odind.service; }
is() { [ "$(prop "$1")" = "$2" ]; }
serves() { is ActiveState active && is SubState running; }
supervisor() { prop MainPID; }
status_says() { prop StatusText | has "$1"; }
readyz() { [ "$(inside curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:9464/readyz)" = "$1" ]; }
workers() { inside pgrep -P "$(supervisor)"; }
processes() { inside pgrep -u odin; }
asked() { inside odinctl status --json | has "$1"; }

setting() { [ "$(inside sysctl -n "$1")" = "$2" ]; }
shown() { { inside systemctl status odind || true; } | has "$*"; }

# The journal since the last mark. (A cursor would lose the first entry behind it.)
mark() { since=$(inside date '+%F %T.%6N'); }
journal() { inside journalctl -q -o cat --since "$since" "$@"; }
logged() { journal -u odind | has "$1"; }

# client NAME [SESSIONS]: one that listens until it is sent away; SESSIONS are then there.
client() {
	inside systemd-run -q --unit "client-$1" odinctl sub '*.*'
	soon asked "\"sessions\": ${2:-1},"
}
client_told() { journal -u "client-$1" | has "$2"; }

# put FILE: standard input to a file of the machine.
put() { inside install -D -m 644 /dev/stdin "$1"; }

# configure [STOP_MS [LINE [KEY OF KAFKA]]]
configure() {
	put /etc/odin/odin.yaml <<EOF
runtime_dir: /run/odin
workers: 2
kafka: {brokers: ["127.0.0.1:9092"]${3:+, $3}}
limits: {stop_ms: ${1:-500}}
${2:-}
EOF
}

broker() { inside systemd-run -q --unit kafka /opt/odin/kfaked -port 9092 -partitions 3; }

# tree: what the machine has beyond this one, but for what any package's coming and
# going leaves. (A directory that both have was only written to.)
tree() {
	find "$machine_root/upper" -mindepth 1 -printf '%y /%P\n' | grep -vE ' /(tmp|var/(log|cache|tmp)|var/lib/(dpkg|apt|systemd)|run|root)(/|$)' |
		grep -vE ' /etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$' | sort | while read -r kind path; do
		[ "$kind" = d ] && [ -d "$path" ] || echo "$path"
	done
}

install_package() { inside dpkg -i "/opt/odin/$1/$(basename "$ODIN_MACHINE_FILES/$1"/*.deb)"; }

install_it() {
	tree >"$machine_root/before"
	check "the package installs" install_package now
	check "the unit is enabled, and not started before somebody has configured it" is UnitFileState enabled
	check "nothing runs yet" is ActiveState inactive
	check "its user is there" inside id odin
	check "the kernel's settings are in force" setting net.core.somaxconn 16384
	check "systemd finds nothing wrong with the unit" inside systemd-analyze verify odind.service
	check "systemd-analyze security is at most 2.0" inside systemd-analyze security --offline=true --threshold=20 odind.service
	check "the configuration of the package is a good one" inside odind check
}

# password: a secret that only the group may read reaches the confined odind.
password() {
	configure 500 '' 'sasl: {mechanism: PLAIN, user: odin, password_file: /etc/odin/password}'
	inside install -m 600 /dev/stdin /etc/odin/password <<<secret
	check "a password that odind may not read fails the start" not inside systemctl start odind
	check "systemctl status names the file" soon shown '/etc/odin/password'
	inside chown root:odin /etc/odin/password
	inside chmod 640 /etc/odin/password
	inside systemctl start --no-block odind
	check "one that its group may read does not" soon has_workers
	inside systemctl stop odind
	inside rm /etc/odin/password
}

bad_configuration() {
	configure 500 'workrs: 3'
	mark
	check "a bad configuration fails the start" not inside systemctl start odind
	check "systemctl status shows what is wrong, and where" soon shown /etc/odin/odin.yaml:5:1: 'workrs: unknown key'
	check "it is failed, and not started again" is SubState failed
	check "it was tried once" is NRestarts 0
	inside systemctl reset-failed odind
}

# unit WHAT [KEY=VALUE...] changes the unit for some tests, or no more.
unit() {
	local drop_in=/run/systemd/system/odind.service.d/$1.conf
	shift
	if [ $# = 0 ]; then
		inside rm "$drop_in"
	else
		printf '%s\n' '[Service]' "$@" | put "$drop_in"
	fi
	inside systemctl daemon-reload
}

# began: how many seconds ago the supervisor was started.
began() { inside ps -o etimes= -p "$(supervisor)"; }
older() { [ "$(began)" -gt "$1" ]; }

# hang: the unit's own times, 60 and 30 s, would make this test as long.
hang() {
	configure
	unit hang TimeoutStartSec=5 WatchdogSec=8
	inside systemctl start --no-block odind
	check "without brokers it goes on starting" soon older 6
	check "beyond the unit's time, for odind asks for more" is ActiveState activating
	check "the status line says what it waits for" soon status_says '127.0.0.1:9092: connect: connection refused'
	mark
	inside kill -STOP "$(supervisor)"
	check "a start that hangs is ended" soon logged 'start operation timed out'
	check "with the goroutines in the journal" soon logged 'supervisor.(*house).supervise'
	unit hang
	check "and tried again" soon has_workers
}

start() {
	local frozen
	check "without brokers it is not active" soon is ActiveState activating
	soon has_workers
	frozen=$(workers | tail -n1)
	inside kill -STOP "$frozen"
	broker
	check "one worker accepts" soon readyz 200
	check "that is not enough for being active" is ActiveState activating
	inside kill -CONT "$frozen"
	check "it is active once all do" soon serves
	check "the status line has workers, sessions and lag" soon status_says 'ready: 2 of 2 workers ready, 0 sessions, 24 partitions, lag 0'
}

confined() {
	check "it runs as odin" runs_as odin
	check "the listeners' queues are as long as the kernel's setting" queues 16384
	check "the group may ask it" inside setpriv --reuid nobody --regid odin --clear-groups odinctl status
	check "others may not" not inside setpriv --reuid nobody --regid nogroup --clear-groups odinctl status
	client records
	check "a record arrives" soon delivered
	inside systemctl stop client-records
}

runs_as() { [ "$(inside ps -o user= -p "$(supervisor)")" = "$1" ]; }
queues() { [ "$(inside ss -Hltn 'sport = :3001' | awk '{print $3}' | sort -u)" = "$1" ]; }

delivered() {
	inside odinctl publish odin.trades BTC '{"price":1}' && sleep 0.2 && inside journalctl -q -o cat -u client-records | has '{"price":1}'
}

# in_force: the digest of the configuration that runs.
in_force() { inside odinctl status --json | sed -n 's/^ *"config_digest": "\(.*\)",$/\1/p'; }
is_in_force() { [ "$(in_force)" = "$1" ]; }
of_file() { inside odind check | sed -n 's/^configuration \(.*\) is good$/\1/p'; }

reload() {
	local old new
	client reload
	old=$(in_force)
	mark
	configure 500 'origins: ["https://app.example.com"]'
	new=$(of_file)
	check "another configuration is reloaded" inside systemctl reload odind
	check "and in force then" is_in_force "$new"
	check "it is another one than before" not is_in_force "$old"
	check "what came of it is in the journal" soon logged 'origins'
	configure 500 'workrs: 3'
	check "a bad one is refused" not inside systemctl reload odind
	check "its mistakes are in systemctl status" soon shown '/etc/odin/odin.yaml:5:1: workrs: unknown key'
	check "nothing has changed" is_in_force "$new"
	check "odind goes on" serves
	configure
	mark
	check "HUP reloads too" inside systemctl kill --kill-whom=main -s HUP odind
	check "as the journal says" soon logged 'configuration reloaded'
	check "what was in force at first is so again" soon is_in_force "$old"
	check "odind still goes on" serves
	check "nobody was sent away" asked '"sessions": 1,'
	inside systemctl stop client-reload
}

worker_killed() {
	local victim old
	old=$(supervisor)
	victim=$(workers | head -n1)
	inside kill -KILL "$victim"
	check "a killed worker is replaced" soon replaced "$victim"
	check "and the status line is as before" soon status_says '2 of 2 workers ready'
	check "by the supervisor, which goes on" is MainPID "$old"
}

has_workers() { [ "$(workers | wc -l)" = 2 ]; }
replaced() { has_workers && ! workers | has "$1"; }

watchdog() {
	local old
	unit watchdog WatchdogSec=8
	inside systemctl restart odind
	old=$(supervisor)
	client watchdog
	mark
	inside kill -STOP "$old"
	check "the watchdog bites a supervisor that stands still" soon logged 'Watchdog timeout'
	check "its goroutines are in the journal" soon logged 'supervisor.(*house).supervise'
	check "clients are sent away in order all the same" soon client_told watchdog 'closed the connection: 1001'
	check "it is started again" soon restarted "$old"
	unit watchdog
}

restarted() { serves && ! is MainPID "$1"; }

killed() {
	local old
	old=$(supervisor)
	client killed
	mark
	inside kill -KILL "$old"
	check "clients of a killed supervisor are sent away in order" soon client_told killed 'closed the connection: 1001'
	check "it is started again" soon restarted "$old"
}

# stop: two of three clients are with the same worker, which closes the second of them
# in the second half of 6 s.
stop() {
	configure 6000
	inside systemctl restart odind
	unit stop TimeoutStopSec=2
	for name in 1 2 3; do client "stop-$name" "$name"; done
	mark
	check "it stops" inside systemctl stop odind
	check "beyond the unit's time, for odind asks for more" is Result success
	for name in 1 2 3; do
		check "client $name was sent away" soon client_told "stop-$name" 'closed the connection: 1001'
	done
	check "nothing of it runs" not processes
	check "its runtime directory is gone" inside test ! -e /run/odin
	unit stop
	configure
	check "it can be started again" inside systemctl start odind
}

upgrade() {
	client upgrade
	mark
	check "the next version installs" install_package later
	check "the new one runs" asked '"version": "999.0"'
	check "and serves" serves
	check "the configuration was kept" inside grep -q 'workers: 2' /etc/odin/odin.yaml
	check "clients were told to come back" soon client_told upgrade 'closed the connection: 1001'
	inside systemctl disable -q --now odind
	check "a version over one that was stopped and disabled" install_package now
	check "leaves it stopped" is ActiveState inactive
	check "and disabled" is UnitFileState disabled
	inside systemctl enable -q odind
}

purge() {
	inside systemctl start odind
	check "the package is removed" inside dpkg -r odind
	check "nothing of it runs any more" not processes
	check "its configuration is kept" inside test -e /etc/odin/odin.yaml
	check "the package is purged" inside dpkg -P odind
	tree >"$machine_root/after"
	check "nothing of it is left but its user" diff "$machine_root/before" "$machine_root/after"
}

machine_boot "$ODIN_MACHINE_FILES"
for part in install_it bad_configuration password hang start confined reload worker_killed watchdog killed stop upgrade purge; do
	$part
done
echo "$passed passed, 0 failed"
