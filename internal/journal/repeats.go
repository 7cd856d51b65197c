package journal

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// repeatInterval is how long a thing that was said is remembered, and how
	// often is said how many times it came again.
	repeatInterval = time.Minute
	// repeatBurst is how many lines that say the same pass at first.
	repeatBurst = 3
	// repeatThings bounds how many things are remembered. Beyond, the oldest is
	// forgotten: more is said then, never less.
	repeatThings = 512
)

// repeats remembers what was said lately.
type repeats struct {
	held atomic.Uint64 // lines held back

	mu     sync.Mutex
	things map[uint64]*thing
	order  []*thing // by the end of their intervals, which are of one length
}

// thing is what lines of one identity say.
type thing struct {
	id     uint64
	until  time.Time // end of the interval
	passed int       // lines in it, and all that a going on repetition may have
	held   held
}

// held is what was held back of one thing, shown by the first of its lines.
type held struct {
	h      *handler
	record slog.Record
	n      int
}

func newRepeats() *repeats { return &repeats{things: make(map[uint64]*thing)} }

// count takes note of a line and tells whether it is to be held back.
func (r *repeats) count(id uint64, now time.Time, h *handler, record slog.Record) (again bool) {
	over, again := r.note(id, now, h, record)
	tell(over)
	return again
}

func (r *repeats) note(id uint64, now time.Time, h *handler, record slog.Record) (over []held, again bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	over = r.end(now)
	t := r.things[id]
	if t == nil {
		if len(r.order) == repeatThings {
			over = append(over, r.forget()...)
		}
		r.remember(&thing{id: id, passed: 1}, now)
		return over, false
	}
	if t.passed < repeatBurst {
		t.passed++
		return over, false
	}
	if t.held.n == 0 {
		t.held = held{h: h, record: frozen(record)}
	}
	t.held.n++
	r.held.Add(1)
	return over, true
}

// remember begins a thing's interval.
func (r *repeats) remember(t *thing, now time.Time) {
	t.until = now.Add(repeatInterval)
	r.things[t.id] = t
	r.order = append(r.order, t)
}

// forget drops the oldest thing and gives what was held back of it.
func (r *repeats) forget() []held {
	t := r.order[0]
	r.order = r.order[1:]
	delete(r.things, t.id)
	if t.held.n == 0 {
		return nil
	}
	return []held{t.held}
}

// end ends the intervals that are over. What came again in its interval is
// remembered for another one, in which no line of it passes: a thing that goes
// on costs one line an interval.
func (r *repeats) end(now time.Time) (over []held) {
	for len(r.order) > 0 && !r.order[0].until.After(now) {
		t := r.order[0]
		was := r.forget()
		over = append(over, was...)
		if len(was) > 0 {
			r.remember(&thing{id: t.id, passed: repeatBurst}, now)
		}
	}
	return over
}

// due gives what is to be said now.
func (r *repeats) due(now time.Time) []held {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.end(now)
}

// next is how long nothing will be due.
func (r *repeats) next(now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.order) == 0 {
		return repeatInterval
	}
	return r.order[0].until.Sub(now)
}

// all gives what was held back so far, and forgets everything.
func (r *repeats) all() (left []held) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.order) > 0 {
		left = append(left, r.forget()...)
	}
	return left
}

// frozen is a copy that later changes of its values don't reach.
func frozen(r slog.Record) slog.Record {
	out := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if v := a.Value.Resolve(); v.Kind() == slog.KindAny {
			a.Value = slog.StringValue(textOf(v))
		}
		out.AddAttrs(a)
		return true
	})
	return out
}

// tell says how often each came again.
func tell(over []held) {
	for _, h := range over {
		h.record.Time = time.Now()
		h.record.AddAttrs(slog.Int("repeated", h.n))
		h.h.line(context.Background(), h.record)
	}
}
