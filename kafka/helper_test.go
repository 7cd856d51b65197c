package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/odin-ws/odin/internal/event"
)

// soon is how long anything may take in a test before it has failed.
const soon = 20 * time.Second

// anything is a Mark that says nothing: any log will do.
var anything = Mark{Epoch: event.NoEpoch}

// skipKey is a key that the tests' Encoder finds no place for, reason 3.
const skipKey = "skip me"

// encodePlain makes key and value readable in the channel and the frame.
func encodePlain(dst []byte, r Raw) (channel, frame []byte, skip int) {
	if string(r.Key) == skipKey {
		return nil, nil, 3
	}
	n := len(dst)
	dst = append(dst, r.Key...)
	m := len(dst)
	dst = append(dst, '<')
	dst = append(dst, r.Value...)
	dst = append(dst, '>')
	return dst[n:m], dst[m:], 0
}

func cluster(t *testing.T, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func open(t *testing.T, o Options) *Source {
	t.Helper()
	if o.Encode == nil {
		o.Encode = encodePlain
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

type testLog struct{ t *testing.T }

func (l testLog) Write(b []byte) (int, error) {
	l.t.Log(string(bytes.TrimSpace(b)))
	return len(b), nil
}

func client(t *testing.T, addrs []string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(addrs...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MetadataMinAge(50 * time.Millisecond), kgo.RetryBackoffFn(delay),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// transactor is a producer of transactions with one request at a time: Kafka 4
// may still be entering a partition into the transaction for the first batch when
// it refuses the second as out of order, which the client takes for a loss.
func transactor(t *testing.T, addrs []string, id string) *kgo.Client {
	t.Helper()
	return client(t, addrs, kgo.TransactionalID(id), kgo.MaxProduceRequestsInflightPerBroker(1))
}

func produce(t *testing.T, c *kgo.Client, p event.Partition, kv ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	rs := make([]*kgo.Record, 0, len(kv)/2)
	for i := 0; i < len(kv); i += 2 {
		rs = append(rs, &kgo.Record{Topic: p.Topic, Partition: p.Number, Key: []byte(kv[i]), Value: []byte(kv[i+1])})
	}
	if err := c.ProduceSync(ctx, rs...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// produceN produces records numbered from first on, one batch each call.
func produceN(t *testing.T, c *kgo.Client, p event.Partition, first, n int) {
	t.Helper()
	kv := make([]string, 0, 2*n)
	for i := first; i < first+n; i++ {
		kv = append(kv, "k", strconv.Itoa(i))
	}
	produce(t, c, p, kv...)
}

// got is what came out of one assignment.
type got struct {
	tag     Tag
	from    int64
	last    Fetched
	records []event.Record // copied
	faults  []Fault
	skipped [SkipReasons]uint32
	calls   int
}

func (g *got) values() []string {
	var vs []string
	for _, r := range g.records {
		vs = append(vs, string(r.Frame[1:len(r.Frame)-1]))
	}
	return vs
}

// reader polls a Source and checks everything that is promised of what comes.
type sink struct {
	t    *testing.T
	s    *Source
	mu   sync.Mutex
	more chan struct{}
	by   map[int]*got // by Tag.Index
}

// poll serves one answer: into is called by the test itself.
func poll(t *testing.T, s *Source, into func(Fetched)) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told, taken, ended := make(chan Fetched), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- s.Serve(ctx, func(f Fetched) {
			select {
			case told <- f:
				select {
				case <-taken:
				case <-t.Context().Done():
				}
			case <-t.Context().Done():
			}
		}, cancel)
	}()
	for {
		select {
		case f := <-told:
			into(f)
			taken <- struct{}{}
		case err := <-ended:
			if errors.Is(err, context.Canceled) && t.Context().Err() == nil {
				return nil
			}
			return err
		}
	}
}

// drink serves until the test or the Source ends.
func drink(t *testing.T, s *Source) *sink {
	k := &sink{t: t, s: s, more: make(chan struct{}, 1), by: make(map[int]*got)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(ctx, k.take, func() {})
	}()
	t.Cleanup(func() { cancel(); <-done })
	return k
}

// assign assigns a partition and expects what comes to be of it from then on.
func (k *sink) assign(p event.Partition, tag Tag, from int64, epoch int32) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.by[tag.Index] = &got{tag: tag, from: from, last: Fetched{Advance: event.Advance{To: from - 1}, Stable: -1, High: -1, LogStart: -1}}
	k.s.Assign(p, tag, from, epoch)
}

func (k *sink) take(f Fetched) {
	k.mu.Lock()
	defer k.mu.Unlock()
	defer nudge(k.more)
	g := k.by[f.Partition]
	if g == nil || f.Term != g.tag.Term || f.Era != g.tag.Era {
		if g == nil || f.Term > g.tag.Term {
			k.t.Errorf("fetched %+v, which nobody asked for", f.Advance)
		}
		return // told as the assignment ended
	}
	if err := g.take(f); err != nil {
		k.t.Errorf("%v: %v", f.Partition, err)
	}
}

func (g *got) take(f Fetched) error {
	if f.Prev != g.last.To || f.To < f.Prev {
		return fmt.Errorf("advance (%d,%d] after %d", f.Prev, f.To, g.last.To)
	}
	if len(g.faults) > 0 {
		return fmt.Errorf("advance (%d,%d] after a fault", f.Prev, f.To)
	}
	at := f.Prev
	for _, r := range f.Records {
		if r.Offset <= at || r.Offset > f.To {
			return fmt.Errorf("record %d in (%d,%d] after %d", r.Offset, f.Prev, f.To, at)
		}
		if r.Epoch != f.ToEpoch {
			return fmt.Errorf("record %d of epoch %d in an advance of epoch %d", r.Offset, r.Epoch, f.ToEpoch)
		}
		at = r.Offset
		r.Channel, r.Frame = bytes.Clone(r.Channel), bytes.Clone(r.Frame)
		g.records = append(g.records, r)
	}
	for i, n := range f.Skipped {
		g.skipped[i] += n
	}
	if f.Fault.Kind != NoFault {
		g.faults = append(g.faults, f.Fault)
		if f.To != f.Prev || len(f.Records) > 0 {
			return fmt.Errorf("fault with an advance (%d,%d]", f.Prev, f.To)
		}
	}
	g.last = f
	g.last.Records = nil
	g.calls++
	return nil
}

// until waits for what came of a partition to be so, and returns it.
func (k *sink) until(index int, what string, so func(*got) bool) *got {
	k.t.Helper()
	deadline := time.After(soon)
	for {
		k.mu.Lock()
		g := k.by[index]
		ok, copied := so(g), *g
		k.mu.Unlock()
		if ok {
			return &copied
		}
		select {
		case <-k.more:
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			k.t.Fatalf("no %s: %+v, %d records, faults %v, health %s", what, copied.last.Advance, len(copied.records), copied.faults, reason(k.s))
		}
	}
}

func reason(s *Source) string {
	_, r := s.Health()
	return r
}

func (k *sink) untilTo(index int, to int64) *got {
	k.t.Helper()
	return k.until(index, fmt.Sprintf("advance to %d", to), func(g *got) bool { return g.last.To >= to })
}

func (k *sink) untilFault(index int) Fault {
	k.t.Helper()
	return k.until(index, "fault", func(g *got) bool { return len(g.faults) > 0 }).faults[0]
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(soon); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// numbers checks values to be the numbers from first on, n of them.
func numbers(t *testing.T, vs []string, first, n int) {
	t.Helper()
	if len(vs) != n {
		t.Fatalf("%d records, want %d", len(vs), n)
	}
	for i, v := range vs {
		if v != strconv.Itoa(first+i) {
			t.Fatalf("record %d is %q, want %d", i, v, first+i)
		}
	}
}
