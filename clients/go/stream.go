package odin

import "errors"

// take does what a message says. The cursor moves when the handler has
// returned.
func (s *session) take(m *message) error {
	if err := s.bounded(m); err != nil {
		return err
	}
	switch m.Type {
	case "message":
		return s.record(m)
	case "gap":
		return s.gap(m)
	case "reset":
		return s.reset(m)
	case "reconnect_ack":
		return s.resumed(m)
	case "subscription_ack":
		s.subscribed(m)
	case "pong":
		s.adopt(m.Cursor, true)
	case "error", "reconnect_error":
		return s.refused(m)
	case "unsubscription_ack":
		s.answered(m.ID)
	}
	return nil
}

// call calls a handler, if there is one.
func call[T any](handler func(T) error, value T) error {
	if handler == nil {
		return nil
	}
	if err := handler(value); err != nil {
		return &handlerError{err}
	}
	return nil
}

// record hands a record over. Records that Options.Last asked for lie before
// the place that the server gave with its answer, and don't move it.
func (s *session) record(m *message) error {
	s.mu.Lock()
	history := s.history > 0 && s.place.cursor.covers(m.pos)
	again := !history && s.place.handed(m.pos)
	s.mu.Unlock()
	if !again {
		r, err := m.record(history)
		if err != nil {
			return err
		}
		if err := call(s.options.OnRecord, r); err != nil {
			return err
		}
	}
	if history {
		s.history--
		return nil
	}
	s.pass(m.pos)
	return nil
}

func (s *session) gap(m *message) error {
	if err := call(s.options.OnGap, Gap{Channel: m.Channel, Dropped: m.Dropped, Pos: m.pos, Raw: m.raw}); err != nil {
		return err
	}
	s.pass(m.pos)
	return nil
}

func (s *session) reset(m *message) error {
	if err := call(s.options.OnReset, Reset{Reason: m.Reason, Lost: m.Lost, Cursor: m.Cursor.Clone(), Raw: m.raw}); err != nil {
		return err
	}
	s.adopt(m.Cursor, sameRecords(m.Reason))
	return nil
}

// sameRecords tells whether a reason leaves each offset to the record that it
// had: not so where a topic was made anew or truncated, or for a reason to
// come.
func sameRecords(reason string) bool {
	switch reason {
	case "trimmed", "topology", "limit", "unavailable":
		return true
	}
	return false
}

func (s *session) bounded(m *message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.place.bounded(m)
}

func (s *session) pass(pos Pos) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.place.pass(pos)
}

func (s *session) adopt(cursor Cursor, keep bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.place.adopt(cursor, keep)
}

// resumed is told what became of the records between two connections.
func (s *session) resumed(m *message) error {
	if s.answered(m.ID).Type != "reconnect" {
		return &messageError{errors.New("an answer to no reconnect")}
	}
	if err := call(s.options.OnRecovery, Recovery{Recovered: m.Recovered, Replayed: m.Replayed, Reason: m.Reason, Cursor: m.Cursor.Clone()}); err != nil {
		return err
	}
	s.adopt(m.Cursor, sameRecords(m.Reason))
	s.mu.Lock()
	s.channels.resumed()
	s.mu.Unlock()
	s.rejected(m.Rejected)
	s.ring() // with what has changed meanwhile
	return nil
}

// subscribed is told which channels the server has taken: their past is the
// server's present place.
func (s *session) subscribed(m *message) {
	s.answered(m.ID)
	s.history += max(0, m.History)
	s.adopt(m.Cursor, false)
	s.mu.Lock()
	s.channels.cover(m.Subscribed)
	s.mu.Unlock()
	s.rejected(m.Rejected)
}

func (s *session) rejected(all []Rejection) {
	for _, r := range all {
		s.mu.Lock()
		s.channels.reject(r.Channel)
		s.mu.Unlock()
		if s.options.OnRejected != nil {
			s.options.OnRejected(r)
		}
	}
}

// answered takes the request that is answered.
func (s *session) answered(id string) request {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.pending[id]
	delete(s.pending, id)
	return asked
}

// refused is told that a request was not carried out.
func (s *session) refused(m *message) error {
	asked := s.answered(m.ID)
	switch {
	case m.Code == "rate_limited":
		return errLimited
	case asked.Type == "reconnect":
		return s.notResumed(Recovery{Reason: "refused", Message: m.Message})
	case asked.Type == "subscribe":
		var all []Rejection
		for _, name := range asked.Data.Channels {
			all = append(all, Rejection{Channel: name, Code: m.Code, Message: m.Message})
		}
		s.rejected(all)
	}
	return nil
}
