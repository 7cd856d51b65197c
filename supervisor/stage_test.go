package supervisor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/journal"
	"github.com/odin-ws/odin/shm"
)

// puppet is a worker without a process: it records what it is told.
type puppet struct {
	slot       int
	generation uint32
	told       []control.Message
	files      int
	signals    []os.Signal
	rings      int
	closed     bool
	deaf       bool // its mailbox is full
	frozen     bool // it does not beat
}

func (p *puppet) process(pid int) process {
	return process{
		pid: pid,
		send: func(m control.Message, files ...*os.File) bool {
			for _, f := range files {
				f.Close()
			}
			p.files += len(files)
			p.told = append(p.told, m)
			return !p.deaf
		},
		signal: func(s os.Signal) error { p.signals = append(p.signals, s); return nil },
		ring:   func() { p.rings++ },
		close:  func() { p.closed = true },
	}
}

// types are the messages that it was told since the last call.
func (p *puppet) types() (all []control.Type) {
	for _, m := range p.told {
		all = append(all, m.Type)
	}
	p.told = nil
	return all
}

// stage is a crew of puppets with a clock of its own.
type stage struct {
	*crew
	t       *testing.T
	time    time.Time
	live    []*puppet // by slot
	started int
	fail    error // of the next starts
	logged  logged

	followed config.Config // what all else was told to follow
	hangups  int
	kept     []keptEra // as it was written last
}

// logged is what the crew has logged.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func settings(workers int) config.Config {
	cfg := config.Default(config.Host{CPUs: float64(workers), Files: 20_000, RuntimeDir: "/nowhere", Name: "test"})
	cfg.Workers = workers
	return cfg
}

func newStage(t *testing.T, workers int) *stage {
	t.Helper()
	return newStageOf(t, settings(workers))
}

func newStageOf(t *testing.T, cfg config.Config) *stage {
	t.Helper()
	return newStageBehind(t, cfg, archived{})
}

// newStageBehind is one whose odind ran before.
func newStageBehind(t *testing.T, cfg config.Config, found archived) *stage {
	t.Helper()
	segment, err := shm.Create(filepath.Join(t.TempDir(), segmentName), shm.Layout{Slots: cfg.Workers, Partitions: 64})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { segment.Close() })
	s := &stage{t: t, time: time.Unix(1000, 0), live: make([]*puppet, cfg.Workers)}
	sys := system{
		now: func() time.Time { return s.time }, random: func() float64 { return 0.5 },
		start: s.start, listen: func(int) (*os.File, error) { return os.Open(os.DevNull) },
		follow: func(cfg config.Config) { s.followed = cfg }, hangup: func() { s.hangups++ },
		found: found, keep: func(list []keptEra) { s.kept = list },
	}
	log, err := journal.Open(&s.logged, journal.Options{Level: "info", Format: journal.Text})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	s.crew, err = newCrew(cfg, segment, sys, log)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stage) start(slot int, generation uint32) (process, error) {
	if s.fail != nil {
		return process{}, s.fail
	}
	s.started++
	s.live[slot] = &puppet{slot: slot, generation: generation}
	return s.live[slot].process(10_000 + s.started), nil
}

// pass lets time pass; who is not frozen beats.
func (s *stage) pass(d time.Duration) {
	for end := s.time.Add(d); s.time.Before(end); {
		s.time = s.time.Add(s.limits.HeartbeatBeat)
		for slot, p := range s.live {
			if p != nil && !p.frozen {
				s.segment.Slot(slot).Beat(1)
			}
		}
		s.tick()
	}
}

// says is a worker's message.
func (s *stage) says(slot int, m control.Message) {
	s.handle(news{slot: slot, generation: s.live[slot].generation, kind: said, message: m})
}

// ready has workers report that they are.
func (s *stage) ready(slots ...int) {
	for _, slot := range slots {
		s.says(slot, control.Message{Type: control.Ready})
	}
}

// dies ends a worker.
func (s *stage) dies(slot int) {
	p := s.live[slot]
	s.live[slot] = nil
	s.handle(news{slot: slot, generation: p.generation, kind: ended, how: "signal: killed"})
	if !p.closed {
		s.t.Errorf("worker %d was not cleared away", slot)
	}
}

// reports is the scout's topology of one topic.
func (s *stage) reports(partitions int) {
	t := control.Topic{Name: "odin.trades", ID: event.TopicID{7}}
	for i := range partitions {
		t.Partitions = append(t.Partitions, control.Partition{Number: int32(i), Base: int64(100 * i)})
	}
	s.says(s.scout, control.Message{Type: control.Topology, Topics: []control.Topic{t}})
}

// owners is the slots that own the partitions.
func (s *stage) owners() (slots []int) {
	for i := range s.segment.Partitions() {
		o := s.segment.Owner(i)
		if p := s.slots[max(o.Slot, 0)].worker; o.Slot >= 0 && (p == nil || !o.Is(o.Slot, p.generation)) {
			s.t.Errorf("partition %d is owned by %+v, which does not run", i, o)
		}
		slots = append(slots, o.Slot)
	}
	return slots
}

func (s *stage) wantOwners(want ...int) {
	s.t.Helper()
	if got := s.owners(); !slices.Equal(got, want) {
		s.t.Fatalf("owners %v, want %v", got, want)
	}
}

func (s *stage) wantTold(slot int, want ...control.Type) {
	s.t.Helper()
	if got := s.live[slot].types(); !slices.Equal(got, want) {
		s.t.Fatalf("worker %d was told %v, want %v", slot, got, want)
	}
}

func (s *stage) wantCount(n shm.SupervisorCounter, want uint64) {
	s.t.Helper()
	if got := s.segment.Process().Counter(n); got != want {
		s.t.Fatalf("%s is %d, want %d", n.Metric().Name, got, want)
	}
}

// running is a stage whose workers are ready and share six partitions.
func running(t *testing.T, workers int) *stage {
	t.Helper()
	s := newStage(t, workers)
	s.begin()
	s.reports(6)
	for slot := range workers {
		s.ready(slot)
	}
	s.pass(time.Second)
	for _, p := range s.live {
		p.types()
		p.rings = 0
	}
	return s
}

// sick is a worker's message that its source does not answer.
func sick(why string) control.Message { return control.Message{Type: control.Source, Reason: why} }

// lacks is a report that knows of nothing new and misses topics.
func lacks(topics ...string) control.Message {
	return control.Message{Type: control.Topology, Missing: topics}
}
