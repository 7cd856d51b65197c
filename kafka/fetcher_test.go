package kafka

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/odin-ws/odin/internal/event"
)

// flying is a fetcher whose request for its first partition is under way.
func flying(t *testing.T) *fetcher {
	s := &Source{ctx: t.Context(), kick: make(chan struct{}, 1), fetchers: make(map[int32]*fetcher)}
	f := &fetcher{s: s, wake: make(chan struct{}, 1), resting: time.NewTimer(0)}
	f.ctx, f.cancel = context.WithCancel(s.ctx)
	f.slow = time.AfterFunc(slowAfter, f.frozen)
	t.Cleanup(f.end)
	f.join(1)
	if p := f.plan(); len(p.fetch) != 1 || f.sent.IsZero() {
		t.Fatalf("planned %+v, sent %v", p, f.sent)
	}
	return f
}

// join adds a partition as an assignment does.
func (f *fetcher) join(number int32) *part {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	a := newPart(event.Partition{Topic: "t", Number: number}, Tag{}, 0, event.NoEpoch)
	a.checked = true
	f.add(a)
	f.nudge()
	return a
}

// brokenOff tells whether the request under way is.
func (f *fetcher) brokenOff() bool {
	synctest.Wait()
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	return f.ctx.Err() != nil
}

func TestALongPollIsBrokenOffForAPartitionThatItLacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := flying(t)
		time.Sleep(interruptRest)
		if f.brokenOff() {
			t.Fatal("it lacks nothing")
		}
		f.join(2)
		f.join(0) // many come at once: they share one breaking off
		time.Sleep(interruptAfter - 1)
		if f.brokenOff() {
			t.Error("before its time")
		}
		time.Sleep(time.Nanosecond)
		if !f.brokenOff() {
			t.Error("it goes on without a partition")
		}
	})
}

func TestALongPollIsNotBrokenOffAgainAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := flying(t)
		f.interrupted = time.Now()
		f.join(2)
		time.Sleep(interruptRest - 1)
		if f.brokenOff() {
			t.Error("within its rest")
		}
		time.Sleep(time.Nanosecond)
		if !f.brokenOff() {
			t.Error("it goes on without a partition")
		}
	})
}

func TestWhatWasAnsweredIsNotBrokenOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := flying(t)
		before := f.sent
		time.Sleep(time.Nanosecond)
		f.s.mu.Lock()
		f.sends(time.Now()) // the next one, while the timer of the one before has fired
		f.s.mu.Unlock()
		f.breakOff(before)
		if f.brokenOff() {
			t.Error("the request after it was")
		}
	})
}

func TestAPartitionThatGoesBreaksNothingOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := flying(t)
		f.s.mu.Lock()
		f.remove(f.parts[0])
		f.s.mu.Unlock()
		time.Sleep(interruptRest)
		if f.brokenOff() {
			t.Error("it was broken off")
		}
	})
}

func TestAFrozenBrokerHasMetadataAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := flying(t)
		for range 3 { // as long as it lasts
			time.Sleep(slowAfter)
			synctest.Wait()
			select {
			case <-f.s.kick:
			default:
				t.Fatal("nobody asks")
			}
		}
		f.s.mu.Lock()
		f.sent = time.Time{} // answered
		f.s.mu.Unlock()
		time.Sleep(2 * slowAfter)
		synctest.Wait()
		if len(f.s.kick) > 0 {
			t.Error("asked, though the broker has answered")
		}
	})
}
