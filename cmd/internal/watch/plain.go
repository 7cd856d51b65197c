package watch

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/odin-ws/odin/internal/text"
	"github.com/odin-ws/odin/internal/top"
)

// Look looks at odind now. What it can't see is a look too.
type Look func() top.Look

// Text writes a frame each interval, so many or, for 0, until ctx ends. The
// first one comes after an interval, so that it has rates.
func Text(ctx context.Context, w io.Writer, m *top.Model, look Look, frames int) error {
	empty := "" // between two frames
	return repeat(ctx, look, m.Interval(), frames, func(l top.Look) error {
		m.Look(l)
		_, err := io.WriteString(w, empty+strings.Join(text.Strings(m.Frame()), "\n")+"\n")
		empty = "\n"
		return err
	})
}

// JSON writes a document each interval, one a line.
func JSON(ctx context.Context, w io.Writer, look Look, interval time.Duration, documents int) error {
	return repeat(ctx, look, interval, documents, func(l top.Look) error {
		line, err := json.Marshal(l.Document())
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s\n", line)
		return err
	})
}

// repeat looks, and shows what it sees after each interval.
func repeat(ctx context.Context, look Look, interval time.Duration, times int, show func(top.Look) error) error {
	look()
	ticks := time.NewTicker(interval)
	defer ticks.Stop()
	for n := 0; times == 0 || n < times; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
			if err := show(look()); err != nil {
				return err
			}
		}
	}
	return nil
}
