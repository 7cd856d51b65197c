package top

import (
	"time"

	"github.com/odin-ws/odin/internal/status"
)

// Look is odind at one moment, and what has happened since the look before.
type Look struct {
	At     time.Time
	Status status.Status
	Rates  status.Rates
	// Missing says why there is neither, "" if there are both.
	Missing string
}

// Document is a look as `odinctl top --json` prints it, one a line.
type Document struct {
	// TS is when odinctl looked, in milliseconds since 1970.
	TS int64 `json:"ts"`
	// Running tells whether there was an odind to look at.
	Running bool `json:"running"`
	// Error says why there was none, "" if there was.
	Error string `json:"error"`
	// Status is what odinctl status --json prints, null if there was none.
	Status *status.Status `json:"status"`
	// Rates is what happened since the document before, null if there was none.
	Rates *status.Rates `json:"rates"`
}

// Document is the look for programs.
func (l Look) Document() Document {
	d := Document{TS: l.At.UnixMilli(), Error: l.Missing, Running: l.Missing == ""}
	if d.Running {
		d.Status, d.Rates = &l.Status, &l.Rates
	}
	return d
}

// known tells whether the rates mean something: the first look has none.
func (l Look) known() bool { return l.Rates.IntervalS > 0 }

// rate is a cell of what happens each second.
func (l Look) rate(text string) string {
	if !l.known() {
		return "-"
	}
	return text
}

func (l Look) worker(slot int) status.Flow {
	if slot < len(l.Rates.Workers) {
		return l.Rates.Workers[slot].Flow
	}
	return status.Flow{}
}

func (l Look) partition(i int) float64 {
	if i < len(l.Rates.Partitions) {
		return l.Rates.Partitions[i].Records
	}
	return 0
}
