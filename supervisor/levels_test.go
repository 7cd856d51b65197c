package supervisor

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/control"
)

// levelled has a worker answer with the level that it was told last, as a real
// one does.
func (b *bureau) levelled(slot int) {
	w := b.stage.slots[slot].worker
	level, before := "info", w.send
	b.answers(slot, func(a *control.Answer) control.Response {
		_ = a.Item(level)
		return control.Response{OK: true}
	})
	answers := w.send
	w.send = func(m control.Message, files ...*os.File) bool {
		if m.Type == control.LogLevel {
			level = m.Level
			return before(m, files...)
		}
		return answers(m, files...)
	}
}

// levels asks as odinctl does.
func (b *bureau) levelsOf(t *testing.T, r control.Request) (levels map[string]string, end control.Response) {
	t.Helper()
	r.Command = control.Levels
	var out bytes.Buffer
	items := control.NewAnswer(unhurried{&out})
	if err := items.End(b.answer(context.Background(), r, items)); err != nil {
		t.Fatal(err)
	}
	levels = map[string]string{}
	end, err := control.ReadAnswer(&out, func(r control.Response) error {
		var item control.LevelItem
		err := json.Unmarshal(r.Item, &item)
		levels[item.Process] = item.Level
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return levels, end
}

func TestLevels(t *testing.T) {
	b := newBureau(t, 2)
	b.levelled(0)
	b.levelled(1)
	for _, step := range []struct {
		level, process string
		want           string // supervisor, worker 0, worker 1
	}{
		{"", "", "info info info"},
		{"debug", "1", "- - debug"},
		{"", "", "info info debug"},
		{"warn", "supervisor", "warn - -"},
		{"error", "0", "- error -"},
		{"", "", "warn error debug"},
		{"info", "", "info info info"},
		{"", "1", "- - info"},
	} {
		levels, end := b.levelsOf(t, control.Request{Level: step.level, Process: step.process})
		got := make([]string, 0, 3)
		for _, p := range []string{"supervisor", "0", "1"} {
			if levels[p] == "" {
				levels[p] = "-"
			}
			got = append(got, levels[p])
		}
		if !end.OK || strings.Join(got, " ") != step.want {
			t.Errorf("%q of %q: %v, %+v, want %s", step.level, step.process, got, end, step.want)
		}
	}
	for _, want := range []string{"process=1 new=debug", "process=supervisor new=warn", "process=all new=info"} {
		eventually(t, want, func() bool { return strings.Contains(b.stage.logged.String(), want) })
	}
}

func TestLevelsRefused(t *testing.T) {
	b := newBureau(t, 2)
	for want, r := range map[string]control.Request{
		`"loud" is no level, allowed: debug, info, warn, error`:             {Level: "loud"},
		`no process "2", allowed: supervisor, or a worker from 0 to 1`:      {Level: "debug", Process: "2"},
		`no process "worker", allowed: supervisor, or a worker from 0 to 1`: {Process: "worker"},
		`no process "-1", allowed: supervisor, or a worker from 0 to 1`:     {Process: "-1"},
	} {
		if levels, end := b.levelsOf(t, r); end.OK || !strings.Contains(end.Error, want) || len(levels) != 0 {
			t.Errorf("%+v: %v, %+v, want %q", r, levels, end, want)
		}
	}
	if got := b.stage.log.Level(); got != "info" {
		t.Errorf("the level is %s", got)
	}
}

// Whoever is stuck is named, and the others are told of.
func TestLevelsBesideAStuckWorker(t *testing.T) {
	b := newBureau(t, 2)
	b.levelled(0)
	// The puppet in slot 1 closes the pipe without a word.
	levels, end := b.levelsOf(t, control.Request{Level: "debug"})
	if !end.OK || levels["supervisor"] != "debug" || levels["0"] != "debug" || !slices.Equal(end.Missing, []int{1}) {
		t.Errorf("%v, %+v", levels, end)
	}
	if err := b.order(func(*crew) {
		b.stage.dies(0)
		b.stage.dies(1)
		b.stage.slots[0].worker, b.stage.slots[1].worker = nil, nil
	}); err != nil {
		t.Fatal(err)
	}
	if levels, end := b.levelsOf(t, control.Request{}); !end.OK || len(levels) != 1 {
		t.Errorf("without workers: %v, %+v", levels, end)
	}
}

// A worker that is started later has the level that was set; another
// configuration brings its own for everybody.
func TestLevelOutlivesAWorker(t *testing.T) {
	s := running(t, 2)
	s.setLevel("debug", 1)
	s.wantTold(0)
	s.wantTold(1, control.LogLevel)
	s.dies(1)
	if told := s.live[1].told; !slices.ContainsFunc(told, func(m control.Message) bool { return m.Type == control.LogLevel && m.Level == "debug" }) || told[0].Type != control.Config {
		t.Errorf("the next one was told %v", s.live[1].types())
	}
	if _, err := s.reconfigure(reloadedTo(s.inForce, func(c *config.Config) { c.Node = "renamed" }), "hangup"); err != nil {
		t.Fatal(err)
	}
	s.pass(s.limits.RespawnReset)
	s.dies(1)
	if slices.Contains(s.live[1].types(), control.LogLevel) {
		t.Error("the level outlives the configuration")
	}
}
