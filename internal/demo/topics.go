package demo

// partitions is how many partitions each topic has.
const partitions = 12

// Topic names one of the eight topics.
type Topic string

// The topics that the default routes read.
const (
	Trades    Topic = "odin.trades"
	Liquidity Topic = "odin.liquidity"
	Metadata  Topic = "odin.metadata"
	Social    Topic = "odin.social"
	Community Topic = "odin.community"
	Creation  Topic = "odin.creation"
	Analytics Topic = "odin.analytics"
	Balances  Topic = "odin.balances"
)

// Topics are all topics, in the order of the default routes.
func Topics() []Topic {
	return []Topic{Trades, Liquidity, Metadata, Social, Community, Creation, Analytics, Balances}
}

// weight is a topic's part in a round of weights events. A third of the rate
// for trades and a tenth for each of the seven others make 31/30 of it, so a
// rate is held by producing 31 events where it asks for 30.
func (t Topic) weight() int {
	if t == Trades {
		return 10
	}
	return 3
}

const (
	weights = 31 // sum of all weights
	asked   = 30 // events of the rate that one round stands for
)
