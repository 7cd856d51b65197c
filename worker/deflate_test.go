package worker

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/odin-ws/odin/internal/deflate"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/hub"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

func enabled(c *configType) { c.Compression.Enabled = true }

// compressing is how a client dials that can inflate.
func compressing() *websocket.Dialer { return &websocket.Dialer{EnableCompression: true} }

// quotes is a value that is worth compressing.
func quotes(n int) string {
	var b strings.Builder
	for i := range 20 {
		fmt.Fprintf(&b, `{"venue":"%d","price":"%d.25"},`, i, n+i)
	}
	return "[" + b.String() + "0]"
}

// A record is compressed once for all sessions that agreed on it, and every
// session gets the same.
func TestRecordsAreCompressedOnce(t *testing.T) {
	st := newTheatre(t, 1, enabled)
	var guests []*guest
	for i := range 12 {
		g := st.visitBy([]*websocket.Dialer{websocket.DefaultDialer, compressing()}[i%2], 0)
		g.subscribe("*.trade", "A.trade")
		guests = append(guests, g)
	}
	const records = 300
	for i := range records {
		st.produce("odin.trades", 0, "A", quotes(i))
		if i%10 == 0 {
			st.produce("odin.trades", 0, "A", "0") // too small
		}
	}
	for _, g := range guests {
		for i := range records {
			if m := g.next(); string(m.Data) != quotes(i) {
				t.Fatalf("record %d is %+v", i, m)
			}
			if i%10 == 0 {
				if m := g.next(); string(m.Data) != "0" {
					t.Fatalf("behind record %d comes %+v", i, m)
				}
			}
		}
	}
	slot := st.segment.Slot(0)
	if got := slot.Counter(shm.DeflatedRecords); got != records {
		t.Errorf("%d records were compressed, want %d", got, records)
	}
	size := uint64(len(quotes(0)))
	if saved := slot.Counter(shm.DeflateSavedBytes); saved < 6*records*size/2 || saved > 6*records*size || slot.Counter(shm.DeflateTime) == 0 {
		t.Errorf("%d bytes were spared, %d ns", saved, slot.Counter(shm.DeflateTime))
	}
	st.await("the gauges are there", func() bool {
		return slot.Gauge(shm.DeflatingSessions) == 6 && slot.Gauge(shm.HistoryDeflatedBytes) > 0 && slot.Gauge(shm.HistoryDeflatedBytes) < int64(records*size)
	})
	for _, g := range guests {
		g.conn.Close()
	}
	st.await("nobody wants it compressed", func() bool { return slot.Gauge(shm.DeflatingSessions) == 0 })
}

// Where nobody wants it, nothing is compressed.
func TestNothingIsCompressedForNobody(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*configType)
		dialer *websocket.Dialer
	}{
		"not configured": {nil, compressing()},
		"not offered":    {enabled, websocket.DefaultDialer},
	} {
		t.Run(name, func(t *testing.T) {
			st := newTheatre(t, 1, c.change)
			g := st.visitBy(c.dialer, 0)
			g.subscribe("A.trade")
			st.produce("odin.trades", 0, "A", quotes(1))
			if m := g.next(); string(m.Data) != quotes(1) {
				t.Errorf("got %+v", m)
			}
			slot := st.segment.Slot(0)
			if n := slot.Counter(shm.DeflatedRecords) + slot.Counter(shm.DeflateFutile); n != 0 {
				t.Errorf("%d records were compressed", n)
			}
			if st.workers[0].process.deflating.compressor != nil {
				t.Error("there is a compressor")
			}
		})
	}
}

func TestRequestsAreInflated(t *testing.T) {
	st := newTheatre(t, 1, enabled)
	g := st.visitBy(compressing(), 0)
	g.conn.EnableWriteCompression(true)
	var many []string
	for i := range 500 {
		many = append(many, fmt.Sprintf("C%d.trade", i))
	}
	if ack := g.subscribe(many...); ack.Count != 500 {
		t.Errorf("answered with %+v", ack)
	}
	g.conn.EnableWriteCompression(false)
	g.send(`{"type":"heartbeat"}`)
	if m := g.next(); m.Type != "pong" {
		t.Errorf("answered with %+v", m)
	}
	if n := st.segment.Slot(0).Counter(shm.InflatedMessages); n != 1 {
		t.Errorf("%d messages were inflated", n)
	}
	st.workers[0].process.inLoop(func(p *process) {
		p.sessions.each(func(s *session) {
			if s.reader.Buffered() != 0 || s.rest != nil {
				t.Errorf("a session holds %d and %d bytes", s.reader.Buffered(), len(s.rest))
			}
		})
	})
}

func TestClosesOfClientsThatCompressWrongly(t *testing.T) {
	st := newTheatre(t, 1, enabled)
	c, err := deflate.NewCompressor(deflate.LevelMax)
	st.must(err)
	small := func(plain string) []byte { payload, _ := c.Append(nil, []byte(plain)); return payload }
	marked := func(final bool, op wire.Opcode, payload []byte) []byte {
		frame := wire.AppendClientFrame(nil, final, op, payload, [4]byte{1, 2, 3, 4})
		frame[0] |= 0x40
		return frame
	}
	for name, tc := range map[string]struct {
		bytes []byte
		code  int
	}{
		"corrupt":             {marked(true, wire.Text, []byte("{}")), 1002},
		"cut short":           {marked(true, wire.Text, small(quotes(1))[:40]), 1002},
		"marked ping":         {marked(true, wire.Ping, nil), 1002},
		"marked continuation": {append(marked(false, wire.Text, nil), marked(true, wire.Continuation, nil)...), 1002},
		"bad utf-8":           {marked(true, wire.Text, small("\xff\xfe")), 1007},
		"binary":              {marked(true, wire.Binary, small("x")), 1003},
		"a bomb":              {marked(true, wire.Text, small(strings.Repeat(" ", 100<<20))), 1009},
	} {
		t.Run(name, func(t *testing.T) {
			g := st.visitBy(compressing(), 0)
			if _, err := g.conn.NetConn().Write(tc.bytes); err != nil {
				t.Fatal(err)
			}
			if ce := g.closed(); ce.Code != tc.code {
				t.Fatalf("closed with %v, want %d", ce, tc.code)
			}
		})
	}
	g := st.visit(0) // who agreed on nothing may not mark anything
	_, err = g.conn.NetConn().Write(marked(true, wire.Text, small(`{"type":"heartbeat"}`)))
	st.must(err)
	if ce := g.closed(); ce.Code != 1002 {
		t.Errorf("closed with %v", ce)
	}
	st.await("nobody is left", func() bool {
		slot := st.segment.Slot(0)
		return slot.Gauge(shm.Sessions) == 0 && slot.Gauge(shm.DeflatingSessions) == 0
	})
}

// A reload is for those who come then; a session keeps what it agreed on.
func TestReloadOfCompression(t *testing.T) {
	st := newTheatre(t, 1, nil)
	before := st.visitBy(compressing(), 0)
	before.subscribe("A.trade")
	st.reload(0, func(c *configType) { c.Compression.Enabled, c.Compression.Level, c.Compression.MinBytes = true, 9, 0 })
	during := st.visitBy(compressing(), 0)
	during.subscribe("A.trade")
	var level int
	st.workers[0].process.inLoop(func(p *process) { level = p.deflating.level })
	if level != 9 {
		t.Errorf("level %d", level)
	}
	st.reload(0, func(c *configType) { c.Compression.Enabled, c.Compression.Level = false, 3 })
	st.workers[0].process.inLoop(func(p *process) { level = p.deflating.level })
	if level != 3 {
		t.Errorf("level %d", level)
	}
	if _, _, extension := st.shake(deflate.Extension); extension != "" {
		t.Errorf("agreed on %q", extension)
	}
	during.conn.EnableWriteCompression(true)
	during.send(`{"type":"heartbeat"}`)
	if m := during.next(); m.Type != "pong" {
		t.Errorf("answered with %+v", m)
	}
	st.produce("odin.trades", 0, "A", quotes(1))
	for _, g := range []*guest{before, during} {
		if m := g.next(); string(m.Data) != quotes(1) {
			t.Errorf("got %+v", m)
		}
	}
	if n := st.segment.Slot(0).Counter(shm.DeflatedRecords); n != 1 {
		t.Errorf("%d records were compressed", n)
	}
}

// However many sessions want a record, it is neither compressed nor copied
// again, and nothing is allocated for one of them.
func TestCompressedDeliveryDoesNotAllocate(t *testing.T) {
	p := stopped(t, enabled)
	extension, window := p.agree([]string{deflate.Extension})
	if extension == "" {
		t.Fatal("nothing was agreed on")
	}
	for range 200 {
		s, _ := guestOf(t, p)
		p.deflating.join(s, window)
		if _, err := p.hub.Subscribe(&s.subs, s.index, []byte("A.trade")); err != nil {
			t.Fatal(err)
		}
	}
	ref := p.place(wire.AppendRecord(nil, []byte("A.trade"), event.Partition{Topic: "odin.trades"}, 1, 1, []byte(quotes(1))))
	deliver := func() {
		p.deliver(&replica.Entry{Channel: []byte("A.trade"), Ref: ref})
		p.touched, p.applied = p.touched[:0], p.applied[:0]
		p.sessions.each(func(s *session) {
			s.touched = false
			p.release(s)
		})
	}
	deliver()
	if n := testing.AllocsPerRun(50, deliver); n > 1 {
		t.Errorf("%v allocations for a record to 200 sessions", n)
	}
}

// place puts a frame into the store, in no partition.
func (p *process) place(frame []byte) replica.Ref { return p.store.PutDeflated(frame, replica.Ref{}) }

// Sessions with and without compression, in turns, don't have each other's
// pieces gathered anew.
func TestGatheredOnceForEachKind(t *testing.T) {
	p := stopped(t, enabled)
	var refs []replica.Ref
	for i := range 4 {
		refs = append(refs, p.place(wire.AppendFrame(nil, wire.Text, []byte(fmt.Sprint("record ", i)))))
	}
	plain, deflated := &session{}, &session{window: 15}
	for _, i := range []int{0, 2} {
		plain.queue.Attach(hub.Piece(refs[i]))
		deflated.queue.Attach(hub.Piece(refs[i+1]))
	}
	w := &p.writer
	first := map[*session][]byte{}
	for _, s := range []*session{plain, deflated} {
		first[s] = bytes.Clone(w.gather(&s.queue, w.gatheredFor(s)))
	}
	w.plain.bytes[0], w.deflated.bytes[0] = 'p', 'd' // who gathers anew mends that
	for _, s := range []*session{plain, deflated, plain} {
		got := w.gather(&s.queue, w.gatheredFor(s))
		if want := map[*session]byte{plain: 'p', deflated: 'd'}[s]; got[0] != want || !bytes.Equal(got[1:], first[s][1:]) {
			t.Errorf("%q, gathered first as %q", got, first[s])
		}
	}
	w.forget()
	if got := w.gather(&plain.queue, w.gatheredFor(plain)); got[0] == 'p' {
		t.Error("what was gathered is not forgotten")
	}
}

// A fault of the compression costs one session its life, and the record goes
// to the others as it is.
func TestCompressionFaults(t *testing.T) {
	p := stopped(t, enabled)
	_, window := p.agree([]string{deflate.Extension})
	var all []*session
	for range 3 {
		s, _ := guestOf(t, p)
		p.deflating.join(s, window)
		if _, err := p.hub.Subscribe(&s.subs, s.index, []byte("A.trade")); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	p.deflating.compressor = nil // the defect
	ref := p.place(wire.AppendFrame(nil, wire.Text, []byte(quotes(1))))
	p.deliver(&replica.Entry{Channel: []byte("A.trade"), Ref: ref})
	doomed := 0
	for _, s := range all {
		switch {
		case s.doomed:
			doomed++
		case len(s.queue.Pieces) != 1 || s.queue.Pieces[0] != hub.Piece(ref):
			t.Errorf("a session is owed %v", s.queue.Pieces)
		}
	}
	if doomed != 1 || len(p.doomed) != 1 || p.doomed[0].fault == "" {
		t.Errorf("%d sessions are doomed: %+v", doomed, p.doomed)
	}
}
