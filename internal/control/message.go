package control

import (
	"encoding/json"

	"github.com/odin-ws/odin/internal/event"
)

// Type says what a Message is. The comment of each constant names the fields
// that it carries and the files that travel with it.
type Type string

// Supervisor to worker.
const (
	// Config comes first, once: Config, Slot, Generation, Slots.
	Config Type = "config"
	// Reconfigure brings another configuration into force: Config, which
	// differs from the one before only in what needs no restart. With 1 file,
	// a pipe, the worker answers into it once it is.
	Reconfigure Type = "reload"
	// Link brings one end of a stream socketpair to a sibling: Peer,
	// PeerGeneration, 1 file. It replaces an earlier link to that slot: the
	// old end is closed, unread, before the new one is used (rule 9).
	Link Type = "link"
	// Listener brings the listening socket of a slot, its own or a lent one:
	// Slot, 1 file. The worker accepts from it once it is ready.
	Listener Type = "listener"
	// Unlisten takes the listener of a slot back: Slot. The worker accepts
	// no more from it, closes its copy and answers Unlistened.
	Unlisten Type = "unlisten"
	// Scout appoints (On) or relieves the worker that watches the topology. Kept
	// is what is known of partitions from before this start.
	Scout Type = "scout"
	// Drain closes sessions spread over WindowMS; new ones get 503. One that
	// comes again plans anew who is left.
	Drain Type = "drain"
	// Undrain takes a Drain back: who is left stays.
	Undrain Type = "undrain"
	// Stop closes all sessions with 1001 spread over OverMS, then the worker
	// answers Stopped and exits with 0.
	Stop Type = "stop"
	// LogLevel sets the level: Level.
	LogLevel Type = "loglevel"
	// Inquiry brings a question of the operator's: Query, 1 file (the writing
	// end of a pipe). The worker writes its answer there and closes it.
	Inquiry Type = "inquiry"
	// Dump asks for the stacks of all goroutines on standard error. (SIGQUIT
	// does the same, but ends the process: kept for the dead.)
	Dump Type = "dump"
)

// Worker to supervisor.
const (
	// Ready says that the worker is positioned everywhere and accepts.
	Ready Type = "ready"
	// Unlistened answers Unlisten: Slot.
	Unlistened Type = "unlistened"
	// Topology is the scout's complete, error-free report: Topics, Missing.
	// Sent at once after Scout on, then whenever it differs from the last.
	Topology Type = "topology"
	// Source says how the worker's source does, at start and at each change:
	// Healthy, Everywhere, Reason.
	Source Type = "source"
	// Unlinked says that the link to a sibling is gone though nobody replaced
	// it: Peer, PeerGeneration. The lower slot of the two says it.
	Unlinked Type = "unlinked"
	// Stopped says that all sessions are closed; exit follows.
	Stopped Type = "stopped"
)

// Message is all that supervisor and worker can say. Type tells which fields
// count; the others are zero.
type Message struct {
	Type Type `json:"type"`

	Config     json.RawMessage `json:"config,omitempty"` // config.Config, secrets included: never logged
	Slot       int             `json:"slot,omitempty"`
	Generation uint32          `json:"generation,omitempty"`
	Slots      int             `json:"slots,omitempty"` // how many workers run; slots are 0 to Slots-1

	Peer           int    `json:"peer,omitempty"` // slot of the sibling
	PeerGeneration uint32 `json:"peer_generation,omitempty"`

	On       bool   `json:"on,omitempty"`
	WindowMS int64  `json:"window_ms,omitempty"`
	OverMS   int64  `json:"over_ms,omitempty"`
	Level    string `json:"level,omitempty"` // debug, info, warn, error
	Query    *Query `json:"query,omitempty"`

	Healthy    bool   `json:"healthy,omitempty"`
	Everywhere bool   `json:"everywhere,omitempty"` // not healthy, but by what is the same for every worker
	Reason     string `json:"reason,omitempty"`     // for operators, without secrets

	Kept    []Kept   `json:"kept,omitempty"`
	Topics  []Topic  `json:"topics,omitempty"`
	Missing []string `json:"missing,omitempty"` // configured topics that the broker lacks
}

// Topic is one topic as the broker has it now.
type Topic struct {
	Name       string        `json:"name"`
	ID         event.TopicID `json:"id"` // zero: the broker has no topic ids
	Partitions []Partition   `json:"partitions"`
}

// Partition is one partition of a Topic. Base is the offset to read next
// (rule 3's b); of a partition that the segment's table has already it is
// ignored: the first report wins.
type Partition struct {
	Number int32 `json:"number"`
	Base   int64 `json:"base"`
	Cut    *Cut  `json:"cut,omitempty"` // its log lacks what Kept says that was held
}

// Kept is the last record of a partition that anybody held before odind started.
type Kept struct {
	Topic  string        `json:"topic"`
	Number int32         `json:"number"`
	ID     event.TopicID `json:"id"`
	Held   int64         `json:"held"`
	Epoch  int32         `json:"epoch"` // leader epoch of Held
}

// Cut is where a log was truncated.
type Cut struct {
	From  int64 `json:"from"`
	Epoch int32 `json:"epoch"` // leader epoch of From-1, -1: not known
}
