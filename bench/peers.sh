# shellcheck shell=bash disable=SC2034,SC2154 # sourced by run.sh, which uses what is set here
# The servers that run.sh knows. Ports from 18000 on. Add one by a case that sets
# server (command), ports (to wait for), url, load (fanload's options), pub (fanpub's):
# run.sh says what else there is.
describe() {
	pub=(--to raw --addr 127.0.0.1:18100)
	ports=(18000)
	url=ws://127.0.0.1:18000/ws
	local two=127.0.0.1:18100,127.0.0.1:18101
	case $1 in
	limit) # the floor, one send a message. All its sessions hear all: a storm goes to another one.
		server=("$here/limit" -l 18000 -i 18100)
		[ -z "${STORM:-}" ] || {
			"$here/limit" -l 18010 -i 18110 >"$work/other.log" 2>&1 &
			pids+=("$!")
			storm_url=ws://127.0.0.1:18010/ws
		}
		;;
	limit-batch) server=("$here/limit" -l 18000 -i 18100 -b) ;;    # the floor, what arrived together in one send
	limit2) server=("$here/limit" -l 18000 -i 18100 -p 2); pub=(--to raw --addr "$two") ;;
	limit4) server=("$here/limit" -l 18000 -i 18100 -p 4); pub=(--to raw --addr "$two,127.0.0.1:18102,127.0.0.1:18103") ;;
	limit2-batch) server=("$here/limit" -l 18000 -i 18100 -p 2 -b); pub=(--to raw --addr "$two") ;;
	nats-server) # NATS_SERVER names the binary. No batching to be had: it is the server's own.
		printf 'listen: 127.0.0.1:18100\nwebsocket { listen: "127.0.0.1:18000", no_tls: true }\n' >"$work/nats.conf"
		server=("$NATS_SERVER" -c "$work/nats.conf")
		url=ws://127.0.0.1:18000/
		ports=(18000 18100)
		load=(-b 'CONNECT {"verbose":false}\r\nSUB bench.%c 1\r\n' --reply 'PING\r\n=PONG\r\n')
		pub=(--to nats --addr 127.0.0.1:18100 --topic bench.%c)
		;;
	odin | odin-unheard | odin-nostats) # ODIND names the binary. The broker is a process of its own, outside of the measured tree.
		local odind=${ODIND:-odind}
		[ "$1" != odin-nostats ] || odind=$ODIND_NOSTATS # one that doesn't count: see statistics.sh
		"$here/kfaked.bin" -port 18092 -partitions "${PARTITIONS:-12}" >"$work/kfaked.log" 2>&1 &
		pids+=("$!")
		until (exec 3<>/dev/tcp/127.0.0.1/18092) 2>/dev/null; do
			kill -0 "${pids[-1]}" || return 1
			sleep 0.05
		done
		server=("$odind" --listen 127.0.0.1:18000 --operator-listen 127.0.0.1:18001
			--brokers 127.0.0.1:18092 --workers "${ODIN_BENCH_WORKERS:-2}" --runtime-dir "$work/odin")
		ports=(18000 18001)
		ready=18001
		load=(-m '{"type":"subscribe","data":{"channels":["B%c.trade"]}}')
		quiet=(-m '{"type":"subscribe","data":{"channels":["QUIET.trade"]}}')
		[ "$1" != odin-unheard ] || load=("${quiet[@]}") hearing=0 # fetched, and wanted by nobody
		mix=(-url "$url" -broker 127.0.0.1:18092 -operator 127.0.0.1:18001 -partitions "${PARTITIONS:-12}")
		pub=(--to kafka --addr 127.0.0.1:18092 --topic odin.trades --key 'B%c' --linger "${LINGER:-0s}")
		;;
	*) return 1 ;;
	esac
}
