// Package plan makes a schedule of faults from a seed. It is pure: the same
// seed and length give the same schedule.
package plan

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Kind is what is done to the system.
type Kind string

// Faults of odind's processes.
const (
	KillWorker     Kind = "kill -9 a worker"
	KillOwner      Kind = "kill -9 an owner"
	KillSupervisor Kind = "kill -9 the supervisor"
	KillAll        Kind = "kill -9 all of odind"
	Restart        Kind = "restart odind"
	FreezeWorker   Kind = "freeze a worker"
	FreezeOwner    Kind = "freeze an owner"
	FreezeAll      Kind = "freeze all of odind"
	TearLink       Kind = "tear a link of the bus"
	FillDisk       Kind = "fill the disk of odind's state"
	Drain          Kind = "drain odind, and take it back"
	Reload         Kind = "reload another configuration"
	ReloadBroken   Kind = "reload a broken configuration"
)

// Faults of what is around it.
const (
	KillBroker   Kind = "kill -9 a broker"
	FreezeBroker Kind = "freeze a broker"
	MoveLeaders  Kind = "move leaders"
	Grow         Kind = "add a partition"
	Trim         Kind = "delete records"
	Recreate     Kind = "make a topic anew"
	Truncate     Kind = "truncate a topic"
	CutBroker    Kind = "cut odind from a broker"
	CutAll       Kind = "cut odind from all brokers"
	Stall        Kind = "connections to brokers go dead"
	Delay        Kind = "delay to brokers"
	DropClients  Kind = "break a third of the clients"
)

// Fault is one entry of a schedule. For is how long it lasts, zero for what is
// over at once. Pick chooses the victim.
type Fault struct {
	At   time.Duration
	Kind Kind
	For  time.Duration
	Pick uint64
}

// String is the fault on one line.
func (f Fault) String() string {
	s := fmt.Sprintf("%7.1fs %s", f.At.Seconds(), f.Kind)
	if f.For > 0 {
		s += fmt.Sprintf(" for %.1fs", f.For.Seconds())
	}
	return s
}

// choice is a kind with how often it is chosen and how long it lasts.
type choice struct {
	kind     Kind
	weight   int
	min, max time.Duration
}

// Lanes: what is in one lane follows one another, the lanes overlap.
func lanes() [][]choice {
	const ms = time.Millisecond
	return [][]choice{
		{
			{KillWorker, 6, 0, 0},
			{KillOwner, 6, 0, 0},
			{KillSupervisor, 2, 0, 0},
			{KillAll, 1, 500 * ms, 4000 * ms},
			{Restart, 2, 0, 1000 * ms},
			{FreezeWorker, 4, 200 * ms, 6000 * ms},
			{FreezeOwner, 4, 200 * ms, 13000 * ms},
			{FreezeAll, 2, 500 * ms, 8000 * ms},
			{TearLink, 6, 0, 0},
			{FillDisk, 2, 1000 * ms, 8000 * ms},
			{Drain, 2, 1000 * ms, 5000 * ms},
			{Reload, 2, 0, 0},
			{ReloadBroken, 1, 0, 0},
		},
		{
			{KillBroker, 3, 1000 * ms, 6000 * ms},
			{FreezeBroker, 2, 500 * ms, 5000 * ms},
			{MoveLeaders, 4, 0, 0},
			{Grow, 2, 0, 0},
			{Trim, 3, 0, 0},
			{Recreate, 2, 0, 0},
			{Truncate, 2, 500 * ms, 6000 * ms},
			{CutBroker, 3, 500 * ms, 6000 * ms},
			{CutAll, 2, 500 * ms, 8000 * ms},
			{Stall, 2, 500 * ms, 6000 * ms},
			{Delay, 2, 2000 * ms, 8000 * ms},
			{DropClients, 3, 0, 0},
		},
	}
}

// Pauses between a fault's end and the next one of its lane.
const (
	pauseMin = 500 * time.Millisecond
	pauseMax = 6 * time.Second
)

// Make gives the schedule of a seed, in the order of time. The last fault is
// over before the length is. If kinds are named there are no others.
func Make(seed uint64, length time.Duration, only ...Kind) []Fault {
	var all []Fault
	for lane, choices := range lanes() {
		choices = slices.DeleteFunc(choices, func(c choice) bool { return len(only) > 0 && !slices.Contains(only, c.kind) })
		if len(choices) == 0 {
			continue
		}
		r := rand.New(rand.NewPCG(seed, uint64(lane)))
		for at := between(r, pauseMin, pauseMax); ; {
			f := pick(r, choices)
			f.At = at
			if at += f.For; at >= length {
				break
			}
			all = append(all, f)
			at += between(r, pauseMin, pauseMax)
		}
	}
	slices.SortStableFunc(all, func(a, b Fault) int { return cmp.Compare(a.At, b.At) })
	return all
}

// Lane tells which faults exclude each other: those of the same lane.
func Lane(k Kind) int {
	return slices.IndexFunc(lanes(), func(choices []choice) bool {
		return slices.ContainsFunc(choices, func(c choice) bool { return c.kind == k })
	})
}

func pick(r *rand.Rand, choices []choice) Fault {
	total := 0
	for _, c := range choices {
		total += c.weight
	}
	n := r.IntN(total)
	for _, c := range choices {
		if n -= c.weight; n < 0 {
			return Fault{Kind: c.kind, For: between(r, c.min, c.max), Pick: r.Uint64()}
		}
	}
	panic("plan: weights that do not add up")
}

// between is rounded so that a schedule reads well.
func between(r *rand.Rand, low, high time.Duration) time.Duration {
	if high <= low {
		return low
	}
	return (low + time.Duration(r.Int64N(int64(high-low)))).Round(100 * time.Millisecond)
}
