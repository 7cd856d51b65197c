package replica

import (
	"testing"
	"time"
	"unsafe"
)

func TestOriginSize(t *testing.T) {
	if n := unsafe.Sizeof(origin{}); n != originBytes {
		t.Errorf("an origin takes %d bytes, originBytes is %d", n, originBytes)
	}
}

// A compressed frame lives as long as its chunk, even when its record's is
// gone, and holds nothing back.
func TestDeflatedFrames(t *testing.T) {
	s := NewStore(Limits{Chunk: 100, Age: 4 * time.Second})
	w := s.open()
	s.Tick(1000)
	a, b := put(s, w, 1, 30, true), put(s, w, 2, 60, true)
	s.Tick(1500)
	za := s.PutDeflated([]byte("za"), a)
	zb := s.PutDeflated([]byte("a long one, zb"), b)
	if za != (Ref{1, 90, 2}) || zb != (Ref{2, 0, 14}) {
		t.Errorf("%v %v", za, zb)
	}
	if n := s.Stats(); n.Deflated != 16 || n.Records != 2 || n.Chunks != 2 {
		t.Errorf("%+v", n)
	}
	if got := s.Plain(za); len(got) != 30 || got[0] != 1 {
		t.Errorf("plain is %v", got)
	}
	if got := s.Plain(zb); len(got) != 60 || got[0] != 2 {
		t.Errorf("plain is %v", got)
	}
	for _, r := range []Ref{a, b, {1, 91, 1}, {2, 1, 1}, {3, 0, 1}, {0, 90, 2}} {
		if got := s.Plain(r); got != nil {
			t.Errorf("%v is the compressed form of %v", r, got)
		}
	}
	s.Tick(1900)
	zlate := s.PutDeflated([]byte("late"), a)
	if s.Evict(5600) != 1 || s.Bytes(za) != nil || s.Plain(za) != nil {
		t.Error("the first chunk is not gone")
	}
	if string(s.Bytes(zb)) != "a long one, zb" || s.Plain(zb) != nil || s.Plain(zlate) != nil {
		t.Errorf("%q, plain %v and %v", s.Bytes(zb), s.Plain(zb), s.Plain(zlate))
	}
	if n := s.Stats(); n.Deflated != 18 {
		t.Errorf("%+v", n)
	}
	if s.Evict(5901) != 1 {
		t.Error("the second chunk is not gone")
	}
	if n := s.Stats(); n.Deflated != 0 || n.Bytes != n.Spare {
		t.Errorf("%+v", n)
	}
}

func TestDeflatedLargerThanAChunk(t *testing.T) {
	s := NewStore(Limits{Chunk: 100, Bytes: 10_000})
	w := s.open()
	a := put(s, w, 1, 500, true)
	z := s.PutDeflated(make([]byte, 400), a)
	if z != (Ref{2, 0, 400}) || len(s.Bytes(z)) != 400 || len(s.Plain(z)) != 500 {
		t.Errorf("%v", z)
	}
}
