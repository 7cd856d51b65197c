package worker

import (
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/journal"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// bare makes a worker without descriptors, source or loop: what it does for
// sessions is called by hand.
func bare(t testing.TB, sessions int) *process {
	t.Helper()
	c := config.Default(config.Host{CPUs: 1, Files: 4096})
	p, err := newProcess(c, control.Message{Generation: 1, Slots: 1}, openTestLog(t, t.Output(), "error"))
	if err != nil {
		t.Fatal(err)
	}
	p.segment, err = shm.Create(filepath.Join(t.TempDir(), "stats.shm"), shm.Layout{Slots: 1, Partitions: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.segment.Close() })
	p.mine = p.segment.Slot(0)
	p.block = p.mine.Block(1)
	for range sessions {
		s := p.sessions.add()
		s.fd, s.stage = -1, open
		if _, err := p.hub.Subscribe(&s.subs, s.index, []byte("BTC.trade")); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func openTestLog(t testing.TB, w io.Writer, level string) *journal.Journal {
	t.Helper()
	log, err := journal.Open(w, journal.Options{Level: level, Format: journal.JSON})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	return log
}

// record puts one into the history and gives it as deliver takes it.
func (p *process) record(size int) *replica.Entry {
	r := replica.New(replica.Config{Partition: 0, Slot: 0, Generation: 1, FromBase: true}, p.store)
	fx := r.OwnerChanged(nil, event.Owner{Term: 1, Slot: 0, Generation: 1})
	a := event.Advance{Term: 1, Prev: -1, Records: []event.Record{{Channel: []byte("BTC.trade"), Frame: make([]byte, size)}}}
	r.Polled(fx, &a)
	entries, _ := r.Pending(nil, 1, 1<<20)
	return &entries[0]
}

// TestDeliveryDoesNotAllocate: from a record of the history to the sockets of
// all sessions that want it, no memory is taken, neither for a record nor for a
// session; docs/BENCHMARKS.md names this test.
func TestDeliveryDoesNotAllocate(t *testing.T) {
	const sessions = 200
	p := bare(t, sessions)
	p.config.Limits.InputPollSessions, p.config.Limits.InputPollInterval = 0, 1<<62
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ends[0])
	defer unix.Close(ends[1])
	p.sessions.each(func(s *session) { s.fd = ends[0] })
	frame := wire.AppendRecord(nil, []byte("BTC.trade"), event.Partition{Topic: "odin.trades"}, 1, 1, []byte(`{"price":1}`))
	entry := &replica.Entry{Channel: []byte("BTC.trade"), Ref: p.place(frame)}
	sent, buffer := 0, make([]byte, 1<<20)
	deliver := func() {
		p.deliver(entry)
		p.deliver(entry) // two, so that they are gathered
		p.writeTouched()
		p.applied = p.applied[:0]
		p.publishTally()
		n, _ := unix.Read(ends[1], buffer)
		sent += n
	}
	deliver()
	const runs = 50
	if n := testing.AllocsPerRun(runs, deliver); n != 0 {
		t.Errorf("%v allocations for two records to %d sessions", n, sessions)
	}
	if want := (runs + 2) * sessions * 2 * len(frame); sent != want { // AllocsPerRun warms up
		t.Errorf("%d bytes came, %d were owed", sent, want)
	}
}

// What attaching a record costs for each session.
func BenchmarkApply(b *testing.B) {
	for _, sessions := range []int{1, 1000} {
		b.Run(fmt.Sprint(sessions), func(b *testing.B) {
			p := bare(b, sessions)
			e := p.record(200)
			b.ReportAllocs()
			for range b.N {
				p.deliver(e)
				for i := range uint32(sessions) {
					s := p.sessions.at(i)
					s.queue.Release()
					s.touched = false
				}
				p.touched, p.applied = p.touched[:0], p.applied[:0]
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*sessions), "ns/delivery")
		})
	}
}

// What a round of writes costs for each session besides the writes themselves.
func BenchmarkRound(b *testing.B) {
	const sessions = 1000
	p := bare(b, sessions)
	p.config.Limits.InputPollSessions, p.config.Limits.InputPollInterval = 0, 1<<62
	b.ReportAllocs()
	for range b.N {
		for i := range uint32(sessions) {
			p.touch(p.sessions.at(i))
		}
		p.writeTouched()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*sessions), "ns/session")
}
