package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/hub"
	"github.com/odin-ws/odin/internal/loop"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/kafka"
	"github.com/odin-ws/odin/shm"
)

// stopped is a worker whose loop has ended, so that a test may play it.
func stopped(t *testing.T, change func(*configType)) *process {
	t.Helper()
	st := newTheatre(t, 1, change)
	a := st.workers[0]
	a.send(t, control.Message{Type: control.Stop})
	select {
	case <-a.ended:
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
	p := a.process
	p.now, p.touched, p.waiting = p.clock(), nil, nil
	return p
}

// feed gives a partition n records of some channel.
func feed(t *testing.T, p *process, i, n, size int) {
	t.Helper()
	pt := p.partitions[i]
	o, pos := pt.replica.Owner(), pt.replica.Position()
	a := event.Advance{Partition: i, Era: pos.Era, Term: o.Term, Prev: pos.Held, To: pos.Held + int64(n)}
	for k := range n {
		frame := wire.AppendFrame(nil, wire.Text, bytes.Repeat([]byte("x"), size))
		a.Records = append(a.Records, event.Record{Offset: pos.Held + 1 + int64(k), Channel: []byte("A.trade"), Frame: frame})
	}
	p.carryOut(pt, pt.replica.Polled(p.effects(), &a))
	if got := pt.replica.Position().Held; got != a.To {
		t.Fatalf("fed to %d, holds %d", a.To, got)
	}
}

// A partition that fills a turn's budget while others wait.
func TestApplyBudgetReachedWithOthersWaiting(t *testing.T) {
	p := stopped(t, func(c *configType) { c.Limits.TurnRecordsMax = 10 })
	feed(t, p, 0, 25, 10)
	feed(t, p, 1, 1, 10)
	feed(t, p, 2, 1, 10)
	for range 10 {
		p.applyWaiting()
	}
	for i, pt := range p.partitions[:3] {
		if pt.replica.Waiting() || pt.waiting {
			t.Errorf("partition %d still waits", i)
		}
	}
	if len(p.waiting) != 0 {
		t.Errorf("%d wait", len(p.waiting))
	}
}

func TestABodyThatNeverComesPinsNoHandshake(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) {
		c.Limits.HandshakeMax = 200 * time.Millisecond
		c.Limits.HandshakesPendingMax = 3
	})
	for range 3 {
		c, err := net.Dial("tcp", st.workers[0].address)
		st.must(err)
		defer c.Close()
		fmt.Fprintf(c, "POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
	}
	st.await("the handshakes' deadline frees their places", func() bool {
		return st.segment.Slot(0).Counter(shm.ConnectionsAccepted) >= 3 && st.segment.Slot(0).Gauge(shm.PendingHandshakes) == 0
	})
	c, err := net.Dial("tcp", st.workers[0].address)
	st.must(err)
	defer c.Close()
	fmt.Fprintf(c, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
	_ = c.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 15)
	if _, err := io.ReadFull(c, b); err != nil || string(b) != "HTTP/1.1 200 OK" {
		t.Errorf("the next connection gets %q, %v", b, err)
	}
}

// guestOf makes a session at one end of a socket pair.
func guestOf(t *testing.T, p *process) (*session, int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fds[0]); unix.Close(fds[1]) })
	s := p.sessions.add()
	s.fd, s.stage = fds[0], open
	if err := p.clients.Add(s.fd, s.token(), loop.Input); err != nil {
		t.Fatal(err)
	}
	return s, fds[1]
}

func TestAnswersAreBounded(t *testing.T) {
	p := stopped(t, nil)
	s, _ := guestOf(t, p)
	for i := range 1000 {
		_, _ = p.join(s, fmt.Appendf(nil, "C%d.*", i))
	}
	in := bytes.Repeat(wire.AppendClientFrame(nil, true, wire.Text, []byte(`{"type":"heartbeat"}`), [4]byte{1, 2, 3, 4}), 64<<10/26)
	began := time.Now()
	p.parse(s, in)
	t.Logf("%d bytes of heartbeats: %d bytes owed (bound %d), %v on the loop", len(in), s.queue.Bytes, p.config.Limits.OwedBytesMax, time.Since(began))
	s2, _ := guestOf(t, p)
	var b bytes.Buffer
	b.WriteString(`{"type":"subscribe","data":{"channels":[`)
	for i := range 10000 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`""`)
	}
	b.WriteString(`]}}`)
	frame := wire.AppendClientFrame(nil, true, wire.Text, b.Bytes(), [4]byte{1, 2, 3, 4})
	in = bytes.Repeat(frame, 2)
	p.parse(s2, in)
	t.Logf("%d bytes of subscribes: %d bytes owed", len(in), s2.queue.Bytes)
	s3, _ := guestOf(t, p)
	b.Reset()
	b.WriteString(`{"type":"subscribe","data":{"channels":[`)
	for i := range 10000 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"%d.b"`, i)
	}
	b.WriteString(`]}}`)
	frame = wire.AppendClientFrame(nil, true, wire.Text, b.Bytes(), [4]byte{1, 2, 3, 4})
	p.parse(s3, bytes.Clone(frame))
	began = time.Now()
	p.parse(s3, frame)
	t.Logf("one subscribe of %d bytes: %v on the loop, %d bytes owed", len(frame), time.Since(began), s3.queue.Bytes)
	if s.queue.Bytes > 2*p.config.Limits.OwedBytesMax {
		t.Errorf("not bounded")
	}
}

// starve has n clients send without end; the loop must get to its other duties
// all the same.
func starve(t *testing.T, n int, channels int, flood []byte) {
	st := newTheatre(t, 1, nil)
	p := st.workers[0].process
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var list []string
	for i := range channels {
		list = append(list, fmt.Sprintf("C%d.*", i))
	}
	var conns []net.Conn
	for range n {
		g := st.visit(0)
		g.subscribe(list...)
		conns = append(conns, g.conn.NetConn())
	}
	for _, c := range conns {
		go func() {
			for ctx.Err() == nil {
				if _, err := c.Write(flood); err != nil {
					return
				}
			}
		}()
		go func() { _, _ = io.Copy(io.Discard, c) }()
	}
	first, _ := p.mine.LastBeat()
	st.await("the loop beats on while clients flood it", func() bool {
		beats, _ := p.mine.LastBeat()
		return beats >= first+10
	})
	cancel()
	for _, c := range conns {
		c.Close()
	}
}

var key = [4]byte{1, 2, 3, 4}

func TestHeartbeatsDoNotStarveTheLoop(t *testing.T) {
	starve(t, 40, 1000, bytes.Repeat(wire.AppendClientFrame(nil, true, wire.Text, []byte(`{"type":"heartbeat"}`), key), 64<<10/26))
}

func TestPingsDoNotStarveTheLoop(t *testing.T) {
	starve(t, 500, 1, bytes.Repeat(wire.AppendClientFrame(nil, true, wire.Ping, nil, key), 4<<10/6))
}

func TestOldestChunkOfAQueue(t *testing.T) {
	store := replica.NewStore(replica.Limits{Bytes: 8 << 10, Chunk: 1 << 10, Records: 1000})
	add := func(r *replica.Replica, off int64) hub.Piece {
		r.Polled(nil, &event.Advance{Term: 1, Prev: off - 1, To: off, Records: []event.Record{{Offset: off, Channel: []byte("A.b"), Frame: wire.AppendFrame(nil, wire.Text, make([]byte, 900))}}})
		e, to := r.Pending(nil, 10, 1<<20)
		ref := e[len(e)-1].Ref
		_ = to
		return hub.Piece(ref)
	}
	mk := func(i int) *replica.Replica {
		r := replica.New(replica.Config{Partition: i, Generation: 1, FromBase: true}, store)
		r.OwnerChanged(nil, event.Owner{Term: 1, Generation: 1})
		return r
	}
	a, b := mk(0), mk(1)
	pa := add(a, 0) // chunk 1, A has a backlog and is applied after B
	pb := add(b, 0) // chunk 2
	var q hub.Queue
	q.Attach(pb)
	q.Attach(pa)
	a.Applied(nil, 0)
	b.Applied(nil, 0)
	for off := int64(1); store.OldestChunk() == 1; off++ {
		add(b, off)
		b.Applied(nil, off)
		store.Evict(1)
	}
	if store.OldestChunk() != 2 {
		t.Fatalf("oldest %d", store.OldestChunk())
	}
	if !q.PointsBelow(store.OldestChunk(), hub.Past) {
		t.Errorf("cutEvicted keeps the session (the store's oldest is %d), though its second piece lies in chunk %d, which is gone", store.OldestChunk(), pa.Chunk)
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	w := writer{store: store}
	if n, status := w.write(fds[0], &q, &w.plain); n != 0 || status != loop.Failed {
		t.Errorf("wrote %d bytes of a stream with a hole, status %d", n, status)
	}
}

func TestTellingASupervisorThatIsGoneDoesNotBlock(t *testing.T) {
	near, far, err := control.Pair()
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := control.FromFile(far)
	if err != nil {
		t.Fatal(err)
	}
	near.Close()
	p := &process{outbox: make(chan control.Message, 64), control: theirs}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	defer p.cancel()
	go p.speak()
	done := make(chan struct{})
	go func() {
		for range 127 { // Unlinked, for each sibling that ends too
			p.tell(control.Message{Type: control.Unlinked})
		}
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(3 * time.Second):
		t.Error("the loop waits for a supervisor that is gone")
	}
}

// A session that was denied records is closed before a cursor could cover them.
func TestDoomedSessionGetsNoCursor(t *testing.T) {
	p := stopped(t, func(c *configType) { c.Limits.OwedBytesMax = 64 << 10 })
	s, _ := guestOf(t, p)
	if _, ok := p.join(s, []byte("A.trade")); !ok {
		t.Fatal("not subscribed")
	}
	s.blocked = true
	p.lag(s)
	feed(t, p, 0, 40, 4<<10)
	p.applyAll(p.partitions[0]) // as hear and takeFetched do when the replica is full
	attached := s.queue.Records
	s.blocked = false // EPOLLOUT, before the next applyWaiting: input is served first
	before := s.queue.Bytes
	p.serve(s, []byte(`{"type":"heartbeat"}`))
	if s.stage == open && s.queue.Bytes > before && attached < 40 {
		t.Errorf("of 40 records %d are queued, but a pong follows them with cursor %s", attached, p.cursorOf(s))
	}
}

func TestUnreadableBatchIsToldAsLost(t *testing.T) {
	p := stopped(t, nil)
	pt := p.partitions[0]
	o, pos := pt.replica.Owner(), pt.replica.Position()
	p.fault(pt, &kafka.Fetched{
		Advance: event.Advance{Term: o.Term, Era: pos.Era, Prev: pos.Held, To: pos.Held},
		Fault:   kafka.Fault{Kind: kafka.Unreadable, Offset: pos.Held + 6, Err: errors.New("crc")},
	})
	if got := pt.replica.Position().Held; got != pos.Held+5 {
		t.Errorf("held is %d, as before: nobody reads this partition on", got)
	}
}

func TestTopologyIsToldOnce(t *testing.T) {
	st := newTheatre(t, 1, nil)
	g := st.visit(0)
	g.subscribe("BTC.trade")
	m := control.Message{Topics: []control.Topic{{Name: "odin.trades"}}}
	for n := range 10 {
		m.Topics[0].Partitions = append(m.Topics[0].Partitions, control.Partition{Number: int32(n)})
	}
	st.register(m)
	resets, known := 0, 0
	for known < 10 {
		g.send(`{"type":"heartbeat"}`)
		m := g.next()
		if m.Type == "reset" {
			resets++
			m = g.next()
		}
		known = len(m.Cursor["odin.trades"].Offsets)
	}
	if resets != 1 {
		t.Errorf("%d resets", resets)
	}
}

// A supervisor that doesn't read costs the loop nothing but the newest state.
func TestReportsWaitWithoutHoldingTheLoop(t *testing.T) {
	p := &process{outbox: make(chan control.Message)}
	p.report(sourceMessage(false, false, "a"))
	p.report(sourceMessage(false, false, "b"))
	p.report(readyMessage())
	for i := range 100 {
		p.report(sourceMessage(i%2 == 0, false, "c"))
	}
	if len(p.reports) != 3 || p.reports[0].Reason != "b" || p.reports[1].Type != control.Ready || p.reports[2].Healthy {
		t.Fatalf("%+v", p.reports)
	}
	p.outbox = make(chan control.Message, 2)
	p.sendReports()
	if first := <-p.outbox; first.Reason != "b" || len(p.reports) != 1 {
		t.Fatalf("sent %+v, %d left", first, len(p.reports))
	}
}
