package watch

import (
	"unicode/utf8"

	"github.com/gdamore/tcell/v3"
	"github.com/odin-ws/odin/internal/top"
)

// key is what the model calls a key of tcell's.
func key(e *tcell.EventKey) (top.Key, bool) {
	if e.Key() == tcell.KeyRune {
		r, size := utf8.DecodeRuneInString(e.Str())
		return top.Key(r), size > 0 && size == len(e.Str()) && e.Modifiers()&(tcell.ModAlt|tcell.ModMeta) == 0
	}
	for _, k := range []struct {
		tcell tcell.Key
		top   top.Key
	}{
		{tcell.KeyUp, top.Up},
		{tcell.KeyDown, top.Down},
		{tcell.KeyPgUp, top.PageUp},
		{tcell.KeyPgDn, top.PageDown},
		{tcell.KeyHome, top.Home},
		{tcell.KeyEnd, top.End},
		{tcell.KeyTab, top.Tab},
		{tcell.KeyRight, top.Tab},
		{tcell.KeyBacktab, top.BackTab},
		{tcell.KeyLeft, top.BackTab},
		{tcell.KeyEsc, top.Escape},
		{tcell.KeyEnter, top.Escape},
		{tcell.KeyCtrlC, top.Interrupt},
		{tcell.KeyCtrlZ, top.Suspend},
		{tcell.KeyCtrlL, top.Refresh},
	} {
		if k.tcell == e.Key() {
			return k.top, true
		}
	}
	return 0, false
}
