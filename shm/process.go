package shm

import "sync/atomic"

// Process is the supervisor's part of the segment; only it writes.
type Process struct {
	segment  *Segment
	off      int
	counters []uint64
	gauges   []uint64
}

// Name is a text about odind as a whole, at most NameMax bytes.
type Name int

// The names.
const (
	Version  Name = iota // of odind
	Digest               // of the effective configuration
	Listen               // where clients connect
	Operator             // where the operator's HTTP is
	Node                 // what hello calls this machine
	Pending              // keys whose new value needs a restart, with spaces between them, as many as fit
	NameCount
)

func newProcess(s *Segment) Process {
	off := s.plan.process
	return Process{
		segment: s, off: off,
		counters: s.mem.words(off+processCounters, int(SupervisorCounterCount)),
		gauges:   s.mem.words(off+s.processGauges, int(SupervisorGaugeCount)),
	}
}

func (p *Process) load(off int) uint64 { return p.segment.mem.load(p.off + off) }

func (p *Process) store(off int, v uint64) {
	p.segment.mustWrite()
	p.segment.mem.store(p.off+off, v)
}

// SetStarted says which process supervises, since the wall-clock time ns.
func (p *Process) SetStarted(pid int, ns int64) {
	p.store(processIdentity+word, uint64(ns))
	p.store(processBeat+word, uint64(Monotonic()))
	p.store(processIdentity, uint64(pid))
}

// Pid is the supervisor's.
func (p *Process) Pid() int { return int(uint32(p.load(processIdentity))) }

// StartedNS is the wall-clock time of the supervisor's start.
func (p *Process) StartedNS() int64 { return int64(p.load(processIdentity + word)) }

// SetRun names this start of odind by a number that no other has.
func (p *Process) SetRun(number uint64) { p.store(processRun, number) }

// Run is what SetRun said.
func (p *Process) Run() uint64 { return p.load(processRun) }

// SetState says where odind as a whole stands; what is derived from the
// workers (degraded) is not kept.
func (p *Process) SetState(state State) { p.store(processIdentity+2*word, uint64(state)) }

// State is where odind as a whole stands.
func (p *Process) State() State {
	return State(min(p.load(processIdentity+2*word), uint64(^uint32(0))))
}

// Beat says that the supervisor is alive at the monotonic time ns.
func (p *Process) Beat(ns int64) {
	p.store(processBeat+word, uint64(ns))
	p.segment.mem.add(p.off+processBeat, 1)
}

// LastBeat gives the supervisor's heartbeats and the monotonic time of the
// last one.
func (p *Process) LastBeat() (count uint64, ns int64) {
	count = p.load(processBeat)
	return count, int64(p.load(processBeat + word))
}

func (p *Process) name(n Name) name {
	off := p.off + p.segment.processNames + int(n)*nameBytes()
	return name{twin{p.segment.mem.words(off, twinWords(nameWords))}}
}

// SetName sets one of the names.
func (p *Process) SetName(n Name, text string) {
	p.segment.mustWrite()
	p.name(n).set(text)
}

// Name reads one of the names, "" if it was never set.
func (p *Process) Name(n Name) string { return p.name(n).get() }

// Add counts n more.
func (p *Process) Add(c SupervisorCounter, n uint64) {
	p.segment.mustWrite()
	atomic.AddUint64(&p.counters[c], n)
}

// Counter is what the supervisor has counted since it started.
func (p *Process) Counter(c SupervisorCounter) uint64 { return atomic.LoadUint64(&p.counters[c]) }

// Set makes v the gauge's value.
func (p *Process) Set(g SupervisorGauge, v int64) {
	p.segment.mustWrite()
	atomic.StoreUint64(&p.gauges[g], uint64(v))
}

// Gauge reads one of the supervisor's gauges.
func (p *Process) Gauge(g SupervisorGauge) int64 { return int64(atomic.LoadUint64(&p.gauges[g])) }
