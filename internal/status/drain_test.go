package status

import (
	"strings"
	"testing"

	"github.com/odin-ws/odin/shm"
)

func TestDrain(t *testing.T) {
	nobody := func(b *bench) {
		for i := range 2 {
			b.Slot(i).Block(1).Set(shm.Sessions, 0)
		}
	}
	// Both workers of the bench have 12,244 sessions.
	for what, c := range map[string]struct {
		change func(b *bench)
		want   Drain
		words  string
	}{
		"begun":            {func(b *bench) { b.drain(0, 60, 12_244) }, Drain{OverS: 60, EtaS: 60, SessionsAtStart: 12_244, SessionsLeft: 12_244}, "0 of 12,244 sessions closed, 12,244 left, 0ms gone, 1m00s to go"},
		"half":             {func(b *bench) { b.drain(30, 60, 24_488) }, Drain{OverS: 60, ElapsedS: 30, EtaS: 30, SessionsAtStart: 24_488, SessionsClosed: 12_244, SessionsLeft: 12_244}, "12,244 of 24,488 sessions closed, 12,244 left, 30s gone, 30s to go"},
		"late":             {func(b *bench) { b.drain(61, 60, 20_000) }, Drain{OverS: 60, ElapsedS: 61, SessionsAtStart: 20_000, SessionsClosed: 7756, SessionsLeft: 12_244}, "7,756 of 20,000 sessions closed, 12,244 left, 1m01s gone, the last close is due"},
		"more than before": {func(b *bench) { b.drain(1, 60, 12_000) }, Drain{OverS: 60, ElapsedS: 1, EtaS: 59, SessionsAtStart: 12_000, SessionsLeft: 12_244}, "0 of 12,244 sessions closed, 12,244 left, 1.0s gone, 59s to go"},
		"done":             {func(b *bench) { b.drain(59, 60, 9); nobody(b) }, Drain{OverS: 60, ElapsedS: 59, SessionsAtStart: 9, SessionsClosed: 9, Done: true}, "9 of 9 sessions closed, none left"},
		"one":              {func(b *bench) { b.drain(2, 0, 1); nobody(b) }, Drain{ElapsedS: 2, SessionsAtStart: 1, SessionsClosed: 1, Done: true}, "1 of 1 session closed, none left"},
		"one has not heard of it": {
			func(b *bench) { b.drain(1, 60, 9); nobody(b); b.Slot(1).SetState(shm.Ready) },
			Drain{OverS: 60, ElapsedS: 1, EtaS: 59, SessionsAtStart: 9, SessionsClosed: 9},
			"9 of 9 sessions closed, 0 left, 1.0s gone, 59s to go",
		},
		"one is replaced": {
			func(b *bench) { b.drain(1, 60, 9); nobody(b); b.Slot(1).SetState(shm.Starting) },
			Drain{OverS: 60, ElapsedS: 1, SessionsAtStart: 9, SessionsClosed: 9, Done: true},
			"9 of 9 sessions closed, none left",
		},
		"one is dead": {
			func(b *bench) { b.drain(1, 60, 9); nobody(b); b.Slot(1).SetState(shm.Gone) },
			Drain{OverS: 60, ElapsedS: 1, SessionsAtStart: 9, SessionsClosed: 9, Done: true},
			"9 of 9 sessions closed, none left",
		},
	} {
		t.Run(what, func(t *testing.T) {
			b := standard(t, 2)
			c.change(b)
			s := b.read()
			equal(t, "state", s.State, Draining)
			if s.Drain == nil {
				t.Fatal("no drain")
			}
			c.want.StartedTS = s.Drain.StartedTS
			equal(t, "drain", *s.Drain, c.want)
			equal(t, "words", s.Drain.Words(), c.words)
		})
	}
}

func TestNoDrain(t *testing.T) {
	b := standard(t, 2)
	if d := b.read().Drain; d != nil {
		t.Errorf("%+v in health", d)
	}
	b.Process().SetState(shm.Draining) // it stops
	if d := b.read().Drain; d != nil {
		t.Errorf("%+v while stopping", d)
	}
}

// A drain may go on for long: what is wrong meanwhile is told.
func TestWarningsWhileDraining(t *testing.T) {
	b := standard(t, 2)
	b.drain(1, 60, 9)
	b.Slot(1).SetState(shm.Gone)
	if all := strings.Join(b.read().Warnings, ""); !strings.Contains(all, "worker 1: gone") {
		t.Errorf("warnings %q", all)
	}
}
