package supervisor

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/control"
)

// reloadPatience is how long a reload waits for the one before it, and for what
// it reads.
const reloadPatience = 5 * time.Second

// Why a reload is refused, besides what it reads.
var (
	errNoReload  = errors.New("this odind has nothing to read its configuration from again: restart it")
	errReloading = errors.New("another reload is under way: try again when it has ended")
	errReading   = errors.New("the configuration can't be read in time: is the disk of its files slow, or one of them a pipe?")
)

// reloader reads the configuration anew: one reload at a time, and beside the
// crew, since what it reads may lie on a disk that hangs.
type reloader struct {
	desk     *desk
	load     func(config.Config) (*config.Reloaded, error) // nil: it can't
	patience time.Duration
	turn     chan struct{} // of one place: who reloads
	reading  chan struct{} // of one place: who reads, for ever perhaps
	hangups  chan struct{} // of one place: HUP since the last reload began
}

func newReloader(d *desk, load func(config.Config) (*config.Reloaded, error)) *reloader {
	return &reloader{
		desk: d, load: load, patience: reloadPatience,
		turn: make(chan struct{}, 1), reading: make(chan struct{}, 1), hangups: make(chan struct{}, 1),
	}
}

// hangup asks for a reload, and waits for nothing. One that waits stands for
// all that come meanwhile.
func (r *reloader) hangup() {
	select {
	case r.hangups <- struct{}{}:
	default:
	}
}

// heed reloads at each hangup until ctx ends. What becomes of it is in the log.
func (r *reloader) heed(ctx context.Context) {
	for {
		select {
		case <-r.hangups:
			_, _ = r.reload(ctx, "hangup")
		case <-ctx.Done():
			return
		}
	}
}

// reloaded is what came of a reload.
type reloaded struct {
	*config.Reloaded
	missing []int // slots of workers that did not say in time that it is in force there
}

// reload reads the configuration, and brings it into force where that needs no
// restart; or it gives all that is wrong, and nothing has changed. by says who
// asked.
func (r *reloader) reload(ctx context.Context, by string) (*reloaded, error) {
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, errOver
	case <-time.After(r.patience):
		return nil, errReloading
	}
	defer func() { <-r.turn }()
	old, err := r.begin()
	if err != nil {
		return nil, err
	}
	next, err := r.read(ctx, old)
	return r.finish(ctx, next, err, by)
}

// begin tells the crew, and gives what is in force.
func (r *reloader) begin() (old config.Config, err error) {
	over := r.desk.order(func(c *crew) {
		if c.stopping {
			err = errOver
			return
		}
		c.reloading = true
		old = c.inForce
	})
	return old, errors.Join(over, err)
}

// read loads, but waits for it only so long.
func (r *reloader) read(ctx context.Context, old config.Config) (next *config.Reloaded, err error) {
	if r.load == nil {
		return nil, errNoReload
	}
	select {
	case r.reading <- struct{}{}:
	default:
		return nil, errReading // since the last time
	}
	done := make(chan struct{})
	var read *config.Reloaded
	var readErr error
	go func() {
		defer func() { <-r.reading }()
		read, readErr = r.load(old)
		close(done)
	}()
	select {
	case <-done:
		return read, readErr
	case <-ctx.Done():
		return nil, errOver
	case <-time.After(r.patience):
		return nil, errReading
	}
}

// finish brings what was read into force, waits until the workers have it, and
// tells the crew that the reload is over.
func (r *reloader) finish(ctx context.Context, next *config.Reloaded, failed error, by string) (*reloaded, error) {
	defer r.end()
	var ends map[int]*os.File
	over := r.desk.order(func(c *crew) {
		if failed == nil {
			ends, failed = c.reconfigure(next, by)
		}
		if failed != nil {
			c.refuse(failed, by)
		}
	})
	switch {
	case over != nil:
		return nil, over
	case failed != nil:
		return nil, failed
	}
	missing, err := collect(ctx, ends, inquiryPatience, nil)
	r.tell(missing, err)
	return &reloaded{next, missing}, err
}

// tell has the log say which workers may not have what is in force now.
func (r *reloader) tell(missing []int, err error) {
	_ = r.desk.order(func(c *crew) {
		for _, slot := range missing {
			c.log.Warn("worker has not said that it has the new configuration: it is stuck, or has just ended", "worker", slot)
		}
		if err != nil {
			c.log.Error("a worker did not take the new configuration: restart odind", "err", err)
		}
	})
}

// end tells the crew that the reload is over, unless odind is.
func (r *reloader) end() { _ = r.desk.order(func(c *crew) { c.reloading = false }) }

// reload answers with what was found, an item each.
func (d *desk) reload(ctx context.Context, items *control.Answer) control.Response {
	done, err := d.reloads.reload(ctx, "odinctl")
	var mistakes config.Problems
	if errors.As(err, &mistakes) {
		for _, m := range mistakes {
			if items.Item(config.Finding{Mistake: &m}) != nil {
				break // nobody reads on
			}
		}
		return control.Refused("%s in the configuration", mistakes.Counted())
	}
	if done == nil {
		return control.Refused("%v", err)
	}
	for _, f := range done.Findings() {
		if items.Item(f) != nil {
			break
		}
	}
	if err != nil {
		return control.Refused("it is in force, but not everywhere: %v; restart odind", err)
	}
	return control.Response{OK: true, Missing: done.missing, Digest: done.Config.Digest(), Unchanged: done.Unchanged}
}
