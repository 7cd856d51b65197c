package demo

import (
	"fmt"
	"math"
)

// value makes up what happens to a token on a topic.
func (m *Market) value(topic Topic, t *token) any {
	switch topic {
	case Trades:
		return m.trade(t)
	case Liquidity:
		return m.liquidity(t)
	case Metadata:
		return metadata{Symbol: t.Symbol, Name: t.Name, Decimals: t.digits, Supply: t.supply, MarketCap: round(t.supply*t.price, 0)}
	case Social:
		return m.social(t)
	case Community:
		return m.community(t)
	case Creation:
		return m.creation(t)
	case Analytics:
		return t.analytics()
	case Balances:
		return m.balance(t)
	}
	panic("demo: no topic " + string(topic))
}

type trade struct {
	ID     int64   `json:"id"`
	Token  string  `json:"token"`
	Side   string  `json:"side"`
	Price  float64 `json:"price"`
	Amount float64 `json:"amount"`
	Value  float64 `json:"value"`
	Trader string  `json:"trader"`
}

// trade is for some hundred dollars, now and then for very many.
func (m *Market) trade(t *token) trade {
	dollars := 200 * math.Exp(1.2*m.random.NormFloat64())
	t.trades++
	t.volume += dollars
	return trade{
		ID: m.counted, Token: t.Symbol, Side: m.either("buy", "sell"), Price: t.show(t.price),
		Amount: round(dollars/t.price, 8), Value: round(dollars, 2), Trader: m.account(),
	}
}

type liquidity struct {
	Token     string  `json:"token"`
	Bid       float64 `json:"bid"`
	Ask       float64 `json:"ask"`
	BidDepth  float64 `json:"bid_depth"`
	AskDepth  float64 `json:"ask_depth"`
	SpreadBPS float64 `json:"spread_bps"`
}

func (m *Market) liquidity(t *token) liquidity {
	bps := 1 + 4*m.random.Float64()
	half := t.price * bps / 2 / 10_000
	return liquidity{
		Token: t.Symbol, Bid: t.show(t.price - half), Ask: t.show(t.price + half), SpreadBPS: round(bps, 2),
		BidDepth: round(1e5*m.random.ExpFloat64(), 0), AskDepth: round(1e5*m.random.ExpFloat64(), 0),
	}
}

type metadata struct {
	Symbol    string  `json:"symbol"`
	Name      string  `json:"name"`
	Decimals  int     `json:"decimals"`
	Supply    float64 `json:"supply"`
	MarketCap float64 `json:"market_cap"`
}

type social struct {
	Token     string  `json:"token"`
	Source    string  `json:"source"`
	Mentions  int     `json:"mentions"`
	Sentiment float64 `json:"sentiment"` // -1 to 1
}

func (m *Market) social(t *token) social {
	return social{
		Token: t.Symbol, Source: m.either("forum", "chat", "news", "video"), Mentions: 1 + int(20*m.random.ExpFloat64()),
		Sentiment: round(math.Tanh(0.2+0.6*m.random.NormFloat64()), 2),
	}
}

type community struct {
	Token   string `json:"token"`
	Members int64  `json:"members"`
	Online  int64  `json:"online"`
	Posts   int    `json:"posts"`
}

func (m *Market) community(t *token) community {
	t.members += int64(m.random.IntN(7)) - 2
	return community{
		Token: t.Symbol, Members: t.members, Online: int64(float64(t.members) * (0.01 + 0.02*m.random.Float64())), Posts: m.random.IntN(40),
	}
}

type creation struct {
	Token   string  `json:"token"`
	Pool    string  `json:"pool"`
	Creator string  `json:"creator"`
	Seeded  float64 `json:"seeded"` // dollars
}

func (m *Market) creation(t *token) creation {
	return creation{
		Token: t.Symbol, Pool: fmt.Sprintf("%s-%d", t.Symbol, m.counted), Creator: m.account(),
		Seeded: round(5_000*m.random.ExpFloat64(), 2),
	}
}

type analytics struct {
	Token     string  `json:"token"`
	Price     float64 `json:"price"`
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	ChangePCT float64 `json:"change_pct"`
	Volume    float64 `json:"volume"`
	Trades    int64   `json:"trades"`
}

func (t *token) analytics() analytics {
	return analytics{
		Token: t.Symbol, Price: t.show(t.price), Low: t.show(t.low), High: t.show(t.high),
		ChangePCT: round(100*(t.price/t.start-1), 2), Volume: round(t.volume, 2), Trades: t.trades,
	}
}

type balance struct {
	Account string  `json:"account"`
	Token   string  `json:"token"`
	Change  float64 `json:"change"`
	Balance float64 `json:"balance"`
}

func (m *Market) balance(t *token) balance {
	held := 10_000 * m.random.ExpFloat64() / t.price
	return balance{
		Account: m.account(), Token: t.Symbol, Balance: round(held, 8), Change: round(held*(m.random.Float64()-0.5), 8),
	}
}

// accounts is how many accounts take part.
const accounts = 5_000

func (m *Market) account() string {
	return fmt.Sprintf("0x%08x", uint32(m.random.IntN(accounts))*2654435761)
}

func (m *Market) either(words ...string) string { return words[m.random.IntN(len(words))] }
