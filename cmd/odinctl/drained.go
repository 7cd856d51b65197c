package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/odin-ws/odin/cmd/internal/watch"
	"github.com/odin-ws/odin/internal/status"
	"github.com/odin-ws/odin/internal/text"
	"github.com/odin-ws/odin/shm"
)

// How often a drain is looked at, and how often a line says how far it is when
// there is no terminal whose line could be written anew.
const (
	drainLook = 200 * time.Millisecond
	drainLine = 5 * time.Second
)

// awaitDrained shows how far a drain is until no session is left. It reads
// shared memory alone: odind may be busy.
func (p *program) awaitDrained(path string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	looks := time.NewTicker(drainLook)
	defer looks.Stop()
	show := &progress{out: p.stdout, json: p.json, columns: watch.Line(os.Stdout)}
	for {
		now, err := lookAtDrain(path)
		if err == nil {
			err = show.next(time.Now(), now)
		}
		if err != nil || now.Drain.Done {
			return errors.Join(show.end(), err)
		}
		select {
		case <-looks.C:
		case <-ctx.Done():
			return errors.Join(show.end(), fmt.Errorf("waiting no longer: the drain goes on, %s left; odinctl drain --wait watches it, odinctl undrain takes it back",
				text.Plural(now.Sessions, "session")))
		}
	}
}

// lookAtDrain is an error when there is no drain. It opens the segment anew each
// time: one whose odind has ended says nothing any more.
func lookAtDrain(path string) (s status.Status, err error) {
	seg, err := shm.Open(path)
	if err != nil {
		return s, fmt.Errorf("odind has ended before it was drained: %v", err) //nolint:errorlint // there was a running odind
	}
	defer seg.Close()
	s = status.Read(seg, shm.Now())
	switch {
	case s.Drain != nil:
		return s, nil
	case s.State == status.Draining:
		return s, errors.New("odind was told to stop before it was drained")
	}
	return s, fmt.Errorf("the drain was taken back: new sessions are taken again; there are %s", text.Plural(s.Sessions, "session"))
}

// progress writes how far a drain is: a line that is written anew on a
// terminal, else a line now and then; the last in any case.
type progress struct {
	out     io.Writer
	json    bool
	columns int // of the terminal, 0: none
	said    time.Time
	waited  bool
	open    bool // the line of the terminal isn't ended
}

func (w *progress) next(now time.Time, s status.Status) error {
	live := w.columns > 0 && !w.json
	if !live && !s.Drain.Done && !w.said.IsZero() && now.Sub(w.said) < drainLine {
		return nil
	}
	w.said = now
	line, err := w.line(s)
	w.waited = w.waited || !s.Drain.Done
	if err != nil {
		return err
	}
	if live {
		w.open = true
		_, err = fmt.Fprintf(w.out, "\r\x1b[K%s", text.Fit(line, w.columns-1))
		return err
	}
	_, err = fmt.Fprintln(w.out, line)
	return err
}

func (w *progress) line(s status.Status) (string, error) {
	d := s.Drain
	switch {
	case w.json:
		line, err := json.Marshal(d)
		return string(line), err
	case d.Done && w.waited:
		return "drained after " + text.Duration(d.ElapsedS) + ": " + d.Words(), nil
	case d.Done:
		return "drained: " + d.Words(), nil
	case len(s.Warnings) > 0:
		return text.Plain("draining: " + d.Words() + "; " + s.Warnings[0]), nil
	}
	return "draining: " + d.Words(), nil
}

// end ends the terminal's line.
func (w *progress) end() error {
	if !w.open {
		return nil
	}
	w.open = false
	_, err := fmt.Fprintln(w.out)
	return err
}
