package resume

import "testing"

func TestOneQuestionAnswersAllThatWereThereBefore(t *testing.T) {
	var e Ends
	if e.Known(0) != Unknown {
		t.Error("something is known before anything was asked")
	}
	first, early, late := uint64(0), uint64(0), uint64(0)
	if n, put := e.Ask(&first); n != 1 || !put {
		t.Errorf("%d %t", n, put)
	}
	for _, w := range []*uint64{&early, &late, &first} {
		if _, put := e.Ask(w); put {
			t.Error("a second question is put while one is under way")
		}
	}
	a, b := Claim{End: Unknown}, Claim{End: Unknown}
	a.EndTold(first, 1, 70)
	b.EndTold(early, 1, 70)
	if a.End != 70 || b.End != Unknown {
		t.Errorf("%d %d: a claim is answered by a question of before it", a.End, b.End)
	}
	if n, put := e.Told(0, 0, 70); n != 2 || !put || e.Known(0) != 70 {
		t.Errorf("%d %t %d", n, put, e.Known(0))
	}
	b.EndTold(early, 2, Unknown)
	if b.Refused != Unavailable {
		t.Error("an answer that did not come is not told")
	}
	if _, put := e.Told(0, 0, Unknown); put || e.Known(0) != 70 {
		t.Error("no answer changes what is known")
	}
}

func TestEndOfAnotherEraIsNotKnown(t *testing.T) {
	var e Ends
	var w uint64
	e.Ask(&w)
	e.Told(0, 1, 70)
	if e.Known(0) != Unknown || e.Known(1) != Unknown {
		t.Error("an answer of an earlier era is known")
	}
	w = 0
	e.Ask(&w)
	e.Told(1, 1, 20)
	if e.Known(1) != 20 || e.Known(2) != Unknown {
		t.Errorf("%d", e.Known(1))
	}
}
