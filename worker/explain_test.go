package worker

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/control"
)

// explain asks a worker about a channel.
func (st *theatre) explain(worker int, channel string) (routes []control.RouteText, x *control.Explanation) {
	st.t.Helper()
	end, err := control.ReadAnswer(st.inquire(worker, control.Query{Kind: control.Explain, Channel: channel}), func(r control.Response) error {
		var item control.ExplainItem
		st.must(json.Unmarshal(r.Item, &item))
		routes = append(routes, item.Routes...)
		if item.Explanation != nil {
			x = item.Explanation
		}
		return nil
	})
	st.must(err)
	if !end.OK {
		st.t.Fatalf("%s is answered with %+v", channel, end)
	}
	return routes, x
}

func TestExplainChannel(t *testing.T) {
	st := newTheatre(t, 2, nil)
	a, b := st.visit(0), st.visit(0)
	a.subscribe("BTC.trade", "BTC.*", "*.*")
	b.subscribe("*.trade", "ETH.trade")
	st.produce("odin.trades", 1, "BTC", `{"n":1}`)
	st.produce("odin.trades", 1, "BTC", `{"n":2}`)
	st.produce("odin.trades", 1, "ETH", `{"n":3}`)
	st.produce("odin.trades", 3, "btc", `{"n":4}`)
	st.produce("odin.balances", 0, "BTC", `{"n":5}`)
	for range 5 {
		a.next()
	}
	routes, x := st.explain(0, "BTC.trade")
	if len(routes) != 2 || routes[0] != (control.RouteText{Topic: "odin.trades", Channel: "{key}.trade", Event: "trade", Keyed: true, Slow: "close", Class: "normal"}) {
		t.Errorf("routes %+v", routes)
	}
	if x.Sessions != 2 || x.Behind != 0 || len(x.Patterns) != 4 {
		t.Errorf("sessions of %+v", x)
	}
	if len(x.Found) != 1 || x.Found[0].Topic != "odin.trades" || x.Found[0].Partition != 1 || x.Found[0].Offset != 1 || x.Found[0].Channel != "BTC.trade" || x.Found[0].Bytes < 60 || x.Found[0].TimeMS == 0 {
		t.Errorf("found %+v", x.Found)
	}
	if len(x.Similar) != 0 || !x.Complete || x.Searched != 4 || x.OldestMS == 0 {
		t.Errorf("searched %+v", x)
	}
	if _, x := st.explain(0, "Btc.trade"); len(x.Found) != 0 || !slices.Equal(x.Similar, []string{"BTC.trade", "btc.trade"}) || x.Searched != 4 || !x.Complete {
		t.Errorf("Btc.trade: %+v", x)
	}
	if _, x := st.explain(1, "BTC.trade"); x.Sessions != 0 || len(x.Patterns) != 0 {
		t.Errorf("worker 1: %+v", x)
	}
	if _, x := st.explain(0, "BTC.*"); x.Sessions != 1 || len(x.Patterns) != 2 || len(x.Found) != 2 || x.Found[0].Topic == x.Found[1].Topic {
		t.Errorf("BTC.*: %+v", x)
	}
	if _, x := st.explain(0, "*.trade"); x.Sessions != 2 || len(x.Found) != 2 {
		t.Errorf("*.trade: %+v", x)
	}
	if _, x := st.explain(0, "BTC.social"); x.Sessions != 1 || x.Searched != 0 || !x.Complete {
		t.Errorf("no route: %+v", x)
	}
	if routes, x := st.explain(0, "no channel"); len(routes) != 2 || x != nil {
		t.Errorf("no channel: %+v, %+v", routes, x)
	}
}

// The history is looked through in portions, to the end, while it changes.
func TestSearchGoesInPortions(t *testing.T) {
	p := stopped(t, nil)
	feed(t, p, 0, 500, 10)
	feed(t, p, 2, 500, 10)
	for _, i := range []int{0, 2} {
		p.applyAll(p.partitions[i])
	}
	x := &control.Explanation{}
	s := newSearch("a.trade", x)
	s.budget = 0 // a few at a time
	portions := 0
	for more := true; more; portions++ {
		more = s.some(p)
		if portions == 3 {
			feed(t, p, 0, 100, 10) // comes behind, and isn't looked at
			p.applyAll(p.partitions[0])
		}
	}
	if x.Searched != 1000 || !x.Complete || len(x.Found) != 0 || !slices.Equal(x.Similar, []string{"A.trade"}) || portions < 10 {
		t.Errorf("%d searched in %d portions: %+v", x.Searched, portions, x)
	}
	for channel, searched := range map[string]int{"*.trade": 2, "A.trade": 1100} { // through all of it, and by the index
		s = newSearch(channel, &control.Explanation{})
		s.budget = 0
		for s.some(p) {
		}
		if len(s.x.Found) != 2 || s.x.Found[0].Offset != 599 || s.x.Found[1].Offset != 499 || s.x.Searched != searched || !s.x.Complete {
			t.Errorf("%s: found %+v", channel, s.x)
		}
	}
}

// Who is behind is counted among those who are subscribed.
func TestExplainCountsWhoIsBehind(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) { c.Limits.OwedBytesMax = 64 << 20 })
	slow, other := st.visit(0), st.visit(0)
	slow.subscribe("BTC.trade")
	other.subscribe("ETH.trade")
	value := `"` + strings.Repeat("x", 500_000) + `"`
	st.await("one is behind", func() bool {
		st.produce("odin.trades", 0, "BTC", value)
		_, x := st.explain(0, "BTC.trade")
		return x.Sessions == 1 && x.Behind == 1
	})
	list, count := st.sessions(0, control.Connections{Slow: true})
	if len(list) != 1 || list[0].Remote != local(slow) || list[0].State != control.StateBlocked || list[0].OwedBytes == 0 || count.Looked != 2 {
		t.Errorf("slow: %+v of %+v", list, count)
	}
	if _, x := st.explain(0, "ETH.trade"); x.Sessions != 1 || x.Behind != 0 {
		t.Errorf("ETH.trade: %+v", x)
	}
}
