package kafka

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/loop"
)

const (
	// fetchWait is how long a broker keeps a fetch that finds nothing.
	fetchWait = 500 * time.Millisecond
	// A long poll that lacks a partition is broken off (which costs a new
	// connection, since a broker serves them one request at a time) this soon
	// after the partition came, and not again before interruptRest is over.
	interruptAfter = 3 * time.Millisecond
	interruptRest  = 200 * time.Millisecond
	// fetchPause follows an answer of less than fetchSmall bytes. A fetch costs as
	// much as many deliveries: with a pause the next one brings what came
	// meanwhile, so that there are no more than some 300 a second. What comes
	// after a quiet moment never waits, nor does who is far behind.
	fetchPause = 3 * time.Millisecond
	fetchSmall = 64 << 10
	// slowAfter is when a fetch without an answer has metadata asked for.
	slowAfter = fetchWait + patience/4
	// pausedAfter is when an answer that waits to be taken counts as a pause.
	pausedAfter = 100 * time.Millisecond
)

// fetcher fetches all partitions that one broker leads, with one request at a
// time. Source.mu guards what stands first; the rest is its goroutine's, and
// lasts for all of its fetches, since there may be hundreds a second.
type fetcher struct {
	s           *Source
	id          int32
	wake        chan struct{}
	parts       []*part // by topic and number
	trouble     trouble
	sent        time.Time // when the request under way was planned; zero: none is
	slow        *time.Timer
	breaker     *time.Timer // is to break the request under way off; nil: nothing is
	interrupted time.Time
	since       time.Time          // when the answer came that waits to be taken; zero: none does
	cancel      context.CancelFunc // of ctx

	ctx           context.Context // of the link, until a request is broken off
	link          *link           // nil: none is open
	resting       *time.Timer
	due, doubtful []*part // of the plan
	session       session
	first         int  // where the next full request begins, so that each partition is first once
	evicted       bool // the last answer was that the session is lost
}

// fetcher returns the one of a broker, made and started if need be.
func (s *Source) fetcher(id int32) *fetcher {
	f := s.fetchers[id]
	if f == nil {
		f = &fetcher{s: s, id: id, wake: make(chan struct{}, 1), resting: time.NewTimer(0)}
		f.ctx, f.cancel = context.WithCancel(s.ctx)
		f.slow = time.AfterFunc(slowAfter, f.frozen)
		s.fetchers[id] = f
		if s.ctx.Err() == nil {
			s.tasks.Go(f.run)
		}
	}
	return f
}

// nudge has it look at its partitions: now, if it waits for something to do,
// and if a long poll lacks one, which would keep that waiting, soon. The caller
// holds Source.mu.
func (f *fetcher) nudge() {
	switch sent := f.sent; {
	case sent.IsZero():
		nudge(f.wake)
	case f.breaker == nil && f.lacks():
		in := max(interruptAfter, interruptRest-time.Since(f.interrupted))
		f.breaker = time.AfterFunc(in, func() { f.breakOff(sent) })
	}
}

func byName(a, b event.Partition) int {
	return cmp.Or(strings.Compare(a.Topic, b.Topic), cmp.Compare(a.Number, b.Number))
}

func (f *fetcher) add(a *part) {
	at, _ := slices.BinarySearchFunc(f.parts, a.Partition, func(b *part, p event.Partition) int { return byName(b.Partition, p) })
	f.parts = slices.Insert(f.parts, at, a)
}

func (f *fetcher) remove(a *part) {
	if f == nil {
		return
	}
	if at := slices.Index(f.parts, a); at >= 0 {
		f.parts = slices.Delete(f.parts, at, at+1)
		f.nudge() // it may have been the last
	}
}

// run ends when the broker leads nothing any more.
func (f *fetcher) run() {
	runtime.LockOSThread() // it waits in the kernel, and the thread's timers are exact
	loop.Exact()
	defer f.end()
	for f.s.ctx.Err() == nil {
		p := f.plan()
		switch {
		case p.over:
			return
		case len(p.doubtful) > 0:
			f.check(p.doubtful)
		case len(p.fetch) > 0:
			f.fetch(p)
		default:
			f.rest(p.in)
		}
	}
}

func (f *fetcher) end() {
	f.s.mu.Lock()
	f.cancel()
	f.slow.Stop()
	f.s.mu.Unlock()
	if f.link != nil {
		f.hangUp()
	}
}

// rest waits until there may be something to do.
func (f *fetcher) rest(in time.Duration) {
	var over <-chan time.Time
	if in > 0 {
		f.resting.Reset(in)
		defer f.resting.Stop()
		over = f.resting.C
	}
	select {
	case <-f.wake:
	case <-over:
	case <-f.s.ctx.Done():
	}
}

// fetch asks for what the plan says and hands the answer over.
func (f *fetcher) fetch(p plan) {
	req := f.request(p)
	resp, err := f.await(req)
	if f.s.ctx.Err() != nil {
		return
	}
	if err != nil {
		f.session.reset()
		f.failed(p, err)
		return
	}
	f.s.stats.fetches.Add(1)
	f.session.done(req, resp)
	a := f.settle(p, resp)
	if a == nil {
		return
	}
	f.deliver(a)
	if resp.ThrottleMillis > 0 { // the broker wishes it
		f.rest(time.Duration(resp.ThrottleMillis) * time.Millisecond)
	} else if a.small() {
		loop.Nap(fetchPause)
	}
}

// failed puts off what a broker didn't answer. A request that was broken off
// is no failure, and one that met the end of a connection (the broker closed
// it, or it was broken off just now) is sent once more.
func (f *fetcher) failed(p plan, err error) {
	s, cut := f.s, errors.Is(err, errCut)
	s.mu.Lock()
	for _, a := range p.fetch {
		if a.flight == p.flight {
			a.flight = 0
		}
	}
	again := cut || errors.Is(err, errEnded) // no link ends twice: the next one has served nothing yet
	var wait time.Duration
	if !again {
		wait = f.sick(err)
	}
	s.mu.Unlock()
	if !again {
		f.rest(wait)
	}
}

// sick notes that a broker failed and returns when to try again.
func (f *fetcher) sick(err error) time.Duration {
	f.s.stats.errors.Add(1)
	f.trouble.set(err)
	if f.trouble.times == 1 {
		f.s.o.Log.Info("a broker fails", "broker", f.id, "err", err)
	}
	f.s.wantMetadata()
	return delay(f.trouble.times)
}

// fit notes that a broker answers.
func (f *fetcher) fit() {
	if f.trouble.err != nil {
		f.s.o.Log.Info("a broker answers again", "broker", f.id, "failures", f.trouble.times)
	}
	f.trouble, f.evicted = trouble{}, false
}

var (
	// errCut: a long poll was broken off for a partition that it lacked.
	errCut       = errors.New("broken off")
	errNoAddress = errors.New("no broker of that number is known")
)

// await sends a fetch and waits for the answer, or until it is broken off.
func (f *fetcher) await(req *kmsg.FetchRequest) (*kmsg.FetchResponse, error) {
	resp, err := f.send(req)
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	f.sent = time.Time{}
	if f.breaker != nil {
		f.breaker.Stop()
		f.breaker = nil
	}
	if f.ctx.Err() != nil {
		f.ctx, f.cancel = context.WithCancel(f.s.ctx)
		if err != nil {
			return nil, errCut
		}
	}
	return resp, err
}

// send sends a fetch over the link, which is opened if there is none.
func (f *fetcher) send(req *kmsg.FetchRequest) (*kmsg.FetchResponse, error) {
	if f.link != nil && f.link.over() {
		f.hangUp()
	}
	if f.link == nil {
		if err := f.connect(); err != nil {
			return nil, err
		}
	}
	resp, err := f.link.fetch(req)
	if err != nil {
		f.hangUp()
		return nil, err
	}
	return resp, nil
}

// connect opens a link to where the metadata says that the broker is.
func (f *fetcher) connect() error {
	f.s.mu.Lock()
	addr := f.s.brokers[f.id]
	f.s.mu.Unlock()
	if addr == "" {
		return errNoAddress
	}
	link, err := f.s.o.connect(f.ctx, addr, f.s.login)
	if err != nil {
		return f.s.login.hint(err)
	}
	f.s.o.Log.Debug("connected to a broker", "broker", f.id)
	f.link = link
	return nil
}

func (f *fetcher) hangUp() {
	f.link.close()
	f.link = nil
}

// sends notes that a fetch goes out. The caller holds Source.mu.
func (f *fetcher) sends(now time.Time) {
	f.sent = now
	f.slow.Reset(slowAfter)
}

// breakOff ends the fetch that was sent then, if it is still under way.
func (f *fetcher) breakOff(sent time.Time) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if f.sent.Equal(sent) {
		f.interrupted = time.Now()
		f.cancel()
	}
}

// frozen looks at a broker that may be: the others may know a new leader.
func (f *fetcher) frozen() {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if !f.sent.IsZero() {
		f.s.wantMetadata()
		f.slow.Reset(slowAfter)
	}
}

// lacks tells whether a partition could be fetched that isn't. The caller holds
// Source.mu.
func (f *fetcher) lacks() bool {
	now := time.Now()
	return slices.ContainsFunc(f.parts, func(a *part) bool {
		due, _ := a.due(now)
		return due
	})
}

// deliver hands the answer over.
func (f *fetcher) deliver(a *answer) {
	f.hands(time.Now())
	if f.s.serve(a) {
		f.release(a)
	}
	f.hands(time.Time{})
}

// hands notes since when an answer waits to be taken; zero: none does any more.
func (f *fetcher) hands(since time.Time) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if since.IsZero() && f.paused() {
		f.s.stats.pauses.Add(1)
	}
	f.since = since
}

// paused tells whether an answer waits for so long already that Kafka is paused.
// The caller holds Source.mu.
func (f *fetcher) paused() bool { return !f.since.IsZero() && time.Since(f.since) > pausedAfter }

// release lets partitions be fetched again whose answer was handed over: answers
// are one after the other, so they can't overtake each other, not even by way of
// another broker.
func (f *fetcher) release(n *answer) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	for i := range n.chunks {
		a := n.chunks[i].part
		a.pending = false
		if a.rests() {
			nudge(f.s.faulty)
		}
		if a.leader != f.id {
			f.s.fetchers[a.leader].wakeUp()
		}
	}
}

// wakeUp is nudge for a fetcher that may not be.
func (f *fetcher) wakeUp() {
	if f != nil {
		f.nudge()
	}
}
