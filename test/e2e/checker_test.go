package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestChecker wants the checker to find what it is there to find: a test that
// can't fail proves nothing.
func TestChecker(t *testing.T) {
	t.Parallel()
	l := &ledger{}
	for i := range 4 {
		r := record("BTC.trade", fmt.Sprintf(`{"n":%d}`, i))
		r.Offset = int64(2 * i) // 0, 2, 4, 6: what is between was aborted
		l.enter(r)
	}
	other := record("ETH.trade", `1`)
	other.Offset = 7
	l.enter(other)
	ack := `{"type":"subscription_ack","cursor":{"odin.trades":{"epoch":"e","offsets":[0]}}}`
	rec := func(offset int) string {
		return fmt.Sprintf(`{"type":"message","channel":"BTC.trade","pos":"odin.trades:0:%d","ts":-62135596800000,"data":{"n":%d}}`, offset, offset/2)
	}
	pong := func(offset int) string {
		return fmt.Sprintf(`{"type":"pong","cursor":{"odin.trades":{"epoch":"e","offsets":[%d]}}}`, offset)
	}
	for name, c := range map[string]struct {
		log  []string
		want string // part of a fault, "" for none
	}{
		"right":                      {[]string{ack, rec(2), rec(4), rec(6), pong(7)}, ""},
		"right, a pong between":      {[]string{ack, rec(2), pong(3), rec(4), rec(6)}, ""},
		"one missing":                {[]string{ack, rec(2), rec(6)}, "odin.trades 0}:4 (BTC.trade) is missing"},
		"the last missing":           {[]string{ack, rec(2), rec(4)}, "is missing"},
		"all missing":                {[]string{ack}, "is missing"},
		"one twice":                  {[]string{ack, rec(2), rec(2), rec(4), rec(6)}, "odin.trades:0:2 behind 2"},
		"order":                      {[]string{ack, rec(2), rec(6), rec(4)}, "odin.trades:0:4 behind 6"},
		"an aborted one":             {[]string{ack, rec(2), rec(3), rec(4), rec(6)}, "was not owed"},
		"one from before the ack":    {[]string{rec(0), ack, rec(2), rec(4), rec(6)}, "was not owed"},
		"another channel's":          {[]string{ack, rec(2), rec(4), rec(6), strings.Replace(strings.Replace(rec(7), "BTC", "ETH", 1), `{"n":3}`, "1", 1)}, "was not owed"},
		"wrong channel":              {[]string{ack, rec(2), strings.Replace(rec(4), "BTC", "XRP", 1), rec(6)}, "arrived as"},
		"wrong data":                 {[]string{ack, rec(2), strings.Replace(rec(4), `{"n":2}`, `{"n":9}`, 1), rec(6)}, "has data"},
		"wrong time":                 {[]string{ack, rec(2), strings.Replace(rec(4), "-62", "-61", 1), rec(6)}, "has ts"},
		"a cursor before its record": {[]string{ack, rec(2), pong(6), rec(4), rec(6)}, "behind a cursor of 6"},
		"a cursor that lags":         {[]string{ack, rec(2), rec(4), pong(2), rec(6)}, "at 2, but 4 was sent"},
		"a cursor that falls":        {[]string{ack, rec(2), pong(3), pong(2), rec(4), rec(6)}, "falls from 3 to 2"},
		"no ack":                     {[]string{rec(2)}, "no subscription_ack"},
		"another topic":              {[]string{ack, strings.Replace(rec(2), "odin.trades", "other", 1), rec(2), rec(4), rec(6)}, "no topic of ours"},
	} {
		t.Run(name, func(t *testing.T) {
			var log []message
			for _, raw := range c.log {
				log = append(log, mustDo[message](t)(parseMessage([]byte(raw))))
			}
			faults := l.check(log, []string{"BTC.*"}, l.ends())
			found := slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, c.want) })
			if (c.want == "") != (len(faults) == 0) || !found && c.want != "" {
				t.Errorf("faults %q instead of %q", faults, c.want)
			}
		})
	}
}

// TestCheckerOfLosses: what a reset tells is lost may be missing, nothing else.
func TestCheckerOfLosses(t *testing.T) {
	t.Parallel()
	l := &ledger{}
	for i := range 4 {
		r := record("BTC.trade", "1")
		r.Offset = int64(i)
		l.enter(r)
	}
	at := func(kind string, offset int) string {
		return fmt.Sprintf(`{"type":%q,"lost":true,"cursor":{"odin.trades":{"epoch":"e","offsets":[%d]}}}`, kind, offset)
	}
	rec := func(offset int) string {
		return fmt.Sprintf(`{"type":"message","channel":"BTC.trade","pos":"odin.trades:0:%d","ts":-62135596800000,"data":1}`, offset)
	}
	ack, kept := at("subscription_ack", -1), strings.Replace(at("reset", 2), "true", "false", 1)
	for name, c := range map[string]struct {
		log    []string
		faults int
	}{
		"nothing is lost":                {[]string{ack, rec(0), rec(1), rec(2), rec(3)}, 0},
		"told":                           {[]string{ack, rec(0), at("reset", 2), rec(3)}, 0},
		"told, nothing had come yet":     {[]string{ack, at("reset", 2), rec(3)}, 0},
		"told twice":                     {[]string{ack, at("reset", 0), rec(1), at("reset", 2), rec(3)}, 0},
		"untold":                         {[]string{ack, rec(0), rec(3)}, 2},
		"one more than told":             {[]string{ack, rec(0), at("reset", 1), rec(3)}, 1},
		"told that nothing is lost":      {[]string{ack, rec(0), kept, rec(3)}, 2},
		"a pong is before it":            {[]string{ack, rec(0), at("pong", 2), at("reset", 2), rec(3)}, 2},
		"had been sent before the reset": {[]string{ack, rec(0), rec(1), at("reset", 1), rec(2), rec(3)}, 0},
	} {
		var log []message
		for _, raw := range c.log {
			log = append(log, mustDo[message](t)(parseMessage([]byte(raw))))
		}
		if faults := l.without(toldLost(log)).check(log, []string{"BTC.*"}, l.ends()); len(faults) != c.faults {
			t.Errorf("%s: faults %q", name, faults)
		}
	}
}

func TestCheckerOfData(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		value []byte
		data  string
		ok    bool
	}{
		"JSON as it is":       {[]byte(`{"a": 1}`), `{"a": 1},"x":0`, true},
		"JSON respelt":        {[]byte(`{"a": 1}`), `{"a":1}`, false},
		"tombstone":           {nil, `null`, true},
		"empty for tombstone": {nil, `"","encoding":"base64"`, false},
		"empty":               {[]byte{}, `"","encoding":"base64"`, true},
		"null for empty":      {[]byte{}, `null`, false},
		"base64":              {[]byte("\xff"), `"/w==","encoding":"base64"`, true},
		"unannounced":         {[]byte("\xff"), `"/w=="`, false},
	} {
		m := mustDo[message](t)(parseMessage(fmt.Appendf(nil, `{"type":"message","pos":"t:0:0","data":%s}`, c.data)))
		if fault := compareData(entry{value: c.value}, m); (fault == "") != c.ok {
			t.Errorf("%s: %q", name, fault)
		}
	}
}

func TestCheckerOfCounters(t *testing.T) {
	t.Parallel()
	text := "# TYPE a_total counter\na_total{worker=\"0\"} 5\n# TYPE g gauge\ng 7\n# TYPE h histogram\nh_bucket{le=\"1\"} 3\nh_sum 4\nh_count 3\n"
	before := mustDo[scrape](t)(parseMetrics(text))
	for now, want := range map[string]int{
		text: 0, "": 4,
		strings.Replace(text, "g 7", "g 1", 1):               0,
		strings.Replace(text, `"0"} 5`, `"0"} 4`, 1):         1,
		strings.Replace(text, `{le="1"} 3`, `{le="1"} 2`, 1): 1,
	} {
		if fallen := before.fallen(mustDo[scrape](t)(parseMetrics(now))); len(fallen) != want {
			t.Errorf("%q: %q", now, fallen)
		}
	}
}

// TestLedger wants the ledger to be what a consumer of committed records reads.
func TestLedger(t *testing.T) {
	t.Parallel()
	sc := scale{partitions: 2, subjects: 3, records: 3000}
	b := startBroker(t, sc.partitions)
	produceMixed(t, b.addr, b.ledger, sc)
	consumer := mustDo[*kgo.Client](t)(kgo.NewClient(kgo.SeedBrokers(b.addr), kgo.ConsumeTopics(allTopics()...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted())))
	defer consumer.Close()
	read := &ledger{}
	eventually(t, soon, "all is read", func() (bool, string) {
		fetches := consumer.PollFetches(t.Context())
		fetches.EachRecord(read.enter)
		return same(read.ends(), b.ends()), fmt.Sprint(fetches.Err())
	})
	n := 0
	for p, list := range b.entries {
		n += len(list)
		if !slices.EqualFunc(list, read.entries[p], func(a, b entry) bool { return a.offset == b.offset && a.channel == b.channel }) {
			t.Errorf("%v differs", p)
		}
	}
	if n != sc.records {
		t.Errorf("%d records in the ledger", n)
	}
}

func same(a, b map[partition]int64) bool {
	for p, end := range b {
		if a[p] != end {
			return false
		}
	}
	return len(a) == len(b)
}
