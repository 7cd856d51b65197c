package shm

import (
	"time"

	"github.com/odin-ws/odin/internal/event"
)

// StaleAfter is the age of a heartbeat at which readers call its process
// stale: the limit at which the supervisor suspects a worker.
const StaleAfter = 2 * time.Second

// Progress is how far odind is in one partition, derived from what all
// workers, living and dead, have published.
type Progress struct {
	Partition event.Partition
	Owner     event.Owner
	Era       uint32

	// Position is the last offset that the owner holds; while it has published
	// none, or there is no owner, the largest that any worker held in the
	// newest era. event.None: none.
	Position int64
	// Stable, High and LogStart are what any worker last heard from the broker
	// in the newest era, event.None if none ever did.
	Stable, High, LogStart int64
	// Lag is the records that the broker could give beyond Position (rule 18),
	// never negative.
	Lag int64
	// LagTime is 0 while Lag is 0, the broker's end is known, and the owner is
	// alive with a healthy source: only then is the lag known to be 0.
	// Otherwise it is the time since it was, or since odind started.
	LagTime time.Duration
	// Open is the records of open transactions: beyond Stable, below High.
	Open int64
}

// Progress derives partition i's; it reads one position of every slot.
func (s *Segment) Progress(i int, now Clock) Progress {
	p := Progress{Owner: s.Owner(i), Era: s.EraNumber(i)}
	partition, base := s.Partition(i)
	p.Partition = partition
	seen := s.gather(i, p.Owner)
	p.Position = seen.held
	p.Stable, p.High, p.LogStart = seen.broker.Stable, seen.broker.High, seen.broker.LogStart
	held := p.Position
	if !seen.positioned {
		held = base - 1
	}
	p.Lag = max(0, p.Stable-1-held)
	p.Open = max(0, p.High-p.Stable)
	if p.Lag > 0 || p.Stable == event.None || !s.follows(p.Owner, now) {
		since := seen.caughtUp
		if since == 0 {
			since = s.supervisor.StartedNS()
		}
		p.LagTime = time.Duration(max(0, now.Wall-since))
	}
	return p
}

// sight is what the positions of all slots say about one partition.
type sight struct {
	broker     Position // of the newest era, with the largest Stable in it
	held       int64
	positioned bool
	// caughtUp is the newest of the positions published by owners; who only
	// receives can't know that it lacks nothing, so it counts only while no
	// owner has said anything.
	caughtUp        int64
	caughtUpByOwner bool
}

func (s *Segment) gather(i int, owner event.Owner) sight {
	none := Position{Stable: event.None, High: event.None, LogStart: event.None, Held: event.None}
	seen, best, owned := sight{broker: none}, none, false
	for slot := range s.list {
		p, ok := s.list[slot].Position(i)
		if !ok {
			continue
		}
		seen.catchUp(&p)
		if newer(p.Era, p.Stable, seen.broker.Era, seen.broker.Stable) {
			seen.broker = p
		}
		mine := owner.Is(slot, p.Generation)
		if p.Positioned && !owned && (mine || !seen.positioned || newer(p.Era, p.Held, best.Era, best.Held)) {
			best, seen.positioned, owned = p, true, mine
		}
	}
	seen.held = best.Held
	return seen
}

func (s *sight) catchUp(p *Position) {
	byOwner := p.Owned && p.CaughtUpNS > 0
	if byOwner && !s.caughtUpByOwner {
		s.caughtUp, s.caughtUpByOwner = 0, true
	}
	if byOwner == s.caughtUpByOwner {
		s.caughtUp = max(s.caughtUp, p.CaughtUpNS)
	}
}

// newer orders offsets by era first: a truncation makes them fall.
func newer(era uint32, offset int64, thanEra uint32, than int64) bool {
	return era > thanEra || era == thanEra && offset > than
}

// follows tells whether the owner is alive and hears from the broker, so that
// what it published is what is.
func (s *Segment) follows(o event.Owner, now Clock) bool {
	if o.Slot < 0 || o.Slot >= len(s.list) {
		return false
	}
	slot := &s.list[o.Slot]
	state := slot.State()
	alive := state == Starting || state == Ready || state == Draining
	return alive && o.Is(o.Slot, slot.Generation()) && !slot.Stale(now) && slot.Gauge(SourceHealthy) != 0
}

// BeatAge is how old the worker's heartbeat is, never negative.
func (s *Slot) BeatAge(now Clock) time.Duration {
	_, ns := s.LastBeat()
	return time.Duration(max(0, now.Monotonic-ns))
}

// Stale tells whether the heartbeat is older than StaleAfter.
func (s *Slot) Stale(now Clock) bool { return s.BeatAge(now) > StaleAfter }

// BeatAge is how old the supervisor's heartbeat is, never negative.
func (p *Process) BeatAge(now Clock) time.Duration {
	_, ns := p.LastBeat()
	return time.Duration(max(0, now.Monotonic-ns))
}

// Stale tells whether the heartbeat is older than StaleAfter.
func (p *Process) Stale(now Clock) bool { return p.BeatAge(now) > StaleAfter }
