package worker

import (
	"os"
	"runtime/debug"
	"runtime/metrics"

	"golang.org/x/sys/unix"

	"github.com/odin-ws/odin/kafka"
	"github.com/odin-ws/odin/shm"
)

// usage remembers what the kernel and the runtime said last, for counters that
// grow by the difference.
type usage struct {
	user, system int64
	gcs          uint64
	evicted      uint64
	trimmed      uint64
	source       kafka.Stats
	gcTime       float64 // seconds
	base         int64   // descriptors that are none of sessions and links
	samples      []metrics.Sample
	handshakes   uint64 // at the last tick
	quiet        int    // ticks without a handshake
	settled      uint64 // when memory was given back last
	dropped      uint64 // lines of the log
	repeated     uint64
}

// gauge publishes what is measured once a second.
func (p *process) gauge() {
	b := p.block
	b.Set(shm.Subscriptions, int64(p.hub.Subscriptions()))
	b.Set(shm.Channels, int64(p.hub.Channels()))
	b.Set(shm.Patterns, int64(p.hub.Patterns()))
	b.Set(shm.ClosingSessions, int64(p.leaving))
	b.Set(shm.ReplayingSessions, int64(p.replaying))
	b.Set(shm.BlockedSessions, int64(len(p.lagging)))
	b.Set(shm.AnswerBytes, int64(p.answerBytes))
	b.Set(shm.OwedBytes, p.owedBytes())
	b.Set(shm.DeflatingSessions, int64(p.deflating.sessions))
	b.Set(shm.InputBytes, int64(p.inputBytes))
	p.gaugeSource()
	p.gaugeLinks()
	p.gaugeHistory()
	p.gaugeProcess()
}

// countSessions says how many there are, at each change: who waits for the end
// of a drain looks.
func (p *process) countSessions() { p.block.Set(shm.Sessions, int64(p.sessions.live)) }

func (p *process) gaugeSource() {
	owned := 0
	for _, pt := range p.partitions {
		if pt.replica.Owns() {
			owned++
		}
	}
	p.block.Set(shm.PartitionsOwned, int64(owned))
	p.hearEnds()
	held := p.intake.held()
	p.block.Set(shm.UnappliedBytes, int64(held))
	paused := int64(0)
	if held >= p.config.Limits.FetchedBytesMax || p.fetchedAt < len(p.fetched) && (p.congested() || !p.mayFetch()) {
		paused = 1
	}
	p.block.Set(shm.SourcePaused, paused)
	now, before := p.source.Stats(), p.usage.source
	p.block.Add(shm.Fetches, now.Fetches-before.Fetches)
	p.block.Add(shm.FetchedBytes, now.Bytes-before.Bytes)
	p.block.Add(shm.FetchErrors, now.Errors-before.Errors)
	p.block.Add(shm.FetchesStale, now.Stale-before.Stale)
	p.usage.source = now
}

func (p *process) gaugeLinks() {
	links, blocked, owed := 0, 0, 0
	for _, l := range p.links {
		if l == nil {
			continue
		}
		links++
		owed += l.out.Len()
		if l.blocked {
			blocked++
		}
	}
	p.block.Set(shm.BusLinks, int64(links))
	p.block.Set(shm.BusLinksBlocked, int64(blocked))
	p.block.Set(shm.BusOwedBytes, int64(owed))
}

func (p *process) owedBytes() int64 {
	n := 0
	for _, index := range p.lagging {
		n += p.sessions.at(index).queue.Bytes
	}
	return int64(n)
}

func (p *process) gaugeHistory() {
	st := p.store.Stats()
	p.block.Set(shm.HistoryBytes, st.Bytes)
	p.block.Set(shm.HistoryBytesMax, p.store.BytesMax())
	p.block.Set(shm.HistoryDeflatedBytes, st.Deflated)
	p.block.Set(shm.HistoryRecords, int64(st.Records))
	p.block.Set(shm.HistoryAge, st.Age*1000)
	p.block.Set(shm.HistoryChunks, int64(st.Chunks))
	p.block.Add(shm.HistoryEvictions, st.Evicted-p.usage.evicted)
	p.block.Add(shm.HistoryRecordsEvicted, st.Trimmed-p.usage.trimmed)
	p.usage.evicted, p.usage.trimmed = st.Evicted, st.Trimmed
}

func (p *process) gaugeProcess() {
	u := &p.usage
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err == nil {
		user, system := unix.TimevalToNsec(r.Utime), unix.TimevalToNsec(r.Stime)
		p.block.Add(shm.CPUUser, uint64(user-u.user))
		p.block.Add(shm.CPUSystem, uint64(system-u.system))
		u.user, u.system = user, system
	}
	if u.samples == nil {
		u.samples = []metrics.Sample{
			{Name: "/memory/classes/heap/objects:bytes"},
			{Name: "/sched/goroutines:goroutines"},
			{Name: "/gc/cycles/total:gc-cycles"},
			{Name: "/cpu/classes/gc/total:cpu-seconds"},
		}
	}
	metrics.Read(u.samples)
	p.block.Set(shm.HeapBytes, int64(u.samples[0].Value.Uint64()))
	p.block.Set(shm.Goroutines, int64(u.samples[1].Value.Uint64()))
	p.block.Add(shm.GCRuns, u.samples[2].Value.Uint64()-u.gcs)
	p.block.Add(shm.GCCPU, uint64(max(0, u.samples[3].Value.Float64()-u.gcTime)*1e9))
	u.gcs, u.gcTime = u.samples[2].Value.Uint64(), max(u.gcTime, u.samples[3].Value.Float64())
	p.gaugeDescriptors()
	p.gaugeLog()
	p.block.Set(shm.ResidentBytes, residentBytes())
}

// gaugeLog counts the lines that nobody will read.
func (p *process) gaugeLog() {
	u, dropped, repeated := &p.usage, p.log.Dropped(), p.log.Repeated()
	p.block.Add(shm.LogDropped, dropped-u.dropped)
	p.block.Add(shm.LogRepeated, repeated-u.repeated)
	u.dropped, u.repeated = dropped, repeated
}

// gaugeDescriptors counts what is open without listing it: tens of thousands
// of entries a second would be felt. It is the sessions, the connections on
// their way, the links, and what a worker always has.
func (p *process) gaugeDescriptors() {
	links := 0
	for _, l := range p.links {
		if l != nil {
			links++
		}
	}
	if p.ticks%600 == 1 || p.usage.base == 0 {
		p.usage.base = openDescriptors() - p.connections(links)
	}
	p.block.Set(shm.OpenFds, p.usage.base+p.connections(links))
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err == nil {
		p.block.Set(shm.FdLimit, int64(min(lim.Cur, 1<<62)))
	}
}

// connections is how many descriptors come and go.
func (p *process) connections(links int) int64 {
	return int64(p.sessions.live + p.doors.callers.connected() + links)
}

func openDescriptors() int64 {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return int64(len(entries))
}

// residentBytes reads the second field of /proc/self/statm, in pages.
func residentBytes() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var pages int64
	field := 0
	for _, c := range text {
		if c == ' ' {
			if field++; field == 2 {
				break
			}
			continue
		}
		if field == 1 {
			pages = pages*10 + int64(c-'0')
		}
	}
	return pages * int64(os.Getpagesize())
}

// settle gives memory back to the system once a storm of handshakes is over:
// their garbage is many times what the sessions need for the rest of their
// lives. It runs beside the loop.
func (p *process) settle() {
	u := &p.usage
	if count := p.mine.Counter(shm.Handshakes); count != u.handshakes {
		u.handshakes, u.quiet = count, 0
		return
	}
	u.quiet++
	if u.quiet == settleTicks && u.handshakes-u.settled >= settleAfter {
		u.settled = u.handshakes
		go debug.FreeOSMemory()
	}
}

// settleAfter is how many handshakes leave enough garbage to collect for, and
// settleTicks how long there must have been none.
const (
	settleAfter = 100
	settleTicks = 3
)
