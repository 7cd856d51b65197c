package supervisor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/shm"
)

// reloadedTo is what a reload gives that changes what is in force.
func reloadedTo(old config.Config, change func(*config.Config)) *config.Reloaded {
	next := old
	change(&next)
	return &config.Reloaded{
		Config:  next,
		Applied: []config.Change{{Key: "limits.stop_ms", Old: "1", New: "2", Origin: "odin.yaml:1:1"}},
	}
}

func TestAReloadIsInForceInTheCrewAtOnce(t *testing.T) {
	s := running(t, 2)
	before := s.segment.Process().Name(shm.Digest)
	s.live[1].frozen = true
	s.pass(time.Second)
	next := reloadedTo(s.inForce, func(c *config.Config) {
		c.Node, c.Ready.RequireSource = "renamed", true
		l := &c.Limits
		l.HeartbeatBeat, l.HeartbeatSuspect, l.HeartbeatDead = 50*time.Millisecond, 3*time.Second, 9*time.Second
		l.LendAfter, l.StopMax, l.StopOver = time.Second, 20*time.Second, 7*time.Second
		l.RespawnFirst, l.RespawnMax, l.RespawnAttemptsMax = time.Second, 2*time.Second, 1
	})
	next.Pending = []config.Change{{Key: "listen"}, {Key: "workers"}}
	if _, err := s.reconfigure(next, "hangup"); err != nil {
		t.Fatal(err)
	}
	p := s.segment.Process()
	if digest := p.Name(shm.Digest); digest == before || digest != next.Config.Digest() || p.Name(shm.Node) != "renamed" {
		t.Errorf("digest %s after %s, node %s", digest, before, p.Name(shm.Node))
	}
	if p.Name(shm.Pending) != "listen workers" || p.Gauge(shm.PendingRestart) != 2 || p.Gauge(shm.ReloadRefused) != 0 {
		t.Errorf("pending %q, %d", p.Name(shm.Pending), p.Gauge(shm.PendingRestart))
	}
	if s.followed.Digest() != next.Config.Digest() {
		t.Error("nobody else was told")
	}
	s.wantCount(shm.Reloads, 1)
	for slot := range s.live {
		s.wantTold(slot, control.Reconfigure)
	}
	// A second of silence in the old beat is none in the new one.
	s.pass(2500 * time.Millisecond)
	s.wantCount(shm.Suspects, 0)
	s.pass(time.Second)
	s.wantCount(shm.Suspects, 1)
	s.says(0, sick("gone"))
	s.says(1, sick("gone"))
	if s.readiness.Load().ready {
		t.Error("ready without a source, which is required now")
	}
	s.dies(0) // started again at once, for the first time in a row
	s.dies(0)
	if !s.slots[0].givenUp {
		t.Error("not given up after the attempts of the new configuration")
	}
	s.stop("terminated")
	if want := s.time.Add(20*time.Second - killBefore); !s.killAt.Equal(want) {
		t.Errorf("killed at %v, want %v", s.killAt, want)
	}
}

func TestAWorkerThatComesLaterHasWhatIsInForce(t *testing.T) {
	s := running(t, 2)
	if _, err := s.reconfigure(reloadedTo(s.inForce, func(c *config.Config) { c.Node = "renamed" }), "hangup"); err != nil {
		t.Fatal(err)
	}
	s.dies(1)
	var got config.Config
	if first := s.live[1].told[0]; first.Type != control.Config || json.Unmarshal(first.Config, &got) != nil || got.Node != "renamed" {
		t.Errorf("the first message is %s, node %q", first.Type, got.Node)
	}
}

func TestARefusedReloadChangesNothing(t *testing.T) {
	s := running(t, 2)
	before := s.inForce.Digest()
	s.refuse(config.Problems{{Place: "odin.yaml:1:1", Key: "workers", What: "is wrong"}, {Place: "odin.yaml:2:1", Key: "listen", What: "is too"}}, "hangup")
	s.wantTold(0)
	s.wantCount(shm.ReloadsFailed, 1)
	s.wantCount(shm.Reloads, 0)
	if p := s.segment.Process(); s.inForce.Digest() != before || p.Name(shm.Digest) != before || p.Gauge(shm.ReloadRefused) != 1 {
		t.Error("something has changed, or nobody is told of the refusal")
	}
	eventually(t, "every mistake is in the log", func() bool {
		text := s.logged.String()
		return strings.Contains(text, "nothing has changed") && strings.Contains(text, "odin.yaml:1:1") && strings.Contains(text, "odin.yaml:2:1")
	})
	if _, err := s.reconfigure(reloadedTo(s.inForce, func(*config.Config) {}), "hangup"); err != nil {
		t.Fatal(err)
	}
	if s.segment.Process().Gauge(shm.ReloadRefused) != 0 {
		t.Error("refused still, though the next one succeeded")
	}
}

func TestHangupAsksForAReload(t *testing.T) {
	s := running(t, 1)
	s.signal(syscall.SIGHUP)
	if s.hangups != 1 {
		t.Errorf("%d reloads asked for", s.hangups)
	}
}

func TestMoreKeysThanANameHolds(t *testing.T) {
	var changes []config.Change
	for _, k := range config.Keys() {
		changes = append(changes, config.Change{Key: k.Name})
	}
	text := listed(changes)
	if len(text) > shm.NameMax || strings.Join(strings.Fields(text), " ") != text || !strings.HasPrefix(text, "listen workers") {
		t.Errorf("%q", text)
	}
	for key := range strings.FieldsSeq(text) {
		if !slices.ContainsFunc(changes, func(c config.Change) bool { return c.Key == key }) {
			t.Errorf("%s is no key", key)
		}
	}
}

// reload is odinctl's, and gives what it is told.
func (b *bureau) reload(t *testing.T) (found []config.Finding, end control.Response) {
	t.Helper()
	var out bytes.Buffer
	items := control.NewAnswer(unhurried{&out})
	if err := items.End(b.answer(context.Background(), control.Request{Command: control.Reload}, items)); err != nil {
		t.Fatal(err)
	}
	end, err := control.ReadAnswer(&out, func(r control.Response) error {
		var f config.Finding
		err := json.Unmarshal(r.Item, &f)
		found = append(found, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found, end
}

func done(*control.Answer) control.Response { return control.Response{OK: true} }

func TestReloadAnswersOnceItIsInForceEverywhere(t *testing.T) {
	b := newBureau(t, 2)
	b.reloads.load = func(old config.Config) (*config.Reloaded, error) {
		r := reloadedTo(old, func(c *config.Config) { c.Node = "renamed" })
		r.Pending, r.Unchanged = []config.Change{{Key: "listen"}}, 80
		return r, nil
	}
	var took atomic.Int32
	for slot := range 2 {
		b.answers(slot, func(*control.Answer) control.Response {
			took.Add(1)
			return control.Response{OK: true}
		})
	}
	found, end := b.reload(t)
	if !end.OK || end.Unchanged != 80 || len(end.Missing) != 0 || end.Digest != b.stage.inForce.Digest() || took.Load() != 2 {
		t.Errorf("%+v, %d workers have it", end, took.Load())
	}
	if len(found) != 2 || found[0].Applied == nil || found[0].Applied.Key != "limits.stop_ms" || found[1].Restart == nil || found[1].Restart.Key != "listen" {
		t.Errorf("found %+v", found)
	}
	if b.stage.reloading {
		t.Error("the reload is not over for the crew")
	}
}

func TestReloadNamesWhoDidNotTakeIt(t *testing.T) {
	b := newBureau(t, 3)
	b.reloads.load = func(old config.Config) (*config.Reloaded, error) {
		return reloadedTo(old, func(*config.Config) {}), nil
	}
	b.answers(0, done)
	b.stage.slots[1].worker.send = func(_ control.Message, files ...*os.File) bool { return files[0].Close() == nil } // it ends
	b.answers(2, done)
	if _, end := b.reload(t); !end.OK || !slices.Equal(end.Missing, []int{1}) {
		t.Errorf("%+v", end)
	}
	b.answers(1, func(*control.Answer) control.Response { return control.Refused("worker 1: out of order") })
	if _, end := b.reload(t); end.OK || !strings.Contains(end.Error, "not everywhere: worker 1: out of order") {
		t.Errorf("%+v", end)
	}
}

func TestReloadWithMistakesAnswersAllOfThem(t *testing.T) {
	b := newBureau(t, 1)
	b.reloads.load = func(config.Config) (*config.Reloaded, error) {
		return nil, config.Problems{{Place: "a:1:1", Key: "workers", What: "x"}, {Place: "a:2:1", Key: "listen", What: "y"}}
	}
	found, end := b.reload(t)
	if end.OK || end.Error != "2 mistakes in the configuration" || len(found) != 2 || found[1].Mistake == nil || found[1].Mistake.String() != "a:2:1: listen: y" {
		t.Errorf("%+v, found %+v", end, found)
	}
}

func TestReloadIsRefused(t *testing.T) {
	b := newBureau(t, 1)
	if _, end := b.reload(t); end.OK || end.Error != errNoReload.Error() {
		t.Errorf("nothing to read: %+v", end)
	}
	b.reloads.patience = time.Millisecond
	hang, read := make(chan struct{}), make(chan struct{})
	b.reloads.load = func(config.Config) (*config.Reloaded, error) {
		<-hang
		close(read)
		return nil, errors.New("too late")
	}
	for _, what := range []string{"what is read hangs", "it hangs still"} {
		if _, end := b.reload(t); end.OK || end.Error != errReading.Error() {
			t.Errorf("%s: %+v", what, end)
		}
	}
	close(hang)
	<-read
	b.reloads.turn <- struct{}{}
	if _, end := b.reload(t); end.OK || end.Error != errReloading.Error() {
		t.Errorf("beside another one: %+v", end)
	}
	<-b.reloads.turn
	b.stage.wantCount(shm.ReloadsFailed, 3)
	if err := b.order(func(c *crew) { c.stopping = true }); err != nil {
		t.Fatal(err)
	}
	if _, end := b.reload(t); end.OK || end.Error != errOver.Error() {
		t.Errorf("while odind stops: %+v", end)
	}
	b.end()
	if _, end := b.reload(t); end.OK || end.Error != errOver.Error() {
		t.Errorf("after odind's end: %+v", end)
	}
}

// Hangups that come while a reload is under way lead to one more, however many
// they are: the last one is never lost.
func TestHangupsAreHeeded(t *testing.T) {
	b := newBureau(t, 1)
	b.answers(0, done)
	begun, goOn := make(chan struct{}), make(chan struct{})
	b.reloads.load = func(old config.Config) (*config.Reloaded, error) {
		begun <- struct{}{}
		<-goOn
		return reloadedTo(old, func(*config.Config) {}), nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		b.reloads.heed(ctx)
		close(over)
	}()
	b.reloads.hangup()
	<-begun
	for range 10 {
		b.reloads.hangup()
	}
	goOn <- struct{}{}
	<-begun
	goOn <- struct{}{}
	eventually(t, "both are done", func() bool { return b.segment.Process().Counter(shm.Reloads) == 2 })
	select {
	case <-begun:
		t.Error("a third reload")
	case b.reloads.turn <- struct{}{}: // nobody reloads
	}
	cancel()
	<-over
}

// A manager hears when a reload begins and when it is over; never instead of
// the start, nor behind the stop.
func TestManagerHearsOfReloads(t *testing.T) {
	h := newHeralded(t, 1)
	h.begin()
	h.reports(0)
	reload := func() (heard []string) {
		for _, on := range []bool{true, false} {
			h.reloading = on
			h.herald.tell(h.crew)
			heard = append(heard, h.hear()...)
		}
		return heard
	}
	if heard := reload(); count(heard, "READY") != 0 || count(heard, "RELOADING") != 0 {
		t.Errorf("during the start: %q", heard)
	}
	h.stage.ready(0)
	h.turn(time.Second)
	if heard := reload(); len(heard) != 2 || !strings.HasPrefix(heard[0], "RELOADING=1\nMONOTONIC_USEC=") || heard[1] != "READY=1" {
		t.Errorf("heard %q", heard)
	}
	h.stop("terminated")
	h.turn(time.Second)
	if heard := reload(); count(heard, "READY") != 0 || count(heard, "RELOADING") != 0 {
		t.Errorf("during the stop: %q", heard)
	}
}
