package backfill

import (
	"testing"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/resume"
)

var ample = Limit{Records: 1000, Bytes: 1 << 20}

// answer takes parts of an answer until it ends or waits.
func answer(g *Giving, now Now, p *Past, most Limit) (got []int64, last Part) {
	for range 1000 {
		last = g.Next(nil, now, p, 30, 12, most)
		if last.Kind != Some {
			return got, last
		}
		for i := range last.Past.Records {
			got = append(got, last.Past.Records[i].Offset)
		}
	}
	return got, last
}

func TestGivingHasTheRestRead(t *testing.T) {
	p := newPast()
	g := Give(event.Want{Partition: 2, Era: 1, Number: 5, From: 50, To: 59})
	if got, last := answer(g, here, p, ample); got != nil || last.Kind != Need || last.Need != 50 || !g.Waits() {
		t.Fatalf("%v %+v", got, last)
	}
	p.Want(1, 50)
	p.Tend(here, 1)
	r, _ := p.Read(here, 1, records(50, 104), Result{Reached: 104})
	if !g.Filled(r) || g.Filled(r) || g.Waits() {
		t.Error("it goes on not once")
	}
	got, last := answer(g, here, p, ample)
	if len(got) != 10 || got[0] != 50 || last.End != (event.PastEnd{Partition: 2, Era: 1, Number: 5, To: 59, LogStart: 30}) {
		t.Errorf("%v %+v", got, last)
	}
}

func TestGivingTellsWhyThereIsNoMore(t *testing.T) {
	p := newPast()
	g := Give(event.Want{Era: 1, Number: 5, From: 50, To: 59})
	answer(g, here, p, ample)
	g.Filled(Result{From: 50, Reached: 49, LogStart: 70, Why: resume.Trimmed})
	if _, last := answer(g, here, p, ample); last.End != (event.PastEnd{Era: 1, Number: 5, To: 49, LogStart: 70, Why: uint8(resume.Trimmed)}) {
		t.Errorf("%+v", last)
	}
}

func TestGivingIsBounded(t *testing.T) {
	p := newPast()
	p.Want(1, 50)
	p.Tend(here, 1)
	p.Read(here, 1, records(50, 104), Result{Reached: 104})
	for name, most := range map[string]Limit{"records": {4, 1 << 20}, "bytes": {1000, 20}} {
		got, last := answer(Give(event.Want{Era: 1, From: 50, To: 90}), here, p, most)
		if len(got) != 4 || last.Kind != End || resume.Reason(last.End.Why) != resume.Limit || last.End.To != 53 {
			t.Errorf("%s: %v %+v", name, got, last)
		}
	}
}

func TestGivingOfAnEraThatIsOver(t *testing.T) {
	next := here
	next.Era = 2
	g := Give(event.Want{Era: 1, From: 50, To: 90})
	if _, last := answer(g, next, newPast(), ample); last.Kind != End || last.End.Era != 1 || resume.Reason(last.End.Why) != resume.Unavailable {
		t.Errorf("%+v", last)
	}
}

// Found by the simulator: what is read is evicted again before it is given, and
// the log was read for it without end.
func TestGivingGivesUpWhatIsEvictedFirst(t *testing.T) {
	p := newPast()
	g := Give(event.Want{Era: 1, From: 50, To: 90})
	for range fillsMax {
		if _, last := answer(g, here, p, ample); last.Kind != Need {
			t.Fatalf("%+v", last)
		}
		g.Filled(Result{From: 50, Reached: 104})
	}
	if _, last := answer(g, here, p, ample); last.Kind != End || resume.Reason(last.End.Why) != resume.Limit {
		t.Errorf("%+v", last)
	}
}
