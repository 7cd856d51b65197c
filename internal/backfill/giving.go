package backfill

import (
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/resume"
)

// Giving is the answer to a sibling's WANT: a pointer into the past and the
// history of a partition.
type Giving struct {
	want    event.Want
	sent    int64 // all up to here was
	records int
	bytes   int
	waits   bool           // for a fill
	fills   int            // that were had since something was sent
	ended   *event.PastEnd // what the fill came to, if not to all
}

// Limit bounds one answer.
type Limit struct{ Records, Bytes int }

// Give begins an answer.
func Give(w event.Want) *Giving { return &Giving{want: w, sent: w.From - 1} }

// Partition is the one that was asked of.
func (g *Giving) Partition() int { return g.want.Partition }

// Waits tells that it can't go on before a fill of the partition has ended.
func (g *Giving) Waits() bool { return g.waits }

// Part is what comes next of an answer.
type Part struct {
	Kind PartKind
	Past event.Past
	End  event.PastEnd
	Need int64
}

// PartKind tells which field of a Part counts.
type PartKind uint8

// The kinds.
const (
	Some PartKind = iota // Past
	End                  // End: the answer is complete
	Need                 // Need: all from there on is wanted first
)

// Next makes the next part: from the history if it reaches that far, else from
// the past, and else it has that read. The records are appended to dst, with
// frames of at most so many bytes (or one), and alias the Store.
func (g *Giving) Next(dst []event.Record, now Now, past *Past, logStart int64, bytes int, most Limit) Part {
	next, to := g.sent+1, min(g.want.To, now.Applied)
	switch {
	case g.want.Era != now.Era:
		return g.stop(resume.Unavailable, logStart)
	case g.sent >= to:
		return g.stop(resume.None, logStart)
	case g.records >= most.Records || g.bytes >= most.Bytes:
		return g.stop(resume.Limit, logStart)
	}
	h, covered, ok := past.Above(now, g.sent)
	switch {
	case ok:
		return g.some(dst, h, min(to, covered), bytes)
	case g.ended != nil:
		return g.named(*g.ended)
	case g.fills >= fillsMax: // it is evicted faster than it is given
		return g.stop(resume.Limit, logStart)
	}
	g.waits = true
	return Part{Kind: Need, Need: next}
}

func (g *Giving) some(dst []event.Record, h replica.History, to int64, bytes int) Part {
	records, reached := h.Records(dst, g.sent, to, bytes)
	for i := range records {
		g.bytes += len(records[i].Frame)
	}
	g.records += len(records)
	p := Part{Past: event.Past{Partition: g.want.Partition, Era: g.want.Era, Number: g.want.Number, Prev: g.sent, To: reached, Records: records}}
	g.sent, g.fills = reached, 0
	return p
}

func (g *Giving) stop(why resume.Reason, logStart int64) Part {
	return g.named(event.PastEnd{To: g.sent, LogStart: logStart, Why: uint8(why)})
}

func (g *Giving) named(end event.PastEnd) Part {
	end.Partition, end.Era, end.Number = g.want.Partition, g.want.Era, g.want.Number
	return Part{Kind: End, End: end}
}

// Filled has it go on, by what a fill came to. False: it did not wait.
func (g *Giving) Filled(r Result) bool {
	if !g.waits {
		return false
	}
	g.waits = false
	g.fills++
	if r.Why != resume.None {
		g.ended = &event.PastEnd{To: r.Reached, LogStart: r.LogStart, Why: uint8(r.Why)}
	}
	return true
}
