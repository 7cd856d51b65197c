package supervisor

import (
	"context"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/journal"
	"github.com/odin-ws/odin/shm"
	"github.com/odin-ws/odin/systemd"
)

// Options are what Run needs beside the configuration.
type Options struct {
	Version string           // of this build
	Ready   func(ReadyInfo)  // called once, when /readyz has become 200; may be nil
	Log     *journal.Journal // its level is the one that all processes begin with
	// Reload reads the configuration anew, for an odind in which old is in
	// force; its error (config.Problems: all mistakes) is for operators. It may
	// take long, and is called by another goroutine than Run's, one at a time.
	// nil: this odind can't reload.
	Reload func(old config.Config) (*config.Reloaded, error)
}

// ReadyInfo is what the ready line tells; a wildcard host is shown as
// 127.0.0.1.
type ReadyInfo struct {
	WS         string // ws://HOST:PORT/ws
	Operator   string // http://HOST:PORT
	RuntimeDir string
}

// newsMax is how many pieces of news may wait for the crew; their senders wait then.
const newsMax = 256

// Run supervises until TERM, INT or ctx ends it: nil then. Other ends are a
// *StartError, before anything was started, and ErrGivenUp. ExitCode maps
// them. When it returns, no worker is left.
//
// Workers are started on the caller's OS thread and get TERM when that thread
// ends, so the caller should be main's goroutine, locked by
// runtime.LockOSThread.
func Run(ctx context.Context, cfg config.Config, opts Options) (err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	signal.Ignore(syscall.SIGPIPE) // for good: that the reader of the log goes is no reason to die
	log := opts.Log
	notifier, err := systemd.FromEnv(os.Getenv)
	if err != nil {
		log.Warn("the service manager can't be told", "err", err)
	}
	defer notifier.Close()
	defer func() {
		// While the manager waits to start us again, it shows none of our log.
		if err != nil {
			_ = notifier.Status("failed: " + err.Error())
		}
	}()
	files, err := raiseFiles()
	if err != nil {
		log.Warn("the limit of open files can't be raised", "err", err)
	}
	h, err := open(cfg, opts.Version, log)
	if err != nil {
		return err
	}
	defer h.close()
	h.files = files
	return h.supervise(ctx, cfg, opts, notifier, log)
}

// supervise is the crew's goroutine.
func (h *house) supervise(ctx context.Context, cfg config.Config, opts Options, notifier *systemd.Notifier, log *journal.Journal) error {
	events, done := make(chan news, newsMax), make(chan struct{})
	defer close(done)
	launch := &launcher{segment: h.segment.File(), events: events, done: done}
	ticker := time.NewTicker(cfg.Limits.HeartbeatBeat)
	defer ticker.Stop()
	d := &desk{events: events, done: done, segment: h.segment, version: opts.Version, log: log}
	d.reloads = newReloader(d, opts.Reload)
	h.archive.open()
	defer h.archive.close()
	c, err := newCrew(cfg, h.segment, system{
		found: h.found, keep: h.archive.keep,
		now: time.Now, random: rand.Float64, start: launch.start,
		listen: func(slot int) (*os.File, error) { return h.listeners[slot].file() },
		follow: func(cfg config.Config) { h.follow(cfg, ticker, log) }, hangup: d.reloads.hangup,
	}, log)
	if err != nil {
		return err
	}
	took := make(chan os.Signal, 16)
	signal.Notify(took, signals()...)
	defer signal.Stop(took)
	aborted := make(chan os.Signal, 1)
	signal.Notify(aborted, syscall.SIGABRT)
	go heedAbort(aborted)
	h.serve(c, d, log.Logger)
	c.begin()

	herald := &herald{notifier: notifier, info: h.info, ready: opts.Ready, log: log.Logger, stuck: nobody}
	usage := &usage{process: h.segment.Process(), log: log}
	asked := ctx.Done()
	for {
		select {
		case n := <-events:
			c.handle(n)
		case s := <-took:
			c.signal(s)
		case <-asked:
			asked = nil
			c.stop(context.Cause(ctx).Error())
		case <-ticker.C:
			c.tick()
			h.segment.Process().Set(shm.StateUnwritten, h.archive.unwritten())
			if now := time.Now(); usage.due(now) {
				h.physician.measure(now)
			}
			herald.tick(c)
		}
		herald.tell(c)
		if over, err := c.over(); over {
			c.writeEras(time.Now())
			return err
		}
	}
}

// follow has what isn't the crew's take the configuration that is in force now.
func (h *house) follow(cfg config.Config, ticker *time.Ticker, log *journal.Journal) {
	h.physician.follow(cfg.Limits)
	ticker.Reset(cfg.Limits.HeartbeatBeat)
	if err := log.SetLevel(cfg.Log.Level); err != nil {
		log.Error("the level of the log stays as it is", "err", err)
	}
	warnFiles(log.Logger, cfg, h.files)
}

// over tells whether nothing is left to do.
func (c *crew) over() (bool, error) {
	switch {
	case c.stopping:
		return c.running() == 0, nil
	case c.allGivenUp():
		return true, ErrGivenUp
	}
	return false, nil
}
