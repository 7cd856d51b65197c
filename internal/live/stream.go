package live

import (
	"context"
	"sync"
	"time"

	"github.com/odin-ws/odin/internal/status"
	"github.com/odin-ws/odin/shm"
)

const (
	// ViewersMax is how many may watch at once.
	ViewersMax = 32

	interval   = time.Second // between two looks
	wholeEvery = 10          // looks, while nobody watches: the others are glances
)

// Stream looks at a segment for all who watch.
type Stream struct {
	segment *shm.Segment
	ask     Ask
	told    Hooks
	now     func() shm.Clock

	last status.Status // of the newest look, also of a glance; the looking goroutine's

	mu      sync.Mutex
	viewers int
	past    past
	whole   *looked
	lag     int64 // of whole
	frames  [kindCount]frame
	history frame         // of the same number as past.count, once somebody wants it
	news    chan struct{} // closed and made anew when a frame is
	ended   bool
	askedAt int64 // monotonic nanoseconds

	// Somebody watches, and the newest whole look, or answer of the workers, is old.
	wake, curious chan struct{}
}

// Hooks are told of what is counted. None may block.
type Hooks struct {
	Viewers func(now int) // whenever their number changes
	Refused func()        // one was, because of ViewersMax
}

// New begins with a first look. Run has to be called for others to follow.
func New(segment *shm.Segment, ask Ask, told Hooks) *Stream {
	return begin(segment, ask, told, shm.Now)
}

func begin(segment *shm.Segment, ask Ask, told Hooks, now func() shm.Clock) *Stream {
	s := &Stream{
		segment: segment, ask: ask, told: told, now: now, news: make(chan struct{}),
		wake: make(chan struct{}, 1), curious: make(chan struct{}, 1),
	}
	s.look(true)
	return s
}

// Run looks until ctx ends; then the streams of all viewers end.
func (s *Stream) Run(ctx context.Context) {
	var interview sync.WaitGroup
	interview.Go(func() { s.interview(ctx) })
	defer interview.Wait()
	defer s.end()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for glances := 1; ; glances++ {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
			ticker.Reset(interval)
		case <-ticker.C:
		}
		if s.watched() || glances >= wholeEvery {
			glances = 0
		}
		s.look(glances == 0)
	}
}

// look adds to the past; a whole look is news, too.
func (s *Stream) look(whole bool) {
	next := status.Glance
	if whole {
		next = status.Read
	}
	at := s.now()
	now := next(s.segment, at)
	flow := status.Between(s.last, now).Flow
	s.last = now
	var found *looked
	var view View
	if whole {
		found = s.compare(now, at)
		view = viewOf(now, found.rates)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if whole {
		s.whole, s.lag = found, view.Lag
		s.publish(statusKind, view)
	}
	s.past.add(point{ts: now.TS, flow: flow, sessions: now.Sessions, lag: s.lag})
}

// compare a whole look with the one before: only these know partitions.
func (s *Stream) compare(now status.Status, at shm.Clock) *looked {
	before := now
	if s.whole != nil {
		before = s.whole.status
	}
	return &looked{at: at.Monotonic, status: now, rates: status.Between(before, now), answers: map[string][]byte{}}
}

// publish makes the newest frame of a kind, under mu.
func (s *Stream) publish(k kind, value any) {
	s.frames[k] = frame{s.frames[k].seq + 1, encode(k.String(), value)}
	close(s.news)
	s.news = make(chan struct{})
}

func (s *Stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	close(s.news)
	s.news = make(chan struct{})
}

func (s *Stream) watched() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.viewers > 0
}

func (s *Stream) lastLook() *looked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.whole
}
