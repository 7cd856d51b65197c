package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
)

// events are what the topics' routes call their channels' second part, in the
// order in which topics are taken into use.
var events = []struct{ topic, event string }{
	{"odin.trades", "trade"},
	{"odin.liquidity", "liquidity"},
	{"odin.metadata", "metadata"},
	{"odin.social", "social"},
	{"odin.community", "community"},
	{"odin.creation", "creation"},
	{"odin.analytics", "analytics"},
	{"odin.balances", "balances"},
}

// plan says which channels there are and who hears which: a function of its
// settings and of the seed alone. Channel c is that of subject c/topics and of
// the c%topics-th topic.
type plan struct {
	channels, topics int
	patterns         [][]pattern // by session
}

// pattern is a channel, or, with wild, a subject: SUBJECT.*.
type pattern struct {
	number int32
	wild   bool
}

// picking is how sessions choose what to hear.
type picking struct {
	sessions, each int
	zipf           bool    // popular channels have more sessions: weight 1/rank
	wildcards      float64 // share of patterns that are SUBJECT.*
	seed           uint64
}

func newPlan(channels, topics int, p picking) (*plan, error) {
	if topics < 1 || topics > len(events) || channels < 1 || channels%topics != 0 {
		return nil, fmt.Errorf("%d channels can't be shared by %d topics (1 to %d)", channels, topics, len(events))
	}
	if p.each < 1 || p.each > channels {
		return nil, fmt.Errorf("a session can't hear %d of %d channels", p.each, channels)
	}
	pl := &plan{channels: channels, topics: topics}
	rng := rand.New(rand.NewPCG(p.seed, 1))
	ranks, subjects := newZipf(channels), newZipf(channels/topics)
	for s := range p.sessions {
		if !p.zipf {
			pl.patterns = append(pl.patterns, even(s, p.each, channels))
			continue
		}
		pl.patterns = append(pl.patterns, choose(rng, p, ranks, subjects))
	}
	return pl, nil
}

// even gives session s the next channels in turn, so that each has as many
// sessions as any other.
func even(s, each, channels int) []pattern {
	list := make([]pattern, each)
	for k := range list {
		list[k].number = int32((s*each + k) % channels)
	}
	return list
}

// choose draws patterns until there are enough different ones.
func choose(rng *rand.Rand, p picking, ranks, subjects zipf) []pattern {
	list := make([]pattern, 0, p.each)
	for len(list) < p.each {
		want := pattern{wild: rng.Float64() < p.wildcards}
		from := ranks
		if want.wild {
			from = subjects
		}
		want.number = int32(from.draw(rng))
		if !slices.Contains(list, want) {
			list = append(list, want)
		}
	}
	return list
}

// zipf is a distribution: the sums of 1/rank.
type zipf []float64

func newZipf(n int) zipf {
	z, sum := make(zipf, n), 0.0
	for i := range z {
		sum += 1 / float64(i+1)
		z[i] = sum
	}
	return z
}

func (z zipf) draw(rng *rand.Rand) int {
	return sort.SearchFloat64s(z, rng.Float64()*z[len(z)-1])
}

// subscribers lists the sessions that hear each channel, once however many of
// their patterns match it.
func (p *plan) subscribers() [][]int32 {
	list := make([][]int32, p.channels)
	hear := func(channel int, session int32) {
		if l := list[channel]; len(l) == 0 || l[len(l)-1] != session {
			list[channel] = append(l, session)
		}
	}
	for s, patterns := range p.patterns {
		for _, pt := range patterns {
			if !pt.wild {
				hear(int(pt.number), int32(s))
				continue
			}
			for i := range p.topics {
				hear(int(pt.number)*p.topics+i, int32(s))
			}
		}
	}
	return list
}

func (p *plan) subject(channel int) string { return fmt.Sprintf("S%d", channel/p.topics) }

func (p *plan) name(channel int) string {
	return p.subject(channel) + "." + events[channel%p.topics].event
}

// request is the text of session s's subscribe request.
func (p *plan) request(s int) string {
	var b strings.Builder
	b.WriteString(`{"type":"subscribe","id":"s","data":{"channels":[`)
	for i, pt := range p.patterns[s] {
		if i > 0 {
			b.WriteByte(',')
		}
		if pt.wild {
			fmt.Fprintf(&b, `"S%d.*"`, pt.number)
		} else {
			fmt.Fprintf(&b, `"%s"`, p.name(int(pt.number)))
		}
	}
	b.WriteString("]}}")
	return b.String()
}
