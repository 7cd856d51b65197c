package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/odin-ws/odin/internal/replica"
)

// op is what a move does.
type op uint8

const (
	opStep     op = iota // one action of a worker
	opProduce            // the log grows
	opCommit             // open transactions end
	opRetain             // the log start moves
	opCompact            // a record is compacted away
	opTruncate           // the log loses its end
	opRecreate           // the topic is made anew
	opElect              // the owner word changes
	opKill               // a worker dies
	opSpawn              // a dead worker comes back, fresh
	opFreeze             // a worker stops
	opThaw               // and goes on
	opTear               // a link breaks
	opAge                // time passes
	opLose               // a message vanishes from a link (no stream does that)
	opTwice              // a message is read twice
	opGrow               // the topic has one more partition
	opWatch              // the supervisor looks who lives, and elects
	opOrphan             // the supervisor dies
	opRestart            // everything is started anew
	opConnect            // a client comes, or comes back
	opCut                // a client loses its connection
	opPing               // a client asks for its cursor
	opMore               // a client subscribes to more
	ops
)

func (o op) String() string {
	return [...]string{
		"step", "produce", "commit", "retain", "compact", "truncate", "recreate", "elect",
		"kill", "spawn", "freeze", "thaw", "tear", "age", "lose", "twice",
		"grow", "watch", "orphan", "restart", "connect", "cut", "ping", "more",
	}[o]
}

// move is one line of a schedule. It means something in any state, or nothing.
type move struct {
	op     op
	worker uint8
	x      uint32
}

// plan is a whole schedule.
type plan struct {
	seed    uint64
	workers int
	base    int64 // rule 3's b
	seeded  int   // entries in the log at the beginning
	known   bool  // the first workers were there before the partition
	eras    bool  // truncations and new incarnations
	dirty   bool  // links repeat messages, and lose one,
	relink  bool  // or many, and are then remade at the end
	prompt  bool  // a Drain is carried out at once
	lazy    bool  // nothing is applied while there is something else to do
	relay   int   // most bytes of a batch
	apply   int   // most records of an apply
	limits  replica.Limits

	partitions int
	later      int // of them, not there at the beginning
	clients    int
	owed       int  // most messages that a slow client is owed
	refill     int  // offsets that a start reads of what was before it; 0: none
	backfill   int  // most records that one reading of the past gives
	compacts   bool // the topic is a compacted one
	topics     int  // that the partitions are of, in turn
	nameless   bool // the brokers have no topic ids
	last       int  // how many of the newest a subscribe asks for
	legacy     bool // some clients come back with a last_offset
	unheard    bool // the log may lose what was held, but not published yet
	fates      int  // of the topics, two bits each: what is done with records that slow sessions are owed
	holes      bool // links lose what is relayed of the past
	hasty      bool // who holds what the log then loses gives it to sessions, if it may, and dies

	moves []move
}

// planOf makes the plan of a seed.
func planOf(seed uint64) *plan {
	rng := rand.New(rand.NewPCG(seed, 0x0d1))
	p := &plan{
		seed:    seed,
		workers: 2 + rng.IntN(4),
		seeded:  rng.IntN(12),
		known:   rng.IntN(4) == 0,
		eras:    rng.IntN(3) == 0,
		dirty:   rng.IntN(6) == 0,
		relink:  rng.IntN(2) == 0,
		prompt:  rng.IntN(2) == 0,
		lazy:    rng.IntN(3) == 0,
		relay:   24 << rng.IntN(5),
		apply:   1 + rng.IntN(8),
		limits: replica.Limits{
			Bytes: 3000 + rng.Int64N(4000), Chunk: 32 << rng.IntN(4), Records: 2 + rng.IntN(40),
			Age: time.Duration(200<<rng.IntN(5)) * time.Millisecond,
		},
	}
	p.base = int64(rng.IntN(p.seeded + 1))
	p.partitions = []int{1, 1, 1, 2, 3}[rng.IntN(5)]
	p.later = rng.IntN(p.partitions) * rng.IntN(2)
	p.clients = rng.IntN(4)
	p.owed = 4 + rng.IntN(30)
	p.refill = rng.IntN(2) * rng.IntN(30)
	p.backfill = 4 + rng.IntN(40)
	p.compacts = rng.IntN(8) == 0
	p.more(rand.New(rand.NewPCG(seed, 0x0d2)))
	w := weights(p, rng)
	total := 0
	for _, n := range w {
		total += n
	}
	p.moves = make([]move, 60+rng.IntN(240))
	for i := range p.moves {
		n, o := rng.IntN(total), op(0)
		for ; n >= w[o]; o++ {
			n -= w[o]
		}
		p.moves[i] = move{op: o, worker: uint8(rng.IntN(p.workers)), x: rng.Uint32()}
	}
	return p
}

// more is drawn apart, so that a seed's other numbers stay what they were.
func (p *plan) more(rng *rand.Rand) {
	p.topics = 1 + rng.IntN(p.partitions)
	p.nameless = rng.IntN(8) == 0
	p.unheard = rng.IntN(4) == 0 && p.eras
	p.last = max(rng.IntN(8)-3, 0)
	p.legacy = rng.IntN(4) == 0
	if rng.IntN(3) == 0 {
		p.slow(rng)
	}
	if rng.IntN(12) == 0 {
		p.lossy(rng)
	}
	if p.hasty = p.unheard && rng.IntN(2) == 0; p.hasty {
		p.clients = max(p.clients, 2)
	}
}

// lossy has much of the past relayed, in small parts, and some of them lost.
func (p *plan) lossy(rng *rand.Rand) {
	p.holes, p.dirty, p.relink = true, true, true
	p.relay = 24
	p.refill = 6 + rng.IntN(24)
	p.clients = max(p.clients, 2)
	p.limits.Records = 2 + rng.IntN(6)
}

// slow has clients that read too slowly, of whom few are closed.
func (p *plan) slow(rng *rand.Rand) {
	p.fates = rng.IntN(64)
	p.owed = 2 + rng.IntN(8)
	p.clients = max(p.clients, 1)
}

// pastLimits bound what is kept of what lies below the history.
func (p *plan) pastLimits() replica.Limits {
	l := p.limits
	l.Records, l.Hold = max(2*p.backfill, 1), fillsWithin*time.Millisecond
	return l
}

// weights say how often each op comes. Schedules differ in what they are
// about: a fault that most of them have hides what only its absence shows.
func weights(p *plan, rng *rand.Rand) (w [ops]int) {
	w = [ops]int{opStep: 300, opProduce: 20, opCommit: 4}
	some := func(o op, n int) {
		if rng.IntN(2) == 0 {
			w[o] = 1 + rng.IntN(n)
		}
	}
	some(opRetain, 4)
	if p.compacts {
		w[opCompact] = 4
	}
	some(opElect, 16)
	some(opKill, 8)
	w[opSpawn] = w[opKill]
	some(opFreeze, 10)
	w[opThaw] = w[opFreeze]
	some(opTear, 8)
	some(opAge, 6)
	some(opWatch, 12)
	some(opRestart, 2)
	some(opOrphan, 1)
	w[opElect] += 2
	if p.later > 0 {
		w[opGrow] = 2
	}
	if p.clients > 0 {
		w[opConnect] = 20
		some(opCut, 16)
		some(opPing, 8)
		w[opMore] = 3 * p.last
		if p.fates != 0 {
			w[opProduce] += 30
			w[opPing] += 8
		}
	}
	if p.eras {
		w[opTruncate], w[opRecreate] = 16, 3
		w[opElect] += 8
	}
	if p.unheard {
		w[opFreeze] += 8
		w[opThaw] += 12
		w[opElect] += 8
		w[opProduce] += 10
	}
	if p.dirty {
		w[opLose], w[opTwice] = 8, 16
	}
	if p.holes {
		w[opLose], w[opTwice] = 1, 1
		w[opCut] += 8
	}
	return w
}

// String gives the plan as text that parsePlan reads.
func (p *plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed=%d workers=%d base=%d seeded=%d known=%t eras=%t dirty=%t relink=%t prompt=%t lazy=%t relay=%d apply=%d bytes=%d chunk=%d records=%d age=%d partitions=%d later=%d clients=%d owed=%d refill=%d backfill=%d compacts=%t topics=%d nameless=%t unheard=%t last=%d legacy=%t fates=%d holes=%t hasty=%t\n",
		p.seed, p.workers, p.base, p.seeded, p.known, p.eras, p.dirty, p.relink, p.prompt, p.lazy, p.relay, p.apply, p.limits.Bytes, p.limits.Chunk, p.limits.Records, p.limits.Age,
		p.partitions, p.later, p.clients, p.owed, p.refill, p.backfill, p.compacts, p.topics, p.nameless, p.unheard, p.last, p.legacy, p.fates, p.holes, p.hasty)
	for _, m := range p.moves {
		fmt.Fprintf(&b, "%s %d %d\n", m.op, m.worker, m.x)
	}
	return b.String()
}

func parsePlan(text string) (*plan, error) {
	p := &plan{limits: replica.Limits{}}
	head, rest, _ := strings.Cut(text, "\n")
	if _, err := fmt.Sscanf(head, "seed=%d workers=%d base=%d seeded=%d known=%t eras=%t dirty=%t relink=%t prompt=%t lazy=%t relay=%d apply=%d bytes=%d chunk=%d records=%d age=%d partitions=%d later=%d clients=%d owed=%d refill=%d backfill=%d compacts=%t topics=%d nameless=%t unheard=%t last=%d legacy=%t fates=%d holes=%t hasty=%t",
		&p.seed, &p.workers, &p.base, &p.seeded, &p.known, &p.eras, &p.dirty, &p.relink, &p.prompt, &p.lazy, &p.relay, &p.apply, &p.limits.Bytes, &p.limits.Chunk, &p.limits.Records, &p.limits.Age,
		&p.partitions, &p.later, &p.clients, &p.owed, &p.refill, &p.backfill, &p.compacts, &p.topics, &p.nameless, &p.unheard, &p.last, &p.legacy, &p.fates, &p.holes, &p.hasty); err != nil {
		return nil, fmt.Errorf("sim: plan %q: %w", head, err)
	}
	for line := range strings.Lines(rest) {
		var name string
		var m move
		if _, err := fmt.Sscanf(line, "%s %d %d", &name, &m.worker, &m.x); err != nil {
			return nil, fmt.Errorf("sim: move %q: %w", line, err)
		}
		for m.op < ops && m.op.String() != name {
			m.op++
		}
		if m.op == ops {
			return nil, fmt.Errorf("sim: no move is called %q", name)
		}
		p.moves = append(p.moves, m)
	}
	return p, nil
}
