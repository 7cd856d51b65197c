package sim

import (
	"fmt"
	"strings"

	"github.com/odin-ws/odin/internal/event"
)

// world is everything: Kafka, the supervisor, the workers, the clients.
type world struct {
	plan    *plan
	broken  duty
	parts   []*part
	table   int // how many of them there are by now
	workers []*worker
	clients []*client
	time    int64
	links   uint64
	runs    int  // how often everything was started
	down    bool // the supervisor is dead
	calm    bool // no more faults: everything has to come to the end
	idle    bool // and nothing but time is waited for
	did     int  // how much was done, waiting apart
	lost    bool // a message was lost
	excused bool // a resume may be refused, even now, since the log that it is about is not there

	failure error
	trace   *strings.Builder
	tally

	acts  []action
	recs  []event.Record
	bytes []byte
}

// failure is a violation, named by the rule.
type failure struct {
	rule string
	text string
}

func (f *failure) Error() string { return f.rule + ": " + f.text }

func newWorld(p *plan) *world {
	w := &world{plan: p, time: 1, runs: 1, table: max(1, p.topics, p.partitions-p.later)}
	for i := range max(1, p.partitions) {
		w.parts = append(w.parts, newPart(w, i))
		if i < w.table {
			w.parts[i].seed(uint32(p.seed) + uint32(i)<<20)
		}
	}
	for slot := range p.workers {
		w.workers = append(w.workers, &worker{world: w, slot: slot})
	}
	for i := range p.clients {
		w.clients = append(w.clients, newClient(w, i))
	}
	return w
}

// begin starts the first workers.
func (w *world) begin() {
	for _, k := range w.workers {
		w.spawn(k, w.plan.known)
	}
	for _, k := range w.workers {
		for peer := range k.ends {
			if k.ends[peer].next != nil {
				k.adopt(peer)
			}
		}
	}
}

func (w *world) fail(rule, format string, args ...any) {
	if w.failure == nil {
		w.failure = &failure{rule, fmt.Sprintf(format, args...)}
		w.note("FAILURE %v", w.failure)
	}
}

func (w *world) note(format string, args ...any) {
	if w.trace != nil {
		fmt.Fprintf(w.trace, format+"\n", args...)
	}
}

// run makes the moves, then mends all faults and waits for the end.
func (w *world) run() error {
	defer w.total()
	w.begin()
	for i, m := range w.plan.moves {
		w.move(m)
		if w.failure != nil {
			w.note("at move %d", i)
			return w.failure
		}
	}
	w.settle()
	return w.failure
}

func (w *world) move(m move) {
	w.time += 5
	if m.op == opStep {
		w.steps(w.workers[int(m.worker)%len(w.workers)], m.x)
		return
	}
	w.note("%s %d %d", m.op, m.worker, m.x)
	w.moved[m.op]++
	switch m.op {
	case opAge:
		w.time += 700
	case opProduce, opCommit, opRetain, opCompact, opTruncate, opRecreate, opGrow:
		w.moveLog(m)
	case opConnect, opCut, opPing, opMore:
		w.moveClient(m)
	default:
		w.moveWorker(m)
	}
}

// moveLog is what happens at the brokers.
func (w *world) moveLog(m move) {
	p := w.parts[int(m.x>>16)%w.table]
	v := p.kafka.now()
	switch m.op {
	case opProduce:
		p.kafka.produce(m.x)
	case opCommit:
		v.stable = v.end()
	case opRetain:
		p.retain(m.x)
	case opCompact:
		p.kafka.compact(m.x)
	case opTruncate:
		k := w.workers[int(m.worker)%len(w.workers)]
		w.takeUnpublished(p, k, m.x)
		w.giveUnpublished(p, k, m.x)
		p.truncate(m.x)
		if w.plan.hasty && m.x>>27&1 == 0 {
			w.kill(k)
		}
	case opRecreate:
		w.recreate(p.topic)
	case opGrow:
		if w.table < len(w.parts) {
			w.parts[w.table].appear()
			w.table++
		}
	}
}

// moveWorker is what happens to a worker, its links or the supervisor.
func (w *world) moveWorker(m move) {
	k := w.workers[int(m.worker)%len(w.workers)]
	switch m.op {
	case opElect:
		w.elect(w.parts[int(m.x)%w.table], k)
	case opWatch:
		w.watch()
	case opKill:
		w.kill(k)
	case opSpawn:
		w.respawn(k)
	case opFreeze:
		k.frozen = true
	case opThaw:
		if k.frozen = false; w.plan.unheard && m.x>>28 < 6 {
			w.lastTurn(k)
		}
	case opTear:
		w.tear(k, m.x)
	case opLose, opTwice:
		w.dirty(k, m)
	case opOrphan:
		w.down = true
	case opRestart:
		w.restart(m.x)
	}
}

// steps lets a worker do up to eight things in a row.
func (w *world) steps(k *worker, x uint32) {
	for n := x >> 8 % 8; n < 8 && w.failure == nil; n++ {
		w.step(k, x)
		x = mix(x)
	}
}

// step lets a worker do one of the things that it can do now.
func (w *world) step(k *worker, x uint32) {
	if !k.alive || k.frozen {
		return
	}
	w.acts = k.actions(w.acts[:0])
	if x>>28 == 0 {
		w.acts = append(w.acts[:0], action{do: doEvict})
	}
	if len(w.acts) == 0 {
		return
	}
	a := w.acts[int(x>>2)%len(w.acts)]
	if k.staged != nil || k.doing.do != doNothing {
		a = k.actions(w.acts[:0])[0]
	}
	w.note("%d %s %d of %d", k.slot, a.do, a.peer, a.part)
	k.step(a, mix(x))
}

// settle ends all faults and lets everybody do all they can.
func (w *world) settle() {
	w.note("settle")
	w.calm, w.excused = true, false
	w.mend()
	for x := uint32(0); w.failure == nil; x++ {
		busy, did := false, w.did
		for _, k := range w.workers {
			busy = w.exhaust(k, x) || busy
		}
		busy = w.comeBack() || busy
		w.idle = did == w.did
		if !busy {
			w.arrived()
			return
		}
		if x > 2000 {
			w.fail("progress", "still busy after %d rounds", x)
		}
	}
}

func (w *world) mend() {
	if w.down {
		w.restart(1)
	}
	w.down = false
	for _, p := range w.parts[:w.table] {
		if w.plan.dirty || w.plan.eras {
			p.kafka.produce(1) // a lost message is only missed once another follows
		}
		v := p.kafka.now()
		v.stable = v.end()
	}
	for _, k := range w.workers {
		k.frozen = false
		for x := 0; w.plan.dirty && w.plan.relink && x < len(w.workers)-1; x++ {
			w.tear(k, uint32(x))
		}
	}
	if w.living() == 0 {
		w.spawn(w.workers[0], false)
	}
	w.watch()
}

// exhaust lets a worker do as many things as it could at first, in any order,
// and tells whether there was one.
func (w *world) exhaust(k *worker, x uint32) bool {
	if !k.alive {
		return false
	}
	n := len(k.actions(w.acts[:0]))
	for i := n; i > 0 && w.failure == nil; i-- {
		w.step(k, mix(x+uint32(i))&(1<<28-1)|1<<28)
	}
	return n > 0
}

// total adds what the workers' stores have counted.
func (w *world) total() {
	for _, k := range w.workers {
		w.retire(k)
	}
}

func (w *world) retire(k *worker) {
	if k.store != nil {
		n := k.store.Stats()
		w.evicted += n.Evicted
		w.trimmed += n.Trimmed
		w.blocked += n.Blocked
	}
}

func (w *world) living() (n int) {
	for _, k := range w.workers {
		if k.alive {
			n++
		}
	}
	return n
}
