package check

import (
	"fmt"
	"time"

	odin "github.com/odin-ws/odin/clients/go"
)

// Class is a kind of fault.
type Class string

// The faults that streams are searched for.
const (
	Missing          Class = "gap"             // a record was neither sent nor announced as lost
	Twice            Class = "duplicate"       // a record was sent that the client's cursor covers, and that it had
	Disorder         Class = "reorder"         // one that the cursor covers, and that it had not
	FalselyRecovered Class = "false recovered" // recovered:true over something that was missing
	Phantom          Class = "phantom"         // a record that was never committed, or not so
	Unfounded        Class = "unfounded loss"  // a loss was announced that had no reason
	Misannounced     Class = "wrong notice"    // gap, history or cursor does not say what was sent
	Stalled          Class = "stalled"         // the stream did not come to the log's end
	Unfit            Class = "unfit"           // out of what the protocol allows
)

// Fault is one thing that is wrong with a stream.
type Fault struct {
	Class  Class
	Stream string
	Event  int           // index of the event at which it showed
	At     time.Duration // of the run
	Pos    odin.Pos
	Text   string
}

// String is the fault on one line.
func (f Fault) String() string {
	return fmt.Sprintf("%s: %s at %v, event %d: %s %s", f.Class, f.Stream, f.At, f.Event, f.Pos, f.Text)
}

// Tally counts what streams have been through.
type Tally struct {
	Connections int
	Deliveries  int
	Subscribes  int
	Resumes     int            // reconnects that were answered
	Recovered   int            // of these
	Replayed    int            // records
	Refused     map[string]int // resumes that were not recovered, by reason
	Resets      map[string]int // by reason and loss
	Gaps        int            // notices
	Dropped     int            // records that they announce
	Endings     map[string]int // of connections, by reason
}

// NewTally returns one that counts from zero.
func NewTally() *Tally {
	return &Tally{Refused: map[string]int{}, Resets: map[string]int{}, Endings: map[string]int{}}
}

// Count adds a stream.
func (t *Tally) Count(s *Stream) {
	t.Deliveries += s.Records()
	for _, n := range s.Notes {
		t.note(n)
	}
}

func (t *Tally) note(n Note) {
	switch n.Kind {
	case Connected:
		t.Connections++
	case Subscribe:
		t.Subscribes++
	case Ended:
		t.Endings[n.Reason]++
	case Gap:
		t.Gaps++
		t.Dropped += int(n.Dropped)
	case Reset:
		t.Resets[fmt.Sprintf("%s lost:%v", n.Reason, n.Lost)]++
	case ReconnectAck:
		t.Resumes++
		t.Replayed += n.Replayed
		if n.Recovered {
			t.Recovered++
		} else {
			t.Refused[n.Reason]++
		}
	}
}
