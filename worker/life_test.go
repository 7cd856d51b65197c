package worker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// life is one client over many connections, held to what was produced.
type life struct {
	t        *testing.T
	st       *theatre
	rng      *rand.Rand
	patterns []string
	cursor   wire.Cursor
	from     map[place]int64 // by partition: what came first is behind this
	got      map[place][]int64
	lost     int
	more     chan<- struct{} // has some more records produced
}

func (l *life) run(connections int) {
	for n := range connections {
		g := l.st.visit(l.rng.IntN(len(l.st.workers)))
		if n == 0 {
			l.begin(g.subscribe(l.patterns...).Cursor)
		} else {
			g.ask(l.cursor, l.patterns...)
		}
		// Some leave in the middle of their replay.
		for left := l.rng.IntN(300); left > 0; left-- {
			if left%50 == 0 {
				select {
				case l.more <- struct{}{}:
				default: // it has enough to do
				}
			}
			g.send(`{"type":"heartbeat"}`)
			if !l.take(g) {
				return
			}
		}
		if n == connections-1 {
			l.finish(g)
		}
		g.conn.Close()
	}
}

// begin takes a cursor for what stands before all that is owed from now on.
func (l *life) begin(c wire.Cursor) {
	l.cursor, l.from, l.got = clone(c), map[place]int64{}, map[place][]int64{}
	for topic, entry := range c {
		for i, o := range entry.Offsets {
			l.from[place{topic: topic, partition: int32(i)}] = *o
		}
	}
}

func (l *life) take(g *guest) bool {
	m, err := g.try()
	if err != nil {
		l.t.Errorf("%v: %v", l.patterns, err)
		return false
	}
	if m.Type == "reconnect_ack" && !m.Recovered {
		l.lost++
		l.begin(m.Cursor)
		return true
	}
	if m.Type == "message" {
		pl := placeOf(l.t, m)
		at := place{topic: pl.topic, partition: pl.partition}
		l.got[at] = append(l.got[at], pl.offset)
	}
	keep(l.t, l.cursor, m)
	return true
}

// finish waits until the client has all that there is now.
func (l *life) finish(g *guest) {
	ends := map[place]int64{}
	for topic, entry := range l.cursor {
		for i := range entry.Offsets {
			ends[place{topic: topic, partition: int32(i)}] = l.st.broker.PartitionInfo(topic, int32(i)).HighWatermark - 1
		}
	}
	for {
		g.send(`{"type":"heartbeat"}`)
		if !l.take(g) {
			return
		}
		done := true
		for at, end := range ends {
			done = done && *l.cursor[at.topic].Offsets[at.partition] >= end
		}
		if done {
			return
		}
	}
}

// check wants exactly what was produced and matches, in order.
func (l *life) check(produced map[place][]string) {
	for at, from := range l.from {
		var want []int64
		for offset, channel := range produced[at] {
			if int64(offset) > from && matchesAny(l.patterns, channel) {
				want = append(want, int64(offset))
			}
		}
		if !slices.Equal(l.got[at], want) {
			l.t.Errorf("%v got of %v behind %d\n%v\nwant\n%v", l.patterns, at, from, l.got[at], want)
		}
	}
}

func matchesAny(patterns []string, channel string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ps, pe, _ := strings.Cut(p, ".")
		cs, ce, _ := strings.Cut(channel, ".")
		return (ps == "*" || ps == cs) && (pe == "*" || pe == ce)
	})
}

// TestLives has clients come and go at random, on any worker, in the middle of
// replays too, while records arrive and partitions change hands. Each must end
// with exactly what was produced since its first answer, or since the last that
// said it was not recovered; and with a history that is large enough, none may
// say so.
func TestLives(t *testing.T) {
	st := newTheatre(t, 4, nil)
	produced := map[place][]string{}
	more := make(chan struct{})
	var producer, group sync.WaitGroup
	producer.Go(func() {
		rng := rand.New(rand.NewPCG(7, 7))
		for range more {
			for range 30 {
				topic := []string{"odin.trades", "odin.balances"}[rng.IntN(2)]
				at := place{topic: topic, partition: int32(rng.IntN(4))}
				key := fmt.Sprint("K", rng.IntN(6))
				st.client.Produce(t.Context(), &kgo.Record{Topic: topic, Partition: at.partition, Key: []byte(key), Value: []byte("1")}, nil)
				produced[at] = append(produced[at], key+"."+strings.TrimSuffix(strings.TrimPrefix(topic, "odin."), "s"))
				if topic == "odin.balances" {
					produced[at][len(produced[at])-1] += "s"
				}
			}
			if err := st.client.Flush(t.Context()); err != nil {
				return
			}
			if rng.IntN(10) == 0 {
				st.elect(rng.IntN(8), rng.IntN(4))
			}
		}
	})
	lives := make([]*life, livesClients)
	for i := range lives {
		rng := rand.New(rand.NewPCG(uint64(i), 8))
		patterns := [][]string{{"K1.trade"}, {"K2.*"}, {"*.balances"}, {"*.*"}, {"K1.trade", "K3.trade", "K1.*", "none.trade"}, {"K5.balances"}}
		l := &life{t: t, st: st, rng: rng, patterns: patterns[i%len(patterns)], more: more}
		lives[i] = l
		group.Go(func() { l.run(livesConnections) })
	}
	group.Wait()
	close(more)
	producer.Wait()
	for _, l := range lives {
		l.check(truncated(produced, l))
		if l.lost > 0 {
			t.Errorf("%v was not recovered %d times", l.patterns, l.lost)
		}
	}
	var resumes, records uint64
	for w := range st.workers {
		resumes += st.segment.Slot(w).Counter(shm.Resumes)
		records += st.segment.Slot(w).Counter(shm.ReplayedRecords)
	}
	if t.Logf("%d resumes, %d records replayed", resumes, records); resumes < livesClients || records < 4*livesClients {
		t.Error("hardly anything was replayed")
	}
}

// truncated is what was produced up to where a client ended.
func truncated(produced map[place][]string, l *life) map[place][]string {
	cut := map[place][]string{}
	for at, channels := range produced {
		end := int64(-1)
		if entry, ok := l.cursor[at.topic]; ok {
			end = *entry.Offsets[at.partition]
		}
		cut[at] = channels[:min(int64(len(channels)), end+1)]
	}
	return cut
}

// stopNow ends a worker without a farewell.
var stopNow = control.Message{Type: control.Stop}
