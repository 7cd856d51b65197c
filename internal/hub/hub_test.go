package hub

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// model is the plainest hub there can be: a set of patterns per session.
type model map[uint32]map[string]bool

func (m model) match(subj, ev string) []uint32 {
	var out []uint32
	for s, ps := range m {
		if ps[subj+"."+ev] || ps["*."+ev] || ps[subj+".*"] || ps["*.*"] {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return out
}

func matched(h *Hub, channel string) []uint32 {
	seen := map[uint32]bool{}
	for _, l := range h.Match(nil, []byte(channel)) {
		for _, m := range l.Members {
			seen[m.Session] = true
		}
	}
	var out []uint32
	for s := range seen {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

func TestHubAgainstAModel(t *testing.T) {
	const sessions, steps = 12, 1500
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, 1))
		h, m := New(), model{}
		subs := make([]Subscriptions, sessions)
		others := func(i uint32) *Subscriptions { return &subs[i] }
		part := func() string { return []string{"A", "B", "C", "*"}[rng.IntN(4)] }
		for step := range steps {
			s := uint32(rng.IntN(sessions))
			p := part() + "." + part()
			if m[s] == nil {
				m[s] = map[string]bool{}
			}
			switch rng.IntN(10) {
			case 0:
				h.Clear(&subs[s], others)
				delete(m, s)
			case 1, 2, 3, 4:
				if had := h.Unsubscribe(&subs[s], s, []byte(p), others); had != m[s][p] {
					t.Fatalf("seed %d step %d: unsubscribe %s: %v", seed, step, p, had)
				}
				delete(m[s], p)
			default:
				added, err := h.Subscribe(&subs[s], s, []byte(p))
				if err != nil || added == m[s][p] {
					t.Fatalf("seed %d step %d: subscribe %s: %v %v", seed, step, p, added, err)
				}
				m[s][p] = true
			}
			check(t, h, m, subs)
		}
	}
}

func check(t *testing.T, h *Hub, m model, subs []Subscriptions) {
	t.Helper()
	total := 0
	for i := range subs {
		total += subs[i].Count()
		var got []string
		subs[i].Patterns(func(p string) bool { got = append(got, p); return true })
		for _, p := range got {
			if !m[uint32(i)][p] || !h.Has(&subs[i], uint32(i), []byte(p)) {
				t.Fatalf("session %d has %s", i, p)
			}
		}
		if len(got) != len(m[uint32(i)]) {
			t.Fatalf("session %d: %v, want %v", i, got, m[uint32(i)])
		}
	}
	if h.Subscriptions() != total {
		t.Fatalf("%d subscriptions, sessions have %d", h.Subscriptions(), total)
	}
	checkLists(t, h, m, subs)
	for _, s := range []string{"A", "B", "C", "D"} {
		for _, e := range []string{"A", "B", "C", "D"} {
			if got, want := matched(h, s+"."+e), m.match(s, e); !slices.Equal(got, want) {
				t.Fatalf("%s.%s: %v, want %v", s, e, got, want)
			}
		}
	}
}

// checkLists compares every list, and who gets all that a pattern matches.
func checkLists(t *testing.T, h *Hub, m model, subs []Subscriptions) {
	t.Helper()
	counts := map[string]int{}
	for _, patterns := range m {
		for p := range patterns {
			counts[p]++
		}
	}
	for i := range h.Lists() {
		l := h.List(i)
		if counts[l.Pattern()] != len(l.Members) || len(l.Members) == 0 {
			t.Fatalf("list %d of %s has %d members, want %d", i, l.Pattern(), len(l.Members), counts[l.Pattern()])
		}
		delete(counts, l.Pattern())
	}
	if len(counts) != 0 {
		t.Fatalf("no list of %v", counts)
	}
	for _, p := range []string{"A.B", "A.*", "*.B", "*.*", "D.A"} {
		subj, ev, _ := strings.Cut(p, ".")
		for i := range subs {
			want := m[uint32(i)][p] || m[uint32(i)][subj+".*"] || m[uint32(i)]["*."+ev] || m[uint32(i)]["*.*"]
			if got := subs[i].In(uint32(i), h.Covering(nil, []byte(p))); got != want {
				t.Fatalf("session %d gets %s: %v, subscribed to %v", i, p, got, m[uint32(i)])
			}
		}
	}
}

// Who goes through the lists from the last to the first misses none that stays.
func TestListsWhileTheyChange(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 3))
		h := New()
		var stays, goes Subscriptions
		others := func(s uint32) *Subscriptions { return []*Subscriptions{&stays, &goes}[s] }
		for i := range 200 {
			_, _ = h.Subscribe(&goes, 1, fmt.Appendf(nil, "G%d.b", i))
			if i%3 == 0 {
				_, _ = h.Subscribe(&stays, 0, fmt.Appendf(nil, "S%d.b", i))
			}
		}
		seen := map[string]bool{}
		for i := h.Lists() - 1; i >= 0; i-- {
			if i >= h.Lists() {
				continue
			}
			seen[h.List(i).Pattern()] = true
			pattern := fmt.Appendf(nil, "G%d.b", rng.IntN(200))
			if !h.Unsubscribe(&goes, 1, pattern, others) {
				_, _ = h.Subscribe(&goes, 1, pattern)
			}
		}
		stays.Patterns(func(p string) bool {
			if !seen[p] {
				t.Errorf("seed %d: %s was missed", seed, p)
			}
			return true
		})
	}
}

func TestSubscribeRefusesWhatIsNoPattern(t *testing.T) {
	h := New()
	var s Subscriptions
	for _, p := range []string{"", "A", "A.B.C", ".A", "A.", "A*.B", "A B.C", "A.\"", "ä.B"} {
		if added, err := h.Subscribe(&s, 0, []byte(p)); err == nil || added {
			t.Errorf("%q was taken", p)
		}
	}
	if s.Count() != 0 || h.Subscriptions() != 0 || h.Channels()+h.Patterns() != 0 {
		t.Error("a refused pattern left something behind")
	}
}

func TestListsOfNobodyAreForgotten(t *testing.T) {
	h := New()
	var s Subscriptions
	others := func(uint32) *Subscriptions { return &s }
	for i := range 1000 {
		if _, err := h.Subscribe(&s, 0, fmt.Appendf(nil, "S%d.trade", i)); err != nil {
			t.Fatal(err)
		}
	}
	if h.Channels()+h.Patterns() != 1000 {
		t.Fatalf("%d lists", h.Channels()+h.Patterns())
	}
	h.Clear(&s, others)
	if h.Channels()+h.Patterns() != 0 || h.Subscriptions() != 0 {
		t.Fatalf("%d lists, %d subscriptions left", h.Channels()+h.Patterns(), h.Subscriptions())
	}
}

func TestChannelsAndPatternsAreCountedApart(t *testing.T) {
	h := New()
	var s, other Subscriptions
	for _, p := range []string{"A.b", "B.b", "A.*", "*.b", "*.*"} {
		if _, err := h.Subscribe(&s, 0, []byte(p)); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Subscribe(&other, 1, []byte(p)); err != nil {
			t.Fatal(err)
		}
	}
	if h.Channels() != 2 || h.Patterns() != 3 || h.Subscriptions() != 10 {
		t.Errorf("%d channels, %d patterns, %d subscriptions", h.Channels(), h.Patterns(), h.Subscriptions())
	}
}

func frame(n int) []byte {
	switch {
	case n < 126:
		return append([]byte{0x81, byte(n)}, bytes.Repeat([]byte{byte(n)}, n)...)
	case n < 1<<16:
		return append([]byte{0x81, 126, byte(n >> 8), byte(n)}, bytes.Repeat([]byte{byte(n)}, n)...)
	}
	return append([]byte{0x81, 127, 0, 0, 0, 0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, bytes.Repeat([]byte{7}, n)...)
}

// What is written, in any portions, is what was attached and said, in order;
// a cut leaves whole frames.
func TestQueueAgainstBytes(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 2))
		var history, want, got []byte
		var q Queue
		sizes := []int{0, 1, 125, 126, 300, 1000, 66000}
		look := func(p Piece) []byte {
			if p.Chunk == Own {
				return q.Own[p.Off : p.Off+p.Len]
			}
			return history[p.Off : p.Off+p.Len]
		}
		var ends []int               // of frames, in want
		var records []int            // of those that are records
		whole := func() (n uint32) { // records that got holds whole
			for _, end := range records {
				if end <= len(got) {
					n++
				}
			}
			return n
		}
		var sent uint32
		for range 300 {
			f := frame(sizes[rng.IntN(len(sizes))])
			switch rng.IntN(4) {
			case 0:
				q.Attach(Piece{Chunk: 3, Off: uint32(len(history)), Len: uint32(len(f))})
				history = append(history, f...)
				want = append(want, f...)
				ends = append(ends, len(want))
				records = append(records, len(want))
			case 1:
				history = append(history, f...) // somebody else's record: breaks the run
			case 2:
				q.Say(func(dst []byte) []byte { return append(dst, f...) })
				want = append(want, f...)
				ends = append(ends, len(want))
			case 3:
				n := min(rng.IntN(200000), q.Bytes)
				left := n
				for _, p := range q.Pieces {
					b := look(p)
					got = append(got, b[:min(left, len(b))]...)
					left -= min(left, len(b))
				}
				sent += q.Written(n, look)
			}
			if sent != whole() || q.Records != uint32(len(records))-sent {
				t.Fatalf("seed %d: %d records are sent and %d owed, want %d of %d", seed, sent, q.Records, whole(), len(records))
			}
			if q.Bytes != len(want)-len(got) {
				t.Fatalf("seed %d: owes %d, want %d", seed, q.Bytes, len(want)-len(got))
			}
		}
		if !q.Cut(look) {
			t.Fatalf("seed %d: nothing to cut in", seed)
		}
		for _, p := range q.Pieces {
			got = append(got, look(p)...)
		}
		if sent += q.Written(q.Bytes, look); sent != whole() {
			t.Fatalf("seed %d: %d records are sent behind the cut, want %d", seed, sent, whole())
		}
		if !bytes.HasPrefix(want, got) {
			t.Fatalf("seed %d: the stream is not what was owed", seed)
		}
		if len(got) > 0 && !slices.Contains(ends, len(got)) {
			t.Fatalf("seed %d: ends inside a frame", seed)
		}
	}
}

func TestQueueJoinsWhatLiesTogether(t *testing.T) {
	var q Queue
	q.Attach(Piece{1, 0, 10})
	q.Attach(Piece{1, 10, 5})
	q.Attach(Piece{2, 15, 5})
	q.Attach(Piece{2, 30, 5})
	want := []Piece{{1, 0, 15}, {2, 15, 5}, {2, 30, 5}}
	if !slices.Equal(q.Pieces, want) || q.Bytes != 25 || q.Records != 4 {
		t.Fatalf("got %v, %d bytes, %d records", q.Pieces, q.Bytes, q.Records)
	}
	q.Attach(Piece{Past + 7, 0, 5})
	q.Say(func(dst []byte) []byte { return append(dst, "answer"...) })
	for _, c := range []struct {
		oldest, oldestPast uint32
		below              bool
	}{{1, Past + 1, false}, {1, Past + 7, false}, {2, Past + 1, true}, {1, Past + 8, true}} {
		if got := q.PointsBelow(c.oldest, c.oldestPast); got != c.below {
			t.Errorf("below %d or %d: %t", c.oldest, c.oldestPast, got)
		}
	}
}

func TestQueueOfTheNeverReadyStaysBounded(t *testing.T) {
	var q Queue
	f := frame(100)
	for range 100000 {
		q.Say(func(dst []byte) []byte { return append(dst, f...) })
		if q.Bytes > 4000 {
			q.Written(len(f), func(p Piece) []byte { return q.Own[p.Off : p.Off+p.Len] })
		}
	}
	if len(q.Own) > 4*ownSlack {
		t.Fatalf("keeps %d bytes for %d owed", len(q.Own), q.Bytes)
	}
}

func TestCutWithoutHistory(t *testing.T) {
	var q Queue
	f := frame(98)
	q.Attach(Piece{1, 0, 100})
	q.Written(10, func(Piece) []byte { return f })
	if q.Cut(func(Piece) []byte { return nil }) {
		t.Fatal("the rest of the frame is gone, and a close frame would follow in its middle")
	}
}
