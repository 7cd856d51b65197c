package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	odin "github.com/odin-ws/odin/clients/go"
	"github.com/odin-ws/odin/internal/wire"
)

// keepEvery is how often a place that moved is written.
const keepEvery = time.Second

// bookmark is what --resume keeps in its file: up to where the records of these
// channels were printed.
type bookmark struct {
	Channels []string    `json:"channels"`
	Cursor   odin.Cursor `json:"cursor"`
}

// keeper keeps the place of a client in a file.
type keeper struct {
	file     string
	channels []string
	kept     string // what is in the file
}

// load reads the place that was kept, nil if there is none yet.
func (k *keeper) load() (odin.Cursor, error) {
	text, err := os.ReadFile(k.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var kept bookmark
	if err := json.Unmarshal(text, &kept); err != nil || kept.Cursor == nil {
		return nil, fmt.Errorf("%s does not hold the place of an odinctl sub; name another file, or remove it to begin from now on", k.file)
	}
	if !slices.Equal(kept.Channels, k.channels) {
		return nil, fmt.Errorf("%s holds the place of %s: ask for the same channels, or name another file", k.file, strings.Join(kept.Channels, " "))
	}
	return kept.Cursor, nil
}

// keep writes the place if it moved: whole or not at all, whatever ends us.
func (k *keeper) keep(cursor odin.Cursor) error {
	text, err := json.Marshal(bookmark{k.channels, cursor})
	if err != nil || len(cursor) == 0 || string(text) == k.kept {
		return err
	}
	if err := replaceFile(k.file, append(text, '\n')); err != nil {
		return fmt.Errorf("keep the place: %w", err)
	}
	k.kept = string(text)
	return nil
}

func replaceFile(name string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// subFrom goes on where the file says, and through every break, until ^C.
func (p *program) subFrom(ctx context.Context, file, url string, channels []string) error {
	channels = slices.Compact(slices.Sorted(slices.Values(channels)))
	k := &keeper{file: file, channels: channels}
	cursor, err := k.load()
	if err != nil {
		return err
	}
	if cursor == nil {
		fmt.Fprintf(p.stderr, "odinctl: %s holds no place yet: records come from now on\n", file)
	}
	running, end := context.WithCancelCause(ctx)
	defer end(nil)
	client, err := p.client(url, channels, cursor, end)
	if err != nil {
		return err
	}
	kept := make(chan error, 1)
	go func() { kept <- k.keepOn(running, client, end) }()
	err = client.Run(running)
	end(err)
	if err := errors.Join(<-kept, k.keep(client.Cursor())); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return nil // ^C is how this ends
	}
	return err
}

// keepOn keeps the place until the context ends, which a failure does.
func (k *keeper) keepOn(ctx context.Context, client *odin.Client, end context.CancelCauseFunc) error {
	ticker := time.NewTicker(keepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if err := k.keep(client.Cursor()); err != nil {
			end(err)
			return err
		}
	}
}

// client prints what comes as sub does, and says what became of breaks.
func (p *program) client(url string, channels []string, cursor odin.Cursor, end context.CancelCauseFunc) (*odin.Client, error) {
	left := len(channels)
	return odin.New(url, odin.Options{
		Channels: channels,
		Cursor:   cursor,
		ClientID: "odinctl",
		OnRecord: func(r odin.Record) error { return p.showRaw(r.Raw) },
		OnGap:    func(g odin.Gap) error { return p.showRaw(g.Raw) },
		OnReset:  func(r odin.Reset) error { return p.showRaw(r.Raw) },
		OnRecovery: func(r odin.Recovery) error {
			fmt.Fprintln(p.stderr, "odinctl: "+recovery(r))
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
}

func (p *program) showRaw(frame []byte) error {
	var m wire.ServerMessage
	if err := json.Unmarshal(frame, &m); err != nil {
		return fmt.Errorf("odind sent what is no message: %w", err)
	}
	return p.show(frame, &m, 0)
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
