package control

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Command says what a Request asks for. The comment of each constant names the
// fields that it carries.
type Command string

// What odinctl may ask of the supervisor.
const (
	// Version asks for the running build: Response.Version and PID.
	Version Command = "version"
	// Ask puts Query to the workers, or to those of Process alone. Each item
	// says which worker's it is; who didn't answer in time is in Missing.
	Ask Command = "ask"
	// DrainAll has all workers take no more sessions, and close those they have
	// over OverMS. Response.WasDraining; then an OverMS plans anew who is left,
	// and none leaves the drain as it is.
	DrainAll Command = "drain"
	// UndrainAll takes a drain back: Response.WasDraining, else nothing is done.
	UndrainAll Command = "undrain"
	// Reload has the configuration read anew. The items are what was found
	// (config.Finding); behind them Digest and Unchanged, and in Missing who did
	// not say in time that it is in force there. Refused: nothing has changed.
	Reload Command = "reload"
	// Levels sets Level, if it is given, for the log of Process, or of all
	// processes if none is named. The items are the LevelItems in force there;
	// who didn't answer in time is in Missing.
	Levels Command = "levels"
)

// commands are those that a supervisor answers, for those that it doesn't.
var commands = []Command{Version, Ask, DrainAll, UndrainAll, Reload, Levels}

// Request is one line from odinctl. Command tells which fields count.
type Request struct {
	Command Command `json:"command"`

	Query   *Query `json:"query,omitempty"`
	Process string `json:"process,omitempty"` // a worker's slot, or Supervisor; "": all workers
	OverMS  *int64 `json:"over_ms,omitempty"` // nil: limits.drain_ms
	Level   string `json:"level,omitempty"`   // debug, info, warn or error
}

// Supervisor is the Process of a Request that is none of the workers.
const Supervisor = "supervisor"

// Kind says what a Query asks for.
type Kind string

// What a worker may be asked.
const (
	// Profile asks for a profile of the process: Profile, Seconds. The items
	// are its bytes in pieces (JSON strings, base64).
	Profile Kind = "profile"
	// Sessions asks for sessions, live or closed: Connections. The items are
	// ConnectionItems.
	Sessions Kind = "sessions"
	// OneSession asks for all that is known of one: Session. The items are
	// SessionItems.
	OneSession Kind = "session"
	// Subscribed asks for the patterns that sessions subscribe to: Channels.
	// The items are ChannelsItems.
	Subscribed Kind = "subscribed"
	// Traffic asks what comes on which channels, for Seconds: Channels. Every
	// worker sees all records, so one is enough. The items are TrafficItems.
	Traffic Kind = "traffic"
	// Explain asks for all that is known of a channel or pattern: Channel. The
	// items are ExplainItems.
	Explain Kind = "explain"
	// Level asks for the level of the log. The item is its name.
	Level Kind = "level"
)

// Query is a question to one process; Kind tells which fields count. It
// travels from odinctl through the supervisor to the workers as it is.
type Query struct {
	Kind Kind `json:"kind"`

	Profile string `json:"profile,omitempty"` // one of Profiles
	Seconds int    `json:"seconds,omitempty"` // how long to measure, for those that take a while

	Connections *Connections `json:"connections,omitempty"`
	Session     SessionID    `json:"session,omitzero"`
	Channels    *Channels    `json:"channels,omitempty"`
	Channel     string       `json:"channel,omitempty"`
}

// Response is a line that answers a Request, or a worker's Query: first any
// number of lines with an Item, then one without, which is the end.
type Response struct {
	Item json.RawMessage `json:"item,omitempty"`
	Slot int             `json:"slot,omitempty"` // of the worker whose item it is

	OK bool `json:"ok,omitempty"`
	// Error says what failed, why, and what to try. Empty when OK.
	Error string `json:"error,omitempty"`

	Version string `json:"version,omitempty"` // of the running supervisor
	PID     int    `json:"pid,omitempty"`     // of the supervisor
	Missing []int  `json:"missing,omitempty"` // slots of workers that did not answer in time

	WasDraining bool   `json:"was_draining,omitempty"`  // before this request
	Digest      string `json:"config_digest,omitempty"` // of the configuration in force
	Unchanged   int    `json:"unchanged,omitempty"`     // keys that have the value which they had
}

// Refused is the answer to what can't be done; the words say why, and what
// would be right.
func Refused(format string, args ...any) Response {
	return Response{Error: fmt.Sprintf(format, args...)}
}

// Unknown is the answer to a command that does not exist.
func Unknown(command Command) Response {
	known := make([]string, len(commands))
	for i, c := range commands {
		known[i] = string(c)
	}
	return Refused("unknown command %q: this odind answers %s", command, strings.Join(known, ", "))
}
