package demo

import (
	"encoding/json"
	"math"
	"math/rand/v2"
)

// Event is one record to produce.
type Event struct {
	Topic Topic
	Key   string // the token, like BTC
	Value []byte // JSON
}

// Market makes up events: prices that walk at random, trades at those prices,
// and what else a token's page shows. One seed gives one sequence, whatever
// the rate and the time. It is not for concurrent use.
type Market struct {
	random  *rand.Rand
	tokens  []token
	due     map[Topic]int // credits of the schedule
	counted int64         // events made, which number trades and accounts
}

// NewMarket opens a market.
func NewMarket(seed uint64) *Market {
	return &Market{random: rand.New(rand.NewPCG(seed, seedStream)), tokens: listed(), due: map[Topic]int{}}
}

// seedStream is the second half of the generator's seed; any constant does.
const seedStream = 0x0d1

// Next makes the next event.
func (m *Market) Next() Event {
	m.counted++
	topic := m.next()
	t := m.pick()
	t.walk(m.random)
	value, err := json.Marshal(m.value(topic, t))
	if err != nil {
		panic("demo: a value that is no JSON: " + err.Error()) // numbers are finite by construction
	}
	return Event{Topic: topic, Key: t.Symbol, Value: value}
}

// next picks the topic that has waited longest for its weight (smooth weighted
// round robin), so that every stretch of events is mixed as the whole is.
func (m *Market) next() Topic {
	best := Trades
	for _, t := range Topics() {
		m.due[t] += t.weight()
		if m.due[t] > m.due[best] {
			best = t
		}
	}
	m.due[best] -= weights
	return best
}

// pick chooses a token: the first ones are talked about most.
func (m *Market) pick() *token {
	for i := range m.tokens {
		if m.random.IntN(pickOdds) == 0 {
			return &m.tokens[i]
		}
	}
	return &m.tokens[m.random.IntN(len(m.tokens))]
}

// pickOdds: one in four events is the first token's, one in four of the rest
// the second's, and so on.
const pickOdds = 4

// round keeps the digits that people would show.
func round(x float64, digits int) float64 {
	scale := math.Pow10(digits)
	return math.Round(x*scale) / scale
}
