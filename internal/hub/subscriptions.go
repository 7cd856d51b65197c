package hub

// Subscriptions are one session's: 16 bytes each. The zero value has none.
type Subscriptions struct{ subs []subscription }

type subscription struct {
	list *List
	at   uint32 // in list.Members
}

// Count is how many patterns the session subscribed to.
func (s *Subscriptions) Count() int { return len(s.subs) }

// Patterns calls yield with each pattern.
func (s *Subscriptions) Patterns(yield func(pattern string) bool) {
	for _, sub := range s.subs {
		if !yield(sub.list.Pattern()) {
			return
		}
	}
}

// PatternsFrom gives at most so many of them, from the at-th on.
func (s *Subscriptions) PatternsFrom(at, most int) []string {
	var some []string
	for _, sub := range s.subs[min(at, len(s.subs)):min(at+most, len(s.subs))] {
		some = append(some, sub.list.Pattern())
	}
	return some
}

// find gives the place of a list among the session's, by the shorter of the
// two ways.
func (s *Subscriptions) find(session uint32, l *List) int {
	if l == nil {
		return -1
	}
	if len(l.Members) < len(s.subs) {
		for _, m := range l.Members {
			if m.Session == session {
				return int(m.sub)
			}
		}
		return -1
	}
	for i := range s.subs {
		if s.subs[i].list == l {
			return i
		}
	}
	return -1
}

// In tells whether a session stands in one of some lists.
func (s *Subscriptions) In(session uint32, lists []*List) bool {
	for _, l := range lists {
		if s.find(session, l) >= 0 {
			return true
		}
	}
	return false
}

// Subscribe adds a pattern to a session's. It tells whether it is new to the
// session; an error says what is wrong with the pattern.
func (h *Hub) Subscribe(s *Subscriptions, session uint32, pattern []byte) (added bool, err error) {
	sh, key, err := place(pattern)
	if err != nil {
		return false, err
	}
	l := h.list(sh, key)
	if s.find(session, l) >= 0 {
		return false, nil
	}
	l.Members = append(l.Members, Member{Session: session, sub: uint32(len(s.subs))})
	s.subs = append(s.subs, subscription{list: l, at: uint32(len(l.Members) - 1)})
	h.subscriptions++
	return true, nil
}

// Has tells whether the session subscribed to this very pattern.
func (h *Hub) Has(s *Subscriptions, session uint32, pattern []byte) bool {
	sh, key, err := place(pattern)
	return err == nil && s.find(session, h.lists[sh][string(key)]) >= 0
}

// Others looks up the subscriptions of another session by its index.
type Others func(session uint32) *Subscriptions

// Unsubscribe removes a pattern and tells whether the session had it.
func (h *Hub) Unsubscribe(s *Subscriptions, session uint32, pattern []byte, others Others) bool {
	sh, key, err := place(pattern)
	if err != nil {
		return false
	}
	i := s.find(session, h.lists[sh][string(key)])
	if i < 0 {
		return false
	}
	h.remove(s, i, others)
	return true
}

// Clear removes all of a session's subscriptions.
func (h *Hub) Clear(s *Subscriptions, others Others) {
	for len(s.subs) > 0 {
		h.remove(s, len(s.subs)-1, others)
	}
	s.subs = nil
}

// remove takes the last member of the list, and the last subscription of the
// session, into the places that become free: both know where they stand, so
// it costs the same however long they are.
func (h *Hub) remove(s *Subscriptions, i int, others Others) {
	l, at := s.subs[i].list, s.subs[i].at
	end := len(l.Members) - 1
	if moved := l.Members[end]; int(at) != end {
		l.Members[at] = moved
		others(moved.Session).subs[moved.sub].at = at
	}
	l.Members = l.Members[:end]
	if end == 0 {
		h.forget(l)
	} else if cap(l.Members) > 64 && end < cap(l.Members)/4 {
		l.Members = append(make([]Member, 0, 2*end), l.Members...)
	}
	last := len(s.subs) - 1
	if i != last {
		s.subs[i] = s.subs[last]
		s.subs[i].list.Members[s.subs[i].at].sub = uint32(i)
	}
	s.subs[last] = subscription{}
	s.subs = s.subs[:last]
	h.subscriptions--
}
