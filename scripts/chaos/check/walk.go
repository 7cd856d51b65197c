package check

import (
	"fmt"
	"time"

	odin "github.com/odin-ws/odin/clients/go"
)

// Names gives the channels and topics that events name by numbers.
type Names struct {
	Channels []string
	Topics   []string
}

// Check walks through a stream and gives what is wrong with it, at most a few
// faults: behind the first one the rest may be its consequence.
func Check(log Log, names Names, s *Stream) []Fault {
	w := &walk{log: log, names: names, stream: s, topics: map[string]*place{}}
	for _, channel := range names.Channels {
		w.wanted = append(w.wanted, w.wants(channel))
	}
	for i := range s.Events {
		w.at = i
		w.event(&s.Events[i])
		if len(w.faults) >= faultsMax {
			break
		}
	}
	return w.faults
}

const faultsMax = 5

// walk is the state of a check: what the client knows by then.
type walk struct {
	log    Log
	names  Names
	stream *Stream
	wanted []bool // by channel
	at     int    // event
	faults []Fault

	trials []trial // of the present event

	topics    map[string]*place
	joined    bool                       // subscribed or resumed: records may come
	resuming  bool                       // a reconnect is not answered yet
	offered   odin.Cursor                // with it
	replayed  int                        // records since then, those dropped included
	sound     int                        // faults before it
	last      int                        // asked for
	history   []Event                    // records of the last ones asked for
	elders    map[[2]uint16]*Incarnation // by topic and partition: of whose log they are
	remembers int                        // of them are to come
}

// place is where a stream is in a topic.
type place struct {
	epoch       string
	incarnation *Incarnation
	parts       []part
}

// part is where it is in a partition: everything up to pos was sent or
// announced.
type part struct {
	pos   int64
	lines []line            // the lives that fit what was sent; never empty
	vague bool              // nothing is proven (null)
	told  map[uint32]uint64 // announced as dropped and not met yet, by channel
	sent  bool              // a record came since the last answer that set it
}

func (w *walk) wants(channel string) bool {
	for _, pattern := range w.stream.Channels {
		if Matches(pattern, channel) {
			return true
		}
	}
	return false
}

func (w *walk) fault(class Class, pos odin.Pos, format string, args ...any) {
	w.faults = append(w.faults, w.faulty(class, pos, format, args...))
}

func (w *walk) faulty(class Class, pos odin.Pos, format string, args ...any) Fault {
	return Fault{Class: class, Stream: w.stream.Name, Event: w.at, At: w.now(), Pos: pos, Text: fmt.Sprintf(format, args...)}
}

// now is the time of the present event.
func (w *walk) now() time.Duration { return time.Duration(w.stream.Events[w.at].At) * time.Millisecond }

func (w *walk) event(e *Event) {
	if e.Note == NoNote {
		w.record(e)
		return
	}
	n := &w.stream.Notes[e.Note]
	switch n.Kind {
	case Connected:
		w.connected()
	case Subscribe:
		w.topics, w.last = map[string]*place{}, n.Last
	case Reconnect:
		w.offer(n)
	case SubscriptionAck:
		w.subscribed(n)
	case ReconnectAck:
		w.resumed(n)
	case Pong:
		w.confirm(n.Cursor)
	case Reset:
		w.reset(n)
	case Gap:
		w.gap(n)
	case Refused:
		w.fault(Unfit, odin.Pos{}, "a request was refused: %s", n.Reason)
	case Ended:
	}
}

// connected begins a connection: what was announced on the last one has no
// meaning any more.
func (w *walk) connected() {
	w.joined, w.resuming, w.remembers = false, false, 0
	for _, p := range w.topics {
		for i := range p.parts {
			p.parts[i].told = nil
		}
	}
}

// record takes one that was sent.
func (w *walk) record(e *Event) {
	pos := odin.Pos{Topic: w.names.Topics[e.Topic], Partition: int(e.Partition), Offset: e.Offset}
	p := w.topics[pos.Topic]
	switch {
	case p == nil || !w.joined && !w.resuming:
		w.fault(Unfit, pos, "came before any answer")
		return
	case w.remembers > 0:
		w.remember(p, pos, e)
		return
	}
	if w.resuming {
		w.replayed++
	}
	w.next(p, pos, e)
}

// next takes a record of the stream proper.
func (w *walk) next(p *place, pos odin.Pos, e *Event) {
	part := w.part(p, pos.Partition)
	if e.Offset <= part.pos && !part.vague {
		w.again(pos, part.pos, e)
		return
	}
	part.sent = true
	w.move(p, pos, e.Offset, e, Missing)
}

// again tells whether the client has had a record that its cursor covers.
func (w *walk) again(pos odin.Pos, covered int64, e *Event) {
	for i := w.at - 1; i >= 0; i-- {
		if old := &w.stream.Events[i]; old.Note == NoNote && old.Topic == e.Topic && old.Partition == e.Partition && old.Offset == e.Offset {
			w.fault(Twice, pos, "came already as event %d; the cursor was at %d", i, covered)
			return
		}
	}
	w.fault(Disorder, pos, "came when the cursor was at %d", covered)
}

// part gives a partition's place. One that was not there before is owed from
// its first record on.
func (w *walk) part(p *place, number int) *part {
	for i := len(p.parts); i <= number; i++ {
		p.parts = append(p.parts, part{pos: -1, lines: w.lines(p, i, -1)})
	}
	return &p.parts[number]
}
