package control

import "slices"

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
		q.Code != 0 && q.Code != s.Code,
		q.Reason != "" && q.Reason != s.Reason,
		q.OlderMS > 0 && age < q.OlderMS,
		q.YoungerMS > 0 && age >= q.YoungerMS:
		return false
	}
	return c.remote.Has(s.Remote)
}

// First keeps the first so many of the sessions that it is given, in an order.
type First struct {
	order Order
	limit int
	list  []Connection
}

// First keeps what an answer to the question holds.
func (q Connections) First() *First {
	f := &First{order: q.Sort, limit: q.Limit}
	if f.limit == 0 {
		f.limit = ConnectionsDefault
	}
	return f
}

// Add takes one more.
func (f *First) Add(c Connection) {
	f.list = append(f.list, c)
	if len(f.list) >= 2*f.limit+64 {
		f.cut()
	}
}

// List gives them in their order.
func (f *First) List() []Connection {
	f.cut()
	return f.list
}

func (f *First) cut() {
	slices.SortFunc(f.list, func(a, b Connection) int { return f.order.Compare(&a, &b) })
	f.list = f.list[:min(len(f.list), f.limit)]
}
