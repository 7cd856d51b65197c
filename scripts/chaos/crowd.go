package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/odin-ws/odin/scripts/chaos/check"
)

// manner is how a kind of client behaves.
type manner struct {
	name             string
	share            int           // of a hundred
	stayMin, stayMax time.Duration // connected; 0: for ever
	awayMin, awayMax time.Duration // behind its own leaving
	pauseMax         time.Duration // without reading, again and again
	last             int           // records asked for with subscribe
	forgets          bool          // it comes back without its cursor
	wild             bool          // it asks for patterns
	library          bool          // it hears through the package odin
	events           []string      // of which it asks for channels; nil: of all
	pulse            time.Duration // between heartbeats
}

func manners() []manner {
	const s = time.Second
	return []manner{
		{name: "steady", share: 21, pulse: 3 * s},
		{name: "wildcard", share: 14, wild: true, pulse: 3 * s},
		{name: "returning", share: 17, stayMin: s / 2, stayMax: 8 * s, awayMin: s / 100, awayMax: s / 2, pulse: 2 * s},
		{name: "away", share: 16, stayMin: 2 * s, stayMax: 12 * s, awayMin: 4 * s, awayMax: 100 * s, pulse: 3 * s},
		{name: "slow-drop", share: 4, pauseMax: 9 * s, wild: true, events: []string{"drop"}, pulse: 4 * s},
		{name: "slow-conflate", share: 4, pauseMax: 9 * s, wild: true, events: []string{"conflate"}, pulse: 4 * s},
		{name: "slow-close", share: 4, pauseMax: 9 * s, wild: true, events: []string{"steady"}, pulse: 4 * s},
		{name: "slow-mixed", share: 4, pauseMax: 9 * s, wild: true, events: []string{"drop", "conflate"}, pulse: 4 * s},
		{name: "last", share: 8, stayMin: s, stayMax: 8 * s, awayMin: s / 10, awayMax: s, last: 20, forgets: true, pulse: 3 * s},
		{name: "library", share: 4, library: true, pulse: 2 * s},
		{name: "library-away", share: 3, library: true, stayMin: s, stayMax: 15 * s, awayMin: s / 10, awayMax: 30 * s, pulse: 2 * s},
		{name: "library-slow", share: 2, library: true, pauseMax: 9 * s, wild: true, events: []string{"drop", "conflate"}, pulse: 4 * s},
	}
}

func (w *world) crowd() []*client {
	var all []*client
	for _, m := range manners() {
		for i := range max(1, m.share*w.options.clients/100) {
			c := &client{world: w, manner: m, random: rand.New(rand.NewPCG(w.options.seed, uint64(len(all)))), over: make(chan struct{}), stop: make(chan struct{})}
			c.stream = check.Stream{Name: fmt.Sprintf("%s-%d", m.name, i), Channels: c.channels()}
			all = append(all, c)
		}
	}
	return all
}

// channels chooses what a client asks for.
func (c *client) channels() []string {
	events := c.manner.events
	if events == nil {
		events = c.events()
	}
	var names []string
	switch {
	case c.manner.events != nil:
		for _, e := range events {
			names = append(names, "*."+e)
		}
	case c.manner.wild:
		for range 1 + c.random.IntN(2) {
			names = append(names, c.pattern(events))
		}
	default:
		for range 2 + c.random.IntN(8) {
			names = append(names, subject(c.random.IntN(subjects))+"."+events[c.random.IntN(len(events))])
		}
	}
	return names
}

// events are those of all topics or, for two clients of three, of those that
// lose nothing: a single topic that did makes a resume recovered:false.
func (c *client) events() (events []string) {
	all := c.random.IntN(3) == 0
	for _, t := range c.world.topics {
		if all || !t.loses {
			events = append(events, t.event)
		}
	}
	return events
}

func (c *client) pattern(events []string) string {
	switch c.random.IntN(10) {
	case 0:
		return "*.*"
	case 1:
		return subject(c.random.IntN(subjects)) + ".*"
	}
	return "*." + events[c.random.IntN(len(events))]
}
