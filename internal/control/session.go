package control

// Session is all that is known of one session. What lies in the future of a
// live one, and its queue, are zero for one that ended.
type Session struct {
	Connection
	OwedRecords  uint32 `json:"owed_records"`  // not sent whole yet
	OwnBytes     int    `json:"own_bytes"`     // of the owed bytes: answers, which no other session shares
	Pieces       int    `json:"pieces"`        // runs of memory that the owed bytes lie in
	PartialBytes int    `json:"partial_bytes"` // received of a request that is not complete
	Errors       uint32 `json:"errors"`        // of its requests, in the present window (limits.errors_window_ms)
	PingMS       int64  `json:"ping_ms"`       // when it is pinged next, Unix milliseconds
	PongDueMS    int64  `json:"pong_due_ms"`   // until when its pong is awaited, Unix milliseconds; 0: none is
}

// SessionItem is what an answer about one session consists of: first the
// Session, then its Patterns and its Cursor, in pieces.
type SessionItem struct {
	Session  *Session    `json:"session,omitempty"`
	Patterns []string    `json:"patterns,omitempty"`
	Cursor   *CursorPart `json:"cursor,omitempty"`
}

// CursorPart is a run of one topic's entries in a session's cursor: the last
// offset of each partition that the session was given; what it is owed counts
// as given.
type CursorPart struct {
	Topic   string  `json:"topic"`
	Epoch   string  `json:"epoch"`
	From    int32   `json:"from"`    // the partition of the first entry
	Offsets []int64 `json:"offsets"` // -1: before the first, -2: not known here yet
}

// Bounds of the pieces of an answer, so that each fits a line.
const (
	PatternsMax = 200
	OffsetsMax  = 2000
)
