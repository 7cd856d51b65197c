package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/odin-ws/odin/cmd/internal/cli"
	"github.com/odin-ws/odin/cmd/internal/watch"
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/text"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// channelsQuestion is what channels was told.
type channelsQuestion struct {
	top     int
	sort    string
	seconds int
	within  []string
}

// The orders of channels.
const (
	bySessions = "sessions"
	byRate     = "rate"
	byBytes    = "bytes"
)

// topMax is the most channels that are shown.
const topMax = 100_000

func (p *program) channelsCommand() *cobra.Command {
	of := &channelsQuestion{}
	cmd := &cobra.Command{
		Use:   "channels [PATTERN...]",
		Short: "Show channels: who subscribes, and what comes",
		Long: `channels shows the channels and patterns that sessions subscribe to, over all
workers, and what comes on them: one worker counts the records for --seconds,
which costs nothing else while nobody asks. A pattern's records are those of
all channels that it matches.

With PATTERNs only what they match is shown: 'BTC.*' selects BTC.trade, and the
pattern BTC.* itself.`,
		Example:           "  odinctl channels --top 10 --sort rate\n  odinctl channels 'BTC.*' '*.social' --seconds 10",
		ValidArgsFunction: each(patterns),
		RunE: func(cmd *cobra.Command, args []string) error {
			of.within = args
			return p.channels(cmd.Flags(), of)
		},
	}
	cmd.Flags().IntVar(&of.top, "top", 20, "show the first `N`")
	cmd.Flags().StringVar(&of.sort, "sort", bySessions, "`ORDER`, the most first: "+joined([]string{bySessions, byRate, byBytes}))
	cmd.Flags().IntVar(&of.seconds, "seconds", 2, "count records for `N` seconds; 0: don't")
	offer(cmd, "sort", func(*cobra.Command) []string { return []string{bySessions, byRate, byBytes} })
	return cmd
}

func (of *channelsQuestion) check() error {
	var wrong []error
	if of.top < 1 || of.top > topMax {
		wrong = append(wrong, fmt.Errorf("the first %d can't be shown, allowed: 1 to %d", of.top, topMax))
	}
	if !slices.Contains([]string{bySessions, byRate, byBytes}, of.sort) {
		wrong = append(wrong, fmt.Errorf("can't sort by %q, allowed: %s", of.sort, joined([]string{bySessions, byRate, byBytes})))
	}
	if of.seconds < 0 || of.seconds > control.SampleSecondsMax {
		wrong = append(wrong, fmt.Errorf("%d seconds are out of range, allowed: 0 to %d", of.seconds, control.SampleSecondsMax))
	}
	if of.seconds == 0 && of.sort != bySessions {
		wrong = append(wrong, errors.New("nothing is counted in 0 seconds that could be sorted by "+of.sort))
	}
	wrong = append(wrong, (&control.Channels{Within: of.within}).Check())
	if err := errors.Join(wrong...); err != nil {
		return &cli.UsageError{What: strings.ReplaceAll(err.Error(), "\n", "; "), Help: "odinctl channels --help"}
	}
	return nil
}

// channelRow is a channel or pattern.
type channelRow struct {
	Channel  string  `json:"channel"`       // or the pattern
	Sessions int     `json:"sessions"`      // that subscribe to exactly this
	Records  float64 `json:"records_per_s"` // as counted; 0 without --seconds
	Bytes    float64 `json:"bytes_per_s"`   // of their frames, once
}

// channelsTotal is the last line of an answer.
type channelsTotal struct {
	Shown         int     `json:"shown"`               // are in the answer
	Matching      int     `json:"matching"`            // channels and patterns
	Subscriptions int     `json:"subscriptions"`       // of sessions, to them
	Seconds       float64 `json:"seconds"`             // that records were counted; 0: they weren't
	Worker        int     `json:"worker"`              // that counted
	Records       float64 `json:"records_per_s"`       // of all
	Bytes         float64 `json:"bytes_per_s"`         // of all
	OtherRecords  float64 `json:"other_records_per_s"` // of channels that there was no room for
	Unsure        int     `json:"unsure"`              // a pattern may have so many sessions more than shown, and those that are not shown so many; 0: all is counted
	Missing       []int   `json:"missing"`             // workers that did not answer
}

// catalogue is what the workers tell of channels.
type catalogue struct {
	sessions map[string]int
	traffic  map[string]control.ChannelTraffic
	total    channelsTotal
	counted  control.TrafficTotal
	answered []int // slots
}

func (p *program) channels(flags *pflag.FlagSet, of *channelsQuestion) error {
	if err := of.check(); err != nil {
		return err
	}
	c := &catalogue{sessions: map[string]int{}, traffic: map[string]control.ChannelTraffic{}}
	if err := p.askSubscribed(flags, of, c); err != nil {
		return err
	}
	if of.seconds > 0 {
		if err := p.askTraffic(flags, of, c); err != nil {
			return err
		}
	}
	rows := c.rows(of)
	if p.json {
		return printLines(p.stdout, rows, c.total)
	}
	return printAll(p.stdout, channelsText(rows, &c.total, watch.Columns(os.Stdout)))
}

func (p *program) askSubscribed(flags *pflag.FlagSet, of *channelsQuestion, c *catalogue) error {
	answer, err := p.call(flags, control.Request{
		Command: control.Ask, Query: &control.Query{Kind: control.Subscribed, Channels: &control.Channels{Within: of.within}},
	}, func(r control.Response) error {
		var item control.ChannelsItem
		if err := json.Unmarshal(r.Item, &item); err != nil {
			return fmt.Errorf("odind sent what are no channels: %w", err)
		}
		for _, n := range item.Counts {
			c.sessions[n.Pattern] += n.Sessions
		}
		if item.Total != nil {
			c.total.Subscriptions += item.Total.Subscriptions
			c.total.Unsure += item.Total.Least
			c.answered = append(c.answered, r.Slot)
		}
		return nil
	})
	c.total.Missing = append([]int{}, answer.Missing...)
	p.tellMissing(answer)
	return err
}

// askTraffic has one worker count: each sees all records.
func (p *program) askTraffic(flags *pflag.FlagSet, of *channelsQuestion, c *catalogue) error {
	if len(c.answered) == 0 {
		return errors.New("no worker answers that could count records; look at odinctl status")
	}
	c.total.Worker = slices.Min(c.answered)
	answer, err := p.call(flags, control.Request{
		Command: control.Ask, Process: strconv.Itoa(c.total.Worker),
		Query: &control.Query{Kind: control.Traffic, Seconds: of.seconds, Channels: &control.Channels{Within: of.within}},
	}, func(r control.Response) error {
		var item control.TrafficItem
		if err := json.Unmarshal(r.Item, &item); err != nil {
			return fmt.Errorf("odind sent what is no traffic: %w", err)
		}
		for _, t := range item.Counts {
			c.traffic[t.Channel] = t
		}
		if item.Total != nil {
			c.counted = *item.Total
		}
		return nil
	})
	if len(answer.Missing) > 0 {
		return fmt.Errorf("worker %d began to count records and did not answer: it is stuck, or has just ended; try again", c.total.Worker)
	}
	return err
}

// rows are the first of all channels and patterns, in the order asked for.
func (c *catalogue) rows(of *channelsQuestion) []channelRow {
	all := map[string]bool{}
	for pattern := range c.sessions {
		all[pattern] = true
	}
	for channel := range c.traffic {
		all[channel] = true
	}
	sums, list := c.sums(), make([]channelRow, 0, len(all))
	for pattern := range all {
		t := sums[pattern]
		list = append(list, channelRow{pattern, c.sessions[pattern], c.rate(t.Records), c.rate(t.Bytes)})
	}
	slices.SortFunc(list, func(a, b channelRow) int {
		first := cmp.Compare(b.Sessions, a.Sessions)
		switch of.sort {
		case byRate:
			first = cmp.Compare(b.Records, a.Records)
		case byBytes:
			first = cmp.Compare(b.Bytes, a.Bytes)
		}
		return cmp.Or(first, cmp.Compare(b.Records, a.Records), cmp.Compare(b.Sessions, a.Sessions), cmp.Compare(a.Channel, b.Channel))
	})
	t := &c.total
	t.Matching = len(list)
	list = list[:min(len(list), of.top)]
	t.Shown, t.Seconds = len(list), c.counted.Seconds
	t.Records, t.Bytes, t.OtherRecords = c.rate(c.counted.Records), c.rate(c.counted.Bytes), c.rate(c.counted.OtherRecords)
	return list
}

// sums is the traffic of channels, and of all patterns that match some.
func (c *catalogue) sums() map[string]control.ChannelTraffic {
	sums := make(map[string]control.ChannelTraffic, 2*len(c.traffic))
	for channel, t := range c.traffic {
		subject, name, _ := strings.Cut(channel, ".")
		for _, pattern := range []string{channel, subject + ".*", "*." + name, "*.*"} {
			s := sums[pattern]
			sums[pattern] = control.ChannelTraffic{Records: s.Records + t.Records, Bytes: s.Bytes + t.Bytes}
		}
	}
	return sums
}

func (c *catalogue) rate(n uint64) float64 {
	if c.counted.Seconds <= 0 {
		return 0
	}
	return math.Round(1000*float64(n)/c.counted.Seconds) / 1000
}

// channelMax is how many columns a channel's name has.
const channelMax = 44

func channelsText(rows []channelRow, total *channelsTotal, width int) []string {
	table := []text.Column{{Title: "CHANNEL"}, {Title: "SESSIONS", Right: true}}
	if total.Seconds > 0 {
		table = append(table, text.Column{Title: "RECORDS/s", Right: true}, text.Column{Title: "BYTES/s", Right: true})
	}
	for _, r := range rows {
		cells := []string{text.Fit(text.Plain(r.Channel), channelMax), text.Grouped(r.Sessions), text.PerSecond(r.Records), text.Size(int64(r.Bytes))}
		text.Fill(table, text.Cells(cells[:len(table)]...)...)
	}
	var lines []string
	if len(rows) > 0 {
		lines = text.Strings(text.Table(table, width))
	}
	for _, line := range total.words() {
		lines = append(lines, text.Wrap(line, width)...)
	}
	return lines
}

func (t *channelsTotal) words() []string {
	lines := []string{fmt.Sprintf("%s of %s shown, %s", text.Grouped(t.Shown), text.Plural(t.Matching, "channel"), text.Plural(t.Subscriptions, "subscription"))}
	if t.Seconds > 0 {
		lines = append(lines, fmt.Sprintf("counted by worker %d for %s: %s records/s, %s/s in all",
			t.Worker, text.Duration(t.Seconds), text.PerSecond(t.Records), text.Size(int64(t.Bytes))))
	}
	if t.OtherRecords > 0 {
		lines = append(lines, fmt.Sprintf("there was no room for the channels of %s records/s: name PATTERNs", text.PerSecond(t.OtherRecords)))
	}
	if t.Unsure > 0 {
		lines = append(lines, fmt.Sprintf("too many patterns to tell all: one may have up to %s more than shown", text.Plural(t.Unsure, "session")))
	}
	return lines
}
