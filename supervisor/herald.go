package supervisor

import (
	"log/slog"
	"time"

	"github.com/odin-ws/odin/internal/status"
	"github.com/odin-ws/odin/shm"
	"github.com/odin-ws/odin/systemd"
)

// statusEvery bounds how often the manager's status line changes. Only the
// start and the stop, once each, bring it up to date besides.
const statusEvery = time.Second

// herald tells the outside how odind does: the caller of Run, and the service
// manager, which waits for more: the caller for one worker that accepts, the
// manager for all of them.
type herald struct {
	notifier *systemd.Notifier
	info     ReadyInfo
	ready    func(ReadyInfo)
	log      *slog.Logger

	announced bool // to the caller
	up        bool // so the manager was told
	reloading bool
	stopping  bool
	stuck     int // slot of the worker for which the watchdog goes hungry, or nobody

	status string
	said   time.Time // the status
	fed    time.Time // the watchdog
}

// tell passes on what has changed.
func (h *herald) tell(c *crew) {
	is := c.readiness.Load()
	if is.ready && !h.announced {
		h.announced = true
		h.log.Info("ready", "ws", h.info.WS, "operator", h.info.Operator)
		if h.ready != nil {
			h.ready(h.info)
		}
	}
	if is.ready && is.complete && !h.up {
		h.up = true
		h.check(h.notifier.Ready())
		h.say(c)
	}
	if c.reloading != h.reloading {
		h.reloading = c.reloading
		h.reload()
	}
	if c.stopping && !h.stopping {
		h.stopping = true
		h.check(h.notifier.Stopping())
		h.say(c)
		h.ask(c)
	}
}

// reload tells that a reload begins, or is over. While the manager still waits
// for the start it is told of neither: what ends a reload would end the start.
func (h *herald) reload() {
	switch {
	case !h.up || h.stopping:
	case h.reloading:
		h.check(h.notifier.Reloading())
	default:
		h.check(h.notifier.Ready())
	}
}

// tick is called at every poll of the crew: the watchdog is fed from the loop
// that it watches.
func (h *herald) tick(c *crew) {
	now := c.now()
	if every := h.notifier.WatchdogInterval(); every > 0 && now.Sub(h.fed) >= every && h.tended(c) {
		h.fed = now
		h.check(h.notifier.Watchdog())
	}
	if now.Sub(h.said) >= statusEvery {
		h.say(c)
		h.ask(c)
	}
}

// say sends the status line, if it has changed.
func (h *herald) say(c *crew) {
	h.said = c.now()
	if line := c.line(shm.Now()); line != h.status {
		h.status = line
		h.check(h.notifier.Status(line))
	}
}

// line is the status with what is wrong.
func (c *crew) line(now shm.Clock) string {
	s := status.Read(c.segment, now)
	if s.Drain != nil {
		return s.Line(append([]string{s.Drain.Words()}, s.Warnings...))
	}
	if is := c.readiness.Load(); !is.ready {
		return s.Line(is.reasons)
	}
	return s.Line(s.Warnings)
}

// startPatience is for how long the manager is asked to wait on for a start
// when it has no watchdog that says how long we may be silent.
const startPatience = 30 * time.Second

// stopSpare is what the end of odind itself may take once its workers are
// gone or killed.
const stopSpare = 5 * time.Second

// ask has the manager wait for what has no end that it could know: a start
// goes on as long as the brokers are away, a stop as long as
// limits.stop_ms_max. Between the two it has nothing to wait for, and the
// request would hold up its watchdog.
func (h *herald) ask(c *crew) {
	switch {
	case c.stopping:
		h.check(h.notifier.Extend(max(0, c.killAt.Sub(c.now())) + stopSpare))
	case !h.up && h.tended(c):
		patience := startPatience
		if w := 2 * h.notifier.WatchdogInterval(); w > 0 {
			patience = w
		}
		h.check(h.notifier.Extend(patience))
	}
}

// tended tells whether every worker beats or is being dealt with, and logs
// when that changes.
func (h *herald) tended(c *crew) bool {
	stuck := c.stuck()
	if stuck != h.stuck && stuck != nobody {
		h.log.Error("the service manager's watchdog is not fed: a worker does not beat and can't be got rid of",
			"worker", stuck, "pid", c.slots[stuck].worker.pid, "silent_ms", c.liveness.silence(stuck).Milliseconds())
	}
	h.stuck = stuck
	return stuck == nobody
}

func (h *herald) check(err error) {
	if err != nil {
		h.log.Warn("the service manager can't be told", "err", err)
	}
}
