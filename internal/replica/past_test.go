package replica

import (
	"testing"
	"time"
)

// heirs is a history of three records, and a Past that inherits what leaves it.
func heirs(from int64) (s *Store, w *window, p *Past) {
	s = NewStore(Limits{Records: 3})
	w = s.open()
	w.from = 10
	p = NewPast(NewPastStore(Limits{Hold: time.Second}))
	p.Begin(from)
	History{s, w}.Bequeath(p)
	return s, w, p
}

func TestPastInheritsWhatLeavesTheHistory(t *testing.T) {
	s, w, p := heirs(10)
	for o := int64(10); o < 20; o += 2 { // with holes
		put(s, w, o, 10, true)
	}
	first, end := p.History().Above(-1)
	if from, to := p.Range(); from != 10 || to != 12 || end-first != 2 || to+1 < w.from {
		t.Errorf("[%d, %d], %d records, and the history from %d", from, to, end-first, w.from)
	}
	if e, ok := p.History().At(first); !ok || e.Offset != 10 || !e.Ref.Past() || p.store.Bytes(e.Ref) == nil {
		t.Errorf("%+v %t", e, ok)
	}
}

func TestPastInheritsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		from int64
		then func(*Store, *window, *Past)
	}{
		"behind a gap":       {8, func(*Store, *window, *Past) {}},
		"that it has":        {10, func(_ *Store, _ *window, p *Past) { p.Append(nil, 40) }},
		"once it was held":   {10, func(_ *Store, _ *window, p *Past) { p.store.Tick(1001) }},
		"of another history": {10, func(s *Store, w *window, _ *Past) { s.clear(w, 10) }},
	} {
		t.Run(name, func(t *testing.T) {
			s, w, p := heirs(c.from)
			c.then(s, w, p)
			for o := int64(10); o < 20; o++ {
				put(s, w, o, 10, true)
			}
			if first, end := p.History().Above(-1); first != end {
				t.Errorf("%d records", end-first)
			}
		})
	}
}

func TestPastJoins(t *testing.T) {
	for name, c := range map[string]struct {
		above, want int64
	}{"overlapping": {12, 16}, "next to it": {15, 16}, "behind a gap": {16, 14}} {
		t.Run(name, func(t *testing.T) {
			s := NewPastStore(Limits{})
			p, q := NewPast(s), NewPast(s)
			p.Begin(10)
			p.Append(records(10, 11, 14), 14)
			q.Begin(c.above)
			q.Append(records(14, 16), 16)
			p.Join(q)
			if _, to := p.Range(); to != c.want {
				t.Errorf("up to %d", to)
			}
		})
	}
}
