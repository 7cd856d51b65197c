package main

import (
	"slices"
	"strings"
	"testing"
)

func TestEvenPlan(t *testing.T) {
	p, err := newPlan(100, 1, picking{sessions: 50, each: 20})
	if err != nil {
		t.Fatal(err)
	}
	for c, list := range p.subscribers() {
		if len(list) != 10 {
			t.Errorf("channel %d has %d sessions", c, len(list))
		}
	}
}

// TestZipfPlan wants popular channels, wildcards, and every session once for a
// channel however many of its patterns match.
func TestZipfPlan(t *testing.T) {
	how := picking{sessions: 500, each: 20, zipf: true, wildcards: 0.05, seed: 1}
	p, err := newPlan(1000, 2, how)
	if err != nil {
		t.Fatal(err)
	}
	wild := 0
	for s, patterns := range p.patterns {
		if len(patterns) != 20 {
			t.Fatalf("session %d has %d patterns", s, len(patterns))
		}
		for _, pt := range patterns {
			if pt.wild {
				wild++
			}
		}
	}
	if wild < 350 || wild > 650 {
		t.Errorf("%d of 10,000 patterns are wildcards", wild)
	}
	subscribers := p.subscribers()
	for c, list := range subscribers {
		if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
			t.Fatalf("channel %d: %v", c, list)
		}
	}
	if len(subscribers[0]) < 5*len(subscribers[999])+10 {
		t.Errorf("the first channel has %d sessions, the last %d", len(subscribers[0]), len(subscribers[999]))
	}
	again, _ := newPlan(1000, 2, how)
	if !slices.EqualFunc(p.patterns, again.patterns, slices.Equal) {
		t.Error("the same seed makes another plan")
	}
}

func TestNames(t *testing.T) {
	p, err := newPlan(16, 8, picking{sessions: 1, each: 1})
	if err != nil {
		t.Fatal(err)
	}
	r := reader{topics: 8, partitions: 12}
	for c := range 16 {
		if got, err := r.channel(p.name(c)); err != nil || int(got) != c {
			t.Errorf("channel %d is called %s, which is %d, %v", c, p.name(c), got, err)
		}
	}
	p.patterns = [][]pattern{{{number: 9}, {number: 1, wild: true}}}
	if got := p.request(0); !strings.Contains(got, `["S1.liquidity","S1.*"]`) {
		t.Error(got)
	}
	for _, bad := range []picking{{sessions: 1, each: 0}, {sessions: 1, each: 17}} {
		if _, err := newPlan(16, 8, bad); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	if _, err := newPlan(15, 8, picking{sessions: 1, each: 1}); err == nil {
		t.Error("15 channels of 8 topics are taken")
	}
}

func TestFrames(t *testing.T) {
	for _, size := range []int{0, 125, 126, 65535, 65536} {
		payload := []byte(strings.Repeat("x", size))
		f := clientFrame(opText, payload)
		if len(f) < size+6 || f[1]&0x80 == 0 {
			t.Errorf("a frame of %d bytes: %d", size, len(f))
		}
		server := append([]byte{f[0], f[1] & 0x7f}, f[2:]...)                // a server's is not masked:
		server = slices.Delete(server, len(server)-size-4, len(server)-size) // it has no key
		for cut := range min(len(server), 12) {
			if _, _, n, err := cutFrame(server[:cut]); n != 0 || err != nil {
				t.Errorf("%d of %d bytes: %d, %v", cut, len(server), n, err)
			}
		}
		op, got, n, err := cutFrame(append(server, 1, 2))
		if op != opText || len(got) != size || n != len(server) || err != nil {
			t.Errorf("%d bytes: %d, %d, %d, %v", size, op, len(got), n, err)
		}
	}
	for _, bad := range [][]byte{{0x01, 0}, {0xa1, 0}, {0x81, 0x80}, {0x81, 127, 1, 0, 0, 0, 0, 0, 0, 0}} {
		if _, _, _, err := cutFrame(bad); err == nil {
			t.Errorf("%x is taken", bad)
		}
	}
}

func TestHistogram(t *testing.T) {
	h := &histogram{}
	for i := range uint64(100000) {
		h.add(i * 1000)
	}
	for q, want := range map[float64]float64{0.5: 50000, 0.99: 99000, 0.999: 99900} {
		if got := h.quantile(q); got < want || got > want*1.01 {
			t.Errorf("quantile %v is %v", q, got)
		}
	}
}

func TestAnswers(t *testing.T) {
	a, err := parseAnswer([]byte(`{"type":"gap","channel":"S3.trade","dropped":4,"pos":"odin.trades:2:9"}`))
	if err != nil || a.Dropped != 4 {
		t.Fatalf("%+v, %v", a, err)
	}
	r := reader{topics: 2, partitions: 2}
	a, err = parseAnswer([]byte(`{"type":"pong","cursor":{"odin.trades":{"epoch":"e","offsets":[5,null]},"odin.liquidity":{"epoch":"e","offsets":[7]}}}`))
	if got := r.marks(a); err != nil || !slices.Equal(got, marks{5, -1, 7, -1}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := parseAnswer([]byte(`{`)); err == nil {
		t.Error("half an answer is taken")
	}
}
