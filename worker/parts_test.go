package worker

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/hub"
	"github.com/odin-ws/odin/internal/loop"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/kafka"
)

// A loop that stalls pauses the source: the intake takes no more than its
// bound and one, and nothing of it is lost or changed.
func TestIntakeIsBoundedAndLosesNothing(t *testing.T) {
	var pauses atomic.Int64
	woken := make(chan struct{}, 1<<16)
	in := newIntake(10_000, func() { woken <- struct{}{} }, func() { pauses.Add(1) })
	const n = 2000
	go func() {
		frame := make([]byte, 300)
		for i := range n {
			copy(frame, fmt.Sprint(i, "."))
			in.put(kafka.Fetched{Advance: event.Advance{To: int64(i), Records: []event.Record{{Offset: int64(i), Channel: []byte("A.b"), Frame: frame}}}})
			if i%7 == 0 || i == n-1 {
				in.ring()
			}
		}
	}()
	next := 0
	var spare []kafka.Fetched
	for next < n {
		<-woken
		items := in.take(spare)
		if held := in.held(); held > 10_000+400 {
			t.Fatalf("holds %d bytes", held)
		}
		for i := range items {
			f := &items[i]
			if f.To != int64(next) || !bytes.HasPrefix(f.Records[0].Frame, fmt.Append(nil, next, ".")) {
				t.Fatalf("item %d came as %d, %q", next, f.To, f.Records[0].Frame[:8])
			}
			next++
			in.done(f)
		}
		spare = items
	}
	if in.held() != 0 || !in.empty() || pauses.Load() == 0 {
		t.Fatalf("held %d, empty %v, %d pauses", in.held(), in.empty(), pauses.Load())
	}
}

func TestIntakeLetsGoWhenTheProcessEnds(t *testing.T) {
	in := newIntake(1, func() {}, func() {})
	in.put(kafka.Fetched{})
	done := make(chan struct{})
	go func() {
		in.put(kafka.Fetched{})
		close(done)
	}()
	in.close()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("the poller still waits")
	}
}

func TestMailboxKeepsOrderAndLosesNothing(t *testing.T) {
	var m mailbox
	rings := 0
	m.wake = func() { rings++ }
	var got []int
	for i := range 10 {
		m.post(func(*process) { got = append(got, i) })
	}
	var spare []func(*process)
	for posts := m.take(spare); posts != nil; posts = m.take(posts) {
		for _, do := range posts {
			do(nil)
			if len(got) == 3 {
				m.post(func(*process) { got = append(got, 10) })
			}
		}
	}
	if len(got) != 11 || got[10] != 10 || rings != 11 || !m.empty() {
		t.Fatalf("got %v, %d rings", got, rings)
	}
}

// A timer fires at its tick, once, and only the last one set counts.
func TestWheelAgainstAModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var w wheel
	var tb table
	due := map[uint64]uint32{}
	sessions := make([]*session, 50)
	for i := range sessions {
		sessions[i] = tb.add()
		sessions[i].stage = open
	}
	for range 5000 {
		for range rng.IntN(4) {
			s := sessions[rng.IntN(len(sessions))]
			ticks := rng.IntN(2 * wheelSize)
			w.set(s, ticks)
			due[s.token()] = w.now + uint32(min(max(ticks, 1), wheelSize-1))
		}
		fired := map[uint64]bool{}
		w.advance(func(token uint64) {
			if s := tb.find(token); s.due == w.now && !fired[token] {
				fired[token] = true
				s.due = 0
			}
		})
		for token, at := range due {
			if (at == w.now) != fired[token] {
				t.Fatalf("tick %d: %x is due at %d, fired %v", w.now, token, at, fired[token])
			}
			if fired[token] {
				delete(due, token)
			}
		}
	}
}

func TestTableTokensOfThePastFindNothing(t *testing.T) {
	var tb table
	var old []uint64
	for range 3 {
		var now []*session
		for range 3 * pageSize {
			s := tb.add()
			s.stage = open
			now = append(now, s)
			if tb.find(s.token()) != s {
				t.Fatal("not found by its own token")
			}
		}
		for _, token := range old {
			if tb.find(token) != nil {
				t.Fatalf("token %x of a session that is gone finds another one", token)
			}
		}
		count := 0
		tb.each(func(*session) { count++ })
		if count != 3*pageSize || tb.live != count {
			t.Fatalf("%d sessions, live %d", count, tb.live)
		}
		old = old[:0]
		for _, s := range now {
			old = append(old, s.token())
			tb.remove(s)
		}
	}
	if tb.find(1<<40|5) != nil || tb.find(1<<20) != nil {
		t.Fatal("tokens of nobody find somebody")
	}
}

// What an idle client costs in the table: each word more is one for each of
// a hundred thousand.
func TestSessionIsSmall(t *testing.T) {
	const most = 336
	if size := unsafe.Sizeof(session{}); size > most {
		t.Errorf("a session has %d bytes, allowed: %d", size, most)
	}
}

// Whatever the pieces are, the bytes on the socket are theirs, in order.
func TestWriterSendsWhatTheQueueSays(t *testing.T) {
	store := replica.NewStore(replica.Limits{})
	r := replica.New(replica.Config{Partition: 0, Slot: 0, Generation: 1, FromBase: true}, store)
	fx := r.OwnerChanged(nil, event.Owner{Term: 1, Slot: 0, Generation: 1})
	a := event.Advance{Term: 1, Prev: -1}
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range 400 {
		frame := wire.AppendFrame(nil, wire.Text, bytes.Repeat([]byte{byte(i)}, rng.IntN(2000)))
		a.Records = append(a.Records, event.Record{Offset: int64(i), Channel: []byte("A.b"), Frame: frame})
	}
	a.To = 399
	r.Polled(fx, &a)
	entries, _ := r.Pending(nil, 1000, 10<<20)
	if len(entries) != 400 {
		t.Fatalf("%d entries", len(entries))
	}
	w := writer{store: store}
	for _, n := range []int{1, 2, 30, 399} {
		for _, every := range []int{1, 2, 3} {
			var q hub.Queue
			var want []byte
			w.lend(&q)
			for i := 0; i < n; i += every {
				q.Attach(hub.Piece(entries[i].Ref))
				want = append(want, a.Records[i].Frame...)
				if i%7 == 3 {
					answer := wire.AppendFrame(nil, wire.Text, []byte("answer"))
					q.Say(func(dst []byte) []byte { return append(dst, answer...) })
					want = append(want, answer...)
				}
			}
			if got := sent(t, &w, &q); !bytes.Equal(got, want) {
				t.Fatalf("%d records, every %d: %d bytes on the socket, want %d", n, every, len(got), len(want))
			}
			w.reclaim(&q)
		}
	}
}

// sent writes a queue into a socket pair, with a reader at the other end.
func sent(t *testing.T, w *writer, q *hub.Queue) []byte {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 64<<10)
		for {
			n, err := unix.Read(fds[1], buf)
			if n <= 0 || err != nil {
				return
			}
			got = append(got, buf[:n]...)
		}
	})
	for !q.Empty() {
		n, status := w.write(fds[0], q, &w.plain)
		if status == loop.Failed {
			t.Fatal("write failed")
		}
		q.Written(n, func(piece hub.Piece) []byte { return w.bytes(q, piece) })
	}
	unix.Close(fds[0])
	wg.Wait()
	unix.Close(fds[1])
	return got
}
