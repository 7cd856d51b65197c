package worker

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/odin-ws/odin/internal/backfill"
	"github.com/odin-ws/odin/internal/bus"
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/loop"
	"github.com/odin-ws/odin/shm"
)

// link is the way to one sibling. It has no queue: the replicas' pointers are
// what waits, and only when the socket takes more is the next batch encoded.
type link struct {
	peer       int
	number     uint64 // no other link of this process has it; never 0
	generation uint32
	fd         int
	in         bus.Inbox
	out        bus.Outbox
	wants      []*partition       // have something to relay, in the order of their wake-ups
	gives      []*backfill.Giving // what it asked for below its history
	blocked    bool               // the socket is full
	paused     bool               // not read, since nothing more is to come into the history
}

const linkTokens = 1 << 32 // tokens of links: this plus the slot

// makeLink takes a new link to a sibling into use. The old one goes first,
// with all that is unread in it (rule 9).
func (p *process) makeLink(peer int, generation uint32, f *os.File) {
	p.breakLink(peer)
	fd, err := control.Detach(f)
	if err == nil {
		err = p.world.Add(fd, linkTokens+uint64(peer), loop.Input)
	}
	if err != nil {
		p.fatal("a link from the supervisor", err) // without it this worker would miss records
		return
	}
	p.linkNumber++
	l := &link{peer: peer, number: p.linkNumber, generation: generation, fd: fd}
	l.out.PutHello(p.slot, p.generation)
	p.links[peer] = l
	p.block.Add(shm.BusLinksMade, 1)
	for _, pt := range p.partitions {
		p.refresh(pt)
		p.carryOut(pt, pt.replica.LinkUp(p.effects(), peer))
	}
	p.relay(l)
}

// breakLink closes the link to a sibling, if there is one.
func (p *process) breakLink(peer int) {
	l := p.links[peer]
	if l == nil {
		return
	}
	p.links[peer] = nil
	p.block.Add(shm.BusLinksBroken, 1)
	if err := unix.Close(l.fd); err != nil {
		p.log.Error("a link can't be closed", "peer", peer, "err", err)
	}
	for _, pt := range p.partitions {
		p.carryOut(pt, pt.replica.LinkDown(p.effects(), peer))
	}
}

// loseLink notes that a link broke by itself. Mostly its sibling died, and the
// next one brings a link along; should it live, the supervisor makes another.
func (p *process) loseLink(peer int) {
	generation := p.links[peer].generation
	p.breakLink(peer)
	if p.slot < peer {
		p.report(control.Message{Type: control.Unlinked, Peer: peer, PeerGeneration: generation})
	}
}

func (p *process) sendSeek(peer int, s event.Seek) {
	l := p.links[peer]
	if l == nil {
		return // a new link will ask
	}
	p.block.Add(shm.SeeksSent, 1)
	l.out.PutSeek(s)
	p.stir(l)
}

// wakeLink notes that a partition has something to relay.
func (p *process) wakeLink(peer int, pt *partition) {
	if l := p.links[peer]; l != nil {
		l.wants = append(l.wants, pt)
		p.stir(l)
	}
}

// stir has a link written in this turn.
func (p *process) stir(l *link) {
	if !l.blocked {
		p.stirred = true
	}
}

// relayAll writes to every link that has something and isn't full.
func (p *process) relayAll() {
	p.dropOverfull()
	for p.stirred {
		p.stirred = false
		for _, l := range p.links {
			if l != nil && !l.blocked && (len(l.wants) > 0 || l.out.Len() > 0 || l.givable()) {
				p.relay(l)
			}
		}
	}
}

// dropOverfull gives up a link whose sibling takes nothing, once what can't wait
// in the history has piled up: questions, and word of what is lost. Both sides
// begin anew with the next link. One record may be as large as records get.
func (p *process) dropOverfull() {
	lim := &p.config.Limits
	for _, l := range p.links {
		if l != nil && l.out.Len() > lim.BusUnsentBytesMax+lim.RecordBytesMax {
			p.block.Add(shm.BusLinksOverfull, 1)
			p.loseLink(l.peer)
		}
	}
}

// relay fills and writes the link until nothing is left or it is full.
func (p *process) relay(l *link) {
	for {
		p.fill(l)
		if l.out.Len() == 0 {
			return
		}
		n, status := loop.Write(l.fd, l.out.Pending())
		p.block.Add(shm.BusWrites, 1)
		p.block.Add(shm.BusBytesSent, uint64(n))
		l.out.Wrote(n)
		switch status {
		case loop.Failed:
			p.loseLink(l.peer)
			return
		case loop.Again:
			p.block.Add(shm.BusWritesBlocked, 1)
			p.pollLink(l, true)
			return
		}
	}
}

// fill encodes what fits into one batch. The owner word is read before each
// message (rule 2).
func (p *process) fill(l *link) {
	for len(l.wants) > 0 {
		room := min(l.out.Room(), p.config.Limits.BusBatchBytesMax)
		if room <= 0 {
			return
		}
		pt := l.wants[0]
		p.refresh(pt)
		batch, fx := pt.replica.Next(p.effects(), l.peer, room)
		p.carryOut(pt, fx)
		switch {
		case batch.None():
			l.wants = l.wants[:copy(l.wants, l.wants[1:])]
		case batch.Lost != nil:
			l.out.PutLost(*batch.Lost)
		default:
			p.block.Add(shm.BusBatchesSent, 1)
			p.block.Add(shm.BusRecordsSent, uint64(len(batch.Advance.Records)))
			l.out.PutAdvance(batch.Advance)
		}
	}
	// Behind all that is live; one part at a time, so that what comes live next
	// waits for no more than that.
	if len(l.gives) > 0 && l.out.Len() == 0 {
		p.givePast(l, p.config.Limits.BusBatchBytesMax)
	}
}

// pollLink sets what the link waits for.
func (p *process) pollLink(l *link, blocked bool) {
	l.blocked = blocked
	var in loop.Interest
	if !l.paused {
		in |= loop.Input
	}
	if l.blocked {
		in |= loop.Output
	}
	if err := p.world.Modify(l.fd, linkTokens+uint64(l.peer), in); err != nil {
		p.log.Error("a link can't be waited for", "peer", l.peer, "err", err)
	}
}

// linkReady serves what the poller says of a link.
func (p *process) linkReady(peer int, ev loop.Event) {
	l := p.links[peer]
	if l == nil {
		return
	}
	if ev.Output {
		p.pollLink(l, false)
		p.relay(l)
	}
	if ev.Input && p.links[peer] == l && !l.paused {
		p.hear(l)
	}
}

// hear reads once from a link and takes what is complete.
func (p *process) hear(l *link) {
	n, status := loop.Read(l.fd, l.in.Space())
	p.block.Add(shm.BusReads, 1)
	switch status {
	case loop.Again:
		return
	case loop.EOF, loop.Failed:
		p.loseLink(l.peer)
		return
	}
	p.block.Add(shm.BusBytesReceived, uint64(n))
	l.in.Filled(n)
	p.hearBuffered(l)
}

// hearBuffered takes the complete messages of the link's buffer. Nothing goes
// into a history that is full, or whose records have to wait: the link isn't read on, the owner's pointer
// stays behind, and nothing is lost.
func (p *process) hearBuffered(l *link) {
	for p.links[l.peer] == l {
		if p.congested() {
			l.paused = true
			p.pollLink(l, l.blocked)
			return
		}
		m, err := l.in.Next()
		if err != nil {
			// A defect here or there; going on would repeat it.
			p.fatal("what a sibling sent: a defect of Odin, please report it", err)
			return
		}
		if m.Kind == bus.KindNone {
			return
		}
		p.understand(l, &m)
	}
}

// understand takes one message of a sibling.
func (p *process) understand(l *link, m *bus.Message) {
	if m.Kind == bus.KindHello {
		if m.Hello.Slot != l.peer || m.Hello.Generation != l.generation&0xffffff {
			p.log.Error("a link is not to the sibling that the supervisor named: a defect of Odin, please report it", "peer", l.peer, "slot", m.Hello.Slot)
			p.loseLink(l.peer)
		}
		return
	}
	i := subject(m)
	if i >= len(p.partitions) {
		p.learnPartitions()
	}
	if i < 0 || i >= len(p.partitions) {
		p.log.Error("a sibling names a partition that there isn't: a defect of Odin, please report it", "peer", l.peer, "index", i)
		return
	}
	pt := p.partitions[i]
	p.refresh(pt)
	switch m.Kind {
	case bus.KindAdvance:
		p.block.Add(shm.BusBatchesReceived, 1)
		p.block.Add(shm.BusRecordsReceived, uint64(len(m.Advance.Records)))
		if pt.replica.Full() {
			p.applyAll(pt)
		}
		p.carryOut(pt, pt.replica.Advanced(p.effects(), l.peer, m.Advance))
	case bus.KindSeek:
		p.block.Add(shm.SeeksReceived, 1)
		p.carryOut(pt, pt.replica.Sought(p.effects(), l.peer, m.Seek))
	case bus.KindLost:
		p.carryOut(pt, pt.replica.LostFrom(p.effects(), l.peer, m.Lost))
	case bus.KindWant:
		p.hearWant(l, pt, m.Want)
	case bus.KindPast:
		p.hearPast(l, pt, m.Past)
	case bus.KindPastEnd:
		p.hearPastEnd(l, pt, m.PastEnd)
	}
}

// subject is the partition that a message is about.
func subject(m *bus.Message) int {
	switch m.Kind {
	case bus.KindAdvance:
		return m.Advance.Partition
	case bus.KindSeek:
		return m.Seek.Partition
	case bus.KindLost:
		return m.Lost.Partition
	case bus.KindWant:
		return m.Want.Partition
	case bus.KindPast:
		return m.Past.Partition
	case bus.KindPastEnd:
		return m.PastEnd.Partition
	}
	return -1
}

// resumeLinks reads again from the links that waited for room.
func (p *process) resumeLinks() {
	if p.congested() {
		return
	}
	for _, l := range p.links {
		if l != nil && l.paused {
			l.paused = false
			p.pollLink(l, l.blocked)
			p.hearBuffered(l)
		}
	}
}
