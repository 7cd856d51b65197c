// Fanmix is a client of Odin for what a neutral load client can't do: sessions
// that hear many channels, popular and unpopular ones and wildcards, and slow
// readers beside quick ones. It publishes too, so it knows what each session is
// owed, and holds every session to it by positions: nothing lost, repeated or out
// of order, and for slow sessions nothing dropped but what was announced.
//
// One loop reads all sessions. It prints one line of JSON with fanload's names,
// and ends with 1 if anything is wrong.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// settings of a run.
type settings struct {
	url, brokers, operator string
	pid                    int
	channels, topics       int
	partitions             int
	picking                picking
	pick                   string
	rate                   float64
	size, inflight         int
	settle                 time.Duration
	warmup, duration, calm time.Duration
	stuck, throttled       int
	throttle               int
	policy                 string
	ready                  string
	deflate, json          bool
	leavers                int
	away                   time.Duration
	pause                  bool
}

func main() {
	o, err := parseFlags()
	if err == nil {
		var r *report
		if r, err = run(o); r != nil {
			b, _ := json.Marshal(r)
			fmt.Println(string(b))
			if wrong := r.wrong(); wrong != "" && err == nil {
				err = fmt.Errorf("%s", wrong)
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "fanmix:", err)
		os.Exit(1)
	}
}

func parseFlags() (*settings, error) {
	o := &settings{}
	flag.StringVar(&o.url, "url", "ws://127.0.0.1:3001/ws", "where to connect")
	flag.StringVar(&o.brokers, "broker", "127.0.0.1:9092", "where to publish")
	flag.StringVar(&o.operator, "operator", "", "the operator's address, for what Odin counts itself")
	flag.IntVar(&o.pid, "pid", 0, "root process of the server, sampled with its descendants")
	flag.IntVar(&o.picking.sessions, "sessions", 1000, "sessions, the slow ones among them")
	flag.IntVar(&o.channels, "channels", 20, "channels")
	flag.IntVar(&o.topics, "topics", 1, "topics that they come from: SUBJECT.* covers as many channels")
	flag.IntVar(&o.partitions, "partitions", 12, "partitions of a topic")
	flag.IntVar(&o.picking.each, "each", 20, "patterns of a session")
	flag.StringVar(&o.pick, "pick", "even", "how sessions choose: even, or zipf (popular channels)")
	flag.Float64Var(&o.picking.wildcards, "wildcards", 0, "share of patterns that are SUBJECT.*, with zipf")
	flag.Uint64Var(&o.picking.seed, "seed", 1, "of all choices")
	flag.Float64Var(&o.rate, "rate", 50, "records a second, each to a channel drawn evenly")
	flag.IntVar(&o.size, "size", 200, "bytes of a record's value")
	flag.BoolVar(&o.json, "json", false, "quotes in the records, instead of x after x: as compressible as JSON is")
	flag.BoolVar(&o.deflate, "deflate", false, "offer compression, and want it agreed on")
	flag.IntVar(&o.inflight, "inflight", 64, "handshakes under way at once")
	flag.DurationVar(&o.settle, "settle", 500*time.Millisecond, "quiet time after the last handshake")
	flag.DurationVar(&o.warmup, "warmup", time.Second, "traffic before the window")
	flag.DurationVar(&o.duration, "duration", 5*time.Second, "the window; with slow sessions that in which they are slow")
	flag.DurationVar(&o.calm, "calm", 5*time.Second, "the windows without slow sessions, before and behind theirs")
	flag.IntVar(&o.stuck, "stuck", 0, "sessions that read nothing until the end of the window")
	flag.IntVar(&o.throttled, "throttled", 0, "sessions that read -throttle bytes a second until then")
	flag.IntVar(&o.throttle, "throttle", 10<<10, "bytes a second")
	flag.StringVar(&o.policy, "policy", "drop", "what the server does with slow sessions: close, drop, conflate")
	flag.StringVar(&o.ready, "ready", "", "file that is made when the window begins")
	flag.IntVar(&o.leavers, "leavers", 0, "sessions that all leave behind the window, and come back with their cursors")
	flag.DurationVar(&o.away, "away", 2500*time.Millisecond, "how long they are away")
	flag.BoolVar(&o.pause, "pause", false, "publish nothing while they come back, and have them do so a second time with nothing missed")
	flag.Parse()
	o.picking.zipf = o.pick == "zipf"
	switch {
	case flag.NArg() > 0 || o.pick != "even" && o.pick != "zipf" || o.rate <= 0 || o.size < 100 || o.picking.sessions < 1:
		return nil, fmt.Errorf("bad options; see -help")
	case o.leavers > 0 && (o.leavers > o.picking.sessions || o.topics > 1 || o.stuck+o.throttled > 0):
		return nil, fmt.Errorf("sessions that leave hear one topic, beside none that are slow")
	case o.stuck+o.throttled >= o.picking.sessions:
		return nil, fmt.Errorf("%d slow sessions of %d: none is left to be measured", o.stuck+o.throttled, o.picking.sessions)
	}
	return o, nil
}

// interrupted ends a run that is told to.
func interrupted() <-chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM)
	return c
}
