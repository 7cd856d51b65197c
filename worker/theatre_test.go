package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sys/unix"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/journal"
	"github.com/odin-ws/odin/internal/loop"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// theatre runs whole workers inside the test's process, under the race detector,
// with a supervisor that is played by the test and a broker that is real
// enough.
type theatre struct {
	t       *testing.T
	config  config.Config
	broker  *kfake.Cluster
	client  *kgo.Client
	segment *shm.Segment
	workers []*actor
	slots   int

	mu sync.Mutex // serialises register
}

// actor is one worker and the test's end of what connects it.
type actor struct {
	slot    int
	process *process
	conn    *control.Conn
	ring    int
	address string
	ended   chan int
	logged  logged
}

// logged is what a worker has logged; it is also shown with the test's output.
type logged struct {
	t    *testing.T
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(b)
	return l.t.Output().Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

const patience = 20 * time.Second

func newTheatre(t *testing.T, workers int, change func(*config.Config)) *theatre {
	t.Helper()
	return newTheatreOf(t, workers, workers, change)
}

// newTheatreOf has slots without a worker.
func newTheatreOf(t *testing.T, workers, slots int, change func(*config.Config)) *theatre {
	t.Helper()
	st := &theatre{t: t, slots: slots}
	var err error
	st.broker, err = kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, "odin.trades", "odin.balances"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.broker.Close)
	st.client, err = kgo.NewClient(kgo.SeedBrokers(st.broker.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.client.Close)
	st.config = config.Default(config.Host{CPUs: float64(workers), Files: 4096})
	st.config.Workers = workers
	st.config.Limits.ConnectionsMax = 1000
	st.config.Kafka.Brokers = st.broker.ListenAddrs()
	st.config.Log.Level = "warn"
	st.config.Routes = []config.Route{
		{Topic: "odin.trades", Channel: "{key}.trade", Slow: "close"},
		{Topic: "odin.balances", Channel: "{key}.balances", Slow: "close"},
	}
	if change != nil {
		change(&st.config)
	}
	st.open(workers)
	return st
}

// another is an odind that starts anew on the same broker.
func (st *theatre) another(workers int) *theatre {
	st.t.Helper()
	next := &theatre{t: st.t, slots: workers, config: st.config, broker: st.broker, client: st.client}
	next.open(workers)
	return next
}

// open starts the workers and waits until they are ready.
func (st *theatre) open(workers int) {
	st.t.Helper()
	t := st.t
	var err error
	st.segment, err = shm.Create(filepath.Join(t.TempDir(), "stats.shm"), shm.Layout{Slots: st.slots, Partitions: 64})
	if err != nil {
		t.Fatal(err)
	}
	for slot := range workers {
		st.workers = append(st.workers, st.start(slot))
	}
	st.join()
	st.workers[0].send(t, control.Message{Type: control.Scout, On: true})
	st.await("every worker is ready", func() bool {
		for i := range st.workers {
			if st.segment.Slot(i).State() != shm.Ready {
				return false
			}
		}
		return true
	})
	t.Cleanup(st.stop)
}

// start makes a worker as the supervisor would, but within this process. It
// hears the orders before it gets its listener.
func (st *theatre) start(slot int, orders ...control.Message) *actor {
	st.t.Helper()
	a := &actor{slot: slot, ended: make(chan int, 1), logged: logged{t: st.t}}
	near, far, err := control.Pair()
	st.must(err)
	a.conn = near
	theirs, err := control.FromFile(far)
	st.must(err)
	a.ring, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	st.must(err)
	st.segment.Slot(slot).SetSpawn(os.Getpid(), 1, shm.Wall())
	raw, err := json.Marshal(st.config)
	st.must(err)
	var c config.Config
	st.must(json.Unmarshal(raw, &c))
	log, err := journal.Open(&a.logged, journal.Options{Level: c.Log.Level, Format: journal.JSON, Sign: []slog.Attr{slog.Int("worker", slot)}})
	st.must(err)
	a.process, err = newProcess(c, control.Message{Slot: slot, Generation: 1, Slots: st.config.Workers}, log)
	st.must(err)
	st.must(a.process.inherit(theirs, st.segment, a.ring))
	var listening net.ListenConfig
	listening.SetMultipathTCP(false) // as the supervisor's: its sockets lack options
	l, err := listening.Listen(st.t.Context(), "tcp", "127.0.0.1:0")
	st.must(err)
	a.address = l.Addr().String()
	f, err := l.(*net.TCPListener).File()
	st.must(err)
	l.Close()
	go st.supervise(a)
	go a.process.listen()
	go func() {
		code := a.process.run()
		log.Close()
		a.ended <- code
	}()
	for _, m := range orders {
		a.send(st.t, m)
	}
	a.send(st.t, control.Message{Type: control.Listener, Slot: slot}, f)
	f.Close()
	return a
}

// join gives every two workers a link.
func (st *theatre) join() {
	for i, a := range st.workers {
		for _, b := range st.workers[i+1:] {
			st.link(a, b)
		}
	}
}

func (st *theatre) link(a, b *actor) {
	x, y, err := control.Socketpair()
	st.must(err)
	a.send(st.t, control.Message{Type: control.Link, Peer: b.slot, PeerGeneration: 1}, x)
	b.send(st.t, control.Message{Type: control.Link, Peer: a.slot, PeerGeneration: 1}, y)
	x.Close()
	y.Close()
}

func (a *actor) send(t *testing.T, m control.Message, files ...*os.File) {
	t.Helper()
	if err := a.conn.Send(m, files...); err != nil {
		t.Errorf("send %s to worker %d: %v", m.Type, a.slot, err)
	}
}

// supervise plays the supervisor: it registers the topology and gives every
// partition to slot number modulo workers.
func (st *theatre) supervise(a *actor) {
	for {
		m, _, err := a.conn.Receive()
		if err != nil {
			return
		}
		if m.Type == control.Topology {
			st.register(m)
		}
	}
}

func (st *theatre) register(m control.Message) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, topic := range m.Topics {
		for _, part := range topic.Partitions {
			name := event.Partition{Topic: topic.Name, Number: part.Number}
			if _, ok := st.segment.Find(name); ok {
				continue
			}
			i, err := st.segment.AddPartitionInEra(name, part.Base, event.Era{Topic: topic.ID, Epoch: event.NoEpoch, From: part.Base}, shm.NoMark)
			if err != nil {
				st.t.Error(err)
			}
			st.segment.SetOwner(i, event.Owner{Term: 1, Slot: i % st.config.Workers, Generation: 1})
		}
	}
	st.segment.SetTopologyVersion(st.segment.TopologyVersion() + 1)
	st.ringAll()
}

func (st *theatre) ringAll() {
	for _, a := range st.workers {
		loop.Ring(a.ring)
	}
}

// elect gives a partition to another slot.
func (st *theatre) elect(partition, slot int) {
	o := st.segment.Owner(partition)
	st.segment.SetOwner(partition, event.Owner{Term: o.Term + 1, Slot: slot, Generation: 1})
	st.ringAll()
}

func (st *theatre) stop() {
	for _, a := range st.workers {
		if st.segment.Slot(a.slot).State() == shm.Gone {
			continue
		}
		// A worker that has gone meanwhile can't be told, and needn't.
		_ = a.conn.Send(control.Message{Type: control.Stop})
		select {
		case <-a.ended:
		case <-time.After(patience):
			st.t.Errorf("worker %d does not stop", a.slot)
		}
	}
}

func (st *theatre) must(err error) {
	st.t.Helper()
	if err != nil {
		st.t.Fatal(err)
	}
}

// await polls a condition that nothing signals.
func (st *theatre) await(what string, ok func() bool) {
	st.t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			st.t.Fatalf("waited %v for: %s", patience, what)
		}
		time.Sleep(time.Millisecond)
	}
}

// produce sends one record and returns its offset.
func (st *theatre) produce(topic string, partition int32, key, value string) int64 {
	st.t.Helper()
	r := &kgo.Record{Topic: topic, Partition: partition, Key: []byte(key), Value: []byte(value)}
	st.must(st.client.ProduceSync(context.Background(), r).FirstErr())
	return r.Offset
}

// produceMany sends n records, spread over the partitions of a topic, without
// waiting for each.
func (st *theatre) produceMany(topic, key string, partitions, n int) {
	st.t.Helper()
	for i := range n {
		r := &kgo.Record{Topic: topic, Partition: int32(i % partitions), Key: []byte(key), Value: fmt.Appendf(nil, `{"n":%d}`, i)}
		st.client.Produce(context.Background(), r, nil)
	}
	st.must(st.client.Flush(context.Background()))
}

// guest is a WebSocket client.
type guest struct {
	t    *testing.T
	conn *websocket.Conn
}

func (st *theatre) visit(worker int) *guest {
	st.t.Helper()
	return st.visitBy(websocket.DefaultDialer, worker)
}

func (st *theatre) visitBy(dialer *websocket.Dialer, worker int) *guest {
	st.t.Helper()
	conn, _, err := dialer.Dial("ws://"+st.workers[worker].address+"/ws", nil)
	st.must(err)
	st.t.Cleanup(func() { conn.Close() })
	g := &guest{t: st.t, conn: conn}
	if m := g.next(); m.Type != "hello" || m.Worker != worker {
		st.t.Fatalf("greeted with %+v", m)
	}
	return g
}

func (g *guest) send(text string) {
	g.t.Helper()
	if err := g.conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		g.t.Fatal(err)
	}
}

func (g *guest) next() wire.ServerMessage {
	g.t.Helper()
	m, err := g.try()
	if err != nil {
		g.t.Fatal(err)
	}
	return m
}

func (g *guest) try() (m wire.ServerMessage, err error) {
	_ = g.conn.SetReadDeadline(time.Now().Add(patience))
	_, data, err := g.conn.ReadMessage()
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("%q: %w", data, err)
	}
	return m, nil
}

// subscribe subscribes and returns the ack.
func (g *guest) subscribe(channels ...string) wire.ServerMessage {
	g.t.Helper()
	text, err := json.Marshal(wire.ClientRequest{Type: "subscribe", ID: "s", Data: &wire.ClientData{Channels: channels}})
	if err != nil {
		g.t.Fatal(err)
	}
	g.send(string(text))
	m := g.next()
	if m.Type != "subscription_ack" {
		g.t.Fatalf("subscribe was answered with %+v", m)
	}
	return m
}
