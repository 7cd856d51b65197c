package replica

import (
	"bytes"
	"testing"
	"time"
	"unsafe"

	"github.com/odin-ws/odin/internal/event"
)

// put appends a record of size bytes, given to sessions at once or not.
func put(s *Store, w *window, offset int64, size int, applied bool) Ref {
	frame := bytes.Repeat([]byte{byte(offset)}, size)
	s.put(w, &event.Record{Offset: offset, Frame: frame})
	if applied {
		w.apply(offset)
	}
	return w.at(w.len - 1).ref
}

func TestEntrySize(t *testing.T) {
	if n := unsafe.Sizeof(entry{}); n != entryBytes {
		t.Errorf("an entry takes %d bytes, entryBytes is %d", n, entryBytes)
	}
}

func TestIdleStoreTakesNothing(t *testing.T) {
	s := NewStore(Limits{})
	for range 4096 {
		s.open()
	}
	if n := s.Stats(); n.Bytes != 0 || n.Chunks != 0 {
		t.Errorf("%+v", n)
	}
	if s.Bytes(Ref{}) != nil || s.Full() || s.Evict(1) != 0 {
		t.Error("an empty store has something")
	}
}

func TestDefaults(t *testing.T) {
	l := NewStore(Limits{}).limits
	if want := (Limits{256 << 20, 5 * time.Minute, 10_000, 1 << 20, 10 * time.Second}); l != want {
		t.Errorf("%+v", l)
	}
	if l := NewStore(Limits{Bytes: 1, Chunk: 100}).limits; l.Bytes != 400 {
		t.Errorf("bytes for fewer than four chunks: %+v", l)
	}
}

func TestFramesLieNextToEachOther(t *testing.T) {
	s := NewStore(Limits{Chunk: 100})
	w, v := s.open(), s.open()
	a, b, c := put(s, w, 1, 30, true), put(s, v, 1, 40, true), put(s, w, 2, 30, true)
	if !a.Next(b) || !b.Next(c) || a.Next(c) || a.Chunk != 1 {
		t.Errorf("%v %v %v", a, b, c)
	}
	d := put(s, w, 3, 1, true)
	if c.Next(d) || d != (Ref{2, 0, 1}) {
		t.Errorf("%v behind a full chunk", d)
	}
	if got := s.Bytes(Ref{1, 30, 70}); !bytes.Equal(got, append(bytes.Repeat([]byte{1}, 40), bytes.Repeat([]byte{2}, 30)...)) {
		t.Errorf("as one: %v", got)
	}
}

func TestFrameLargerThanAChunk(t *testing.T) {
	s := NewStore(Limits{Chunk: 100, Bytes: 10_000})
	w := s.open()
	a, b, c := put(s, w, 1, 10, true), put(s, w, 2, 250, true), put(s, w, 3, 10, true)
	if a.Chunk != 1 || b.Chunk != 2 || c.Chunk != 3 || len(s.Bytes(b)) != 250 {
		t.Errorf("%v %v %v", a, b, c)
	}
	if n := s.Stats(); n.Bytes != 450+blockBytes+headsBytes(headsMin) {
		t.Errorf("%+v", n)
	}
}

func TestEvictByAge(t *testing.T) {
	s := NewStore(Limits{Chunk: 100, Age: time.Second})
	w := s.open()
	s.Tick(1000)
	a := put(s, w, 1, 60, true)
	s.Tick(1500)
	b := put(s, w, 2, 60, true)
	for _, step := range []struct {
		now    int64
		freed  int
		oldest uint32
		from   int64
	}{{2000, 0, 1, 0}, {2001, 1, 2, 2}, {2500, 0, 2, 2}, {2501, 1, 3, 3}, {9000, 0, 3, 3}} {
		if n := s.Evict(step.now); n != step.freed || s.OldestChunk() != step.oldest || w.from != step.from {
			t.Errorf("at %d: freed %d, oldest %d, from %d", step.now, n, s.OldestChunk(), w.from)
		}
	}
	if s.Bytes(a) != nil || s.Bytes(b) != nil {
		t.Error("an evicted frame can be read")
	}
	if n := s.Stats(); n.Bytes != n.Spare || n.Records != 0 || n.Evicted != 2 || n.Trimmed != 2 {
		t.Errorf("%+v", n)
	}
	c := put(s, w, 3, 100, true)
	if c.Chunk != 3 || s.Bytes(a) != nil || s.Bytes(c)[0] != 3 {
		t.Errorf("%v: a chunk's number is used again", c)
	}
}

func TestEvictByBytes(t *testing.T) {
	s := NewStore(Limits{Chunk: 100, Bytes: 4064})
	w, v := s.open(), s.open()
	for o := range int64(13) {
		put(s, w, o, 90, true)
	}
	// 13 chunks, a block and its heads are 4052; 4064 less the headroom of 127 is the
	// aim. One chunk fits into it to be used again.
	if n := s.Evict(1); n != 2 || s.Stats().Bytes != 3952 || s.Stats().Spare != 100 || s.Full() {
		t.Errorf("freed %d: %+v", n, s.Stats())
	}
	// What was not applied stays, and all behind it, in every partition.
	oldest := s.OldestChunk()
	for o := range int64(20) {
		put(s, v, o, 90, false)
	}
	if !s.Full() {
		t.Error("not full")
	}
	s.Evict(2)
	if w.len != 0 || v.from != 0 || s.OldestChunk() == oldest || s.Stats().Blocked != 1 {
		t.Errorf("%d of the applied, %d of the others; %+v", w.len, v.len, s.Stats())
	}
	v.apply(9)
	if n := s.Evict(3); n != 9 || v.len != 11 || v.from != 9 {
		t.Errorf("%d from %d", v.len, v.from)
	}
}

func TestRecordsBound(t *testing.T) {
	s := NewStore(Limits{Records: 3})
	w, v := s.open(), s.open()
	put(s, v, 1, 10, true)
	for o := range int64(5) {
		put(s, w, o*2, 10, true)
	}
	if w.len != 3 || w.from != 3 || v.len != 1 {
		t.Errorf("%d from %d, the other %d", w.len, w.from, v.len)
	}
	if r := (Ref{1, 10, 10}); s.Bytes(r)[0] != 0 || s.OldestChunk() != 1 {
		t.Error("a frame is gone before its chunk")
	}
}

func TestChannels(t *testing.T) {
	s := NewStore(Limits{})
	w := s.open()
	long := append(bytes.Repeat([]byte{'.'}, channelWithin), "far.away"...)
	for i, test := range []struct{ channel, frame string }{
		{"a.b", `{"channel":"a.b"}`}, {"not.there", "frame"}, {"a.b", "a.b"}, {"far.away", string(long)}, {"", "x"}, {"e.f", ""},
	} {
		s.put(w, &event.Record{Offset: int64(i), Channel: []byte(test.channel), Frame: []byte(test.frame)})
		e := w.at(i)
		if got := s.channel(e); string(got) != test.channel {
			t.Errorf("%q, want %q", got, test.channel)
		}
		if got := s.frame(e); string(got) != test.frame {
			t.Errorf("%q, want %q", got, test.frame)
		}
	}
	if got := string(s.chunks[0].names); got != "not.therefar.awaye.f" {
		t.Errorf("kept apart: %q", got)
	}
}

func TestChunksAreUsedAgain(t *testing.T) {
	s := NewStore(Limits{Chunk: 100, Age: time.Millisecond})
	w := s.open()
	now := int64(0)
	for o := range int64(10) {
		put(s, w, o, 80, true)
	}
	now += 10
	s.Evict(now)
	if len(s.freeChunks) != freeChunksMax {
		t.Errorf("%d kept", len(s.freeChunks))
	}
	allocs := testing.AllocsPerRun(500, func() {
		for o := range int64(3) {
			s.put(w, &event.Record{Offset: now*10 + o, Frame: make([]byte, 80)[:80:80]})
		}
		w.apply(now*10 + 9)
		now += 10
		s.Evict(now)
	})
	if allocs > 3 { // the frames of the test itself, at most
		t.Errorf("%v allocations a round", allocs)
	}
}

// model is a Store without its tricks.
// A store takes other limits while it holds something: what is beyond them goes
// as soon as it was applied, and nothing before.
func TestLimitsChange(t *testing.T) {
	s := NewStore(Limits{Chunk: 100, Records: 50})
	w, v := s.open(), s.open()
	for o := range int64(20) {
		put(s, w, o, 90, true)
		put(s, v, o, 90, o < 5)
	}
	s.Limit(Limits{Chunk: 7, Records: 3, Bytes: 1000, Age: time.Hour})
	if w.len != 3 || w.from != 17 || v.len != 15 || v.applied != 0 || v.from != 5 {
		t.Errorf("%d from %d; %d from %d, %d applied", w.len, w.from, v.len, v.from, v.applied)
	}
	if s.limits.Chunk != 100 || !s.Full() {
		t.Errorf("limits %+v, %+v", s.limits, s.Stats())
	}
	v.apply(19)
	if s.Evict(1); s.Full() || s.OldestChunk() == 1 {
		t.Errorf("%+v, oldest chunk %d", s.Stats(), s.OldestChunk())
	}
	s.Limit(Limits{Records: 50, Bytes: 100_000, Age: time.Hour})
	for o := range int64(20) {
		put(s, w, 20+o, 90, true)
	}
	if w.len < 20 || s.Full() {
		t.Errorf("%d records, %+v", w.len, s.Stats())
	}
}
