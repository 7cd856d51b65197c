package route

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/odin-ws/odin/internal/event"
)

// Bounds of a route's words, in bytes.
const (
	TopicMax  = 249 // Kafka's own
	HeaderMax = 128
	PathMax   = 256
)

// Where a subject comes from: the forms of Route.Subject.
const (
	subjectKey    = "key"
	subjectHeader = "header:"
	subjectJSON   = "json:"
)

// Route says into which channel the records of a topic go.
type Route struct {
	Topic   string
	Subject string // "key", "header:NAME" or "json:PATH"
	Event   string
	Slow    Slow
	Class   Class
}

// Text is a route as the configuration has it. Channel is a template:
// {key}.EVENT, {header:NAME}.EVENT or {json:PATH}.EVENT. An empty Slow or
// Class is the default.
type Text struct{ Topic, Channel, Slow, Class string }

// Error is one mistake in a route, in words for who wrote it: what is wrong
// and what is allowed.
type Error struct {
	Index   int    // of the route in the list; 0 from Parse
	Field   string // "topic", "channel", "slow" or "class"
	Message string
}

// Error gives field and message.
func (e *Error) Error() string { return fmt.Sprintf("routes[%d].%s: %s", e.Index, e.Field, e.Message) }

// Default is the routes of a configuration that has none: the eight topics
// that Odin is made for, each keyed by its subject.
func Default() []Route {
	var routes []Route
	for _, name := range []string{"trade", "liquidity", "metadata", "social", "community", "creation", "analytics", "balances"} {
		topic := "odin." + name
		if name == "trade" {
			topic = "odin.trades"
		}
		routes = append(routes, Route{Topic: topic, Subject: subjectKey, Event: name})
	}
	return routes
}

// Keyed tells whether the subject is the record's key.
func (r Route) Keyed() bool { return r.Subject == subjectKey }

// Channel is the template that Parse reads.
func (r Route) Channel() string { return "{" + r.Subject + "}." + r.Event }

// Parse reads a route. The error is an *Error.
func Parse(t Text) (Route, error) {
	slow, err := ParseSlow(t.Slow)
	if err != nil {
		return Route{}, &Error{Field: "slow", Message: quote(t.Slow) + ": " + err.Error()}
	}
	class, err := ParseClass(t.Class)
	if err != nil {
		return Route{}, &Error{Field: "class", Message: quote(t.Class) + ": " + err.Error()}
	}
	subject, name, ok := splitTemplate(t.Channel)
	if !ok {
		return Route{}, &Error{Field: "channel", Message: quote(t.Channel) + " is no template: it must be {key}.EVENT, {header:NAME}.EVENT or {json:PATH}.EVENT, like {key}.trade"}
	}
	r := Route{Topic: t.Topic, Subject: subject, Event: name, Slow: slow, Class: class}
	if fault := r.check(); fault != nil {
		return Route{}, fault
	}
	return r, nil
}

// splitTemplate takes "{subject}.event" apart. A path may itself hold dots
// and braces, an event neither: the last "}." is what divides them.
func splitTemplate(channel string) (subject, name string, ok bool) {
	inner, ok := strings.CutPrefix(channel, "{")
	end := strings.LastIndex(inner, "}.")
	if !ok || end < 0 {
		return "", "", false
	}
	return inner[:end], inner[end+2:], true
}

// check finds the first mistake in a route.
func (r Route) check() *Error {
	if message := checkTopic(r.Topic); message != "" {
		return &Error{Field: "topic", Message: message}
	}
	if message := checkSubject(r.Subject); message != "" {
		return &Error{Field: "channel", Message: message}
	}
	if err := event.CheckPart([]byte(r.Event)); err != nil {
		return &Error{Field: "channel", Message: "event " + quote(r.Event) + ": " + err.Error()}
	}
	return nil
}

// checkTopic checks a topic's name by Kafka's rules.
func checkTopic(topic string) (message string) {
	const allowed = "a topic's name has 1 to 249 letters, digits, '.', '_' and '-', and is neither '.' nor '..'"
	ok := topic != "" && len(topic) <= TopicMax && topic != "." && topic != ".."
	for _, b := range []byte(topic) {
		letter := b|0x20 >= 'a' && b|0x20 <= 'z' || b >= '0' && b <= '9'
		ok = ok && (letter || b == '.' || b == '_' || b == '-')
	}
	if ok {
		return ""
	}
	return quote(topic) + ": " + allowed
}

func checkSubject(subject string) (message string) {
	if subject == subjectKey {
		return ""
	}
	if name, ok := strings.CutPrefix(subject, subjectHeader); ok {
		return checkHeader(name)
	}
	if path, ok := strings.CutPrefix(subject, subjectJSON); ok {
		return checkPath(path)
	}
	return "subject " + quote(subject) + " is unknown: it must be key, header:NAME or json:PATH"
}

func checkHeader(name string) (message string) {
	if name == "" || len(name) > HeaderMax || !utf8.ValidString(name) || hasControl(name) {
		return "header " + quote(name) + ": a header's name has 1 to 128 bytes of UTF-8 without control characters"
	}
	return ""
}

// checkPath lets the plain part of gjson's paths through. Its queries,
// wildcards and modifiers could name several values, of which none is the
// subject, or cost more than a record may.
func checkPath(path string) (message string) {
	const allowed = "a path is names and array indexes with dots between them, like data.symbol or items.0.id; a backslash stands before a special character of a name"
	ok := path != "" && len(path) <= PathMax && utf8.ValidString(path) && !hasControl(path)
	escaped, empty := false, true // empty: the name in hand has nothing yet
	for _, c := range path {
		switch {
		case escaped:
			escaped, empty = false, false
		case c == '\\':
			escaped = true
		case c == '.':
			ok, empty = ok && !empty, true
		case strings.ContainsRune(`|#@*?!{}[]()"':,`, c):
			ok = false
		default:
			empty = false
		}
	}
	if ok && !escaped && !empty {
		return ""
	}
	return "path " + quote(path) + ": " + allowed
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

const quoteMax = 64

// quote shows what was written, shortened.
func quote(s string) string {
	if len(s) > quoteMax {
		return fmt.Sprintf("%.64q…", s)
	}
	return fmt.Sprintf("%q", s)
}
