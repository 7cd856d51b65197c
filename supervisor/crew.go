package supervisor

import (
	"encoding/json"
	"os"
	"sync/atomic"
	"time"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/journal"
	"github.com/odin-ws/odin/shm"
)

// system is what the crew needs of the world; tests give it another one.
type system struct {
	now    func() time.Time
	random func() float64 // in [0,1)
	start  func(slot int, generation uint32) (process, error)
	listen func(slot int) (*os.File, error) // a copy of the slot's listener
	follow func(config.Config)              // what else depends on the configuration in force
	hangup func()                           // has the configuration read anew
	found  archived                         // the eras of before this start
	keep   func([]keptEra)                  // has them written
}

// process is one running worker, as the crew sees it. None of the functions
// blocks.
type process struct {
	pid    int
	send   func(control.Message, ...*os.File) bool // takes over the files; false: the mailbox is full
	signal func(os.Signal) error
	ring   func() // its eventfd
	close  func() // once, after its end
}

// crew is all slots and what is decided about them. It belongs to the
// goroutine that called Run; only readiness is read by others.
type crew struct {
	system
	log     *journal.Journal
	inForce config.Config
	limits  config.Limits   // of inForce
	config  json.RawMessage // inForce, as every worker gets it, secrets included
	segment *shm.Segment

	slots    []*slot
	liveness *liveness
	lending  *lending
	eras     eras
	sources  settling
	repaired []repaired
	scout    int // slot, or nobody

	index   map[event.Partition]int
	missing []string // topics, from the last report

	readiness atomic.Pointer[readiness]

	reloading bool // the configuration is being read anew
	stopping  bool
	killAt    time.Time // while stopping

	draining      bool // over while stopping
	drainStart    time.Time
	drainEnd      time.Time // of the window
	drainSessions int64     // that there were at its start
}

// slot is one place for a worker, for as long as we run.
type slot struct {
	index      int
	shm        *shm.Slot
	backoff    backoff
	generation uint32
	worker     *worker   // nil: none runs
	due        time.Time // of the next start, while none runs
	level      string    // of its worker's log, set since the last configuration; "": the configured one
	givenUp    bool
}

// worker is one incarnation.
type worker struct {
	process
	generation uint32
	started    time.Time
	founder    bool // see view
	ready      bool
	verdict    verdict
	healthy    bool      // its source, as it reported
	everywhere bool      // it is not, by what is the same for every worker
	reason     string    // why it is not
	sick       bool      // its source, once that had settled
	cutOff     bool      // it is, and others may not be
	killAt     time.Time // zero: not
	killed     bool      // only waitpid is missing
}

// generationMax is the width of a generation in an owner word.
const generationMax = 1<<24 - 1

// killGrace is how long a worker that is to be killed has for dumping its
// goroutines, and one that closed its control socket for ending by itself.
const killGrace = time.Second

func newCrew(cfg config.Config, segment *shm.Segment, sys system, log *journal.Journal) (*crew, error) {
	l := cfg.Limits
	c := &crew{
		system: sys, log: log, segment: segment,
		liveness: newLiveness(cfg.Workers, l.HeartbeatBeat, l.HeartbeatSuspect, l.HeartbeatDead),
		lending:  newLending(cfg.Workers, l.LendAfter, l.HeartbeatSuspect),
		eras:     newEras(sys.found),
		scout:    nobody,
		index:    map[event.Partition]int{},
	}
	for i := range cfg.Workers {
		c.slots = append(c.slots, &slot{index: i, shm: segment.Slot(i)})
	}
	if err := c.enforce(cfg); err != nil {
		return nil, err
	}
	return c, nil
}

// begin starts a worker in every slot.
func (c *crew) begin() {
	for _, s := range c.slots {
		c.spawn(s)
	}
	c.review()
}

// review brings everything that depends on the workers' state up to date. It
// is called after each change of it.
func (c *crew) review() {
	if !c.stopping {
		c.lend()
		c.appoint()
		c.elect()
	}
	c.refresh()
}

// views is the crew as the pure decisions see it.
func (c *crew) views() []view {
	views := make([]view, len(c.slots))
	for i, s := range c.slots {
		if w := s.worker; w != nil {
			views[i] = view{
				alive: true, generation: w.generation, ready: w.ready,
				suspect: w.verdict != alive, sick: w.cutOff, founder: w.founder,
			}
		}
	}
	return views
}

// find gives the worker that an event is about, nil if it has ended since.
func (c *crew) find(slot int, generation uint32) *worker {
	if w := c.slots[slot].worker; w != nil && w.generation == generation {
		return w
	}
	return nil
}

// count adds one to a counter of ours.
func (c *crew) count(n shm.SupervisorCounter) { c.segment.Process().Add(n, 1) }

// tell sends without waiting. A worker that reads so little that its mailbox
// is full can't be led any more.
func (c *crew) tell(s *slot, m control.Message, files ...*os.File) {
	if s.worker.send(m, files...) {
		return
	}
	c.log.Error("worker does not read its orders, and is killed", "worker", s.index, "pid", s.worker.pid, "type", string(m.Type), "waiting", mailMax)
	c.kill(s)
}
