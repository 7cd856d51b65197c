package supervisor

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/shm"
)

// bureau is a desk whose crew, of puppets, takes orders until the test ends.
type bureau struct {
	*desk
	stage *stage
	end   func() // the crew takes no more
}

func newBureau(t *testing.T, workers int) *bureau {
	t.Helper()
	s := newStage(t, workers)
	s.begin()
	events, done, over := make(chan news), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		for {
			select {
			case n := <-events:
				s.handle(n)
			case <-done:
				return
			}
		}
	}()
	b := &bureau{desk: &desk{events: events, done: done, segment: s.segment, version: "v1", log: s.log}, stage: s}
	b.reloads = newReloader(b.desk, nil)
	ended := false
	b.end = func() {
		if !ended {
			ended = true
			close(done)
			<-over
		}
	}
	t.Cleanup(b.end)
	return b
}

// answers has a worker answer every inquiry, and every new configuration.
func (b *bureau) answers(slot int, fill func(*control.Answer) control.Response) {
	w := b.stage.slots[slot].worker
	before := w.send
	w.send = func(m control.Message, files ...*os.File) bool {
		if m.Type != control.Inquiry && m.Type != control.Reconfigure {
			return before(m, files...)
		}
		go func() {
			defer files[0].Close()
			a := control.NewAnswer(files[0])
			_ = a.End(fill(a))
		}()
		return true
	}
}

type unhurried struct{ io.Writer }

func (unhurried) SetWriteDeadline(time.Time) error { return nil }

// ask is a request as odinctl sees it.
func (b *bureau) ask(t *testing.T, r control.Request) (slots []int, end control.Response) {
	t.Helper()
	var out bytes.Buffer
	items := control.NewAnswer(unhurried{&out})
	if err := items.End(b.answer(context.Background(), r, items)); err != nil {
		t.Fatal(err)
	}
	end, err := control.ReadAnswer(&out, func(r control.Response) error {
		slots = append(slots, r.Slot)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(slots)
	return slots, end
}

func two(a *control.Answer) control.Response {
	_ = a.Item("one")
	_ = a.Item("two")
	return control.Response{OK: true}
}

func silent(a *control.Answer) control.Response {
	_ = a.Item("one")
	_ = a.Flush()
	panicked := make(chan struct{}) // never: its pipe stays open
	<-panicked
	return control.Response{}
}

var question = &control.Query{Kind: control.Profile, Profile: "heap"}

func TestAskAll(t *testing.T) {
	b := newBureau(t, 3)
	b.answers(0, two)
	b.answers(1, two)
	slots, end := b.ask(t, control.Request{Command: control.Ask, Query: question})
	// The puppet in slot 2 closes the pipe without a word, like one that ended.
	if !end.OK || !slices.Equal(slots, []int{0, 0, 1, 1}) || !slices.Equal(end.Missing, []int{2}) {
		t.Errorf("items of %v, then %+v", slots, end)
	}
	if slots, end := b.ask(t, control.Request{Command: control.Ask, Query: question, Process: "1"}); !end.OK || !slices.Equal(slots, []int{1, 1}) {
		t.Errorf("of one: %v, %+v", slots, end)
	}
}

func TestAskRefused(t *testing.T) {
	b := newBureau(t, 2)
	b.answers(0, two)
	b.answers(1, func(*control.Answer) control.Response { return control.Refused("worker 1: no") })
	for name, c := range map[string]struct {
		request control.Request
		want    string
	}{
		"worker":     {control.Request{Command: control.Ask, Query: question}, "worker 1: no"},
		"no query":   {control.Request{Command: control.Ask}, "a question is missing"},
		"slot":       {control.Request{Command: control.Ask, Query: question, Process: "2"}, "a worker from 0 to 1"},
		"name":       {control.Request{Command: control.Ask, Query: question, Process: "all"}, `no process "all"`},
		"supervisor": {control.Request{Command: control.Ask, Query: &control.Query{Kind: "x"}, Process: control.Supervisor}, `no question "x"`},
		"command":    {control.Request{Command: "x"}, `unknown command "x": this odind answers version, ask`},
	} {
		before := b.segment.Process().Counter(shm.ControlRequestsFailed)
		if _, end := b.ask(t, c.request); end.OK || !strings.Contains(end.Error, c.want) {
			t.Errorf("%s: %+v, want %q", name, end, c.want)
		}
		if b.segment.Process().Counter(shm.ControlRequestsFailed) != before+1 {
			t.Errorf("%s: not counted", name)
		}
	}
}

// A caller that has gone lets go of workers that still talk.
func TestAskerLeaves(t *testing.T) {
	b := newBureau(t, 2)
	b.answers(0, two)
	b.answers(1, silent)
	mine := errors.New("mine")
	_, err := b.inquire(context.Background(), *question, nobody, func(control.Response) error { return mine })
	if !errors.Is(err, mine) {
		t.Errorf("%v", err)
	}
	ctx, leave := context.WithCancel(context.Background())
	heard := 0
	missing, err := b.inquire(ctx, *question, 1, func(control.Response) error {
		heard++
		leave()
		return nil
	})
	if err != nil || heard != 1 || !slices.Equal(missing, []int{1}) {
		t.Errorf("%d items, missing %v, %v", heard, missing, err)
	}
}

func TestDeskAfterTheEnd(t *testing.T) {
	b := newBureau(t, 1)
	b.end()
	if _, end := b.ask(t, control.Request{Command: control.Ask, Query: question}); end.OK || !strings.Contains(end.Error, errOver.Error()) {
		t.Errorf("%+v", end)
	}
	if _, end := b.ask(t, control.Request{Command: control.Version}); !end.OK || end.Version != "v1" {
		t.Errorf("%+v", end)
	}
}

func TestAskWithoutWorkers(t *testing.T) {
	b := newBureau(t, 1)
	if err := b.order(func(*crew) { b.stage.dies(0); b.stage.slots[0].worker = nil }); err != nil {
		t.Fatal(err)
	}
	if _, end := b.ask(t, control.Request{Command: control.Ask, Query: question}); end.OK || !strings.Contains(end.Error, "no worker runs") {
		t.Errorf("%+v", end)
	}
}
