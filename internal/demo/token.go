package demo

import (
	"math"
	"math/rand/v2"
)

// token is one thing that is traded.
type token struct {
	Symbol, Name string
	start, price float64 // in dollars
	digits       int     // of a price
	supply       float64
	volume       float64 // dollars traded so far
	low, high    float64
	trades       int64
	members      int64
}

// listed are the tokens at their opening prices, the most traded first.
func listed() []token {
	tokens := []token{
		{Symbol: "BTC", Name: "Bitcoin", start: 67_000, digits: 2, supply: 19.7e6, members: 6_900_000},
		{Symbol: "ETH", Name: "Ethereum", start: 3_400, digits: 2, supply: 120e6, members: 3_100_000},
		{Symbol: "SOL", Name: "Solana", start: 150, digits: 2, supply: 460e6, members: 900_000},
		{Symbol: "XRP", Name: "XRP", start: 0.52, digits: 4, supply: 55e9, members: 700_000},
		{Symbol: "DOGE", Name: "Dogecoin", start: 0.12, digits: 5, supply: 145e9, members: 2_500_000},
		{Symbol: "ADA", Name: "Cardano", start: 0.45, digits: 4, supply: 35e9, members: 690_000},
		{Symbol: "AVAX", Name: "Avalanche", start: 28, digits: 3, supply: 395e6, members: 210_000},
		{Symbol: "LINK", Name: "Chainlink", start: 14, digits: 3, supply: 608e6, members: 150_000},
		{Symbol: "DOT", Name: "Polkadot", start: 6.1, digits: 3, supply: 1.4e9, members: 240_000},
		{Symbol: "UNI", Name: "Uniswap", start: 9.3, digits: 3, supply: 600e6, members: 95_000},
		{Symbol: "LTC", Name: "Litecoin", start: 82, digits: 2, supply: 74e6, members: 380_000},
		{Symbol: "ATOM", Name: "Cosmos", start: 6.8, digits: 3, supply: 390e6, members: 130_000},
	}
	for i := range tokens {
		t := &tokens[i]
		t.price, t.low, t.high = t.start, t.start, t.start
	}
	return tokens
}

// The walk of a price: a step of about 5 basis points, drawn back to where it
// started, and never beyond a factor of walkMax from there.
const (
	walkStep = 0.0005
	walkPull = 0.0002
	walkMax  = 5
)

func (t *token) walk(random *rand.Rand) {
	away := math.Log(t.price / t.start)
	step := walkStep*random.NormFloat64() - walkPull*away
	t.price = t.start * math.Exp(min(max(away+step, -math.Log(walkMax)), math.Log(walkMax)))
	t.low, t.high = min(t.low, t.price), max(t.high, t.price)
}

// show is a price as people read it.
func (t *token) show(price float64) float64 { return round(price, t.digits) }
