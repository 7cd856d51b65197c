package resume

// Ends is what was asked of the end of a partition's log: one question at a
// time, whoever waits for it. A claim is only refuted by an answer to a question
// that was put after it was made. The zero Ends has asked nothing.
type Ends struct {
	asked uint64 // how many questions were put; the last one is numbered so
	under bool   // it is not answered yet
	next  bool   // somebody needs another one
	end   int64  // the furthest answer: all below it is, or was, in the log
	era   uint32 // in which that was
}

// Known is where the log ended in an era, as far as was asked.
func (e *Ends) Known(era uint32) int64 {
	if e.end == 0 || e.era != era {
		return Unknown
	}
	return e.end
}

// Ask has the end asked for a claim; wants is the number of the question that
// answers it, 0 before its first. Put: the question of that number is to be put.
func (e *Ends) Ask(wants *uint64) (number uint64, put bool) {
	if *wants == 0 {
		*wants = e.asked + 1
	}
	switch {
	case *wants <= e.asked:
		return 0, false
	case e.under:
		e.next = true
		return 0, false
	}
	return e.put(), true
}

func (e *Ends) put() uint64 {
	e.asked++
	e.under, e.next = true, false
	return e.asked
}

// Told takes the answer to the last question, Unknown if there was none, as it
// was put in an era; now is the present one. Put: another question is due.
func (e *Ends) Told(era, now uint32, end int64) (number uint64, put bool) {
	e.under = false
	if era == now && end != Unknown {
		if e.era != era {
			e.end = end
		}
		e.era, e.end = era, max(e.end, end)
	}
	if e.next {
		return e.put(), true
	}
	return 0, false
}

// EndTold takes the answer to a question for a claim that waits for the one
// numbered wants.
func (c *Claim) EndTold(wants, number uint64, end int64) {
	if wants == 0 || wants > number || c.End != Unknown {
		return
	}
	if c.End = end; end == Unknown {
		c.Refused = Unavailable
	}
}
