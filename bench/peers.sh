# shellcheck shell=bash disable=SC2034,SC2154 # sourced by run.sh, which uses what is set here
# The servers that run.sh knows. Ports from 18000 on. Add one by a case that sets
# server (command), ports (to wait for), url, load (fanload's options), pub (fanpub's).
describe() {
	pub=(--to raw --addr 127.0.0.1:18100)
	ports=(18000)
	url=ws://127.0.0.1:18000/ws
	local two=127.0.0.1:18100,127.0.0.1:18101
	case $1 in
	limit) server=("$here/limit" -l 18000 -i 18100) ;;             # the floor, one send a message
	limit-batch) server=("$here/limit" -l 18000 -i 18100 -b) ;;    # the floor, what arrived together in one send
	limit2) server=("$here/limit" -l 18000 -i 18100 -p 2); pub=(--to raw --addr "$two") ;;
	limit2-batch) server=("$here/limit" -l 18000 -i 18100 -p 2 -b); pub=(--to raw --addr "$two") ;;
	odin | odin-nostats) # ODIND names the binary. The broker is a process of its own, outside of the measured tree.
		local odind=${ODIND:-odind}
		[ "$1" = odin ] || odind=$ODIND_NOSTATS # one that doesn't count: see statistics.sh
		"$here/kfaked.bin" -port 18092 >"$work/kfaked.log" 2>&1 &
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
		pub=(--to kafka --addr 127.0.0.1:18092 --topic odin.trades --key 'B%c')
		;;
	*) return 1 ;;
	esac
}
