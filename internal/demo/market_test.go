package demo

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/route"
)

func TestOneSeedOneSequence(t *testing.T) {
	t.Parallel()
	a, b, other := NewMarket(7), NewMarket(7), NewMarket(8)
	differs := false
	for i := range 5_000 {
		x, y, z := a.Next(), b.Next(), other.Next()
		if x.Topic != y.Topic || x.Key != y.Key || !bytes.Equal(x.Value, y.Value) {
			t.Fatalf("event %d: %v and %v", i, x, y)
		}
		differs = differs || x.Key != z.Key || !bytes.Equal(x.Value, z.Value)
	}
	if !differs {
		t.Error("another seed gives the same sequence")
	}
}

// TestFirstEventsOfASeed pins a sequence: a demo's screenshots stay true.
func TestFirstEventsOfASeed(t *testing.T) {
	t.Parallel()
	m := NewMarket(1)
	for i, want := range firstOfSeed1 {
		e := m.Next()
		if got := string(e.Topic) + " " + e.Key + " " + string(e.Value); got != want {
			t.Errorf("event %d is %s, want %s", i, got, want)
		}
	}
}

// TestShares holds every stretch of a round to what --rate promises: a third
// of the rate for trades, a tenth for each other topic.
func TestShares(t *testing.T) {
	t.Parallel()
	m, total := NewMarket(1), 0
	for _, topic := range Topics() {
		total += topic.weight()
	}
	if total != weights {
		t.Fatalf("the weights sum up to %d", total)
	}
	counts := map[Topic]int{}
	var window []Topic
	for i := range 100 * weights {
		e := m.Next()
		counts[e.Topic]++
		if window = append(window, e.Topic); len(window) > weights {
			counts[window[0]]--
			window = window[1:]
		}
		for topic, n := range counts {
			if i >= weights && (n < topic.weight()-1 || n > topic.weight()+1) {
				t.Fatalf("%d of %s among the %d events before %d, want %d", n, topic, weights, i, topic.weight())
			}
		}
	}
	for topic, n := range counts {
		share := 1.0 / 10
		if topic == Trades {
			share = 1.0 / 3
		}
		if float64(n) < share*asked {
			t.Errorf("%d of %s in what stands for %d events of the rate", n, topic, asked)
		}
	}
}

// TestValues: every event is valid JSON with its token, its key makes a
// channel, and every topic has all its numbers.
func TestValues(t *testing.T) {
	t.Parallel()
	table, err := route.NewTable(route.Default())
	if err != nil {
		t.Fatal(err)
	}
	fields := map[Topic]int{}
	m := NewMarket(42)
	for range 20_000 {
		e := m.Next()
		var value map[string]any
		if err := json.Unmarshal(e.Value, &value); err != nil {
			t.Fatalf("%s: %v", e.Value, err)
		}
		if value["token"] != e.Key && value["symbol"] != e.Key {
			t.Fatalf("%s with key %s", e.Value, e.Key)
		}
		channel, reason := table.Place(nil, string(e.Topic), []byte(e.Key), e.Value, nil)
		if _, _, err := event.SplitChannel(channel); err != nil || reason != 0 {
			t.Fatalf("no channel for %s %s: %v", e.Topic, e.Key, reason)
		}
		fields[e.Topic] = len(value)
	}
	for _, topic := range Topics() {
		if fields[topic] < 4 {
			t.Errorf("%s has %d fields", topic, fields[topic])
		}
	}
	if len(fields) != 8 {
		t.Errorf("%d topics", len(fields))
	}
}

// TestPricesWalk: prices move, in small steps, and stay plausible for a day of
// 1,000 events a second.
func TestPricesWalk(t *testing.T) {
	t.Parallel()
	m := NewMarket(3)
	for i := range 2_000_000 {
		token := &m.tokens[i%len(m.tokens)]
		before := token.price
		token.walk(m.random)
		if step := math.Abs(token.price/before - 1); step > 0.01 {
			t.Fatalf("%s jumps by %.1f %%", token.Symbol, 100*step)
		}
	}
	for _, token := range m.tokens {
		ratio := token.price / token.start
		if ratio == 1 || ratio < 1.0/walkMax || ratio > walkMax || token.low > token.price || token.high < token.price {
			t.Errorf("%s went from %g to %g (%g to %g)", token.Symbol, token.start, token.price, token.low, token.high)
		}
	}
}

func TestTheFirstTokensAreTheMostTraded(t *testing.T) {
	t.Parallel()
	m, counts := NewMarket(1), map[string]int{}
	for range 10_000 {
		counts[m.Next().Key]++
	}
	if len(counts) != len(listed()) || counts["BTC"] < counts["ETH"] || counts["ETH"] < counts["SOL"] {
		t.Errorf("events by token: %v", counts)
	}
}

func TestPace(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{0.1, 1, 10, 333, 10_000, RateMax} {
		now := time.Unix(1_000_000, 0)
		p, made := newPace(rate, now), int64(0)
		for range 3_000 { // of 20 ms: a minute
			now = now.Add(20 * time.Millisecond)
			n, at := p.due(now)
			made += n
			if n < 0 || at.Before(now) {
				t.Fatalf("rate %g: %d due, the next at %s, now %s", rate, n, at, now)
			}
		}
		want := rate * 60 * weights / asked
		if math.Abs(float64(made)-want) > 1+want/1000 {
			t.Errorf("rate %g: %d events in a minute, want %.0f", rate, made, want)
		}
	}
}

func TestPaceLetsMissedEventsGo(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	p := newPace(30, now) // 31 events a second
	now = now.Add(time.Hour)
	if n, at := p.due(now); n != 31 || at.Sub(now) > 40*time.Millisecond {
		t.Errorf("after an hour %d are due, the next in %s", n, at.Sub(now))
	}
	if n, _ := p.due(now.Add(time.Second)); n != 31 {
		t.Errorf("in the second after it %d are due", n)
	}
}
