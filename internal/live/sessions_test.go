package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/shm"
)

// crew answers questions as workers do.
type crew struct {
	mu      sync.Mutex
	asked   []control.Connections
	slow    map[int][]control.Connection // by slot
	closed  map[int][]control.Connection
	missing []int
	err     error
	garbled bool
	frozen  chan struct{} // answers wait until it is closed, or until nobody waits for them
}

func (c *crew) ask(ctx context.Context, q control.Query, item func(control.Response) error) ([]int, error) {
	c.mu.Lock()
	c.asked = append(c.asked, *q.Connections)
	frozen := c.frozen
	c.mu.Unlock()
	if frozen != nil {
		select {
		case <-frozen:
		case <-ctx.Done():
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if q.Kind != control.Sessions || q.Connections.Check() != nil {
		return nil, errors.New("a wrong question")
	}
	if c.garbled {
		return nil, item(control.Response{Slot: 1, Item: json.RawMessage(`"?"`)})
	}
	lists := c.slow
	if q.Connections.Closed {
		lists = c.closed
	}
	for slot, list := range lists {
		first := q.Connections.First()
		for i := range list {
			first.Add(list[i])
		}
		items := []control.ConnectionItem{{Count: &control.ConnectionCount{Matching: 1}}} // it goes on
		for _, s := range first.List() {
			items = append(items, control.ConnectionItem{Connection: &s})
		}
		items = append(items, control.ConnectionItem{Count: &control.ConnectionCount{Matching: len(list), Looked: 99}})
		for _, i := range items {
			raw, _ := json.Marshal(i)
			if err := item(control.Response{Slot: slot, Item: raw}); err != nil {
				return nil, err
			}
		}
	}
	return c.missing, c.err
}

// questions is how often somebody asked since the last call.
func (c *crew) questions() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.asked)
	c.asked = nil
	return n
}

// change does something to the crew.
func (c *crew) change(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do()
}

// sessions makes so many of a slot, the later the more owed.
func sessions(slot, n int, fill func(*control.Connection)) (list []control.Connection) {
	for i := range n {
		c := control.Connection{
			ID: control.SessionID{Slot: slot, Generation: 1, Number: uint64(i + 1)}, Remote: netip.MustParseAddrPort("[2001:db8::7]:443"),
			OpenedMS: int64(1000 * i), OwedBytes: 1000*i + slot,
		}
		fill(&c)
		list = append(list, c)
	}
	return list
}

func blocked(c *control.Connection) { c.State = control.StateBlocked }

func ended(c *control.Connection) {
	c.State, c.Code, c.Reason, c.Detail = control.StateClosed, 4000, control.SlowConsumer, "<b>"
	c.ClosedMS = c.OpenedMS + int64(c.ID.Slot)
}

// lastSessions is the newest event of sessions that a page heard.
func lastSessions(t *testing.T, p *page) (found Sessions, told bool) {
	t.Helper()
	for _, e := range parse(t, p.take()) {
		if e.name == "sessions" {
			found, told = read[Sessions](t, e), true
		}
	}
	return found, told
}

func TestSessionsOfAllWorkers(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.slow = map[int][]control.Connection{0: sessions(0, 15, blocked), 1: sessions(1, 40, blocked)}
		r.closed = map[int][]control.Connection{0: sessions(0, 100, ended), 1: sessions(1, 5, ended)}
		p := r.watch(nil)
		synctest.Wait()
		found, _ := lastSessions(t, p)
		equal(t, "slow", len(found.Slow), slowMax)
		equal(t, "of so many", found.SlowCount, 55)
		equal(t, "the worst", found.Slow[0].ID.String(), "1-1-40")
		equal(t, "the last shown", found.Slow[19].ID.String(), "1-1-21")
		equal(t, "closed", len(found.Closed), closedMax)
		equal(t, "of so many", found.ClosedCount, 105)
		equal(t, "the last one", found.Closed[0].ID.String(), "0-1-100")
		equal(t, "why", found.Closed[0].Why, "slow consumer")
		equal(t, "detail", found.Closed[0].Detail, "<b>")
		equal(t, "error", found.Error, "")
		equal(t, "questions", r.questions(), 2)
		p.leave()
		<-p.left
	})
}

// Nobody is asked while nobody watches, nor while the answer is known.
func TestQuestionsAreFew(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		time.Sleep(time.Minute)
		synctest.Wait()
		equal(t, "unwatched", r.questions(), 0)
		p, other := r.watch(nil), r.watch(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		equal(t, "nothing happens", r.questions(), 2)
		r.seg.Slot(0).Block(1).Add(shm.ClosedBy(1001), 1)
		time.Sleep(time.Minute)
		synctest.Wait()
		equal(t, "a session ended", r.questions(), 2)
		r.seg.Slot(0).Block(1).Set(shm.BlockedSessions, 1)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := r.questions(); n < 22 || n > 24 {
			t.Errorf("%d questions in a minute in which somebody is slow", n)
		}
		p.leave()
		other.leave()
		<-p.left
		<-other.left
		r.questions()
		time.Sleep(time.Minute)
		synctest.Wait()
		equal(t, "nobody watches any more", r.questions(), 0)
		for range 20 {
			p = r.watch(nil)
			synctest.Wait()
			p.leave()
			<-p.left
		}
		if n := r.questions(); n > 2 {
			t.Errorf("%d questions for those who come and go", n)
		}
	})
}

func TestWorkersThatDoNotAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.missing = []int{1}
		p := r.watch(nil)
		synctest.Wait()
		found, _ := lastSessions(t, p)
		equal(t, "missing", fmt.Sprint(found.Missing), "[1]")
		r.change(func() { r.missing, r.err = nil, errors.New("no worker runs") })
		time.Sleep(askEvery)
		synctest.Wait()
		found, _ = lastSessions(t, p)
		equal(t, "error", found.Error, "no worker runs")
		r.change(func() { r.err, r.garbled = nil, true })
		time.Sleep(askEvery)
		synctest.Wait()
		if found, _ = lastSessions(t, p); !strings.HasPrefix(found.Error, "worker 1: ") {
			t.Errorf("error %q", found.Error)
		}
		r.change(func() { r.garbled = false })
		time.Sleep(askEvery)
		synctest.Wait()
		found, told := lastSessions(t, p)
		equal(t, "error", found.Error, "")
		equal(t, "told", told, true)
		p.leave()
		<-p.left
	})
}

// Workers that are slow to answer delay no status, and the end only until they
// are given up.
func TestSlowAnswersDelayNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.frozen = make(chan struct{})
		p := r.watch(nil)
		time.Sleep(4500 * time.Millisecond)
		synctest.Wait()
		equal(t, "heard", names(parse(t, p.take())), "history status status status status status")
		close(r.frozen)
		synctest.Wait()
		_, told := lastSessions(t, p)
		equal(t, "told", told, true)
		r.change(func() { r.frozen = make(chan struct{}) })
		r.seg.Slot(0).Block(1).Set(shm.BlockedSessions, 1)
		time.Sleep(7 * time.Second)
		began := time.Now()
		r.end()
		<-p.left
		equal(t, "the end took", time.Since(began), 0)
	})
}
