package watch

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gdamore/tcell/v3"
	"github.com/gdamore/tcell/v3/color"
	"github.com/gdamore/tcell/v3/vt"
	"github.com/odin-ws/odin/internal/text"
	"github.com/odin-ws/odin/internal/top"
)

// glass is a terminal that is only in memory, and remembers what was written.
type glass struct {
	vt.MockTerm
	mu     sync.Mutex
	writes [][]byte
}

func (g *glass) Write(b []byte) (int, error) {
	g.mu.Lock()
	g.writes = append(g.writes, bytes.Clone(b))
	g.mu.Unlock()
	return g.MockTerm.Write(b)
}

func (g *glass) written() [][]byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.writes
}

// text is what the glass shows.
func (g *glass) text() string {
	size := g.Backend().GetSize()
	var out strings.Builder
	for y := range size.Y {
		for x := range size.X {
			out.WriteString(g.GetCell(vt.Coord{X: x, Y: y}).C)
		}
		out.WriteString("\n")
	}
	return out.String()
}

// shows waits for words to appear.
func (g *glass) shows(t *testing.T, words string) {
	t.Helper()
	eventually(t, func() bool { return strings.Contains(g.text(), words) }, func() string { return "no " + words + " in\n" + g.text() })
}

func eventually(t *testing.T, so func() bool, otherwise func() string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(otherwise())
		}
	}
}

// session is a screen that runs.
type session struct {
	*glass
	stop context.CancelFunc
	done chan error
}

func newGlass(t *testing.T) (*glass, tcell.Screen) {
	t.Helper()
	g := &glass{MockTerm: vt.NewMockTerm()}
	terminal, err := tcell.NewTerminfoScreenFromTty(g, tcell.OptNegotiation(false), tcell.OptTerm("xterm-256color"))
	if err != nil {
		t.Fatal(err)
	}
	return g, terminal
}

func open(t *testing.T, interval time.Duration, look Look) *session {
	t.Helper()
	g, terminal := newGlass(t)
	ctx, stop := context.WithCancel(t.Context())
	s := &session{g, stop, make(chan error, 1)}
	go func() { s.done <- Screen(ctx, terminal, top.New(top.Workers, "", interval), look) }()
	t.Cleanup(func() { stop(); s.ends(t) })
	return s
}

func (s *session) press(keys string) { s.SendRaw([]byte(keys)) }

// ends waits for it, and looks whether the terminal is as it was.
func (s *session) ends(t *testing.T) {
	t.Helper()
	select {
	case err := <-s.done:
		if err != nil {
			t.Errorf("it ends with %v", err)
		}
		s.done <- err
	case <-time.After(30 * time.Second):
		t.Fatal("it does not end")
	}
	s.restored(t)
}

func (g *glass) restored(t *testing.T) {
	t.Helper()
	all := string(bytes.Join(g.written(), nil))
	for set, unset := range map[string]string{"\x1b[?1049h": "\x1b[?1049l", "\x1b[?25l": "\x1b[?25h", "\x1b[?7l": "\x1b[?7h", "\x1b[?1h": "\x1b[?1l"} {
		if !strings.Contains(all, set) || strings.LastIndex(all, unset) < strings.LastIndex(all, set) {
			t.Errorf("%q was written, and not taken back by %q", set, unset)
		}
	}
}

func TestKeysChangeTheFrame(t *testing.T) {
	s := open(t, time.Hour, new(odind).look)
	s.shows(t, "deliveries  200/s") // the second look
	for _, c := range []struct{ keys, shows string }{
		{"2", "[2 partitions]"},
		{"\x1b[B", "2-17 of 96"}, // down
		{"\x1bOB", "3-18 of 96"}, // as it comes in the other mode of the keys
		{"\x1b[6~", "17-32 of 96"},
		{"\x1b[A", "16-31 of 96"},
		{"\x1b[F", "81-96 of 96"},
		{"\x1b[H", "1-16 of 96"},
		{"s", "s sort: lag"},
		{"\t", "[3 clients]"},
		{"\x1b[Z", "[2 partitions]"},
		{"?", "any other key"}, // the last line that is drawn
		{"\x1b", "[2 partitions]"},
		{"p", "paused"},
		{"p", "every 1h"},
		{"-", "every 1m"},
		{"\x0c", "[2 partitions]"},
	} {
		s.press(c.keys)
		s.shows(t, c.shows)
	}
	s.press("q")
	s.ends(t)
}

func TestItEnds(t *testing.T) {
	for name, end := range map[string]func(*session){
		"q":       func(s *session) { s.press("q") },
		"^C":      func(s *session) { s.press("\x03") },
		"context": func(s *session) { s.stop() },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, time.Hour, new(odind).look)
			s.shows(t, "deliveries")
			end(s)
			s.ends(t)
		})
	}
}

func TestItLooksAgain(t *testing.T) {
	var o odind
	s := open(t, 5*time.Millisecond, func() top.Look { o.looks = min(o.looks, 6); return o.look() })
	s.shows(t, "deliveries  700/s") // from the seventh on
}

func TestItFollowsTheSize(t *testing.T) {
	s := open(t, time.Hour, new(odind).look)
	s.shows(t, "deliveries  200/s")
	s.SetSize(vt.Coord{X: 130, Y: 50})
	eventually(t, func() bool {
		lines := strings.Split(s.text(), "\n")
		return len(lines) == 51 && strings.Contains(lines[49], "? help")
	}, s.text)
	s.SetSize(vt.Coord{X: 40, Y: 10})
	eventually(t, func() bool {
		lines := strings.Split(s.text(), "\n")
		return len(lines) == 11 && strings.Contains(lines[9], "? help")
	}, s.text)
}

// A frame changes what has changed, and nothing is erased before it is drawn
// anew: that is what flickers.
func TestFramesAreOneWriteOfWhatChanged(t *testing.T) {
	s := open(t, time.Hour, new(odind).look)
	s.shows(t, "deliveries  200/s")
	s.press("p")
	s.shows(t, "paused")
	from := len(s.written())
	s.press("s")
	s.shows(t, "s sort: sessions")
	data := 0
	for _, w := range s.written()[from:] {
		if bytes.Contains(w, []byte("\x1b[J")) || bytes.Contains(w, []byte("\x1b[2J")) || len(w) > 500 {
			t.Errorf("a frame is %q", w)
		}
		if bytes.Contains(w, []byte("sessions")) || bytes.Contains(w, []byte("ession")) {
			data++
			if !bytes.HasPrefix(w, []byte("\x1b[?2026h")) {
				t.Errorf("not begun as one: %q", w)
			}
		}
	}
	if data != 1 {
		t.Errorf("%d writes: %q", data, s.written()[from:])
	}
}

func TestTheTerminalIsRestoredAfterAPanic(t *testing.T) {
	g, terminal := newGlass(t)
	func() {
		defer func() {
			if recover() != "oh" {
				t.Error("the panic was swallowed")
			}
		}()
		looks := 0
		_ = Screen(t.Context(), terminal, top.New(top.Workers, "", time.Millisecond), func() top.Look {
			if looks++; looks == 2 {
				panic("oh")
			}
			return new(odind).look()
		})
	}()
	g.restored(t)
}

func TestWhatIsWrongWithTheTerminalIsSaid(t *testing.T) {
	g, terminal := newGlass(t)
	done := make(chan error, 1)
	go func() { done <- Screen(t.Context(), terminal, top.New(top.Workers, "", time.Hour), new(odind).look) }()
	g.shows(t, "deliveries")
	terminal.EventQ() <- tcell.NewEventError(os.ErrClosed)
	if err := <-done; !errors.Is(err, os.ErrClosed) && (err == nil || !strings.Contains(err.Error(), os.ErrClosed.Error())) {
		t.Errorf("it ends with %v", err)
	}
	broken, err := tcell.NewTerminfoScreenFromTty(deaf{g}, tcell.OptNegotiation(false), tcell.OptTerm("xterm"))
	if err != nil {
		t.Fatal(err)
	}
	err = Screen(t.Context(), broken, top.New(top.Workers, "", time.Hour), new(odind).look)
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "--once") {
		t.Errorf("a terminal that can't be had: %v", err)
	}
}

// deaf is a terminal that can't be taken over.
type deaf struct{ *glass }

func (deaf) Start() error { return os.ErrPermission }

func TestPausedDoesNotLook(t *testing.T) {
	var o odind
	s := &screen{model: top.New(top.Workers, "", time.Hour), look: o.look, timer: time.NewTimer(time.Hour)}
	s.model.Key('p')
	s.next()
	if o.looks != 0 {
		t.Errorf("%d looks", o.looks)
	}
	if quit, err := s.act(s.model.Key('p')); quit || err != nil || o.looks != 1 {
		t.Errorf("going on: %d looks, %v", o.looks, err)
	}
}

func TestStylesWithAndWithoutColours(t *testing.T) {
	for _, c := range []struct {
		colours int
		want    map[text.Style]string
	}{
		{256, map[text.Style]string{text.Normal: "", text.Strong: "bold", text.Faint: "dim", text.Good: "green", text.Odd: "olive", text.Bad: "maroon bold", text.Bar: "reverse"}},
		{0, map[text.Style]string{text.Normal: "", text.Strong: "bold", text.Faint: "dim", text.Good: "", text.Odd: "bold", text.Bad: "bold", text.Bar: "reverse"}},
	} {
		_, terminal := newGlass(t)
		t.Setenv("NO_COLOR", map[bool]string{true: "1"}[c.colours == 0])
		if err := terminal.Init(); err != nil {
			t.Fatal(err)
		}
		s := &screen{terminal: terminal}
		for meaning := range text.StyleCount {
			if got := described(s.style(meaning)); got != c.want[meaning] {
				t.Errorf("style %d with %d colours is %q, want %q", meaning, c.colours, got, c.want[meaning])
			}
		}
		terminal.Fini()
	}
}

func described(s tcell.Style) string {
	var words []string
	if fg := s.GetForeground(); fg != tcell.ColorDefault {
		words = append(words, map[color.Color]string{color.Green: "green", color.Olive: "olive", color.Maroon: "maroon"}[fg])
	}
	if s.HasBold() {
		words = append(words, "bold")
	}
	if s.HasDim() {
		words = append(words, "dim")
	}
	if s.HasReverse() {
		words = append(words, "reverse")
	}
	return strings.Join(words, " ")
}

// In a locale without them, letters that draw are replaced.
func TestPlainLocales(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	s := open(t, 5*time.Millisecond, new(odind).look)
	s.shows(t, "###")
	if strings.Contains(s.text(), "?#") || strings.ContainsAny(s.text(), "▁▂▃▄▅▆▇█") {
		t.Errorf("in the locale C:\n%s", s.text())
	}
}
