package sim

import (
	"fmt"

	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/resume"
)

// String gives a message as a trace shows it.
func (m message) String() string {
	switch m.kind {
	case kindAdvance:
		a := &m.advance
		s := fmt.Sprintf("ADV term %d era %d (%d, %d] le %d:", a.Term, a.Era, a.Prev, a.To, a.ToEpoch)
		for _, r := range m.records {
			s += fmt.Sprintf(" %d=#%d", r.offset, r.content)
		}
		return s
	case kindWant:
		return fmt.Sprintf("WANT %d era %d [%d, %d]", m.want.Number, m.want.Era, m.want.From, m.want.To)
	case kindPast:
		s := fmt.Sprintf("PAST %d era %d (%d, %d]:", m.past.Number, m.past.Era, m.past.Prev, m.past.To)
		for _, r := range m.records {
			s += fmt.Sprintf(" %d=#%d", r.offset, r.content)
		}
		return s
	case kindEnd:
		return fmt.Sprintf("END %d era %d at %d: %v", m.end.Number, m.end.Era, m.end.To, resume.Reason(m.end.Why))
	case kindLost:
		return fmt.Sprintf("LOST term %d era %d (%d, %d]", m.lost.Term, m.lost.Era, m.lost.Prev, m.lost.To)
	}
	return seekText(m.seek.Term, m.seek.Era, m.seek.Positioned, m.seek.Held, m.seek.HeldEpoch)
}

func seekText(term, era uint32, positioned bool, held int64, epoch int32) string {
	if !positioned {
		return fmt.Sprintf("SEEK term %d era %d, fresh", term, era)
	}
	return fmt.Sprintf("SEEK term %d era %d, holds %d le %d", term, era, held, epoch)
}

// effectText gives an effect as a trace shows it.
func effectText(f *replica.Effect) string {
	switch f.Kind {
	case replica.Fetch:
		return fmt.Sprintf("fetch from %d le %d, term %d era %d", f.From, f.Epoch, f.Term, f.Era)
	case replica.StopFetch:
		return "stop fetching"
	case replica.SendSeek:
		q := f.Seek
		return fmt.Sprintf("to %d: %s", f.Peer, seekText(q.Term, q.Era, q.Positioned, q.Held, q.HeldEpoch))
	case replica.Wake:
		return fmt.Sprintf("wake the link to %d", f.Peer)
	case replica.AskPublished:
		return "ask for published positions"
	case replica.ReadRange:
		return fmt.Sprintf("read the range [%d, %d], term %d era %d", f.From, f.To, f.Term, f.Era)
	case replica.ProposeEra:
		return fmt.Sprintf("propose era %+v", f.NewEra)
	case replica.Compare:
		return fmt.Sprintf("compare %d of le %d, term %d era %d", f.From, f.Epoch, f.Term, f.Era)
	case replica.Drain:
		return "drain"
	case replica.Reset:
		return fmt.Sprintf("reset %v to %d, lost %t", f.Reason, f.To, f.Lost)
	}
	return fmt.Sprintf("count %v %d", f.Counter, f.N)
}

// String gives what a client gets as a trace shows it.
func (p *packet) String() string {
	name := [...]string{"record", "subscription_ack", "reconnect_ack", "pong", "reset", "of the past", "gap"}[p.kind]
	switch p.kind {
	case packetRecord, packetLatest:
		return fmt.Sprintf("%s %d of %d", name, p.offset, p.part)
	case packetGap:
		return gapText(p)
	case packetResumed:
		return fmt.Sprintf("%s recovered %t %v %v of %v", name, p.recovered, p.reason, p.cursor, p.versions)
	case packetReset:
		return fmt.Sprintf("%s lost %t %b %v of %v", name, p.told.lost, p.told.parts, p.cursor, p.versions)
	}
	return fmt.Sprintf("%s %v of %v", name, p.cursor, p.versions)
}
