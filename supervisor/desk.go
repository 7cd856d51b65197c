package supervisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/journal"
	"github.com/odin-ws/odin/internal/profile"
	"github.com/odin-ws/odin/shm"
)

// desk serves those who want something of the crew from another goroutine:
// control.sock, and the operator's HTTP.
type desk struct {
	events  chan<- news
	done    <-chan struct{} // closed when the crew takes no more events
	segment *shm.Segment
	version string
	reloads *reloader
	log     *journal.Journal
}

// errOver is the answer to what comes while odind ends.
var errOver = errors.New("odind is ending")

// order has the crew's goroutine do something, and waits until it is done.
func (d *desk) order(do func(*crew)) error {
	did := make(chan struct{})
	n := news{kind: ordered, do: func(c *crew) {
		do(c)
		close(did)
	}}
	select {
	case d.events <- n:
	case <-d.done:
		return errOver
	}
	select {
	case <-did:
		return nil
	case <-d.done:
		return errOver
	}
}

// answer serves one request of control.sock, and counts it.
func (d *desk) answer(ctx context.Context, r control.Request, items *control.Answer) control.Response {
	d.segment.Process().Add(shm.ControlRequests, 1)
	answer := d.contained(ctx, r, items)
	if !answer.OK {
		d.segment.Process().Add(shm.ControlRequestsFailed, 1)
	}
	return answer
}

// contained refuses a request that a defect of ours shows at: the crew, which
// every worker depends on, is not to go down with it.
func (d *desk) contained(ctx context.Context, r control.Request, items *control.Answer) (answer control.Response) {
	defer func() {
		if cause := recover(); cause != nil {
			f := journal.NewFault(cause)
			d.log.LogAttrs(ctx, slog.LevelError, "a defect of Odin broke a request of odinctl: please report it", f.Attrs(slog.String("command", string(r.Command)))...)
			answer = control.Refused("a defect of Odin: please report it; the log has it as %s", f.ID)
		}
	}()
	return d.handle(ctx, r, items)
}

func (d *desk) handle(ctx context.Context, r control.Request, items *control.Answer) control.Response {
	switch r.Command {
	case control.Version:
		return control.Response{OK: true, Version: d.version, PID: os.Getpid()}
	case control.Ask:
		return d.ask(ctx, r, items)
	case control.DrainAll:
		return d.drain(r)
	case control.UndrainAll:
		return d.undrain()
	case control.Reload:
		return d.reload(ctx, items)
	case control.Levels:
		return d.levels(ctx, r, items)
	}
	return control.Unknown(r.Command)
}

// ask answers with what the workers, one of them or the supervisor itself say.
func (d *desk) ask(ctx context.Context, r control.Request, items *control.Answer) control.Response {
	if r.Query == nil {
		return control.Refused("a question is missing: %q needs \"query\"", r.Command)
	}
	only, refused := d.process(r.Process)
	switch {
	case refused != nil:
		return *refused
	case only == ourselves:
		return own(ctx, *r.Query, items)
	}
	missing, err := d.inquire(ctx, *r.Query, only, func(item control.Response) error {
		if err := items.Pass(item); err != nil {
			return err
		}
		return items.Flush()
	})
	if err != nil {
		return control.Refused("%v", err)
	}
	return control.Response{OK: true, Missing: missing}
}

// own answers what the supervisor can say of itself.
func own(ctx context.Context, q control.Query, items *control.Answer) control.Response {
	if q.Kind != control.Profile {
		return control.Refused("the supervisor knows no question %q: ask the workers", q.Kind)
	}
	if err := profile.Take(ctx, q.Profile, q.Seconds, items.Bytes()); err != nil {
		return control.Refused("supervisor: %v", err)
	}
	return control.Response{OK: true}
}

// errNoWorker is the answer to a question that there is nobody to put to.
var errNoWorker = errors.New("no worker runs that could be asked; look at odinctl status")

// inquiryPatience is how long a worker may take for each piece of its answer,
// besides the time that a question takes by itself.
const inquiryPatience = 5 * time.Second

// inquire puts a question to all workers, or to one, and hands over their items
// as they come. missing are the slots that were asked and did not answer in
// time: frozen, or ended meanwhile. An error is a worker's refusal, one of
// item, or errOver.
func (d *desk) inquire(ctx context.Context, q control.Query, only int, item func(control.Response) error) (missing []int, err error) {
	var ends map[int]*os.File
	if overErr := d.order(func(c *crew) { ends, err = c.question(q, only) }); overErr != nil {
		return nil, overErr
	}
	if err != nil {
		return nil, err
	}
	return collect(ctx, ends, inquiryPatience+time.Duration(q.Seconds)*time.Second, item)
}

// collect takes what workers answer into pipes, each piece within patience.
func collect(ctx context.Context, ends map[int]*os.File, patience time.Duration, item func(control.Response) error) (missing []int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h := &hearing{patience: patience, item: item, cancel: cancel}
	var hearings sync.WaitGroup
	for slot, end := range ends {
		hearings.Go(func() { h.listen(ctx, slot, end) })
	}
	hearings.Wait()
	slices.Sort(h.missing)
	return h.missing, h.err
}

// question asks, and returns where the answers come, by slot.
func (c *crew) question(q control.Query, only int) (map[int]*os.File, error) {
	ends := map[int]*os.File{}
	for _, s := range c.slots {
		if s.worker == nil || only != nobody && only != s.index {
			continue
		}
		r, w, err := os.Pipe()
		if err != nil {
			for _, end := range ends {
				end.Close()
			}
			return nil, fmt.Errorf("ask worker %d: %w", s.index, err)
		}
		ends[s.index] = r
		c.tell(s, control.Message{Type: control.Inquiry, Query: &q}, w)
	}
	if len(ends) == 0 {
		return nil, errNoWorker
	}
	return ends, nil
}

// hearing takes the answers of several workers at once, and hands them on one
// after the other.
type hearing struct {
	patience time.Duration
	cancel   context.CancelFunc

	mu      sync.Mutex
	item    func(control.Response) error
	missing []int
	err     error // the first
}

func (h *hearing) listen(ctx context.Context, slot int, from *os.File) {
	defer from.Close()
	defer context.AfterFunc(ctx, func() { from.Close() })()
	_ = from.SetReadDeadline(time.Now().Add(h.patience))
	end, err := control.ReadAnswer(from, func(r control.Response) error {
		_ = from.SetReadDeadline(time.Now().Add(h.patience))
		return h.pass(slot, r)
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.err != nil:
	case err != nil:
		h.missing = append(h.missing, slot)
	case !end.OK:
		h.fail(errors.New(end.Error))
	}
}

func (h *hearing) pass(slot int, r control.Response) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil {
		return h.err
	}
	r.Slot = slot
	if err := h.item(r); err != nil {
		h.fail(err)
	}
	return h.err
}

func (h *hearing) fail(err error) {
	h.err = err
	h.cancel()
}
