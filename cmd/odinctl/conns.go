package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/odin-ws/odin/cmd/internal/cli"
	"github.com/odin-ws/odin/cmd/internal/watch"
	"github.com/odin-ws/odin/internal/control"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// connsQuestion is what conns was told.
type connsQuestion struct {
	control.Connections
	worker         string
	older, younger time.Duration
}

func (p *program) connsCommand() *cobra.Command {
	of := &connsQuestion{}
	cmd := &cobra.Command{
		Use:   "conns [ID]",
		Short: "Show who is connected, and who was and why that ended",
		Long: `conns shows the sessions of all workers, or with --closed those that ended, as
many as odind remembers (limits.closed_remembered_max), with who ended them and
why. All conditions given have to be met; the workers look, and send no more
than is shown. conns ID shows all that is known of one session.

An ID is WORKER-GENERATION-NUMBER: the log has it too.`,
		Example: "  odinctl conns --slow --sort owed\n  odinctl conns --closed --reason slow_consumer --younger 1h\n" +
			"  odinctl conns --remote 192.0.2.0/24 --channel BTC.trade\n  odinctl conns 0-1-12345",
		Args: cli.AtMost("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return p.session(cmd.Flags(), args[0])
			}
			return p.conns(cmd.Flags(), of)
		},
	}
	of.define(cmd.Flags())
	offer(cmd, "worker", workers)
	offer(cmd, "channel", patterns)
	offer(cmd, "reason", func(*cobra.Command) []string { return texts(control.Endings()) })
	offer(cmd, "sort", func(*cobra.Command) []string { return texts(control.Orders()) })
	return cmd
}

func (of *connsQuestion) define(flags *pflag.FlagSet) {
	flags.BoolVar(&of.Closed, "closed", false, "those that ended")
	flags.StringVar(&of.worker, "worker", "", "of the worker with this `NUMBER`")
	flags.StringVar(&of.Remote, "remote", "", "from this address: `IP`, IP/BITS or IP:PORT")
	flags.StringVar(&of.Client, "client", "", "that called themselves by this client `ID` in a reconnect")
	flags.IntVar(&of.Code, "code", 0, "that ended with this close `CODE`; 1006: without a close frame")
	flags.StringVar((*string)(&of.Reason), "reason", "", "that ended for this `REASON`: "+joined(control.Endings()))
	flags.StringVar(&of.Channel, "channel", "", "that get the records of this `CHANNEL`, or of all that a pattern matches")
	flags.BoolVar(&of.Slow, "slow", false, "whose socket is full now; with --closed: that were closed for it")
	flags.DurationVar(&of.older, "older", 0, "opened longer ago than this `TIME`; with --closed: ended longer ago")
	flags.DurationVar(&of.younger, "younger", 0, "opened less long ago than this `TIME`; with --closed: ended less long ago")
	flags.StringVar((*string)(&of.Sort), "sort", string(control.ByAge), "`ORDER` of the answer, the newest or the most first: "+joined(control.Orders()))
	flags.IntVar(&of.Limit, "limit", control.ConnectionsDefault, "show at most `N`, up to "+strconv.Itoa(control.ConnectionsMax))
}

func joined[W ~string](all []W) string { return strings.Join(texts(all), ", ") }

func texts[W ~string](all []W) []string {
	texts := make([]string, len(all))
	for i, w := range all {
		texts[i] = string(w)
	}
	return texts
}

// request is the question for odind; an error is one of usage.
func (of *connsQuestion) request() (control.Request, error) {
	q := of.Connections
	q.OlderMS, q.YoungerMS = of.older.Milliseconds(), of.younger.Milliseconds()
	err := q.Check()
	if q.Limit == 0 {
		err = errors.Join(err, errors.New("a limit of 0 shows nothing, allowed: 1 to "+strconv.Itoa(control.ConnectionsMax)))
	}
	if err != nil {
		return control.Request{}, &cli.UsageError{What: strings.ReplaceAll(err.Error(), "\n", "; "), Help: "odinctl conns --help"}
	}
	return control.Request{
		Command: control.Ask, Process: of.worker, Query: &control.Query{Kind: control.Sessions, Connections: &q},
	}, nil
}

// connsTotal is what there was to answer from, and who did not answer.
type connsTotal struct {
	Shown    int   `json:"shown"`    // are in the answer
	Matching int   `json:"matching"` // met the conditions
	Looked   int   `json:"looked"`   // were looked at
	Missing  []int `json:"missing"`  // workers that did not answer
}

func (p *program) conns(flags *pflag.FlagSet, of *connsQuestion) error {
	r, err := of.request()
	if err != nil {
		return err
	}
	first, counts := of.First(), map[int]control.ConnectionCount{}
	answer, err := p.call(flags, r, func(r control.Response) error {
		var item control.ConnectionItem
		if err := json.Unmarshal(r.Item, &item); err != nil {
			return fmt.Errorf("odind sent what is no session: %w", err)
		}
		if item.Connection != nil {
			first.Add(*item.Connection)
		}
		if item.Count != nil {
			counts[r.Slot] = *item.Count
		}
		return nil
	})
	if err != nil {
		return err
	}
	p.tellMissing(answer)
	list, total := first.List(), connsTotal{Missing: append([]int{}, answer.Missing...)}
	total.Shown = len(list)
	for _, c := range counts {
		total.Matching += c.Matching
		total.Looked += c.Looked
	}
	if p.json {
		return printLines(p.stdout, list, total)
	}
	return printAll(p.stdout, connsText(list, total, of.Closed, time.Now(), watch.Columns(os.Stdout)))
}

// printLines writes JSON, a line each, and last the totals.
func printLines[T any](to io.Writer, list []T, total any) error {
	for i := range list {
		if err := printLine(to, &list[i]); err != nil {
			return err
		}
	}
	return printLine(to, total)
}

// printLine writes JSON in one line.
func printLine(to io.Writer, value any) error {
	out := json.NewEncoder(to)
	out.SetEscapeHTML(false)
	return out.Encode(value)
}

func printAll(to io.Writer, lines []string) error {
	_, err := io.WriteString(to, strings.Join(lines, "\n")+"\n")
	return err
}

// sessionAnswer is all that is known of one session.
type sessionAnswer struct {
	control.Session
	Patterns []string               `json:"patterns"` // channels and patterns that it subscribes to
	Cursor   map[string]topicCursor `json:"cursor"`   // by topic: how far it was given the records
}

type topicCursor struct {
	Epoch   string  `json:"epoch"`   // names the topic's incarnation
	Offsets []int64 `json:"offsets"` // by partition: the last one given; -1: before the first, -2: not known here yet
}

func (p *program) session(flags *pflag.FlagSet, text string) error {
	id, err := control.ParseSessionID(text)
	if err != nil {
		return &cli.UsageError{What: err.Error(), Help: "odinctl conns --help"}
	}
	all := sessionAnswer{Patterns: []string{}, Cursor: map[string]topicCursor{}}
	answer, err := p.call(flags, control.Request{
		Command: control.Ask, Process: strconv.Itoa(id.Slot), Query: &control.Query{Kind: control.OneSession, Session: id},
	}, func(r control.Response) error {
		var item control.SessionItem
		if err := json.Unmarshal(r.Item, &item); err != nil {
			return fmt.Errorf("odind sent what is no session: %w", err)
		}
		all.add(item)
		return nil
	})
	if err != nil {
		return err
	}
	if len(answer.Missing) > 0 {
		return fmt.Errorf("worker %d did not answer: it is stuck, or has just ended; look at odinctl status", id.Slot)
	}
	if p.json {
		return p.printJSON(all)
	}
	return printAll(p.stdout, sessionText(&all, time.Now(), watch.Columns(os.Stdout)))
}

func (all *sessionAnswer) add(item control.SessionItem) {
	if item.Session != nil {
		all.Session = *item.Session
	}
	all.Patterns = append(all.Patterns, item.Patterns...)
	if c := item.Cursor; c != nil {
		t := all.Cursor[c.Topic]
		all.Cursor[c.Topic] = topicCursor{Epoch: c.Epoch, Offsets: append(t.Offsets, c.Offsets...)}
	}
}
