package worker

import (
	"os"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/profile"
)

// inquiriesMax is how many questions of operators are answered at once; each
// has a goroutine. More are refused in words.
const inquiriesMax = 4

// inquire answers a question of the operator's into a pipe, beside the loop:
// who reads slowly waits alone.
func (p *process) inquire(q control.Query, to *os.File) {
	select {
	case p.inquiries <- struct{}{}:
	default:
		go reply(to, func(*control.Answer) control.Response {
			return control.Refused("worker %d answers %d questions already: try again", p.slot, inquiriesMax)
		})
		return
	}
	go func() {
		reply(to, func(a *control.Answer) control.Response { return p.reply(q, a) })
		<-p.inquiries
	}()
}

// reply writes a whole answer. A pipe that nobody reads any more ends it.
func reply(to *os.File, fill func(*control.Answer) control.Response) {
	defer to.Close()
	a := control.NewAnswer(to)
	_ = a.End(fill(a))
}

// reply belongs to the inquiry's own goroutine; what is the loop's it gets by
// inLoop.
func (p *process) reply(q control.Query, a *control.Answer) (r control.Response) {
	defer func() {
		if cause := recover(); cause != nil {
			r = control.Refused("worker %d: a defect of Odin: please report it; the log has it as %s", p.slot, p.questionFaulted(cause))
		}
	}()
	var err error
	switch q.Kind {
	case control.Profile:
		err = profile.Take(p.ctx, q.Profile, q.Seconds, a.Bytes())
	case control.Sessions:
		err = p.answerSessions(q.Connections, a)
	case control.OneSession:
		err = p.answerSession(q.Session, a)
	case control.Subscribed:
		err = p.answerSubscribed(q.Channels, a)
	case control.Explain:
		err = p.answerExplain(q.Channel, a)
	case control.Traffic:
		err = p.answerTraffic(q.Channels, q.Seconds, a)
	case control.Level:
		err = a.Item(p.log.Level())
	default:
		return control.Refused("worker %d knows no question %q", p.slot, q.Kind)
	}
	if err != nil {
		return control.Refused("worker %d: %v", p.slot, err)
	}
	return control.Response{OK: true}
}

// inLoop has the loop do something and waits until that is done. False: the
// loop ends, and it may not have been done. What takes long is done in portions,
// each of them a call, so that the sessions don't wait for it.
func (p *process) inLoop(do func(*process)) bool {
	done := make(chan struct{})
	p.mail.post(func(p *process) {
		do(p)
		close(done)
	})
	select {
	case <-done:
		return true
	case <-p.ctx.Done():
		return false
	}
}
