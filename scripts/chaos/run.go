package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/odin-ws/odin/scripts/chaos/check"
	"github.com/odin-ws/odin/scripts/chaos/plan"
)

const (
	warmUp   = 5 * time.Second
	coolDown = 5 * time.Second
	catchUp  = 2 * time.Minute // for all clients to have all, behind the last fault
)

// run is one run. It returns whether nothing was wrong with any stream.
func run(ctx context.Context, o options) (sound bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dir := o.keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "chaos"); err != nil {
			return false, err
		}
	}
	if o.programs, err = filepath.Abs(o.programs); err != nil {
		return false, err
	}
	w := &world{options: o, stage: &stage{ctx: ctx, dir: dir}, began: time.Now(), finish: make(chan struct{}), topics: newTopics(o.rate), producers: map[*topic]*producer{}}
	w.ledger = newLedger(w.topics)
	defer func() {
		if sound && err == nil && o.keep == "" {
			os.RemoveAll(dir)
		} else if err != nil {
			fmt.Printf("what odind and the brokers said is in %s\n", dir)
		}
	}()
	defer w.stage.end()
	defer caught(&err)
	return w.run(ctx)
}

// caught makes what the stage's Fatal panics with an error.
func caught(err *error) {
	switch cause := recover().(type) {
	case nil:
	case fatal:
		*err = cause.error
	default:
		panic(cause)
	}
}

func (w *world) run(ctx context.Context) (sound bool, err error) {
	schedule := plan.Make(w.options.seed, w.options.length, w.options.only...)
	fmt.Printf("chaos: seed %d, %v, %d faults, %d workers, %d brokers\n", w.options.seed, w.options.length, len(schedule), w.options.workers, w.options.brokers)
	for _, f := range schedule {
		fmt.Println(f)
	}
	if err := w.build(ctx); err != nil {
		return false, err
	}
	w.began = time.Now()
	stop := w.play(ctx)
	defer stop()
	if err = w.perform(ctx, schedule); err == nil {
		err = w.conclude(ctx, stop)
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	stop()
	return w.judge(err), nil
}

// play lets producers and clients run. What it returns ends the producers, and
// waits for it.
func (w *world) play(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var producing sync.WaitGroup
	for _, p := range w.producers {
		producing.Go(func() { p.run(ctx) })
	}
	w.clients = w.crowd()
	return func() {
		cancel()
		producing.Wait()
	}
}

// perform carries the schedule out, each lane by itself.
func (w *world) perform(ctx context.Context, schedule []plan.Fault) error {
	lanes := map[int][]plan.Fault{}
	for _, f := range schedule {
		lanes[plan.Lane(f.Kind)] = append(lanes[plan.Lane(f.Kind)], f)
	}
	w.listen(ctx)
	time.Sleep(warmUp)
	began := time.Now()
	var all sync.WaitGroup
	errs := make(chan error, len(lanes)+1)
	for _, lane := range lanes {
		all.Go(func() { errs <- w.lane(ctx, began, lane) })
	}
	all.Wait()
	close(errs)
	time.Sleep(coolDown)
	var failed error
	for err := range errs {
		failed = errors.Join(failed, err)
	}
	return failed
}

func (w *world) lane(ctx context.Context, began time.Time, faults []plan.Fault) (err error) {
	defer caught(&err)
	for _, f := range faults {
		select {
		case <-time.After(time.Until(began.Add(f.At))):
		case <-ctx.Done():
			return ctx.Err()
		}
		if time.Since(began) > w.options.length { // what a slow machine has no time for
			w.did(deed{at: time.Since(w.began), what: string(f.Kind), err: errLate})
			continue
		}
		if how, surprised := w.odind.surprise(); surprised {
			return fmt.Errorf("odind ended by itself: %s", how)
		}
		at := time.Since(w.began)
		what, err := w.do(ctx, f)
		d := deed{at: at, took: time.Since(w.began) - at, what: string(f.Kind), err: err}
		w.say("%s %s took %.1fs %s", f.Kind, what, d.took.Seconds(), errText(err))
		w.did(d)
		if errors.Is(err, errBroken) || errors.Is(err, errUnknown) {
			return err
		}
	}
	return nil
}

func (w *world) did(d deed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deeds = append(w.deeds, d)
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return "(not done: " + err.Error() + ")"
}

// listen lets the clients run.
func (w *world) listen(ctx context.Context) {
	for _, c := range w.clients {
		go func() {
			defer close(c.over)
			c.run(ctx)
		}()
	}
}

// conclude lets the clients come to the log's end.
func (w *world) conclude(ctx context.Context, stop func()) error {
	stop()
	last := lastWord{}
	for _, t := range w.topics {
		ends, err := w.ends(ctx, t)
		if err != nil {
			return fmt.Errorf("read %s back: %w", t.name, err)
		}
		word := last[t.name]
		word.incarnation, word.ends = t.id, ends
		last[t.name] = word
	}
	if err := retry(ctx, func(context.Context) error { return w.odind.disk.keeps(w.topics) }); err != nil {
		return err
	}
	w.last.Store(&last)
	close(w.finish)
	w.say("the log is read back; waiting for the clients")
	deadline := time.After(catchUp)
	for _, c := range w.clients {
		select {
		case <-c.over:
		case <-deadline:
			w.say("clients are not at the log's end after %v", catchUp)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if how, surprised := w.odind.surprise(); surprised {
		return fmt.Errorf("odind ended by itself: %s", how)
	}
	return nil
}

// judge checks every stream and prints what there is to say. A run that broke
// off is judged as far as it came.
func (w *world) judge(broken error) (sound bool) {
	began := time.Now()
	tally := check.NewTally()
	var faults []check.Fault
	for _, t := range w.topics {
		t.reader.stop()
	}
	for _, c := range w.clients {
		if late := w.stalled(c); broken == nil {
			faults = append(faults, late...)
		}
		tally.Count(&c.stream)
		faults = append(faults, check.Check(w.ledger.log, w.ledger.names, &c.stream)...)
	}
	w.say("checked %d deliveries in %v", tally.Deliveries, time.Since(began).Round(time.Millisecond))
	w.report(tally, faults)
	return w.verdict(os.Stdout, verdicts(w.deeds, tally, faults, w.odind.crashes(), broken))
}

// stalled ends a client that is still at it.
func (w *world) stalled(c *client) []check.Fault {
	select {
	case <-c.over:
		return nil
	default:
	}
	c.quit()
	<-c.over
	return []check.Fault{{Class: check.Stalled, Stream: c.stream.Name, Event: len(c.stream.Events) - 1, At: time.Since(w.began), Text: w.behind(c)}}
}

// behind tells where a client did not come to the end.
func (w *world) behind(c *client) string {
	last := w.last.Load()
	if last == nil {
		return "was not asked for all yet"
	}
	for topic, word := range *last {
		entry, ok := c.cursor[topic]
		for p, end := range word.ends {
			if ok && (p >= len(entry.Offsets) || int64(entry.Offsets[p]) < end || check.IncarnationOf(entry.Epoch) != word.incarnation) {
				return fmt.Sprintf("stands at %v of %s, whose end is %v (%s)", entry, topic, word.ends, word.incarnation)
			}
		}
	}
	return fmt.Sprintf("has had all, but its last answer did not say so: %v", c.cursor)
}
