package live

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/shm"
)

// segmentOf is an odind that is up, each topic having so many partitions,
// spread over the workers.
func segmentOf(t testing.TB, workers, partitions int, topics ...string) *shm.Segment {
	t.Helper()
	seg, err := shm.Create(filepath.Join(t.TempDir(), "stats.shm"), shm.Layout{Slots: workers, Partitions: 4096})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = seg.Close() })
	at := time.Now().UnixNano()
	seg.Process().SetStarted(4100, at-3600e9)
	seg.Process().SetState(shm.Ready)
	seg.Process().SetName(shm.Version, "v1.4.0")
	for i := range workers {
		slot := seg.Slot(i)
		slot.SetSpawn(4101+i, 1, at-3600e9)
		slot.SetState(shm.Ready)
		slot.Block(1).Set(shm.SourceHealthy, 1)
		slot.Block(1).Set(shm.Sessions, int64(100*(i+1)))
	}
	for _, topic := range topics {
		for n := range partitions {
			i, err := seg.AddPartition(event.Partition{Topic: topic, Number: int32(n)}, 0)
			if err != nil {
				t.Fatal(err)
			}
			seg.SetOwner(i, event.Owner{Term: 3, Slot: i % workers, Generation: 1})
			publish(seg, i, 999, 1000)
		}
	}
	seg.SetTopologyVersion(1)
	beat(seg)
	return seg
}

// beat is a sign of life of everybody, on the clock of a bubble.
func beat(seg *shm.Segment) {
	at := time.Now().UnixNano()
	seg.Process().Beat(at)
	for i := range seg.Layout().Slots {
		seg.Slot(i).Beat(at)
	}
}

// publish says how far the owner of a partition is, and what the broker has.
func publish(seg *shm.Segment, i int, held, stable int64) {
	seg.Slot(seg.Owner(i).Slot).PublishPosition(i, shm.Position{
		Held: held, Applied: held, Stable: stable, High: stable, Term: 3, Generation: 1, Positioned: true, Owned: true,
		CaughtUpNS: time.Now().UnixNano(),
	})
}

// bubbleClock is the time of a test's bubble.
func bubbleClock() shm.Clock {
	ns := time.Now().UnixNano()
	return shm.Clock{Wall: ns, Monotonic: ns}
}

// counted are hooks that remember.
type counted struct {
	mu               sync.Mutex
	viewers, refused int
}

func (c *counted) hooks() Hooks {
	return Hooks{
		Viewers: func(n int) { c.mu.Lock(); defer c.mu.Unlock(); c.viewers = n },
		Refused: func() { c.mu.Lock(); defer c.mu.Unlock(); c.refused++ },
	}
}

func (c *counted) now() (viewers, refused int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.viewers, c.refused
}

// silence is the answer of workers without sessions.
func silence(context.Context, control.Query, func(control.Response) error) ([]int, error) {
	return nil, nil
}

// rig is a stream that runs in a bubble until the test ends.
type rig struct {
	*Stream
	*counted
	*crew
	seg *shm.Segment
	end context.CancelFunc
}

// inBubble runs a test on a stream whose seconds take no time.
func inBubble(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		seg := segmentOf(t, 2, 3, "odin.trades", "odin.liquidity")
		c := &counted{}
		crew := &crew{}
		r := &rig{Stream: begin(seg, crew.ask, c.hooks(), bubbleClock), counted: c, crew: crew, seg: seg}
		ctx, end := context.WithCancel(t.Context())
		r.end = end
		done := make(chan struct{})
		go func() { defer close(done); r.Run(ctx) }()
		test(t, r)
		end()
		<-done
		synctest.Wait()
	})
}

// page is a viewer that writes what it hears down.
type page struct {
	mu       sync.Mutex
	header   http.Header
	code     int
	heard    bytes.Buffer
	flushes  int
	deadline time.Time
	stuck    chan struct{} // while it is open, writes block
	leave    context.CancelFunc
	left     chan struct{}
}

func (p *page) Header() http.Header { return p.header }

func (p *page) WriteHeader(code int) { p.code = code }

func (p *page) Write(b []byte) (int, error) {
	if p.stuck != nil {
		select {
		case <-p.stuck:
		case <-time.After(time.Until(p.deadline)):
			return 0, errors.New("deadline")
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heard.Write(b)
}

func (p *page) Flush() { p.flushes++ }

func (p *page) SetWriteDeadline(t time.Time) error { p.deadline = t; return nil }

// take is what was heard since the last take.
func (p *page) take() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.heard.Reset()
	return p.heard.String()
}

// watch opens a page.
func (r *rig) watch(stuck chan struct{}) *page {
	p := &page{header: http.Header{}, code: http.StatusOK, stuck: stuck, left: make(chan struct{})}
	ctx, leave := context.WithCancel(context.Background())
	p.leave = leave
	go func() {
		defer close(p.left)
		r.Events().ServeHTTP(p, httptest.NewRequest(http.MethodGet, "/api/events", nil).WithContext(ctx))
	}()
	return p
}

// told is one event.
type told struct{ name, data string }

// parse reads events as the standard says, and fails for what it doesn't know.
func parse(t *testing.T, text string) (events []told) {
	t.Helper()
	var one told
	for in := bufio.NewScanner(strings.NewReader(text)); in.Scan(); {
		field, value, _ := strings.Cut(in.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			one.name = value
		case "data":
			one.data += value
		case "":
			if in.Text() == "" && one != (told{}) {
				events = append(events, one)
				one = told{}
			}
		case "retry":
		default:
			t.Fatalf("no field %q: %q", field, in.Text())
		}
	}
	if one != (told{}) {
		t.Fatalf("an event without an end: %v", one)
	}
	return events
}

// names are those of events, but for sessions, which come when they come.
func names(events []told) string {
	var all []string
	for _, e := range events {
		if e.name != sessionsKind.String() {
			all = append(all, e.name)
		}
	}
	return strings.Join(all, " ")
}

func read[T any](t *testing.T, e told) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(e.data), &v); err != nil {
		t.Fatalf("%s: %v in %.300s", e.name, err, e.data)
	}
	return v
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
