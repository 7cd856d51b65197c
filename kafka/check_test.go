package kafka

import (
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/event"
)

func TestWhatTheLeaderSaysOfAnEpoch(t *testing.T) {
	// read up to 99 with epoch 5, which began at 90, behind one of 4
	read := part{next: 100, epoch: 5, begun: 90, prior: 4}
	for name, c := range map[string]struct {
		end      epochEnd
		diverges bool
		offset   int64
		epoch    int32
	}{
		"the epoch goes on":                  {epochEnd{5, 150}, false, 0, 0},
		"the epoch ends where we are":        {epochEnd{5, 100}, false, 0, 0},
		"the epoch ends below":               {epochEnd{5, 95}, true, 95, 5},
		"the epoch is gone":                  {epochEnd{4, 80}, true, 80, 4},
		"gone, and an earlier one is longer": {epochEnd{4, 120}, true, 90, 4},
		"gone, with the one before":          {epochEnd{3, 60}, true, 60, event.NoEpoch}, // where did they part?
		"nothing of the like":                {epochEnd{-1, -1}, true, 90, event.NoEpoch},
		"log begins above, it may be so":     {epochEnd{5, 400}, false, 0, 0},
		"empty log":                          {epochEnd{5, 0}, true, 0, 5},
	} {
		if got := read.diverges(c.end); got != c.diverges {
			t.Errorf("%s: diverges %v", name, got)
			continue
		}
		if !c.diverges {
			continue
		}
		f := read.truncated(c.end)
		if f.Kind != Truncated || f.Offset != c.offset || f.Epoch != c.epoch || f.Err == nil {
			t.Errorf("%s: %+v, want offset %d, epoch %d", name, f, c.offset, c.epoch)
		}
	}
	read.prior = event.NoEpoch // and 5 may have begun lower
	if f := read.truncated(epochEnd{4, 80}); f.Offset != 80 || f.Epoch != event.NoEpoch {
		t.Errorf("nothing is known of before: %+v", f)
	}
	fresh := newPart(event.Partition{}, Tag{}, 0, 3)
	if f := fresh.truncated(epochEnd{-1, -1}); f.Offset != 0 {
		t.Errorf("from the first offset: %+v", f)
	}
}

func TestWhyAnOffsetIsOutside(t *testing.T) {
	for name, c := range map[string]struct {
		next int64
		ends Ends
		kind FaultKind
		at   int64
	}{
		"below the start":     {5, Ends{10, 20, 20}, Trimmed, 10},
		"at the start":        {10, Ends{10, 20, 20}, NoFault, 0},
		"at the end":          {20, Ends{10, 20, 20}, NoFault, 0},
		"above the end":       {21, Ends{10, 20, 20}, Truncated, 20},
		"above, open records": {21, Ends{10, 15, 20}, Truncated, 15},
		"between":             {17, Ends{10, 15, 20}, NoFault, 0},
	} {
		a := part{next: c.next}
		if f := a.outsideOf(c.ends); f.Kind != c.kind || f.Offset != c.at {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestDelayGrowsWithinItsBounds(t *testing.T) {
	for n := range 100 {
		want := min(retryMin<<min(max(n-1, 0), 20), retryMax)
		for range 20 {
			if d := delay(n); d < want*8/10 || d > want*12/10 {
				t.Fatalf("%d failures: %v, want about %v", n, d, want)
			}
		}
	}
}

func TestSooner(t *testing.T) {
	for _, c := range [][3]time.Duration{{0, 0, 0}, {0, 5, 5}, {5, 0, 5}, {3, 5, 3}, {5, 3, 3}} {
		if got := sooner(c[0], c[1]); got != c[2] {
			t.Errorf("sooner(%d, %d) = %d", c[0], c[1], got)
		}
	}
}
