package wire

import "time"

// RetryAfter is what a refusal that will pass asks a client to wait, by
// default.
const RetryAfter = 5 * time.Second

// Refusal is an answer of HTTP in place of the upgrade.
type Refusal struct {
	Status  int
	Error   string   // `error` of the body
	Reasons []string // what `reason` can be; none: it is a text for people
	Retry   bool     // with Retry-After
	When    string
}

// Refusals is every refusal before the upgrade, by ascending status.
func Refusals() []Refusal {
	return []Refusal{
		{Status: 400, Error: "bad_handshake", When: "not a WebSocket handshake (another method, version, or no key); `reason` says what is missing"},
		{Status: 401, Error: "unauthorized", Reasons: []string{"token"}, When: "no or a bad token *(later)*"},
		{Status: 403, Error: "forbidden", Reasons: []string{"origin"}, When: "`origins` doesn't list the Origin"},
		{Status: 404, Error: "not_found", When: "another path; `reason` names those that there are"},
		{Status: 429, Error: "rate_limited", Reasons: []string{"rate"}, Retry: true, When: "too many attempts *(later)*"},
		{Status: 431, Error: "too_large", When: "the request's head is too large; `reason` names the limit"},
		{Status: 500, Error: "internal", When: "an internal fault; `reason` is its id in the log"},
		{Status: 503, Error: "overloaded", Reasons: []string{"connections", "fds", "handshakes", "cpu", "memory", "starting", "draining"}, Retry: true, When: "no session can be taken now (`cpu`, `memory`: *later*)"},
	}
}

// AppendRefusalBody appends the JSON body of a refusal.
func AppendRefusalBody(dst []byte, err, reason string) []byte {
	dst = appendString(append(dst, `{"error":`...), err)
	dst = appendString(append(dst, `,"reason":`...), reason)
	return append(dst, '}')
}
