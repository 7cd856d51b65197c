package check

import (
	"fmt"
	"time"

	odin "github.com/odin-ws/odin/clients/go"
)

// Stream is all that one client said and heard, over all of its connections.
type Stream struct {
	Name     string
	Channels []string // channels and patterns; each connection asks for all of them
	Events   []Event
	Notes    []Note // what events of the kind Noted refer to
}

// Event is a record, or refers to a note. There are millions.
type Event struct {
	At        int32 // milliseconds of the run
	Note      int32 // index of the note; NoNote: it is a record
	Topic     uint16
	Partition uint16
	Channel   uint32
	Sum       uint32
	Offset    int64
}

// NoNote marks the event of a record.
const NoNote int32 = -1

// Kind is what a note is about.
type Kind string

// What a client does.
const (
	Connected Kind = "connected"
	Subscribe Kind = "subscribe"
	Reconnect Kind = "reconnect"
	Ended     Kind = "ended" // the connection; Reason says why
)

// What it is told.
const (
	SubscriptionAck Kind = "subscription_ack"
	ReconnectAck    Kind = "reconnect_ack"
	Pong            Kind = "pong"
	Reset           Kind = "reset"
	Gap             Kind = "gap"
	Refused         Kind = "error" // a request was
)

// Note is what happened to a stream besides records. Which fields have a
// meaning depends on the kind, as in the protocol.
type Note struct {
	Kind      Kind
	Cursor    odin.Cursor
	Last      int // asked for with Subscribe
	History   int
	Replayed  int
	Recovered bool
	Lost      bool
	Reason    string
	Pos       odin.Pos
	Channel   string
	Dropped   uint64
}

// String is the note on one line.
func (n Note) String() string {
	s := string(n.Kind)
	switch n.Kind {
	case Gap:
		s += fmt.Sprintf(" %s dropped %d up to %s", n.Channel, n.Dropped, n.Pos)
	case ReconnectAck:
		s += fmt.Sprintf(" recovered:%v replayed %d", n.Recovered, n.Replayed)
	case Reset:
		s += fmt.Sprintf(" lost:%v", n.Lost)
	case SubscriptionAck:
		s += fmt.Sprintf(" history %d", n.History)
	}
	if n.Reason != "" {
		s += " (" + n.Reason + ")"
	}
	return s
}

// Add appends a note at a time of the run.
func (s *Stream) Add(at time.Duration, n Note) {
	s.Events = append(s.Events, Event{At: int32(at.Milliseconds()), Note: int32(len(s.Notes))})
	s.Notes = append(s.Notes, n)
}

// Records counts the records of the stream.
func (s *Stream) Records() int { return len(s.Events) - len(s.Notes) }
