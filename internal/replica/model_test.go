package replica

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/event"
)

type model struct {
	frames   map[Ref]string
	deflated map[Ref]Ref // compressed to plain
	gone     []Ref       // the last few
	parts    []modelPart
}

// putDeflated has something kept as a frame's compressed form.
func (m *model) putDeflated(t *testing.T, s *Store, plain Ref, small string) Ref {
	t.Helper()
	ref := s.PutDeflated([]byte(small), plain)
	if ref.Chunk == plain.Chunk && !plain.Next(ref) || ref.Chunk < plain.Chunk {
		t.Fatalf("%v does not lie behind %v", ref, plain)
	}
	m.frames[ref], m.deflated[ref] = small, plain
	return ref
}

// checkDeflated checks that a compressed frame leads to the plain one as long
// as that is held, and that no other frame leads anywhere.
func (m *model) checkDeflated(t *testing.T, s *Store) {
	t.Helper()
	for ref, frame := range m.frames {
		if s.Bytes(ref) == nil {
			continue
		}
		got := s.Plain(ref)
		plain, is := m.deflated[ref]
		switch {
		case !is && got != nil:
			t.Fatalf("%q at %v is taken for a compressed form", frame, ref)
		case is && string(got) != string(s.Bytes(plain)), is && got != nil && string(got) != m.frames[plain]:
			t.Fatalf("%q at %v is the compressed form of %q, want %q", frame, ref, got, m.frames[plain])
		}
	}
}

type modelPart struct {
	held, applied int64
	entries       []modelEntry
}

type modelEntry struct {
	offset  int64
	ref     Ref
	channel string
}

// FuzzStore drives a Store with two partitions by the bytes of its input.
func FuzzStore(f *testing.F) {
	f.Add([]byte("abcdefghijklmnopqrstuvwxyz0123456789"))
	f.Add(bytes.Repeat([]byte{0x10, 0x51, 0x92, 0xd3}, 60))
	f.Add(bytes.Repeat([]byte{0xf0, 0x0f, 0x3c, 0xff, 0x81}, 90))
	f.Fuzz(driveStore)
}

func TestStoreByChance(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 1))
		script := make([]byte, 400)
		for i := range script {
			script[i] = byte(rng.Uint32())
		}
		if driveStore(t, script); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func driveStore(t *testing.T, script []byte) {
	s := NewStore(Limits{Chunk: 64, Bytes: 3 * blockBytes, Age: 40 * time.Millisecond, Records: 70})
	m := model{frames: map[Ref]string{}, deflated: map[Ref]Ref{}, parts: make([]modelPart, 2)}
	w := []*window{s.open(), s.open()}
	now, last := int64(1), Ref{}
	for i, b := range script[:min(len(script), 1000)] {
		p := int(b & 1)
		part := &m.parts[p]
		switch b >> 1 & 7 {
		case 0, 1, 2, 3: // a record
			part.held += 1 + int64(b>>6)
			frame := fmt.Sprintf("%d:a.%d:%s", i, b&31, "................................................................................"[:b>>4*5])
			channel := fmt.Sprintf("a.%d", b&31)
			if b>>4&1 == 0 {
				channel = "x.y"
			}
			s.put(w[p], &event.Record{Offset: part.held, Channel: []byte(channel), Frame: []byte(frame)})
			ref := w[p].at(w[p].len - 1).ref
			if _, twice := m.frames[ref]; twice {
				t.Fatalf("%v is used twice", ref)
			}
			if ref.Chunk == last.Chunk && !last.Next(ref) || ref.Chunk < last.Chunk {
				t.Fatalf("%v does not lie behind %v", ref, last)
			}
			last = ref
			m.frames[ref] = frame
			part.entries = append(part.entries, modelEntry{part.held, ref, channel})
			if b>>5&1 == 1 { // compressed for somebody
				last = m.putDeflated(t, s, ref, frame[:len(frame)/2])
			}
		case 4, 5: // some are applied
			part.applied = min(part.held, part.applied+int64(b>>4))
			w[p].apply(part.applied)
		case 6:
			now += int64(b >> 4)
			s.Evict(now)
		case 7:
			switch b >> 4 {
			case 15:
				s.clear(w[p], part.held+1)
				part.entries, part.applied = nil, part.held
			case 14, 13, 12: // other limits
				s.Limit(Limits{Bytes: int64(b>>5) * blockBytes / 2, Age: 10 * time.Millisecond, Records: int(b>>4) * 3})
			}
		}
		m.check(t, s, w)
	}
}

// check compares: what an index holds is the end of what was put in, it begins
// behind what it lost, and nothing is lost that was not applied.
func (m *model) check(t *testing.T, s *Store, w []*window) {
	t.Helper()
	total := 0
	for p, v := range w {
		part := &m.parts[p]
		total += v.len
		gone := len(part.entries) - v.len
		if gone > 0 && (part.entries[gone-1].offset > part.applied || v.from <= part.entries[gone-1].offset) {
			t.Fatalf("partition %d lost %d, applied %d, from %d", p, part.entries[gone-1].offset, part.applied, v.from)
		}
		applied := 0
		for i := range v.len {
			e, want := v.at(i), part.entries[gone+i]
			if e.offset != want.offset || e.ref != want.ref || string(s.channel(e)) != want.channel || e.offset < v.from {
				t.Fatalf("partition %d has %+v, want %+v", p, e, want)
			}
			if v.after(want.offset) != i+1 || v.after(want.offset-1) != i {
				t.Fatalf("partition %d: %d is not found at %d", p, want.offset, i)
			}
			if e.offset <= part.applied {
				applied++
			}
		}
		if v.applied != applied {
			t.Fatalf("partition %d: %d applied, want %d", p, v.applied, applied)
		}
		part.entries = part.entries[gone:]
		m.checkChannels(t, History{s, v}, part)
	}
	for ref, want := range m.frames {
		if ref.Chunk < s.OldestChunk() {
			m.gone = append(m.gone[max(0, len(m.gone)-8):], ref)
			delete(m.frames, ref)
		} else if got := s.Bytes(ref); got == nil || string(got) != want {
			t.Fatalf("%v is %q, was %q; the oldest chunk is %d", ref, got, want, s.OldestChunk())
		}
	}
	for _, ref := range m.gone {
		if got := s.Bytes(ref); got != nil {
			t.Fatalf("%v is %q, although the oldest chunk is %d", ref, got, s.OldestChunk())
		}
	}
	m.checkDeflated(t, s)
	m.checkStats(t, s, w, total)
}

// checkChannels compares what an index finds of a channel with a look at all.
func (m *model) checkChannels(t *testing.T, h History, part *modelPart) {
	t.Helper()
	const looksMax = 2000 // more than a script puts in
	above := part.applied - 5
	for _, channels := range [][][]byte{{[]byte("x.y")}, {[]byte("a.3"), []byte("x.y"), []byte("no.ne")}, {[]byte("no.ne")}} {
		var want, got []int64
		for _, e := range part.entries {
			if e.offset > above && e.offset <= part.applied && slices.ContainsFunc(channels, func(c []byte) bool { return string(c) == e.channel }) {
				want = append(want, e.offset)
			}
		}
		places, ok := h.Of(nil, channels, above, looksMax)
		for _, p := range places {
			e, there := h.At(p)
			ok = ok && there
			got = append(got, e.Offset)
		}
		if !ok || !slices.Equal(got, want) {
			t.Fatalf("%q above %d: found %d (%t), want %d", channels, above, got, ok, want)
		}
	}
}

func (m *model) checkStats(t *testing.T, s *Store, w []*window, total int) {
	t.Helper()
	var size, deflated int64
	for _, c := range s.chunks {
		size += int64(cap(c.data) + cap(c.names) + cap(c.origins)*originBytes)
		deflated += c.deflated
	}
	for _, v := range w {
		size += int64(len(v.blocks))*blockBytes + headsBytes(len(v.heads))
	}
	spare := int64(len(s.freeChunks)*s.limits.Chunk + len(s.freeBlocks)*blockBytes)
	if spare > s.limits.headroom() {
		t.Fatalf("%d bytes are spare, the headroom is %d", spare, s.limits.headroom())
	}
	size += spare
	if n := s.Stats(); n.Bytes != size || n.Spare != spare || n.Deflated != deflated || n.Records != total || n.Chunks != len(s.chunks) {
		t.Fatalf("%+v, want %d bytes, %d records, %d chunks", n, size, total, len(s.chunks))
	}
}
