package top

// Key is a key that was pressed: a character, or one of those below.
type Key rune

// Keys that are no characters of their own. They are negative so that no
// character is one.
const (
	Up Key = -1 - iota
	Down
	PageUp
	PageDown
	Home
	End
	Tab
	BackTab
	Escape
	Interrupt // ^C
	Suspend   // ^Z
	Refresh   // ^L
)

// Action is what a key asks of the terminal's side.
type Action int

// The actions.
const (
	Nothing  Action = iota // but to show the frame
	Quit                   // end
	Stop                   // give the terminal back until the shell continues us
	Redraw                 // everything, for something else wrote to the terminal
	LookNow                // don't wait for the interval's end
	Interval               // another one begins
)

// Key changes the model as a key asks.
func (m *Model) Key(k Key) Action {
	switch k {
	case 'q', 'Q', Interrupt:
		return Quit
	case Suspend:
		return Stop
	case Refresh:
		return Redraw
	}
	if m.help {
		return m.helpKey(k)
	}
	switch k {
	case '?', 'h', 'H':
		m.help, m.helpOffset = true, 0
	case 'p', 'P', ' ':
		m.paused = !m.paused
		if !m.paused {
			return LookNow
		}
	case '+', '=':
		return m.setInterval(longer(m.interval))
	case '-', '_':
		return m.setInterval(shorter(m.interval))
	default:
		m.viewKey(k)
	}
	return Nothing
}

// helpKey scrolls the help, or leaves it.
func (m *Model) helpKey(k Key) Action {
	if by, ok := m.scroll(k); ok {
		m.helpOffset = clamp(m.helpOffset, by, m.scrollMax())
		return Nothing
	}
	m.help = false
	return Nothing
}

// viewKey changes what is seen, and in which order.
func (m *Model) viewKey(k Key) {
	if by, ok := m.scroll(k); ok {
		m.offset = clamp(m.offset, by, m.scrollMax())
		return
	}
	switch {
	case k == Tab:
		m.show((m.view + 1) % viewCount)
	case k == BackTab:
		m.show((m.view + viewCount - 1) % viewCount)
	case k >= '1' && k < '1'+Key(viewCount):
		m.show(View(k - '1'))
	case k == 's':
		m.sort((m.sorts[m.view] + 1) % len(m.orders()))
	case k == 'S':
		m.sort((m.sorts[m.view] + len(m.orders()) - 1) % len(m.orders()))
	case k == 'r', k == 'R':
		m.reversed[m.view] = !m.reversed[m.view]
	}
}

func (m *Model) show(v View) { m.view, m.offset = v, 0 }

func (m *Model) sort(by int) { m.sorts[m.view], m.reversed[m.view], m.offset = by, false, 0 }

// scroll tells by how many rows a key moves what is seen.
func (m *Model) scroll(k Key) (rows int, ok bool) {
	page := max(1, m.height-rowsAround)
	switch k {
	case Up, 'k':
		return -1, true
	case Down, 'j':
		return 1, true
	case PageUp:
		return -page, true
	case PageDown:
		return page, true
	case Home, 'g':
		return -rowsMax, true
	case End, 'G':
		return rowsMax, true
	}
	return 0, false
}

// rowsMax is more than there can be rows.
const rowsMax = 1 << 20

// rowsAround is about how many rows of a screen are no rows of the table.
const rowsAround = 10

func clamp(offset, by, most int) int { return max(0, min(offset+by, most)) }
