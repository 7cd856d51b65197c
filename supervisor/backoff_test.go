package supervisor

import (
	"testing"
	"time"
)

func defaults() backoff {
	return backoff{first: 100 * time.Millisecond, max: 30 * time.Second, jitter: 20, reset: time.Minute, attemptsMax: 10}
}

func TestBackoffDoubles(t *testing.T) {
	b := defaults()
	for i, want := range []time.Duration{
		0, 100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond,
		1600 * time.Millisecond, 3200 * time.Millisecond, 6400 * time.Millisecond, 12800 * time.Millisecond, 25600 * time.Millisecond,
	} {
		if wait, giveUp := b.next(time.Second, 0.5); wait != want || giveUp {
			t.Fatalf("respawn %d waits %v (given up: %v), want %v", i+1, wait, giveUp, want)
		}
	}
	if _, giveUp := b.next(time.Second, 0.5); !giveUp {
		t.Fatal("not given up after 10 in a row")
	}
}

func TestBackoffHasACeiling(t *testing.T) {
	b := defaults()
	b.attemptsMax = 1000
	var wait time.Duration
	for range 1000 {
		wait, _ = b.next(0, 0.5)
	}
	if wait != b.max {
		t.Fatalf("waits %v, want %v", wait, b.max)
	}
}

func TestBackoffForgetsAfterAGoodRun(t *testing.T) {
	b := defaults()
	for range 10 {
		b.next(59*time.Second, 0.5)
	}
	if wait, giveUp := b.next(time.Minute, 0.5); wait != 0 || giveUp {
		t.Fatalf("after a minute up: waits %v, given up %v", wait, giveUp)
	}
	if wait, _ := b.next(0, 0.5); wait != 100*time.Millisecond {
		t.Fatalf("the one after it waits %v", wait)
	}
}

func TestBackoffJitter(t *testing.T) {
	for _, c := range []struct {
		random float64
		want   time.Duration
	}{{0, 80 * time.Millisecond}, {0.25, 90 * time.Millisecond}, {0.75, 110 * time.Millisecond}} {
		b := defaults()
		b.next(0, c.random)
		if wait, _ := b.next(0, c.random); wait != c.want {
			t.Errorf("random %v: waits %v, want %v", c.random, wait, c.want)
		}
	}
}
