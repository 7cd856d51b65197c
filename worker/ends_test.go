package worker

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/resume"
	"github.com/odin-ws/odin/kafka"
)

func TestWhatIsOfAnotherLogWaitsForItsEra(t *testing.T) {
	st := newTheatre(t, 1, nil)
	p, pt := &process{segment: st.segment}, &partition{}
	regrown, anew := fmt.Errorf("read: %w", kafka.ErrRegrown), fmt.Errorf("read: %w", kafka.ErrRecreated)
	shorter := fmt.Errorf("read: %w", kafka.ErrTruncated)
	other := errors.New("broken")
	ended, end := context.WithCancel(t.Context())
	end()
	for name, c := range map[string]struct {
		ctx     context.Context
		era     uint32
		answers []error // the last one is what it comes to
	}{
		"as it should be":     {t.Context(), 0, []error{nil}},
		"in the end":          {t.Context(), 0, []error{regrown, anew, shorter, nil}},
		"another failure":     {t.Context(), 0, []error{anew, other}},
		"the era is over":     {t.Context(), 1, []error{regrown}},
		"no era within limit": {ended, 0, []error{anew}},
	} {
		asked := 0
		err := p.orNextEra(c.ctx, pt, c.era, func() error {
			asked++
			return c.answers[asked-1]
		})
		if want := c.answers[len(c.answers)-1]; !errors.Is(err, want) || asked != len(c.answers) {
			t.Errorf("%s: asked %d times, %v", name, asked, err)
		}
	}
}

// TestRangeOfAnotherLogIsNotLost: that a log was cut, grew again or not, or is of
// a topic made anew, is no reason to give anything up: the era tells what became
// of it.
func TestRangeOfAnotherLogIsNotLost(t *testing.T) {
	st := newTheatre(t, 1, nil)
	name, _ := st.segment.Partition(0)
	for range 5 {
		st.produce(name.Topic, name.Number, "A", "1")
	}
	st.settled()
	p := st.workers[0].process
	var pt *partition
	var held kafka.Mark
	p.inLoop(func(p *process) { pt = p.partitions[0]; held = pt.mark() })
	st.nextEpoch(name.Topic, name.Number)
	for range 5 {
		st.produce(name.Topic, name.Number, "A", "2")
	}
	st.settled()
	if held.Offset != 4 || held.Topic == (event.TopicID{}) || held.Epoch == event.NoEpoch {
		t.Errorf("its mark is %+v", held)
	}
	e, within, most := replica.Effect{From: 2, To: 7}, p.config.Limits.BackfillMax, kafka.RangeLimit{Records: 100, Bytes: 1 << 20}
	other := kafka.Mark{Topic: event.TopicID{1}, Offset: 9, Epoch: event.NoEpoch}
	for want, m := range map[error]kafka.Mark{kafka.ErrRegrown: held, kafka.ErrRecreated: other} {
		if a, err := p.readOnce(pt, m, e, within, most); !errors.Is(err, want) || a.Err != nil {
			t.Errorf("a range: %v, given up by %v", err, a.Err)
		}
		read, err := p.readPastOnce(t.Context(), name, m, 2, 7, most)
		if !errors.Is(err, want) || read.Why != resume.Unavailable || read.Reached > 4 {
			t.Errorf("a past: to %d, %v, %v", read.Reached, read.Why, err)
		}
	}
	beyond := replica.Effect{From: 12, To: 15} // the log ends at 10
	if a, err := p.readOnce(pt, held, beyond, within, most); !errors.Is(err, kafka.ErrTruncated) || a.Err != nil {
		t.Errorf("a range beyond the end: %v, given up by %v", err, a.Err)
	}
	p.inLoop(func(*process) { held = pt.mark() })
	if a, err := p.readOnce(pt, held, e, within, most); err != nil || a.Err != nil || a.To != 7 || len(a.Records) != 6 {
		t.Errorf("by what is held now: %d records to %d, %v, %v", len(a.Records), a.To, err, a.Err)
	}
}
