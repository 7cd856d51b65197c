package supervisor

import (
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/shm"
)

// before is what was kept of a partition of the stage's topic: era 3, held up
// to 110 of leader epoch 5.
func before(number int32, change func(*keptEra)) keptEra {
	id := event.TopicID{7}
	k := keptEra{
		Topic: "odin.trades", Number: number, ID: hex.EncodeToString(id[:]), Era: 3, From: 20, Epoch: 4, Held: 110, HeldEpoch: 5,
	}
	if change != nil {
		change(&k)
	}
	return k
}

func report(id event.TopicID, parts ...control.Partition) control.Message {
	return control.Message{Type: control.Topology, Topics: []control.Topic{{Name: "odin.trades", ID: id, Partitions: parts}}}
}

func TestErasOutliveOdind(t *testing.T) {
	id := event.TopicID{7}
	for name, c := range map[string]struct {
		found archived
		id    event.TopicID
		cut   *control.Cut
		want  event.Era
		held  int64 // as it is kept again
	}{
		"nothing kept":          {archived{}, id, nil, event.Era{Topic: id, Epoch: -1}, -1},
		"the same":              {archived{list: []keptEra{before(0, nil)}}, id, nil, event.Era{Number: 3, From: 20, Topic: id, Epoch: 4}, 110},
		"truncated meanwhile":   {archived{list: []keptEra{before(0, nil)}}, id, &control.Cut{From: 70, Epoch: 5}, event.Era{Number: 4, From: 70, Topic: id, Epoch: 5}, -1},
		"made anew meanwhile":   {archived{list: []keptEra{before(0, nil)}}, event.TopicID{9}, nil, event.Era{Number: 4, Topic: event.TopicID{9}, Epoch: -1}, -1},
		"no ids any more":       {archived{list: []keptEra{before(0, nil)}}, event.TopicID{}, nil, event.Era{Number: 4, Epoch: -1}, -1},
		"a file that is broken": {archived{first: 1e9}, id, nil, event.Era{Number: 1e9, Topic: id, Epoch: -1}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStageBehind(t, settings(1), c.found)
			s.begin()
			s.says(0, report(c.id, control.Partition{Base: 200, Cut: c.cut}))
			if e := s.segment.Era(0); e != c.want || s.segment.FirstEra(0) != c.want.Number {
				t.Errorf("era %+v, want %+v", e, c.want)
			}
			if m, ok := s.segment.Kept(0); ok != (c.held >= 0) || ok && m != (shm.Mark{Era: 3, Epoch: 5, Held: 110}) {
				t.Errorf("the owner has %+v to hold against the log, %v", m, ok)
			}
			s.pass(2 * erasLook)
			if len(s.kept) != 1 || s.kept[0].Era != c.want.Number || s.kept[0].Held != c.held || s.kept[0].From != c.want.From {
				t.Errorf("kept %+v", s.kept)
			}
		})
	}
}

func TestScoutIsToldWhatWasHeld(t *testing.T) {
	found := archived{list: []keptEra{
		before(0, nil),
		before(1, func(k *keptEra) { k.HeldEpoch = -1 }), // proves nothing
		before(2, func(k *keptEra) { k.Topic = "of another configuration" }),
	}}
	s := newStageBehind(t, settings(1), found)
	s.begin()
	i := slices.IndexFunc(s.live[0].told, func(m control.Message) bool { return m.Type == control.Scout })
	want := []control.Kept{{Topic: "odin.trades", ID: event.TopicID{7}, Held: 110, Epoch: 5}}
	if i < 0 || !slices.Equal(s.live[0].told[i].Kept, want) {
		t.Errorf("told %+v", s.live[0].told)
	}
}

// TestErasAreKept: at once where one begins, and otherwise every few seconds;
// the furthest record counts, whoever held it, and what isn't there now is kept
// as it was.
func TestErasAreKept(t *testing.T) {
	other := before(0, func(k *keptEra) { k.Topic = "gone" })
	s := newStageBehind(t, settings(2), archived{list: []keptEra{other}})
	s.begin()
	s.reports(1)
	s.ready(0, 1)
	s.pass(2 * erasLook)
	if len(s.kept) != 2 || s.kept[1] != other || s.kept[0].Held != -1 {
		t.Fatalf("kept %+v", s.kept)
	}
	owner := s.segment.Owner(0).Slot
	publish := func(p shm.Position) {
		p.Positioned = true
		s.segment.Slot(owner).PublishPosition(0, p)
	}
	publish(shm.Position{Epoch: 1, Held: 50})
	s.pass(erasWrite + erasLook)
	if s.kept[0].Held != 50 || s.kept[0].HeldEpoch != 1 {
		t.Fatalf("kept %+v", s.kept)
	}
	publish(shm.Position{Epoch: 1, Held: 60})
	s.dies(owner)
	owner = s.segment.Owner(0).Slot
	publish(shm.Position{Epoch: 1, Held: 55})
	s.pass(erasWrite + erasLook)
	if s.kept[0].Held != 60 {
		t.Fatalf("kept %+v", s.kept)
	}
	s.segment.Slot(owner).ProposeEra(0, event.Era{Number: 1, From: 52, Topic: event.TopicID{7}, Epoch: 1})
	s.pass(erasLook + 100*time.Millisecond)
	if k := s.kept[0]; k.Era != 1 || k.From != 52 || k.Epoch != 1 || k.Held != -1 {
		t.Fatalf("kept %+v", s.kept)
	}
}

func TestErasAreWrittenOnlyWhenTheyMoved(t *testing.T) {
	s := running(t, 1)
	s.pass(2 * erasLook)
	s.kept = nil
	s.pass(3 * erasWrite)
	if s.kept != nil {
		t.Errorf("written again: %+v", s.kept)
	}
}
