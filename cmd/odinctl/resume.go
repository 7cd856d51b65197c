package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	odin "github.com/odin-ws/odin/clients/go"
	"github.com/odin-ws/odin/internal/wire"
)

// How often a place that moved is written, and how soon the first one.
const (
	keepEvery = time.Second
	keepFirst = 50 * time.Millisecond
)

// subFrom goes on where the file says, and through every break, until ^C.
func (p *program) subFrom(ctx context.Context, file, url string, channels []string) error {
	signal.Ignore(syscall.SIGPIPE) // a reader that goes is told by EPIPE
	channels = slices.Compact(slices.Sorted(slices.Values(channels)))
	k, cursor, err := openKeeper(file, channels)
	if err != nil {
		return err
	}
	defer k.close()
	if cursor == nil {
		fmt.Fprintf(p.stderr, "odinctl: %s holds no place yet: records come from now on\n", file)
	}
	running, end := context.WithCancelCause(ctx)
	defer end(nil)
	client, err := p.client(url, k, cursor, end)
	if err != nil {
		return err
	}
	kept := make(chan error, 1)
	go func() { kept <- p.keepOn(running, k, client, end) }()
	err = run(ctx, running, client)
	end(err)
	if err := <-kept; err != nil {
		return err
	}
	if err := p.mark(k, client); err != nil {
		return err
	}
	if ctx.Err() != nil || errors.Is(err, syscall.EPIPE) {
		return nil // ^C is how this ends, or the end of who reads it
	}
	return err
}

// run runs the client. When ^C comes while nobody reads what is printed, that
// is not waited for: the place is before it.
func run(ctx, running context.Context, client *odin.Client) error {
	ran := make(chan error, 1)
	go func() { ran <- client.Run(running) }()
	select {
	case err := <-ran:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-ran:
		return err
	case <-time.After(byeMax):
		return ctx.Err()
	}
}

// keepOn keeps the place until the context ends, which a failure does.
func (p *program) keepOn(ctx context.Context, k *keeper, client *odin.Client, end context.CancelCauseFunc) error {
	for {
		every := keepEvery
		if !k.begun() {
			every = keepFirst
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
		if err := p.mark(k, client); err != nil {
			end(err)
			return err
		}
	}
}

// mark keeps the place behind what was printed. Into a file it is on the disk
// before.
func (p *program) mark(k *keeper, client *odin.Client) error {
	cursor := client.Cursor()
	if out, ok := p.stdout.(*os.File); ok {
		if info, err := out.Stat(); err == nil && info.Mode().IsRegular() {
			if err := out.Sync(); err != nil {
				return err
			}
		}
	}
	return k.keep(cursor)
}

// client prints what comes as sub does, and says what became of breaks.
func (p *program) client(url string, k *keeper, cursor odin.Cursor, end context.CancelCauseFunc) (client *odin.Client, err error) {
	left := len(k.channels)
	client, err = odin.New(url, odin.Options{
		Channels: k.channels,
		Cursor:   cursor,
		ClientID: "odinctl",
		OnRecord: func(r odin.Record) error {
			if !k.begun() { // whatever ends us now, this one is not left out the next time
				if err := p.mark(k, client); err != nil {
					return err
				}
			}
			return p.showRaw(r.Raw)
		},
		OnGap:   func(g odin.Gap) error { return p.showRaw(g.Raw) },
		OnReset: func(r odin.Reset) error { return p.showRaw(r.Raw) },
		OnRecovery: func(r odin.Recovery) error {
			fmt.Fprintln(p.stderr, "odinctl: "+recovery(r))
			for _, topic := range absent(cursor, r.Cursor) {
				fmt.Fprintf(p.stderr, "odinctl: %s has a place in %s, of which odind relays nothing to these channels: what came there may be missing; is it the same cluster?\n", k.file, escape(topic))
			}
			cursor = nil // it is told once
			return nil
		},
		OnRejected: func(r odin.Rejection) {
			p.tellRejected(r.Channel, r.Code, r.Message)
			if left--; left == 0 {
				end(errRefused)
			}
		},
		OnDisconnect: func(d odin.Disconnection) {
			if !d.Final {
				fmt.Fprintf(p.stderr, "odinctl: %s; again in %v\n", escape(d.Err.Error()), d.RetryIn.Round(time.Millisecond))
			}
		},
	})
	return client, err
}

func (p *program) showRaw(frame []byte) error {
	var m wire.ServerMessage
	if err := json.Unmarshal(frame, &m); err != nil {
		return fmt.Errorf("odind sent what is no message: %w", err)
	}
	return p.show(frame, &m, 0)
}

// absent are the topics of a place that an answer doesn't speak of.
func absent(place, answer odin.Cursor) (topics []string) {
	for _, topic := range slices.Sorted(maps.Keys(place)) {
		if _, ok := answer[topic]; !ok && answer != nil {
			topics = append(topics, topic)
		}
	}
	return topics
}

// recovery says whether something may be missing, and why.
func recovery(r odin.Recovery) string {
	if r.Recovered {
		return fmt.Sprintf("resumed: %d records were missed and have been printed; nothing is missing", r.Replayed)
	}
	why := map[string]string{
		"epoch":       "a topic was made anew or truncated",
		"trimmed":     "the log no longer has all that was missed",
		"limit":       "more was missed than is replayed in one piece",
		"unavailable": "what was missed can't be had or proven now",
		"refused":     "odind does not take the place: " + escape(r.Message),
		"too_large":   "channels and place don't fit into a request",
	}[r.Reason]
	if why == "" {
		why = escape(r.Reason)
	}
	return fmt.Sprintf("not resumed: %s; records may be missing before the next one", why)
}
