package route

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/wire"
)

// RoutesMax is the most routes, as many as the most topics.
const RoutesMax = 64

// Table places records; it is made once and never changes.
type Table struct {
	routes []Route
	topics map[string]*placer
}

// placer is a route in the form that a record is placed by.
type placer struct {
	route  Route
	header string // "": not from a header
	path   string // "": not from the value
	suffix string // ".event"
}

// NewTable makes a table of the routes. It finds all mistakes at once, as a
// joined error of *Error.
func NewTable(routes []Route) (*Table, error) {
	t := &Table{topics: make(map[string]*placer, len(routes))}
	var mistakes []error
	if len(routes) == 0 || len(routes) > RoutesMax {
		mistakes = append(mistakes, fmt.Errorf("routes: there are %d, 1 to %d are allowed", len(routes), RoutesMax))
	}
	for i, r := range routes {
		fault := r.check()
		if fault == nil && t.topics[r.Topic] != nil {
			fault = &Error{Field: "topic", Message: quote(r.Topic) + " has a route already: one route a topic is allowed"}
		}
		if fault != nil {
			fault.Index = i
			mistakes = append(mistakes, fault)
			continue
		}
		t.add(r)
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	return t, nil
}

func (t *Table) add(r Route) {
	p := &placer{route: r, suffix: "." + r.Event}
	p.header, _ = strings.CutPrefix(r.Subject, subjectHeader)
	p.path, _ = strings.CutPrefix(r.Subject, subjectJSON)
	if p.header == r.Subject {
		p.header = ""
	}
	if p.path == r.Subject {
		p.path = ""
	}
	t.routes = append(t.routes, r)
	t.topics[r.Topic] = p
}

// Routes is the routes in the order of the configuration.
func (t *Table) Routes() []Route { return append([]Route(nil), t.routes...) }

// Topics is the routes' topics in the order of the configuration.
func (t *Table) Topics() []string {
	topics := make([]string, len(t.routes))
	for i, r := range t.routes {
		topics[i] = r.Topic
	}
	return topics
}

// Route is the route of a topic.
func (t *Table) Route(topic string) (r Route, ok bool) {
	p := t.topics[topic]
	if p == nil {
		return Route{}, false
	}
	return p.route, true
}

// Place appends the channel of a record to dst. Unless the reason is OK, dst
// is returned as it was. header returns the value of the record's header of
// that name; it is only called for a route that names one, and may be nil if
// there is none. For a route by key nothing is allocated when dst has room
// for event.ChannelMax bytes.
func (t *Table) Place(dst []byte, topic string, key, value []byte, header func(name string) ([]byte, bool)) (channel []byte, reason Skip) {
	p := t.topics[topic]
	if p == nil {
		return dst, NoRoute
	}
	subject := key
	switch {
	case p.header != "":
		subject = nil
		if header != nil {
			subject, _ = header(p.header)
		}
	case p.path != "":
		if subject, reason = p.lookUp(value); reason != OK {
			return dst, reason
		}
	}
	if len(subject) == 0 {
		return dst, NoKey
	}
	if event.CheckPart(subject) != nil {
		return dst, BadSubject
	}
	return append(append(dst, subject...), p.suffix...), OK
}

// lookUp takes the subject out of the value: a string, or a number as it is
// written. gjson makes something of broken JSON too, which could be a wrong
// subject: the value is checked first. Of a name that is there twice the first
// counts.
func (p *placer) lookUp(value []byte) ([]byte, Skip) {
	if !wire.ValidJSON(value) {
		return nil, BadPath
	}
	switch found := gjson.GetBytes(value, p.path); found.Type {
	case gjson.String:
		return []byte(found.Str), OK
	case gjson.Number:
		return []byte(found.Raw), OK
	default:
		return nil, BadPath
	}
}
