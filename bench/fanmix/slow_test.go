package main

import (
	"strings"
	"testing"
)

// TestStory wants the check to find what it is there to find.
func TestStory(t *testing.T) {
	at := func(offset int64) position { return position{3, offset} }
	published := [][]position{
		{at(0), at(2), at(4), at(6)},
		{at(1), at(3), at(5)},
		{at(7)},
	}
	rec := func(channel int32, offset int64) heard { return heard{channel: channel, at: at(offset)} }
	gap := func(channel int32, n, offset int64) heard { return heard{channel: channel, dropped: n, at: at(offset)} }
	from, to := marks{-1, -1, -1, 1}, marks{-1, -1, -1, 6}
	for name, c := range map[string]struct {
		log  []heard
		to   marks
		want string // part of the error, "" for none
	}{
		"everything":               {[]heard{rec(0, 2), rec(1, 3), rec(0, 4), rec(1, 5), rec(0, 6)}, to, ""},
		"an announced gap":         {[]heard{rec(0, 2), rec(1, 3), gap(0, 1, 4), rec(1, 5), rec(0, 6)}, to, ""},
		"two gaps":                 {[]heard{gap(0, 1, 2), rec(1, 3), gap(0, 1, 3), gap(1, 1, 5), gap(0, 1, 6)}, to, ""},
		"closed in the middle":     {[]heard{rec(0, 2), rec(1, 3)}, nil, ""},
		"what was there before":    {[]heard{rec(0, 0)}, nil, "missing, repeated"},
		"one missing":              {[]heard{rec(0, 2), rec(1, 3), rec(0, 6)}, nil, "missing, repeated"},
		"one twice":                {[]heard{rec(0, 2), rec(0, 2)}, nil, "missing, repeated"},
		"order":                    {[]heard{rec(0, 4), rec(0, 2)}, nil, "missing, repeated"},
		"a row of gaps":            {[]heard{gap(0, 2, 1), gap(1, 2, 5), rec(0, 6)}, to, ""},
		"it began who knows where": {[]heard{gap(0, 2, -1), gap(1, 2, 5), rec(0, 6)}, to, ""},
		"a gap too small":          {[]heard{gap(0, 1, 2), rec(0, 6)}, nil, "announced wrongly"},
		"its cursor goes too far":  {[]heard{gap(0, 1, 4), rec(0, 4)}, nil, "the cursor covers it"},
		"beyond another channel's": {[]heard{gap(0, 2, 4), rec(1, 3)}, nil, "the cursor covers it"},
		"a gap too large":          {[]heard{rec(0, 2), rec(1, 3), rec(0, 4), rec(1, 5), gap(0, 1, 4)}, marks{-1, -1, -1, 5}, "announced wrongly"},
		"a gap beyond the end":     {[]heard{gap(0, 9, 6)}, nil, "announced wrongly"},
		"a gap of nothing missing": {[]heard{rec(0, 2), gap(0, 1, 2), rec(0, 4)}, nil, "announced wrongly"},
		"the end missing":          {[]heard{rec(0, 2), rec(1, 3), rec(0, 4), rec(1, 5)}, to, "the cursor covers it"},
		"a whole channel missing":  {[]heard{rec(0, 2), rec(0, 4)}, to, "the cursor covers it"},
		"another's channel":        {[]heard{rec(2, 7)}, nil, "does not hear"},
	} {
		s := story{log: c.log, from: from, to: c.to, patterns: []pattern{{number: 0}, {number: 1}}}
		_, err := s.check(published)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v instead of %q", name, err, c.want)
		}
	}
	s := story{log: []heard{gap(0, 2, 2), gap(1, 1, 3), gap(1, 1, 5), rec(0, 6)}, from: from, to: to, patterns: []pattern{{number: 0}, {number: 1}}}
	if v, err := s.check(published); err != nil || v != (verdict{records: 1, announced: 4, notices: 3}) {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestJudge wants what a session got to be told from what it is owed.
func TestJudge(t *testing.T) {
	var owed account
	for i := range int64(5) {
		owed.enter(position{1, i})
	}
	sum := func(offsets ...int64) (a account) {
		for _, o := range offsets {
			a.enter(position{1, o})
		}
		return a
	}
	for name, c := range map[string]struct {
		got  account
		want report
	}{
		"all":            {sum(0, 1, 2, 3, 4), report{}},
		"in any order":   {sum(4, 3, 2, 1, 0), report{}}, // order is seen to when a record comes
		"one missing":    {sum(0, 1, 2, 4), report{Missing: 1}},
		"one too many":   {sum(0, 1, 2, 3, 4, 4), report{Dups: 1}},
		"another":        {sum(0, 1, 2, 3, 5), report{Gaps: 1}},
		"one twice":      {sum(0, 1, 2, 2, 4), report{Gaps: 1}},
		"nothing at all": {account{}, report{Missing: 5}},
	} {
		r := newReport(&settings{})
		r.judgeNormal(&session{got: c.got, stage: listening}, owed)
		if r.Missing != c.want.Missing || r.Dups != c.want.Dups || r.Gaps != c.want.Gaps {
			t.Errorf("%s: %+v", name, r)
		}
		if (r.wrong() == "") != (c.got == owed) {
			t.Errorf("%s: %q", name, r.wrong())
		}
	}
}

// TestOrder wants a record that is repeated or late to end the run's session.
func TestOrder(t *testing.T) {
	c := &crowd{reader: reader{topics: 1, partitions: 12}}
	s := &session{last: []int32{-1, -1}}
	rec := func(pos string) []byte {
		return []byte(`{"type":"message","channel":"S1.trade","pos":"` + pos + `","ts":1,"data":{"bch":1,"bseq":1,"bts":5,"pad":""}}`)
	}
	for _, pos := range []string{"odin.trades:0:0", "odin.trades:1:7", "odin.trades:0:2"} {
		if err := c.record(s, rec(pos)); err != nil {
			t.Errorf("%s: %v", pos, err)
		}
	}
	for _, pos := range []string{"odin.trades:0:2", "odin.trades:0:1", "odin.trades:1:7", "odin.trades:12:8", "odin.social:0:9", "odin.trades:0", "odin.trades:x:1"} {
		if err := c.record(s, rec(pos)); err == nil {
			t.Errorf("%s is taken", pos)
		}
	}
	if s.got.records != 3 {
		t.Errorf("%d records", s.got.records)
	}
}
