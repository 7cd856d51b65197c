package live

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/status"
)

const (
	askEvery    = 5 * time.Second // at most, and only while somebody watches
	askPatience = 15 * time.Second

	slowMax   = 20 // sessions shown
	closedMax = 30
)

// Ask puts a question to all workers and hands over their items, one at a
// time; missing are the slots that did not answer.
type Ask func(ctx context.Context, q control.Query, item func(control.Response) error) (missing []int, err error)

// Sessions are those worth a look: the slow ones, and those that ended last.
type Sessions struct {
	// TS is when the workers were asked, in milliseconds since 1970.
	TS int64 `json:"ts"`
	// Slow is the sessions whose socket is full, the most owed first; at most 20.
	Slow []Session `json:"slow"`
	// SlowCount is how many there are.
	SlowCount int `json:"slow_count"`
	// Closed is the sessions that ended last, the last one first; at most 30.
	Closed []Session `json:"closed"`
	// ClosedCount is how many are remembered.
	ClosedCount int `json:"closed_count"`
	// Missing is the workers that did not answer.
	Missing []int `json:"missing"`
	// Error says why nobody could be asked, "" if somebody could.
	Error string `json:"error"`
}

// Session is one of `odinctl conns`.
type Session struct {
	control.Connection
	// Why is Reason for people, "" for a session that doesn't end.
	Why string `json:"why"`
}

// traces are what sessions leave in the segment. While nobody is slow and they
// stay as they are, the workers would answer as before.
type traces struct {
	closed, generations uint64
	blocked             int64
}

func tracesOf(s status.Status) (t traces) {
	for _, w := range s.Workers {
		t.closed += w.Closed
		t.generations += uint64(w.Generation)
		t.blocked += w.BlockedSessions
	}
	return t
}

// interview asks the workers again and again, while somebody watches and
// something has happened, until ctx ends.
func (s *Stream) interview(ctx context.Context) {
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	var known traces
	for settled := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-s.curious:
			ticker.Reset(askEvery)
		case <-ticker.C:
		}
		if !s.watched() {
			continue
		}
		now := tracesOf(s.lastLook().status)
		if settled && now == known {
			continue
		}
		found := s.question(ctx)
		known, settled = now, found.Error == "" && len(found.Missing) == 0 && now.blocked == 0 && found.SlowCount == 0
		s.tell(found)
	}
}

func (s *Stream) tell(found Sessions) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.askedAt = s.now().Monotonic
	s.publish(sessionsKind, found)
}

// question asks for the slow ones and for those that ended.
func (s *Stream) question(ctx context.Context) Sessions {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	found := Sessions{TS: s.now().Wall / int64(time.Millisecond), Slow: []Session{}, Closed: []Session{}, Missing: []int{}}
	slow, ended := control.Connections{Slow: true, Sort: control.ByOwed, Limit: slowMax}, control.Connections{Closed: true, Limit: closedMax}
	var err error
	if found.Slow, found.SlowCount, found.Missing, err = s.census(ctx, slow); err == nil {
		found.Closed, found.ClosedCount, found.Missing, err = s.census(ctx, ended)
	}
	if err != nil {
		found.Error = err.Error()
	}
	return found
}

// census puts one question to all workers, and merges what they say.
func (s *Stream) census(ctx context.Context, q control.Connections) (list []Session, count int, missing []int, err error) {
	first, counts := q.First(), map[int]int{}
	missing, err = s.ask(ctx, control.Query{Kind: control.Sessions, Connections: &q}, func(r control.Response) error {
		var item control.ConnectionItem
		if err := json.Unmarshal(r.Item, &item); err != nil {
			return fmt.Errorf("worker %d: %w", r.Slot, err)
		}
		if item.Connection != nil {
			first.Add(*item.Connection)
		}
		if item.Count != nil {
			counts[r.Slot] = item.Count.Matching
		}
		return nil
	})
	list = []Session{}
	for _, c := range first.List() {
		list = append(list, Session{c, c.Reason.Words()})
	}
	for _, n := range counts {
		count += n
	}
	if missing == nil {
		missing = []int{}
	}
	return list, count, missing, err
}
