package control

// Condition decides which sessions an answer is about.
type Condition struct {
	q      Connections
	remote Remote
}

// Condition prepares the question's conditions, but for the channel, which only
// the worker can look up. The error is that of Check.
func (q Connections) Condition() (Condition, error) {
	if err := q.Check(); err != nil {
		return Condition{}, err
	}
	remote, err := ParseRemote(q.Remote)
	return Condition{q: q, remote: remote}, err
}

// Meets tells whether a session meets all of them; now is Unix milliseconds.
func (c *Condition) Meets(s *Connection, now int64) bool {
	q, age := &c.q, now-s.OpenedMS
	slow := s.State == StateBlocked
	if q.Closed {
		age, slow = now-s.ClosedMS, s.Reason == SlowConsumer
	}
	switch {
	case q.Slow && !slow,
		q.Client != "" && q.Client != s.Client,
		q.Code != 0 && q.Code != s.Code,
		q.Reason != "" && q.Reason != s.Reason,
		q.OlderMS > 0 && age < q.OlderMS,
		q.YoungerMS > 0 && age >= q.YoungerMS:
		return false
	}
	return c.remote.Has(s.Remote)
}

// First keeps what an answer to the question holds.
func (q Connections) First() *First[Connection] {
	limit := q.Limit
	if limit == 0 {
		limit = ConnectionsDefault
	}
	return NewFirst(limit, q.Sort.Compare)
}
