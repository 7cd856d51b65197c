package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/odin-ws/odin/cmd/internal/cli"
	"github.com/odin-ws/odin/cmd/internal/watch"
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/status"
	"github.com/odin-ws/odin/shm"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/twmb/franz-go/pkg/kgo"
)

func (p *program) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain CHANNEL",
		Short: "Find out why a channel's records do or don't arrive",
		Long: `explain follows a channel's records from the topic to the sessions: which routes
can feed it, which partition its key belongs to, who reads that and how far, the
last record that each worker has had, who is subscribed on each worker and by
which patterns. The last lines say what looks wrong.

CHANNEL may be a pattern: what is said then holds for all that it matches.

The partition of a key is that of Kafka's default partitioner (murmur2): a
producer that uses another one, or names partitions itself, puts it elsewhere.`,
		Example: "  odinctl explain BTC.trade\n  odinctl explain '*.trade' --json",
		Args:    cli.Exactly("CHANNEL"),

		ValidArgsFunction: first(patterns),
		RunE:              func(cmd *cobra.Command, args []string) error { return p.explain(cmd.Flags(), args[0]) },
	}
}

// explained is all that is known of a channel.
type explained struct {
	Channel    string               `json:"channel"`    // or pattern, as it was asked for
	Valid      bool                 `json:"valid"`      // it is a channel or a pattern
	Pattern    bool                 `json:"pattern"`    // it has a *
	Routes     []explainedRoute     `json:"routes"`     // that can feed it
	Partitions []explainedPartition `json:"partitions"` // of their topics; of a channel whose key is known only those that it belongs to or was found in
	Workers    []explainedWorker    `json:"workers"`    // that answered, by slot
	Missing    []int                `json:"missing"`    // workers that did not
	Sessions   int                  `json:"sessions"`   // that get all of its records, over all workers
	Skipped    map[string]uint64    `json:"skipped"`    // records of any topic that no route could place, since the start, by reason
	Findings   []finding            `json:"findings"`   // the worst first
	Verdict    string               `json:"verdict"`    // wrong, look or fine: that of the worst finding

	events []string // of all routes
	now    time.Time
}

type explainedRoute struct {
	control.RouteText
	Partitions int `json:"partitions"` // of the topic; 0: the broker has none
	Partition  int `json:"partition"`  // that the key belongs to by murmur2, -1: can't be known
}

type explainedPartition struct {
	status.Partition
	Held []explainedPosition `json:"held"` // how far each worker has come
}

type explainedPosition struct {
	Worker     int   `json:"worker"`     // slot
	Positioned bool  `json:"positioned"` // it knows its place there; else the offsets mean nothing
	Held       int64 `json:"held"`       // last offset in its history; -1: none
	Applied    int64 `json:"applied"`    // last offset that its sessions were given; -1: none
}

type explainedWorker struct {
	Worker int `json:"worker"` // slot
	control.Explanation
}

func (p *program) explain(flags *pflag.FlagSet, channel string) error {
	seg, err := segment(flags)
	if err != nil {
		return err
	}
	defer seg.Close()
	x := newExplained(channel)
	routes, err := p.askExplain(flags, x)
	if err != nil {
		return err
	}
	now := shm.Now()
	x.now = time.Unix(0, now.Wall)
	s := status.Read(seg, now)
	x.addRoutes(routes, s.Partitions)
	x.addPartitions(seg, s.Partitions)
	x.count(seg)
	x.judge(&s)
	if p.json {
		return p.printJSON(x)
	}
	return printAll(p.stdout, x.text(watch.Columns(os.Stdout)))
}

func newExplained(channel string) *explained {
	_, _, err := event.SplitPattern([]byte(channel))
	return &explained{
		Channel: channel, Valid: err == nil, Pattern: err == nil && strings.Contains(channel, "*"),
		Routes: []explainedRoute{}, Partitions: []explainedPartition{}, Workers: []explainedWorker{},
		Missing: []int{}, Skipped: map[string]uint64{}, Findings: []finding{},
	}
}

// askExplain asks all workers. Each has the same routes.
func (p *program) askExplain(flags *pflag.FlagSet, x *explained) ([]control.RouteText, error) {
	var routes []control.RouteText
	answer, err := p.call(flags, control.Request{
		Command: control.Ask, Query: &control.Query{Kind: control.Explain, Channel: x.Channel},
	}, func(r control.Response) error {
		var item control.ExplainItem
		if err := json.Unmarshal(r.Item, &item); err != nil {
			return fmt.Errorf("odind sent what explains nothing: %w", err)
		}
		for _, route := range item.Routes {
			if !slices.ContainsFunc(routes, func(r control.RouteText) bool { return r.Topic == route.Topic }) {
				routes = append(routes, route)
			}
		}
		if item.Explanation != nil {
			x.Workers = append(x.Workers, explainedWorker{r.Slot, *item.Explanation})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	x.Missing = append(x.Missing, answer.Missing...)
	slices.Sort(x.Missing)
	slices.SortFunc(x.Workers, func(a, b explainedWorker) int { return a.Worker - b.Worker })
	for _, w := range x.Workers {
		x.Sessions += w.Sessions
	}
	return routes, nil
}

// addRoutes keeps those that can feed the channel.
func (x *explained) addRoutes(routes []control.RouteText, partitions []status.Partition) {
	subject, name, _ := strings.Cut(x.Channel, ".")
	count := map[string]int{}
	for _, pt := range partitions {
		count[pt.Topic]++
	}
	for _, r := range routes {
		if !slices.Contains(x.events, r.Event) {
			x.events = append(x.events, r.Event)
		}
		if !x.Valid || name != "*" && name != r.Event {
			continue
		}
		route := explainedRoute{RouteText: r, Partitions: count[r.Topic], Partition: -1}
		if r.Keyed && subject != "*" && route.Partitions > 0 {
			route.Partition = partitionOf(r.Topic, subject, route.Partitions)
		}
		x.Routes = append(x.Routes, route)
	}
}

// partitionOf is where Kafka's default partitioner puts a key.
func partitionOf(topic, key string, partitions int) int {
	return kgo.StickyKeyPartitioner(nil).ForTopic(topic).Partition(&kgo.Record{Key: []byte(key)}, partitions)
}

// addPartitions keeps those that matter, with how far each worker has come.
func (x *explained) addPartitions(seg *shm.Segment, partitions []status.Partition) {
	for i, pt := range partitions {
		if !x.concerns(&pt) {
			continue
		}
		p := explainedPartition{Partition: pt, Held: []explainedPosition{}}
		for slot := range seg.Layout().Slots {
			pos, ok := seg.Slot(slot).Position(i)
			p.Held = append(p.Held, explainedPosition{Worker: slot, Positioned: ok && pos.Positioned, Held: pos.Held, Applied: pos.Applied})
		}
		x.Partitions = append(x.Partitions, p)
	}
}

func (x *explained) concerns(pt *status.Partition) bool {
	for _, r := range x.Routes {
		if r.Topic == pt.Topic && (r.Partition < 0 || r.Partition == int(pt.Partition)) {
			return true
		}
	}
	for _, w := range x.Workers {
		for _, f := range w.Found {
			if f.Topic == pt.Topic && f.Partition == pt.Partition {
				return true
			}
		}
	}
	return false
}

// count adds what the segment has counted.
func (x *explained) count(seg *shm.Segment) {
	name := shm.RecordsSkippedNoKey.Metric().Name
	for c := shm.RecordsSkippedNoKey; c < shm.CounterCount && c.Metric().Name == name; c++ {
		for slot := range seg.Layout().Slots {
			if n := seg.Slot(slot).Counter(c); n > 0 {
				x.Skipped[c.Metric().Value] += n
			}
		}
	}
}
