package worker

import (
	"errors"
	"time"

	"github.com/odin-ws/odin/internal/control"
)

// portion is for how long the loop works on an operator's question before the
// sessions get their turn, and progressEvery how often such a question shows
// that it is still worked on.
const (
	portion       = 200 * time.Microsecond
	progressEvery = time.Second
)

// walk goes over many things, a portion at a time.
type walk struct {
	budget time.Duration
	at     uint64
}

// portion goes on for a moment, at least with a few.
func (w *walk) portion(p *process, end uint64, look func(uint64)) (more bool) {
	for began := p.clock(); w.at < end; {
		for range min(16, end-w.at) {
			look(w.at)
			w.at++
		}
		if p.clock()-began > int64(w.budget) {
			break
		}
	}
	return w.at < end
}

// errEnds is the answer to what comes while the worker ends.
var errEnds = errors.New("it is ending")

// progress shows now and then that a long question is still worked on, by an
// empty item.
type progress struct {
	to   *control.Answer
	last time.Time
}

func (pr *progress) show(item any) error {
	if time.Since(pr.last) < progressEvery {
		return nil
	}
	pr.last = time.Now()
	if err := pr.to.Item(item); err != nil {
		return err
	}
	return pr.to.Flush()
}
