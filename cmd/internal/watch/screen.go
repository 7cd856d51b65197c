package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gdamore/tcell/v3"
	"github.com/gdamore/tcell/v3/color"
	"github.com/odin-ws/odin/internal/text"
	"github.com/odin-ws/odin/internal/top"
)

// firstRates is when the second look comes, the first to have rates, however
// long the interval is.
const firstRates = 250 * time.Millisecond

// screen is a terminal that was taken over.
type screen struct {
	terminal tcell.Screen
	model    *top.Model
	look     Look
	signals  chan os.Signal // SIGTSTP and SIGCONT
	timer    *time.Timer    // until the next look
}

// Screen shows the model on the terminal until q is pressed or ctx ends. The
// terminal may be any that tcell can make, and is initialized here.
func Screen(ctx context.Context, terminal tcell.Screen, m *top.Model, look Look) error {
	if err := terminal.Init(); err != nil {
		return fmt.Errorf("take over the terminal: %w; --once, -n and --json do without one", err)
	}
	defer terminal.Fini()
	terminal.SetStyle(tcell.StyleDefault)
	for _, r := range "▁▂▃▄▅▆▇" {
		terminal.RegisterRuneFallback(r, "#")
	}
	terminal.RegisterRuneFallback('…', "~")
	s := &screen{terminal, m, look, make(chan os.Signal, 4), time.NewTimer(min(firstRates, m.Interval()))}
	defer s.timer.Stop()
	signal.Notify(s.signals, syscall.SIGTSTP, syscall.SIGCONT)
	defer signal.Stop(s.signals)
	m.Look(look())
	return s.run(ctx)
}

var errGone = errors.New("the terminal is gone")

func (s *screen) run(ctx context.Context) error {
	for {
		s.show()
		select {
		case <-ctx.Done():
			return nil
		case <-s.timer.C:
			s.next()
		case sig := <-s.signals:
			if err := s.signal(sig); err != nil {
				return err
			}
		case event, ok := <-s.terminal.EventQ():
			if !ok {
				return errGone
			}
			if quit, err := s.event(event); quit || err != nil {
				return err
			}
		}
	}
}

// next looks, unless the frame is held, and sets the time of the look after.
func (s *screen) next() {
	if !s.model.Paused() {
		s.model.Look(s.look())
	}
	s.timer.Reset(s.model.Interval())
}

func (s *screen) event(event tcell.Event) (quit bool, err error) {
	switch e := event.(type) {
	case *tcell.EventError:
		return false, fmt.Errorf("read the terminal: %w", e)
	case *tcell.EventResize:
		s.terminal.Sync()
	case *tcell.EventKey:
		if k, ok := key(e); ok {
			return s.act(s.model.Key(k))
		}
	}
	return false, nil
}

func (s *screen) act(a top.Action) (quit bool, err error) {
	switch a {
	case top.Quit:
		return true, nil
	case top.Stop:
		return false, s.stop()
	case top.Redraw:
		s.terminal.Sync()
	case top.LookNow:
		s.next()
	case top.Interval:
		s.timer.Reset(s.model.Interval())
	}
	return false, nil
}

// show draws a frame. tcell writes what has changed, at once.
func (s *screen) show() {
	width, height := s.terminal.Size()
	s.model.Resize(width, max(height, 1))
	s.terminal.Clear()
	for y, line := range s.model.Frame() {
		x := 0
		for _, span := range line {
			x = put(s.terminal, x, y, span.Text, s.style(span.Style))
		}
	}
	s.terminal.Show()
}

// put writes text at a place, and returns the column behind it.
func put(terminal tcell.Screen, x, y int, words string, style tcell.Style) int {
	for words != "" {
		rest, width := terminal.Put(x, y, words, style)
		if len(rest) >= len(words) { // it takes no more of it
			break
		}
		words, x = rest, x+width
	}
	return x
}

// style is what a meaning looks like. Without colours what is wrong is bold.
func (s *screen) style(meaning text.Style) tcell.Style {
	style, coloured := tcell.StyleDefault, s.terminal.Colors() > 0
	colour := func(c tcell.Color) tcell.Style {
		if coloured {
			return style.Foreground(c)
		}
		return style
	}
	switch meaning {
	case text.Strong:
		return style.Bold(true)
	case text.Faint:
		return style.Dim(true)
	case text.Good:
		return colour(color.Green)
	case text.Odd:
		return colour(color.Olive).Bold(!coloured)
	case text.Bad:
		return colour(color.Maroon).Bold(true)
	case text.Bar:
		return style.Reverse(true)
	default:
		return style
	}
}
