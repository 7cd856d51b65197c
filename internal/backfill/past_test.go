package backfill

import (
	"testing"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/resume"
)

// here is a partition whose history begins at 100, in a worker that owns it.
var here = Now{Era: 1, From: 100, Applied: 109, Owner: event.Owner{Term: 3, Slot: 1, Generation: 1}, Owns: true}

// there is the same where another worker owns it.
var there = Now{Era: 1, From: 100, Applied: 109, Owner: here.Owner, Link: 7}

func newPast() *Past { return New(replica.NewPastStore(replica.Limits{})) }

func records(from, to int64) (rs []event.Record) {
	for o := from; o <= to; o++ {
		rs = append(rs, event.Record{Offset: o, Channel: []byte("a.b"), Frame: []byte("frame")})
	}
	return rs
}

func TestFillIsReadOnceForAll(t *testing.T) {
	p := newPast()
	for _, from := range []int64{50, 40, 60} {
		if !p.Want(1, from) {
			t.Errorf("%d is taken for covered", from)
		}
	}
	if a := p.Tend(here, 1); a != (Ask{ReadLog, 40, 104}) {
		t.Fatalf("%+v", a)
	}
	if p.Want(1, 45) || p.Tend(here, 2) != (Ask{}) {
		t.Error("what is under way is begun twice")
	}
	if _, ok := p.Read(here, 2, records(40, 104), Result{Reached: 104}); ok {
		t.Error("an answer to another question is taken")
	}
	r, ok := p.Read(here, 1, records(40, 104), Result{Reached: 104, LogStart: event.None})
	if want := (Result{From: 40, Reached: 104, LogStart: event.None}); !ok || r != want {
		t.Errorf("%+v %t", r, ok)
	}
	if p.Busy() || !p.Joins(here) || !p.Covers(1, 40) || p.Covers(1, 39) || p.Covers(2, 40) {
		t.Error("it covers something else than was read")
	}
}

func TestFillOfAnotherEraIsVoid(t *testing.T) {
	p := newPast()
	p.Want(1, 50)
	p.Tend(here, 1)
	next := here
	next.Era = 2
	if _, ok := p.Read(next, 1, records(50, 104), Result{Reached: 104}); ok {
		t.Error("it is taken")
	}
	if a := p.Tend(next, 2); a.Step != ReadLog || a.From != 50 {
		t.Errorf("%+v", a)
	}
}

func TestSiblingsAskTheOwner(t *testing.T) {
	p := newPast()
	p.Want(1, 50)
	lone := there
	lone.Link = 0
	if a := p.Tend(lone, 1); a.Step != Nothing || !p.Busy() {
		t.Errorf("%+v without a link", a)
	}
	if a := p.Tend(there, 1); a != (Ask{AskOwner, 50, 104}) {
		t.Fatalf("%+v", a)
	}
	m := event.Past{Era: 1, Number: 1, Prev: 49, To: 104, Records: records(50, 104)}
	if p.Heard(there, 8, &m) {
		t.Error("a part from another link is taken")
	}
	stale := m
	stale.Number = 9
	if p.Heard(there, 7, &stale) || !p.Heard(there, 7, &m) || p.Heard(there, 7, &m) {
		t.Error("a part is not taken exactly once")
	}
	if _, ok := p.Ended(there, 7, event.PastEnd{Era: 1, Number: 2}); ok {
		t.Error("the end of another answer is taken")
	}
	if _, ok := p.Ended(there, 7, event.PastEnd{Era: 1, Number: 1, To: 104}); !ok || !p.Covers(1, 104) {
		t.Error("the end is not taken")
	}
}

func TestOwnerOrLinkChangedIsAskedAnew(t *testing.T) {
	link, owner, own := there, there, here
	link.Link = 8
	owner.Owner.Term = 4
	own.Owner.Term = 4
	for name, c := range map[string]struct {
		now  Now
		step Step
	}{"link": {link, AskOwner}, "owner": {owner, AskOwner}, "own": {own, ReadLog}} {
		p := newPast()
		p.Want(1, 50)
		p.Tend(there, 1)
		if a := p.Tend(c.now, 2); a != (Ask{c.step, 50, 104}) {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestHistoryCoversItByNow(t *testing.T) {
	p := newPast()
	p.Want(1, 107)
	if a := p.Tend(here, 1); a.Step != Moot || p.Busy() {
		t.Errorf("%+v", a)
	}
}

func TestWorseFillReplacesNothing(t *testing.T) {
	p := newPast()
	p.Want(1, 80)
	p.Tend(here, 1)
	p.Read(here, 1, records(80, 104), Result{Reached: 104})
	p.Want(1, 10)
	p.Tend(here, 2)
	p.Read(here, 2, records(10, 20), Result{Reached: 20, Why: resume.Limit})
	if !p.Covers(1, 80) || p.Covers(1, 10) {
		t.Error("what joins the history gave way to what doesn't")
	}
}

func TestRefuse(t *testing.T) {
	for name, c := range map[string]struct {
		result Result
		offset int64
		fills  uint8
		want   resume.Reason
	}{
		"had":               {Result{From: 50, Reached: 104}, 50, 0, resume.None},
		"had too often":     {Result{From: 50, Reached: 104}, 50, fillsMax, resume.Limit},
		"too much":          {Result{From: 10, Reached: 59, Why: resume.Limit}, 20, 0, resume.Limit},
		"less than that":    {Result{From: 10, Reached: 89, Why: resume.Limit}, 60, 0, resume.None},
		"gone":              {Result{From: 10, Reached: 9, LogStart: 60, Why: resume.Trimmed}, 58, 0, resume.Trimmed},
		"not gone":          {Result{From: 10, Reached: 9, LogStart: 60, Why: resume.Trimmed}, 59, 0, resume.None},
		"compacted":         {Result{From: 10, Reached: 9, LogStart: event.None, Why: resume.Trimmed}, 59, 0, resume.Trimmed},
		"away":              {Result{From: 10, Reached: 9, Why: resume.Unavailable}, 59, 0, resume.Unavailable},
		"below what it was": {Result{From: 50, Reached: 49, Why: resume.Unavailable}, 40, 0, resume.None},
		"in the history":    {Result{From: 50, Reached: 49, Why: resume.Unavailable}, 99, 0, resume.None},
	} {
		claim := resume.Claim{Offset: c.offset}
		fills := c.fills
		if c.result.Refuse(&claim, &fills, 100); claim.Refused != c.want {
			t.Errorf("%s: %v, not %v", name, claim.Refused, c.want)
		}
	}
}
