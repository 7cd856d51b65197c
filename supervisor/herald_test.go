package supervisor

import (
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/shm"
	"github.com/odin-ws/odin/systemd"
)

// heralded is a stage with a herald and the service manager that hears it.
type heralded struct {
	*stage
	herald  *herald
	manager *net.UnixConn
	ready   int // calls of the caller's
}

// watchdog is what the manager allows, in the stage's time.
const watchdog = 6 * time.Second

func newHeralded(t *testing.T, workers int) *heralded {
	t.Helper()
	h := &heralded{stage: newStage(t, workers)}
	name := filepath.Join(t.TempDir(), "notify")
	var err error
	if h.manager, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.manager.Close() })
	notifier, err := systemd.FromEnv(func(variable string) string {
		return map[string]string{"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "6000000"}[variable]
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { notifier.Close() })
	h.herald = &herald{
		notifier: notifier, ready: func(ReadyInfo) { h.ready++ }, stuck: nobody,
		log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	return h
}

// turn lets time pass as the supervisor's loop does, and gives what the
// manager heard meanwhile.
func (h *heralded) turn(d time.Duration) (heard []string) {
	h.t.Helper()
	for end := h.time.Add(d); h.time.Before(end); {
		h.pass(h.limits.HeartbeatBeat)
		h.herald.tick(h.crew)
		h.herald.tell(h.crew)
		heard = append(heard, h.hear()...)
	}
	return heard
}

// hear takes what has come: the manager's socket holds all that was sent.
func (h *heralded) hear() (heard []string) {
	h.t.Helper()
	conn, err := h.manager.SyscallConn()
	if err != nil {
		h.t.Fatal(err)
	}
	err = conn.Read(func(fd uintptr) bool {
		var buf [512]byte
		for {
			n, err := syscall.Read(int(fd), buf[:])
			if err != nil { // EAGAIN: that was all
				return true
			}
			heard = append(heard, string(buf[:n]))
		}
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return heard
}

// serving is one whose workers all accept, so the manager knows.
func serving(t *testing.T, workers int) *heralded {
	t.Helper()
	h := newHeralded(t, workers)
	h.begin()
	h.reports(0)
	for slot := range workers {
		h.stage.ready(slot)
	}
	if heard := h.turn(time.Second); !slices.Contains(heard, "READY=1") {
		t.Fatalf("heard %q, want READY", heard)
	}
	return h
}

func count(heard []string, prefix string) (n int) {
	for _, one := range heard {
		if strings.HasPrefix(one, prefix) {
			n++
		}
	}
	return n
}

// TestManagerWaitsForAllWorkers: the caller hears of the first worker that
// accepts, the service manager only when all do.
func TestManagerWaitsForAllWorkers(t *testing.T) {
	h := newHeralded(t, 3)
	h.begin()
	h.reports(0)
	h.stage.ready(0, 1)
	heard := h.turn(10 * time.Second)
	if h.ready != 1 {
		t.Fatalf("the caller heard %d times of two workers that accept", h.ready)
	}
	if count(heard, "READY") > 0 {
		t.Fatalf("the manager heard %q while a worker does not accept", heard)
	}
	h.stage.ready(2)
	if heard = h.turn(beat); count(heard, "READY=1") != 1 {
		t.Fatalf("heard %q when all accept", heard)
	}
	h.dies(1)
	h.stage.ready(1)
	if heard = h.turn(10 * time.Second); h.ready != 1 || count(heard, "READY") > 0 {
		t.Fatalf("heard again: %d, %q", h.ready, heard)
	}
}

// TestSlotsGivenUpAreNotWaitedFor: nobody will ever accept there.
func TestSlotsGivenUpAreNotWaitedFor(t *testing.T) {
	h := newHeralded(t, 2)
	h.begin()
	h.reports(0)
	h.stage.ready(0)
	for range h.limits.RespawnAttemptsMax {
		h.dies(1)
		if heard := h.turn(h.limits.RespawnMax * 3 / 2); count(heard, "READY") > 0 {
			t.Fatal("ready while worker 1 is to be started again")
		}
	}
	h.dies(1)
	if heard := h.turn(beat); count(heard, "READY=1") != 1 {
		t.Fatalf("heard %q when worker 1 was given up", heard)
	}
}

// TestManagerIsAskedForTime: a start lasts as long as the brokers are away,
// and each request is no longer than the manager's own patience.
func TestManagerIsAskedForTime(t *testing.T) {
	h := newHeralded(t, 1)
	h.begin()
	heard := h.turn(30 * time.Second)
	if n := count(heard, "EXTEND_TIMEOUT_USEC=6000000"); n != 30 {
		t.Fatalf("asked %d times in 30 s for %v: %q", n, watchdog, heard)
	}
	h.reports(0)
	h.stage.ready(0)
	h.turn(beat)
	if heard = h.turn(30 * time.Second); count(heard, "EXTEND") != 0 {
		t.Fatalf("asked %q though nothing is under way: the watchdog waits for it too", heard)
	}
	h.stop("terminated")
	h.herald.tell(h.crew)
	if heard = h.hear(); len(heard) != 3 || heard[0] != "STOPPING=1" || !strings.HasPrefix(heard[1], "STATUS=draining: ") ||
		heard[2] != "EXTEND_TIMEOUT_USEC=14500000" { // 10 s at the most, less killBefore, and stopSpare
		t.Fatalf("heard %q at the stop", heard)
	}
	heard = h.turn(20 * time.Second)
	if n := count(heard, "EXTEND"); n != 20 || heard[len(heard)-1] != "EXTEND_TIMEOUT_USEC=5000000" {
		t.Fatalf("asked %d times: %q", n, heard)
	}
}

func TestStatusLineIsPaced(t *testing.T) {
	h := serving(t, 1)
	changes, said := 0, 0
	for range 200 {
		changes++
		h.segment.Slot(0).Block(1).Set(shm.Sessions, int64(changes))
		said += count(h.turn(beat), "STATUS=")
	}
	if said != 20 {
		t.Fatalf("%d status lines in 20 s of changes, want one a second", said)
	}
	h.turn(time.Second)
	if heard := h.turn(10 * time.Second); count(heard, "STATUS=") != 0 {
		t.Fatalf("heard %q though nothing has changed", heard)
	}
}

// TestWatchdogIsFedWhileTheSupervisorCopes: with every state of a slot that
// the supervisor deals with by itself.
func TestWatchdogIsFedWhileTheSupervisorCopes(t *testing.T) {
	for name, trouble := range map[string]func(h *heralded){
		"healthy": func(*heralded) {},
		"frozen, and dead of it": func(h *heralded) {
			h.live[1].frozen = true
			h.turn(h.limits.HeartbeatDead + 2*killGrace)
			if len(h.live[1].signals) != 2 {
				h.t.Fatalf("signals %v, want QUIT and KILL", h.live[1].signals)
			}
			h.turn(reapMax - 2*killGrace) // its end takes long
			h.dies(1)
		},
		"frozen, and thawed": func(h *heralded) {
			h.live[1].frozen = true
			h.turn(h.limits.HeartbeatDead / 2)
			h.live[1].frozen = false
		},
		"waiting to be started again": func(h *heralded) {
			for range 9 {
				h.dies(1)
				h.turn(h.limits.RespawnMax * 3 / 2)
			}
			h.dies(1)
		},
		"given up": func(h *heralded) {
			for range h.limits.RespawnAttemptsMax {
				h.dies(1)
				h.turn(h.limits.RespawnMax * 3 / 2)
			}
			h.dies(1)
		},
		"not accepting": func(h *heralded) { h.dies(1) },
		"after a pause of the machine": func(h *heralded) {
			h.time = h.time.Add(time.Hour)
		},
		"stopping": func(h *heralded) { h.stop("terminated") },
	} {
		t.Run(name, func(t *testing.T) {
			h := serving(t, 2)
			trouble(h)
			if late := h.time.Sub(h.herald.fed); late > watchdog && name != "after a pause of the machine" {
				t.Fatalf("hungry for %v", late)
			}
			heard := h.turn(10 * watchdog)
			if n := count(heard, "WATCHDOG=1"); n < 20 {
				t.Fatalf("fed %d times in %v, allowed silence %v", n, 10*watchdog, watchdog)
			}
		})
	}
}

// TestWatchdogGoesHungry: a worker that is gone for every purpose but can't be
// got rid of is beyond us.
func TestWatchdogGoesHungry(t *testing.T) {
	for name, pace := range map[string]int{"on time": 1, "every poll late": 6} {
		t.Run(name, func(t *testing.T) {
			h := serving(t, 2)
			h.live[1].frozen = true
			most := h.limits.HeartbeatDead + killGrace + reapMax
			turn := func(d time.Duration) (fed int) {
				for end := h.time.Add(d); h.time.Before(end); {
					h.time = h.time.Add(time.Duration(pace-1) * beat)
					fed += count(h.turn(beat), "WATCHDOG=1")
				}
				return fed
			}
			if turn(most-time.Second) < 5 {
				t.Fatal("hungry too early")
			}
			turn(most/2 + time.Second)
			if n := turn(time.Minute); n != 0 {
				t.Fatalf("fed %d times beside a worker that can't be got rid of", n)
			}
			h.live[1].frozen = false
			if turn(watchdog) == 0 {
				t.Fatal("hungry for good: the worker beats again")
			}
		})
	}
}

// TestStartThatHangsIsNotProlonged: nor is a start beside such a worker.
func TestStartThatHangsIsNotProlonged(t *testing.T) {
	h := newHeralded(t, 1)
	h.begin()
	h.live[0].frozen = true
	h.turn(h.limits.HeartbeatDead + killGrace + reapMax + time.Second)
	if heard := h.turn(time.Minute); count(heard, "EXTEND") != 0 {
		t.Fatalf("heard %q", heard)
	}
}

func TestHeraldOfNobody(t *testing.T) {
	s := newStage(t, 1)
	h := &herald{notifier: &systemd.Notifier{}, log: slog.New(slog.NewTextHandler(io.Discard, nil)), stuck: nobody}
	s.begin()
	s.says(0, control.Message{Type: control.Ready})
	s.pass(time.Second)
	h.tick(s.crew)
	h.tell(s.crew)
	s.stop("terminated")
	h.tell(s.crew)
}
