package supervisor

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/journal"
	"github.com/odin-ws/odin/shm"
)

// leave makes what an odind that was killed leaves behind: two workers, of whom
// the one that owns nothing had come further.
func leave(t *testing.T, path string) {
	t.Helper()
	s, err := shm.Create(path, shm.Layout{Slots: 2, Partitions: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	id := event.TopicID{7}
	for n := range int32(3) {
		if _, err := s.AddPartitionInEra(event.Partition{Topic: "odin.trades", Number: n}, 0, event.Era{Number: 3, From: 20, Topic: id, Epoch: 4}, shm.NoMark); err != nil {
			t.Fatal(err)
		}
	}
	s.Slot(0).PublishPosition(0, shm.Position{Era: 3, Epoch: 5, Held: 130, Positioned: true})
	s.Slot(1).PublishPosition(0, shm.Position{Era: 3, Epoch: 5, Held: 140, Positioned: true})
	s.Slot(0).PublishPosition(1, shm.Position{Era: 3, Epoch: 6, Held: 150, Positioned: true})
	s.Slot(1).ProposeEra(1, event.Era{Number: 4, From: 90, Topic: id, Epoch: 5})
}

var left = []keptEra{
	before(0, func(k *keptEra) { k.Held = 140 }),
	before(1, func(k *keptEra) { k.Era, k.From, k.Epoch, k.Held, k.HeldEpoch = 4, 90, 5, -1, -1 }),
	before(2, func(k *keptEra) { k.Held, k.HeldEpoch = -1, -1 }), // nothing was read of it yet
}

func TestWhatAKilledOdindLeaves(t *testing.T) {
	path := filepath.Join(t.TempDir(), segmentName)
	if list, err := leftBehind(path); err != nil || list != nil {
		t.Errorf("after a stop in order: %+v, %v", list, err)
	}
	leave(t, path)
	if list, err := leftBehind(path); err != nil || !slices.Equal(list, left) {
		t.Errorf("%+v, %v, want %+v", list, err, left)
	}
	if err := os.WriteFile(path, []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	if list, err := leftBehind(path); err == nil || list != nil {
		t.Errorf("of a file that is no segment: %+v", list)
	}
}

func TestNewest(t *testing.T) {
	other := before(0, func(k *keptEra) { k.Topic = "not there now" })
	later := before(1, func(k *keptEra) { k.Era, k.Held = 5, -1 })
	further := before(0, func(k *keptEra) { k.HeldEpoch, k.Held = 6, 120 })
	for name, c := range map[string]struct{ kept, want []keptEra }{
		"no file":             {nil, left},
		"a file of before":    {[]keptEra{before(0, nil), before(1, nil), before(2, nil)}, []keptEra{left[0], left[1], before(2, nil)}},
		"a file of later":     {[]keptEra{later, further}, []keptEra{further, later, left[2]}},
		"of other partitions": {[]keptEra{other}, append(slices.Clone(left), other)},
	} {
		if got := newest(left, c.kept); !slices.Equal(got, c.want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	many := make([]keptEra, shm.PartitionsMax)
	for i := range many {
		many[i] = before(int32(i), func(k *keptEra) { k.Topic = "not there now" })
	}
	if got := newest(left, many); len(got) != shm.PartitionsMax || !slices.Equal(got[:3], left) {
		t.Errorf("%d are kept", len(got))
	}
}

// TestWhatWasLeftIsWrittenAtOnce, since its segment is replaced then: who is
// killed twice in a row forgets nothing.
func TestWhatWasLeftIsWrittenAtOnce(t *testing.T) {
	dir := t.TempDir()
	path, segment := filepath.Join(dir, archiveName), filepath.Join(dir, segmentName)
	if err := writeArchive(path, []keptEra{before(0, nil)}); err != nil {
		t.Fatal(err)
	}
	leave(t, segment)
	var logged bytes.Buffer
	log, err := journal.Open(&logged, journal.Options{Level: "info", Format: journal.Text})
	if err != nil {
		t.Fatal(err)
	}
	a := &archive{path: path, log: log}
	if found := a.read(segment); !slices.Equal(found.list, left) || found.first != 0 {
		t.Errorf("found %+v", found)
	}
	if got, err := readArchive(path, time.Now()); err != nil || !slices.Equal(got.list, left) {
		t.Errorf("kept %+v, %v", got, err)
	}
	if err := os.WriteFile(segment, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if found := a.read(segment); !slices.Equal(found.list, left) {
		t.Errorf("found %+v, behind a segment that is broken", found)
	}
	log.Close()
	if text := logged.String(); !strings.Contains(text, "is followed") || !strings.Contains(text, "left behind can't be used") {
		t.Errorf("logged:\n%s", text)
	}
}
