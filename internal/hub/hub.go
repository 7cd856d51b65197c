package hub

import "github.com/odin-ws/odin/internal/event"

// Member is one subscription seen from its list: whose it is, and which of
// that session's.
type Member struct {
	Session uint32
	sub     uint32
}

// List holds the subscriptions to one pattern, in no order.
type List struct {
	shape   shape
	at      uint32 // in Hub.every
	key     string
	Members []Member
}

// shape is which parts of a pattern are given.
type shape uint8

const (
	exact   shape = iota // BTC.trade
	subject              // BTC.*
	name                 // *.trade
	all                  // *.*
	shapes
)

// Hub maps channels to the sessions that want them.
type Hub struct {
	lists         [shapes]map[string]*List
	every         []*List // of all shapes, in no order
	subscriptions int
}

// New makes an empty hub.
func New() *Hub {
	h := &Hub{}
	for s := range h.lists {
		h.lists[s] = make(map[string]*List)
	}
	return h
}

// Subscriptions is how many there are over all sessions.
func (h *Hub) Subscriptions() int { return h.subscriptions }

// forget drops a list without members.
func (h *Hub) forget(l *List) {
	delete(h.lists[l.shape], l.key)
	last := len(h.every) - 1
	moved := h.every[last]
	h.every[l.at], moved.at = moved, l.at
	h.every[last] = nil
	h.every = h.every[:last]
	if cap(h.every) > 64 && last < cap(h.every)/4 {
		h.every = append(make([]*List, 0, 2*last), h.every...)
	}
}

// Lists is how many there are: one for each channel or pattern that somebody
// subscribes to.
func (h *Hub) Lists() int { return len(h.every) }

// List gives one of them. Who goes from the last to the first misses none that
// stays, whatever comes and goes meanwhile, but may meet one twice.
func (h *Hub) List(i int) *List { return h.every[i] }

// Channels is how many different channels are subscribed to.
func (h *Hub) Channels() int { return len(h.lists[exact]) }

// Patterns is how many different patterns with a * are subscribed to.
func (h *Hub) Patterns() int {
	return len(h.lists[subject]) + len(h.lists[name]) + len(h.lists[all])
}

// Match appends to dst the lists of the patterns that a valid channel
// matches: at most four. A session may stand in several of them.
func (h *Hub) Match(dst []*List, channel []byte) []*List {
	if l := h.lists[exact][string(channel)]; l != nil {
		dst = append(dst, l)
	}
	if h.Patterns() == 0 {
		return dst
	}
	subj, ev, err := event.SplitChannel(channel)
	if err != nil {
		return dst
	}
	if l := h.lists[subject][string(subj)]; l != nil {
		dst = append(dst, l)
	}
	if l := h.lists[name][string(ev)]; l != nil {
		dst = append(dst, l)
	}
	if l := h.lists[all][""]; l != nil {
		dst = append(dst, l)
	}
	return dst
}

// place is where a pattern's list lives.
func place(pattern []byte) (shape, []byte, error) {
	subj, ev, err := event.SplitPattern(pattern)
	switch {
	case err != nil:
		return 0, nil, err
	case event.IsStar(subj) && event.IsStar(ev):
		return all, nil, nil
	case event.IsStar(subj):
		return name, ev, nil
	case event.IsStar(ev):
		return subject, subj, nil
	}
	return exact, pattern, nil
}

func (h *Hub) list(s shape, key []byte) *List {
	l := h.lists[s][string(key)]
	if l == nil {
		l = &List{shape: s, key: string(key), at: uint32(len(h.every))}
		h.lists[s][l.key] = l
		h.every = append(h.every, l)
	}
	return l
}

// Pattern is the text that a list's members subscribed to.
func (l *List) Pattern() string {
	switch l.shape {
	case subject:
		return l.key + ".*"
	case name:
		return "*." + l.key
	case all:
		return "*.*"
	}
	return l.key
}

// Covering appends to dst the lists of the patterns whose members get all
// records of a channel, or of all channels that a pattern matches: at most
// four. What is neither has none.
func (h *Hub) Covering(dst []*List, pattern []byte) []*List {
	s, key, err := place(pattern)
	if err != nil || s == exact {
		return h.Match(dst, pattern)
	}
	if l := h.lists[s][string(key)]; l != nil {
		dst = append(dst, l)
	}
	if l := h.lists[all][""]; l != nil && s != all {
		dst = append(dst, l)
	}
	return dst
}
