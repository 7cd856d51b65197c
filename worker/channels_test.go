package worker

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/replica"
)

// subscribed asks a worker for subscribed patterns.
func (st *theatre) subscribed(worker int, within ...string) (counts map[string]int, total control.ChannelsTotal) {
	st.t.Helper()
	counts = map[string]int{}
	end, err := control.ReadAnswer(st.inquire(worker, control.Query{Kind: control.Subscribed, Channels: &control.Channels{Within: within}}), func(r control.Response) error {
		var item control.ChannelsItem
		st.must(json.Unmarshal(r.Item, &item))
		for _, c := range item.Counts {
			counts[c.Pattern] += c.Sessions
		}
		if item.Total != nil {
			total = *item.Total
		}
		return nil
	})
	st.must(err)
	if !end.OK {
		st.t.Fatalf("%q is answered with %+v", within, end)
	}
	return counts, total
}

func TestSubscribedPatternsAreCounted(t *testing.T) {
	st := newTheatre(t, 1, nil)
	a, b := st.visit(0), st.visit(0)
	a.subscribe("BTC.trade", "BTC.*", "*.*")
	b.subscribe("BTC.trade", "*.trade")
	all := map[string]int{"BTC.trade": 2, "BTC.*": 1, "*.*": 1, "*.trade": 1}
	if counts, total := st.subscribed(0); !maps.Equal(counts, all) || total != (control.ChannelsTotal{Patterns: 4, Subscriptions: 5}) {
		t.Errorf("%v of %+v", counts, total)
	}
	if counts, total := st.subscribed(0, "BTC.*", "ETH.trade"); !maps.Equal(counts, map[string]int{"BTC.trade": 2, "BTC.*": 1}) || total.Subscriptions != 3 {
		t.Errorf("within BTC.*: %v of %+v", counts, total)
	}
	b.send(`{"type":"unsubscribe","data":{"channels":["*.trade"]}}`)
	b.next()
	if counts, _ := st.subscribed(0, "*.trade"); !maps.Equal(counts, map[string]int{"BTC.trade": 2}) {
		t.Errorf("afterwards %v", counts)
	}
}

// More patterns than a worker tells of: the largest come, and how many the
// others may have.
func TestPatternsBeyondTheBound(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) { c.Limits.ChannelsMax = 20_000 })
	a, b := st.visit(0), st.visit(0)
	a.subscribe("Z.one", "Z.two")
	const more = 100
	for from := 0; from < control.PatternCountsMax+more; from += 5000 {
		var some []string
		for i := from; i < min(from+5000, control.PatternCountsMax+more); i++ {
			some = append(some, fmt.Sprintf("C%d.trade", i))
		}
		b.subscribe(some...)
	}
	b.subscribe("Z.one", "Z.two")
	counts, total := st.subscribed(0)
	if total != (control.ChannelsTotal{Patterns: control.PatternCountsMax + more + 2, Subscriptions: control.PatternCountsMax + more + 4, Least: 1}) {
		t.Errorf("%+v", total)
	}
	if len(counts) != control.PatternCountsMax || counts["Z.one"] != 2 || counts["Z.two"] != 2 {
		t.Errorf("%d patterns, Z.one %d", len(counts), counts["Z.one"])
	}
}

func TestTrafficIsCounted(t *testing.T) {
	st := newTheatre(t, 1, nil)
	p := st.workers[0].process
	from := st.inquire(0, control.Query{Kind: control.Traffic, Seconds: 1, Channels: &control.Channels{Within: []string{"*.trade"}}})
	st.await("it counts", func() (counts bool) {
		p.inLoop(func(p *process) { counts = len(p.samples) == 1 })
		return counts
	})
	for i := range 5 {
		st.produce("odin.trades", int32(i%2), "BTC", `{"n":1}`)
	}
	st.produce("odin.trades", 0, "ETH", `{"n":1}`)
	st.produce("odin.balances", 0, "BTC", `{"n":1}`)
	got := map[string]control.ChannelTraffic{}
	var total control.TrafficTotal
	end, err := control.ReadAnswer(from, func(r control.Response) error {
		var item control.TrafficItem
		st.must(json.Unmarshal(r.Item, &item))
		for _, c := range item.Counts {
			got[c.Channel] = c
		}
		if item.Total != nil {
			total = *item.Total
		}
		return nil
	})
	st.must(err)
	if !end.OK || total.Seconds < 1 {
		t.Fatalf("%+v of %+v", end, total)
	}
	// On a busy machine the second may be over before the last record is there;
	// what was counted is counted right all the same.
	if n := got["BTC.trade"]; n.Records == 0 || n.Records > 5 || n.Bytes < 60*n.Records || len(got) > 2 || got["ETH.trade"].Records > 1 {
		t.Errorf("%+v", got)
	}
	if total.Records != got["BTC.trade"].Records+got["ETH.trade"].Records || total.OtherRecords != 0 {
		t.Errorf("%+v of %+v", total, got)
	}
	st.await("nothing is counted any more", func() (ended bool) {
		p.inLoop(func(p *process) { ended = len(p.samples) == 0 })
		return ended
	})
	for seconds, want := range map[int]string{0: "0 seconds are out of range, allowed: 1 to 60", 61: "61 seconds"} {
		if _, end := st.answer(st.inquire(0, control.Query{Kind: control.Traffic, Seconds: seconds})); end.OK || !strings.Contains(end.Error, want) {
			t.Errorf("%d seconds: %+v", seconds, end)
		}
	}
}

func TestSampleIsBounded(t *testing.T) {
	s := &sample{asked: (&control.Channels{}).Selection(), channels: map[string]*traffic{}}
	for i := range control.SampledMax + 10 {
		for range 2 {
			s.count(&replica.Entry{Channel: fmt.Appendf(nil, "C%d.b", i), Ref: replica.Ref{Len: 7}})
		}
	}
	if len(s.channels) != control.SampledMax || s.others != (traffic{20, 140}) || *s.channels["C0.b"] != (traffic{2, 14}) {
		t.Errorf("%d channels, %+v others", len(s.channels), s.others)
	}
}
