package sim

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
)

// world is everything: Kafka, the supervisor, the workers.
type world struct {
	plan    *plan
	broken  duty
	kafka   *kafka
	workers []*worker
	time    int64
	links   int

	owner     event.Owner
	era       event.Era
	topics    []event.TopicID   // by era
	eras      []int             // the version that each era is of
	published []published       // by slot
	peak      replica.Published // the furthest of those whose slot has another worker now
	peaked    bool
	publishes int   // how often somebody published
	gone      int64 // ranges up to here were refused for good
	calm      bool  // no more faults: everything has to come to the end
	lost      bool  // a message was lost

	failure error
	trace   *strings.Builder
	tally

	acts  []action
	recs  []event.Record
	bytes []byte
}

type published struct {
	ok         bool
	generation uint32
	position   replica.Position
}

// duty is something that the worker around a Replica does, and leaves out
// here: each has to be noticed.
type duty uint8

const (
	allDuties     duty = iota
	noWordCheck        // an owner goes on although the word names another
	lateWords          // the words are not read between a message's arrival and its use
	noEraCheck         // the era record is only looked at on a tick
	untaggedPolls      // polls count as asked in the present term and era
	oldInput           // what was unread in an old link is read after the new one is in use
	linkUnnoticed      // the replica is not told of a new link
	emptyUnsent        // batches without a record are not relayed
	anyPosition        // a fresh owner starts at the furthest position of any era, dead or alive
	uncompared         // what others published is not compared when a leader epoch is met
	deaf               // nor when it is published later
)

// failure is a violation, named by the rule.
type failure struct {
	rule string
	text string
}

func (f *failure) Error() string { return f.rule + ": " + f.text }

func newWorld(p *plan) *world {
	w := &world{plan: p, kafka: newKafka(), eras: []int{0}, time: 1, gone: event.None}
	v := w.kafka.now()
	for x := uint32(p.seed); v.end() < int64(p.seeded); {
		x = mix(x + 1)
		w.kafka.produce(x)
	}
	v.stable = v.end()
	w.era = event.Era{Topic: v.topic, Epoch: event.NoEpoch}
	w.topics = []event.TopicID{v.topic}
	w.owner = event.Owner{Slot: event.Nobody}
	w.published = make([]published, p.workers)
	for slot := range p.workers {
		w.workers = append(w.workers, &worker{world: w, slot: slot})
	}
	for _, k := range w.workers {
		w.spawn(k, p.known)
	}
	for _, k := range w.workers {
		for peer := range k.ends {
			if k.ends[peer].next != nil {
				k.adopt(peer)
			}
		}
	}
	return w
}

// retain moves the log start: while a truncation was not noticed yet, not beyond
// it. Nothing that could still tell of it would be left, nor anybody whom it
// concerns.
func (w *world) retain(x uint32) {
	v := w.kafka.now()
	v.retain(x)
	if w.eras[w.era.Number] != len(w.kafka.versions)-1 {
		v.start = min(v.start, v.from)
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
	k := w.workers[int(m.worker)%len(w.workers)]
	v := w.kafka.now()
	w.time += 5
	if m.op != opStep {
		w.note("%s %d %d", m.op, m.worker, m.x)
	}
	switch m.op {
	case opStep:
		w.steps(k, m.x)
	case opProduce:
		w.kafka.produce(m.x)
	case opCommit:
		v.stable = v.end()
	case opRetain:
		w.retain(m.x)
	case opCompact:
		w.kafka.compact(m.x)
	case opTruncate, opRecreate:
		w.newVersion(m)
	case opElect:
		w.elect(k)
	case opKill:
		w.kill(k)
	case opSpawn:
		w.spawn(k, false)
	case opFreeze:
		k.frozen = true
	case opThaw:
		k.frozen = false
	case opTear:
		w.tear(k, m.x)
	case opAge:
		w.time += 700
	case opLose, opTwice:
		w.dirty(k, m)
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
	w.note("%d %s %d", k.slot, a.do, a.peer)
	k.step(a, mix(x))
}

// settle ends all faults and lets every worker do all it can.
func (w *world) settle() {
	w.note("settle")
	w.calm = true
	w.mend()
	for x := uint32(0); w.failure == nil; x++ {
		busy := false
		for _, k := range w.workers {
			busy = w.exhaust(k, x) || busy
		}
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
	if w.plan.dirty || w.plan.eras {
		w.kafka.produce(1) // a lost message is only missed once another follows
	}
	v := w.kafka.now()
	v.stable = v.end()
	for _, k := range w.workers {
		k.frozen = false
		for x := 0; w.plan.dirty && w.plan.relink && x < len(w.workers)-1; x++ {
			w.tear(k, uint32(x))
		}
	}
	if w.living() == 0 {
		w.spawn(w.workers[0], false)
	}
	if o := w.owner; o.Slot != event.Nobody && w.workers[o.Slot].alive && o.Is(o.Slot, w.workers[o.Slot].generation) {
		return
	}
	for _, k := range w.workers {
		if k.alive {
			w.elect(k)
			return
		}
	}
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

// frames makes records as they travel, valid until the next call.
func (w *world) frames(rs []record) []event.Record {
	w.recs, w.bytes = w.recs[:0], w.bytes[:0]
	for _, r := range rs {
		from := len(w.bytes)
		w.bytes = appendFrame(w.bytes, r)
		frame := w.bytes[from:len(w.bytes):len(w.bytes)]
		w.recs = append(w.recs, event.Record{
			Offset: r.offset, Epoch: r.epoch, Time: r.offset, Channel: channelOf(r.offset), Frame: frame,
		})
	}
	return w.recs
}

// copies is frames that stay.
func (w *world) copies(rs []record) []event.Record {
	out := append([]event.Record(nil), w.frames(rs)...)
	for i := range out {
		out[i].Frame = append([]byte(nil), out[i].Frame...)
	}
	return out
}

// pack copies a batch out of the Store, as a link does by writing it.
func (w *world) pack(b replica.Batch) message {
	if b.Lost != nil {
		return message{kind: kindLost, lost: *b.Lost}
	}
	m := message{kind: kindAdvance, advance: *b.Advance}
	m.advance.Records = nil
	for i := range b.Advance.Records {
		r := &b.Advance.Records[i]
		m.records = append(m.records, record{offset: r.Offset, content: contentOf(r.Frame), epoch: r.Epoch})
	}
	return m
}

var channels = [2][]byte{[]byte("a.even"), []byte("b.odd")}

func channelOf(offset int64) []byte { return channels[offset&1] }

// appendFrame writes the content's number; every other frame has its channel
// within, and their lengths differ.
func appendFrame(dst []byte, r record) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, r.content)
	if r.offset&1 == 0 {
		dst = append(dst, channels[0]...)
	}
	for range r.offset % 7 {
		dst = append(dst, '.')
	}
	return dst
}

func contentOf(frame []byte) uint64 {
	if len(frame) < 8 {
		return 0
	}
	return binary.LittleEndian.Uint64(frame)
}
