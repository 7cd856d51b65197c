package worker

import (
	"time"

	"github.com/odin-ws/odin/internal/loop"
	"github.com/odin-ws/odin/shm"
)

// wait sleeps until there is something to do, at most until the next tick.
func (p *process) wait() {
	timeout := time.Duration(0)
	if !p.busy() {
		p.waker.Sleep()
		if !p.busy() {
			timeout = time.Duration(p.alarm() - p.clock())
		}
	}
	events, err := p.world.Wait(timeout)
	p.waker.Awake()
	if err != nil {
		p.fatal("the loop's wait", err)
		return
	}
	p.now, p.wall = p.clock(), shm.Wall()
	p.store.Tick(p.now / int64(time.Millisecond))
	p.pastStore.Tick(p.now / int64(time.Millisecond))
	for _, ev := range events {
		p.happened(ev)
	}
}

func (p *process) happened(ev loop.Event) {
	switch ev.Token {
	case wakerToken:
		loop.Drain(p.waker.FD())
	case ringToken:
		loop.Drain(p.ring)
		p.rung = true
	case clientsToken:
		p.ready = true
	case doorsToken:
		p.knocked = true
	default:
		p.linkReady(int(ev.Token-linkTokens), ev)
	}
}

// busy tells whether there is work that no descriptor announces.
func (p *process) busy() bool {
	if len(p.touched) > 0 || len(p.readied) > 0 || p.redecides || p.undecided > 0 || p.fillsDue || p.rung || p.stirred || !p.mail.empty() {
		return true
	}
	if len(p.waiting) > 0 && p.deliverable() > 0 {
		return true
	}
	return (p.fetchedAt < len(p.fetched) || !p.intake.empty()) && !p.congested() && p.mayFetch()
}

// turn is one pass: take input, relay, apply, write, publish.
func (p *process) turn() {
	began := p.clock()
	p.provoke(inTurn, nil)
	if p.rung {
		p.rung = false
		p.lookAround()
	}
	p.readMail()
	if p.ready {
		p.ready = false
		p.serveInput(inputRound)
	}
	if p.knocked {
		p.knocked = false
		p.serveDoors()
	}
	p.takeFetched()
	p.relayAll()
	p.applyWaiting()
	p.replayMissed()
	p.sayFarewells()
	p.publish() // before anything is written: what sessions got is never above what is published
	writing := p.clock()
	p.writeTouched()
	wrote := p.clock()
	p.observeLatency()
	p.evict()
	p.relayAll()
	if p.state == shm.Starting && p.positioned() {
		p.becomeReady()
	}
	p.closeEnded()
	p.publishTally()
	p.block.Add(shm.Turns, 1)
	p.block.Observe(shm.TurnLength, uint64(wrote-began)/1000, 1)
	if wrote-p.ticked >= int64(tick) {
		p.runTicks(wrote)
	}
	p.depart(wrote)
	p.rest(wrote - writing)
}

// lookAround reads the partition table and all owner words and eras anew.
func (p *process) lookAround() {
	if p.segment.TopologyVersion() != p.topology || p.segment.Partitions() != len(p.partitions) {
		p.learnPartitions()
	}
	for _, pt := range p.partitions {
		p.refresh(pt)
	}
}

func (p *process) readMail() {
	posts := p.mail.take(p.posts)
	for i, do := range posts {
		do(p)
		posts[i] = nil
	}
	if posts != nil {
		p.posts = posts[:0]
	}
}

// evict lets old history go, and with it the sessions that still point there.
func (p *process) evict() {
	now := p.now / int64(time.Millisecond)
	if p.store.Evict(now)+p.pastStore.Evict(now) > 0 {
		p.writer.forget()
		p.cutEvicted()
	}
	p.resumeLinks()
}

// rest pauses after a long round of writes: what arrives meanwhile is written
// together by the next one, which is the only big lever there is on the cost
// of a delivery. A short round is followed by no rest, so an idle worker adds
// no delay. Input is served all the same.
func (p *process) rest(round int64) {
	lim := &p.config.Limits
	rest := round * int64(lim.RestPercent) / 100
	if rest < int64(lim.RestMin) {
		return
	}
	p.block.Add(shm.TurnRests, 1)
	until := p.clock() + min(rest, int64(lim.RestMax))
	for left := until - p.clock(); left > 0; left = until - p.clock() {
		events, err := p.clients.Wait(time.Duration(left))
		if err != nil {
			p.fatal("the wait for clients", err)
			return
		}
		if len(events) == 0 {
			continue
		}
		p.now = p.clock()
		p.serveEvents(events, inputRound)
		p.writeTouched()
		p.closeEnded()
	}
}
