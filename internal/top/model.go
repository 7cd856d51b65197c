package top

import "time"

// Model is all that a frame is made of. One goroutine at a time may use it.
type Model struct {
	width, height int // height 0: as many lines as there are

	view     View
	sorts    [viewCount]int // index into the view's orders
	reversed [viewCount]bool
	offset   int // of the first row shown

	help       bool
	helpOffset int
	paused     bool
	interval   time.Duration

	look    Look // the last one that found an odind
	looked  bool // there was one
	now     time.Time
	missing string
	history [viewCount]series // what each view's chart shows
}

// View is what is seen below the heading.
type View int

// The views, by their keys 1, 2, 3.
const (
	Workers View = iota
	Partitions
	Clients
	viewCount
)

// Views are their names, in order.
func Views() []string { return []string{"workers", "partitions", "clients"} }

// New begins with a view that is ordered by the given order, one of Orders; ""
// is the first.
func New(view View, order string, interval time.Duration) *Model {
	m := &Model{view: view, interval: interval}
	for i, name := range Orders(view) {
		if name == order {
			m.sorts[view] = i
		}
	}
	return m
}

// Resize says how large the terminal is; height 0: as long as it needs.
func (m *Model) Resize(width, height int) {
	m.width, m.height = max(width, 1), height
}

// Paused tells whether looks are unwanted.
func (m *Model) Paused() bool { return m.paused }

// Look takes the newest look. Without an odind the last one stays known.
func (m *Model) Look(l Look) {
	m.now, m.missing = l.At, l.Missing
	if l.Missing != "" {
		return
	}
	m.look, m.looked = l, true
	m.remember()
}

// remember adds to the charts.
func (m *Model) remember() {
	if !m.look.known() {
		return
	}
	for view, value := range [viewCount]float64{m.look.Rates.Deliveries, m.look.Rates.Records, float64(m.look.Status.Sessions)} {
		m.history[view] = m.history[view].with(m.look.At, value)
	}
}
