package watch

import (
	"testing"

	"github.com/gdamore/tcell/v3"
	"github.com/odin-ws/odin/internal/top"
)

func TestKeys(t *testing.T) {
	for _, c := range []struct {
		event *tcell.EventKey
		want  top.Key
		ok    bool
	}{
		{tcell.NewEventKey(tcell.KeyRune, "q", tcell.ModNone), 'q', true},
		{tcell.NewEventKey(tcell.KeyRune, "?", tcell.ModNone), '?', true},
		{tcell.NewEventKey(tcell.KeyRune, "é", tcell.ModNone), 'é', true},
		{tcell.NewEventKey(tcell.KeyRune, "e\u0301", tcell.ModNone), 'e', false},
		{tcell.NewEventKey(tcell.KeyRune, "", tcell.ModNone), 0xfffd, false},
		{tcell.NewEventKey(tcell.KeyRune, "q", tcell.ModAlt), 'q', false},
		{tcell.NewEventKey(tcell.KeyUp, "", tcell.ModNone), top.Up, true},
		{tcell.NewEventKey(tcell.KeyPgDn, "", tcell.ModNone), top.PageDown, true},
		{tcell.NewEventKey(tcell.KeyCtrlC, "", tcell.ModCtrl), top.Interrupt, true},
		{tcell.NewEventKey(tcell.KeyCtrlZ, "", tcell.ModCtrl), top.Suspend, true},
		{tcell.NewEventKey(tcell.KeyF5, "", tcell.ModNone), 0, false},
	} {
		if got, ok := key(c.event); got != c.want && c.ok || ok != c.ok {
			t.Errorf("%v %q: %d, %v; want %d, %v", c.event.Key(), c.event.Str(), got, ok, c.want, c.ok)
		}
	}
}
