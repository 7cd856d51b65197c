package odin

import (
	"encoding/json"
	"maps"
	"slices"
)

// set is a set of channels.
type set map[string]struct{}

func (s set) add(name string)      { s[name] = struct{}{} }
func (s set) has(name string) bool { _, ok := s[name]; return ok }
func (s set) sorted() []string     { return slices.Sorted(maps.Keys(s)) }

// channels is what the caller wants to hear, and what the server was asked
// for. A channel is covered when the server has taken it: the cursor is its
// place, too, and what comes after it is owed. One that was added since has no
// past: it is subscribed from now on.
type channels struct {
	wanted   set
	covered  set
	asked    set  // on this connection; nil: there is none
	resuming bool // this connection's reconnect is not answered yet
}

func newChannels(names []string, covered bool) channels {
	c := channels{wanted: set{}, covered: set{}}
	for _, name := range names {
		c.wanted.add(name)
		if covered {
			c.covered.add(name)
		}
	}
	return c
}

// want adds channels.
func (c *channels) want(names []string) {
	for _, name := range names {
		c.wanted.add(name)
	}
}

// forget drops channels. What the server has taken is covered until the server
// is told.
func (c *channels) forget(names []string) {
	for _, name := range names {
		delete(c.wanted, name)
		if c.asked == nil {
			delete(c.covered, name)
		}
	}
}

// reject drops channels that the server doesn't take.
func (c *channels) reject(name string) {
	delete(c.wanted, name)
	delete(c.covered, name)
	delete(c.asked, name)
}

// cover marks channels that the server has taken and still has.
func (c *channels) cover(names []string) {
	for _, name := range names {
		if c.asked.has(name) {
			c.covered.add(name)
		}
	}
}

// begin begins a connection, and returns the channels to resume.
func (c *channels) begin() []string {
	c.asked = maps.Clone(c.covered)
	c.resuming = len(c.asked) > 0
	return c.asked.sorted()
}

// resumed ends what begin began.
func (c *channels) resumed() { c.resuming = false }

// restart subscribes anew what could not be resumed.
func (c *channels) restart() { c.asked, c.resuming = set{}, false }

// end ends a connection.
func (c *channels) end() {
	c.asked, c.resuming = nil, false
	maps.DeleteFunc(c.covered, func(name string, _ struct{}) bool { return !c.wanted.has(name) })
}

// changes is what the server is still to be asked for.
type changes struct {
	unsubscribe []string
	subscribe   []string
	restart     []string // to subscribe again: the caller has had their past
}

// changes takes what is to be asked, which counts as asked from now on.
func (c *channels) changes() (todo changes) {
	if c.resuming || c.asked == nil {
		return todo
	}
	for _, name := range c.asked.sorted() {
		if !c.wanted.has(name) {
			todo.unsubscribe = append(todo.unsubscribe, name)
			delete(c.asked, name)
			delete(c.covered, name)
		}
	}
	for _, name := range c.wanted.sorted() {
		switch {
		case c.asked.has(name):
			continue
		case c.covered.has(name):
			todo.restart = append(todo.restart, name)
		default:
			todo.subscribe = append(todo.subscribe, name)
		}
		c.asked.add(name)
	}
	return todo
}

// channelsPerRequest is well below the number beyond which a server doesn't
// look at them one by one.
const channelsPerRequest = 1000

// pieces cuts a list so that none of its parts takes more bytes as JSON, but
// for a name that does so alone.
func pieces(names []string, bytesMax int) (parts [][]string) {
	size := 0
	for _, name := range names {
		text, _ := json.Marshal(name) //nolint:errchkjson // a string
		n := len(text) + len(",")
		if len(parts) == 0 || size+n > bytesMax || len(parts[len(parts)-1]) == channelsPerRequest {
			parts, size = append(parts, nil), 0
		}
		last := len(parts) - 1
		parts[last] = append(parts[last], name)
		size += n
	}
	return parts
}
