package wire

// RequestType is what a request asks for.
type RequestType byte

// The types of requests; the zero value is none.
const (
	RequestNone RequestType = iota
	RequestSubscribe
	RequestUnsubscribe
	RequestHeartbeat
	RequestReconnect
)

// requestNames are the values of `type`, by RequestType.
var requestNames = [...]string{RequestSubscribe: "subscribe", RequestUnsubscribe: "unsubscribe", RequestHeartbeat: "heartbeat", RequestReconnect: "reconnect"}

// String is the type as clients write it.
func (t RequestType) String() string {
	if t == RequestNone || int(t) >= len(requestNames) {
		return "none"
	}
	return requestNames[t]
}

// Request is one request of a client, checked as far as that is possible
// without knowing its session. Its slices alias the payload that was parsed
// where they can: copy what must outlive it.
type Request struct {
	Type RequestType
	ID   []byte // nil: the request had none; else repeat it in the answer

	// Channels of subscribe, unsubscribe and reconnect, as the client wrote
	// them: their form (event.SplitPattern), duplicates and number are the
	// caller's to judge. Omitted is how many more there were beyond
	// Limits.Channels.
	Channels [][]byte
	Omitted  int

	Last int // of subscribe: 0 to LastMax records of each channel

	ClientID []byte // of reconnect, nil if none
	// Cursor of a reconnect; LastOffsets is the replaced system's form of it.
	// One of the two is not nil.
	Cursor      []TopicCursor
	LastOffsets []LastOffset
}

// LastOffset is one entry of the replaced system's last_offset: "topic": n, or
// "topic:partition": n.
type LastOffset struct {
	Topic     string
	Partition int32 // -1: not named
	Offset    int64 // the last one that the client has
}

// ErrorCode is the `code` of an error answer.
type ErrorCode string

// The codes of error answers.
const (
	ErrorBadJSON     ErrorCode = "bad_json"
	ErrorUnknownType ErrorCode = "unknown_type"
	ErrorBadRequest  ErrorCode = "bad_request"
	ErrorRateLimited ErrorCode = "rate_limited"
)

// RequestError is why a request is refused: Message says what is wrong and
// what would be right.
type RequestError struct {
	Code    ErrorCode
	Message string
	ID      []byte // of the request, nil if it has none that is valid
}

// Error gives code and message.
func (e *RequestError) Error() string { return string(e.Code) + ": " + e.Message }
