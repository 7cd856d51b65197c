package supervisor

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/shm"
)

// roleVariable says how the workers of a test behave: "1=crash,*=slow".
const roleVariable = "ODIN_TEST_ROLES"

// The roles.
const (
	plain      = ""           // does everything right
	crash      = "crash"      // ends at once
	crashFirst = "crashfirst" // ends at once, in its first generation
	slow       = "slow"       // is ready after slowStart
	stubborn   = "stubborn"   // neither stops nor takes TERM
	cutOff     = "cutoff"     // reaches no broker
)

const slowStart = 800 * time.Millisecond

// actorPartitions is how many partitions the scout reports.
const actorPartitions = 8

// actor is a worker process that plays its part of the control protocol: it
// answers each connection with "slot/generation" and closes it.
type actor struct {
	conn       *control.Conn
	segment    *shm.Segment
	slot       *shm.Slot
	generation uint32
	role       string
	born       time.Time

	ready     atomic.Bool
	listeners map[int]net.Listener // of the control goroutine
	waiting   []control.Message    // listeners given before it was ready
	files     []*os.File
	peers     map[int]uint32
}

// actorMain is the process, from descriptors 3, 4 and 5.
func actorMain() int {
	conn, err := control.FromFile(os.NewFile(3, "control"))
	if err != nil {
		return fail(err)
	}
	segment, err := shm.Attach(os.NewFile(4, "segment"))
	if err != nil {
		return fail(err)
	}
	if flags, err := unix.FcntlInt(5, unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK == 0 {
		return fail(fmt.Errorf("eventfd: flags %x, %v", flags, err))
	}
	first, _, err := conn.Receive()
	if err != nil || first.Type != control.Config || len(first.Config) == 0 {
		return fail(fmt.Errorf("first message is %v, %v", first.Type, err))
	}
	a := &actor{
		conn: conn, segment: segment, slot: segment.Slot(first.Slot), generation: first.Generation,
		role: roleOf(first.Slot), born: time.Now(), listeners: map[int]net.Listener{}, peers: map[int]uint32{},
	}
	if a.role == crash || a.role == crashFirst && a.generation == 1 {
		return 7
	}
	if a.role == stubborn {
		signal.Ignore(syscall.SIGTERM)
	}
	return a.play()
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "actor:", err)
	return 97
}

func roleOf(slot int) string {
	for part := range strings.SplitSeq(os.Getenv(roleVariable), ",") {
		name, role, _ := strings.Cut(part, "=")
		if name == "*" || name == fmt.Sprint(slot) {
			return role
		}
	}
	return plain
}

func (a *actor) play() int {
	messages, files := make(chan control.Message), make(chan []*os.File, 1)
	go func() {
		for {
			m, f, err := a.conn.Receive()
			if err != nil {
				close(messages)
				return
			}
			messages <- m
			files <- f
		}
	}()
	_ = a.conn.Send(control.Message{Type: control.Source, Healthy: a.role != cutOff, Reason: "127.0.0.1:9092: connection refused"})
	beat := time.NewTicker(5 * time.Millisecond)
	for {
		select {
		case m, ok := <-messages:
			if !ok && a.role == stubborn {
				messages = nil
				continue
			}
			if !ok {
				return fail(fmt.Errorf("control socket closed"))
			}
			if a.obey(m, <-files) {
				return 0
			}
		case <-beat.C:
			a.slot.Beat(shm.Monotonic())
			a.advance()
		}
	}
}

// advance becomes ready once the topology is known.
func (a *actor) advance() {
	if a.ready.Load() || a.segment.TopologyVersion() == 0 || a.role == slow && time.Since(a.born) < slowStart {
		return
	}
	for i := range a.segment.Partitions() {
		a.slot.PublishPosition(i, shm.Position{Positioned: true, Generation: a.generation})
	}
	block := a.slot.Block(a.generation)
	block.Set(shm.SourceHealthy, 1)
	block.Add(shm.Deliveries, 1)
	a.slot.SetState(shm.Ready)
	a.ready.Store(true)
	_ = a.conn.Send(control.Message{Type: control.Ready})
	for i, m := range a.waiting {
		a.listen(m.Slot, a.files[i])
	}
	a.waiting, a.files = nil, nil
}

func (a *actor) obey(m control.Message, files []*os.File) (over bool) {
	switch m.Type {
	case control.Listener:
		if !a.ready.Load() {
			a.waiting, a.files = append(a.waiting, m), append(a.files, files...)
			return false
		}
		a.listen(m.Slot, files[0])
	case control.Unlisten:
		if l := a.listeners[m.Slot]; l != nil {
			l.Close()
			delete(a.listeners, m.Slot)
		}
		_ = a.conn.Send(control.Message{Type: control.Unlistened, Slot: m.Slot})
	case control.Scout:
		a.report(m.On)
	case control.Link:
		files[0].Close()
		a.peers[m.Peer] = m.PeerGeneration
	case control.Dump:
		_, _ = os.Stderr.Write(stacks())
	case control.Stop:
		_ = a.conn.Send(control.Message{Type: control.Stopped})
		return a.role != stubborn
	}
	return false
}

func (a *actor) listen(slot int, f *os.File) {
	l, err := net.FileListener(f)
	f.Close()
	if err != nil {
		os.Exit(fail(err))
	}
	if old := a.listeners[slot]; old != nil {
		old.Close()
	}
	a.listeners[slot] = l
	me := fmt.Sprintf("%d/%d\n", a.slot.Index(), a.generation)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte(me))
			conn.Close()
		}
	}()
}

func (a *actor) report(on bool) {
	if !on || a.role == cutOff {
		return
	}
	t := control.Topic{Name: "odin.trades", ID: event.TopicID{1}}
	for i := range actorPartitions {
		t.Partitions = append(t.Partitions, control.Partition{Number: int32(i)})
	}
	_ = a.conn.Send(control.Message{Type: control.Topology, Topics: []control.Topic{t}})
}
