package supervisor

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/journal"
	"github.com/odin-ws/odin/shm"
)

func TestArchiveComesBackAsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), archiveName)
	for _, want := range [][]keptEra{
		{},
		{
			newKeptEra(event.Partition{Topic: "t", Number: 4}, event.Era{Number: 1, From: 3, Topic: event.TopicID{1}, Epoch: 2}, shm.Mark{Era: 1, Epoch: 3, Held: 9}),
			newKeptEra(event.Partition{Topic: "t"}, event.Era{Epoch: event.NoEpoch}, shm.Mark{Era: 9}),
		},
	} {
		if err := writeArchive(path, want); err != nil {
			t.Fatal(err)
		}
		got, err := readArchive(path, time.Now())
		if err != nil || !slices.Equal(got.list, want) || got.first != 0 {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestNoArchiveIsNoMistake(t *testing.T) {
	if got, err := readArchive(filepath.Join(t.TempDir(), archiveName), time.Now()); err != nil || got.first != 0 || got.list != nil {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestBrokenArchive: whatever lies there, odind starts, and no cursor of before
// has an epoch that counts.
func TestBrokenArchive(t *testing.T) {
	entry := `{"topic":"t","partition":0,"era":1,"from":0,"epoch":-1,"held":-1,"held_epoch":-1}`
	with := func(old, new string) string {
		return `{"version":1,"partitions":[` + strings.Replace(entry, old, new, 1) + `]}`
	}
	for name, text := range map[string]string{
		"empty": "", "no JSON": "\x00\xff", "torn": with("", "")[:60], "another version": `{"version":2}`,
		"no topic": with(`"t"`, `""`), "a topic that is too long": with(`"t"`, `"`+strings.Repeat("x", 300)+`"`),
		"a negative partition": with(`"partition":0`, `"partition":-1`), "an era that overflows": with(`"era":1`, `"era":4294967295`),
		"a negative offset": with(`"from":0`, `"from":-2`), "a negative held": with(`"held":-1`, `"held":-2`), "no id": with(`"era"`, `"id":"zz","era"`),
		"a held that overflows": with(`"held":-1`, `"held":9223372036854775807`), "a from that overflows": with(`"from":0`, `"from":9223372036854775807`),
		"a partition twice": `{"version":1,"partitions":[` + entry + "," + entry + `]}`,
		"too many":          `{"version":1,"partitions":[` + strings.Repeat(entry+",", shm.PartitionsMax) + entry + `]}`,
		"too large":         strings.Repeat(" ", archiveBytesMax+1),
	} {
		path := filepath.Join(t.TempDir(), archiveName)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := readArchive(path, time.Unix(1e9, 0)); err == nil || got.list != nil || got.first != 1e9 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if list, err := parseArchive([]byte(with("", ""))); err != nil || len(list) != 1 {
		t.Errorf("the entry itself: %v, %v", list, err)
	}
}

// TestWhatIsNoFile is neither followed nor waited for.
func TestWhatIsNoFile(t *testing.T) {
	for name, make := range map[string]func(path string) error{
		"a pipe":      func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"a directory": func(path string) error { return os.Mkdir(path, 0o700) },
		"a link":      func(path string) error { return os.Symlink(os.DevNull, path) },
	} {
		path := filepath.Join(t.TempDir(), archiveName)
		if err := make(path); err != nil {
			t.Fatal(err)
		}
		if got, err := readArchive(path, time.Unix(1e9, 0)); err == nil || got.first != 1e9 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestArchiveThatCantBeWritten (a full disk, a directory that is gone) is said
// once, and when it is over; what was there stays.
func TestArchiveThatCantBeWritten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, archiveName)
	var logged bytes.Buffer
	log, err := journal.Open(&logged, journal.Options{Level: "info", Format: journal.Text})
	if err != nil {
		t.Fatal(err)
	}
	a := &archive{path: path, log: log}
	a.open()
	list := []keptEra{before(0, nil)}
	if a.write(list); a.failing.Load() {
		t.Fatal("failed at once")
	}
	obstacle := filepath.Join(dir, "."+archiveName+".new")
	if err := os.MkdirAll(filepath.Join(obstacle, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	a.write(nil)
	a.write(nil)
	if got, err := readArchive(path, time.Now()); err != nil || !slices.Equal(got.list, list) {
		t.Errorf("what was there: %+v, %v", got, err)
	}
	if err := os.RemoveAll(obstacle); err != nil {
		t.Fatal(err)
	}
	a.keep(list)
	a.keep(nil) // takes its place, or comes behind it
	a.close()
	if got, err := readArchive(path, time.Now()); err != nil || len(got.list) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	log.Close()
	if n := strings.Count(logged.String(), "can't be kept"); n != 1 || !strings.Contains(logged.String(), "are kept again") {
		t.Errorf("logged %d times:\n%s", n, logged.String())
	}
}

// TestArchiveIsWrittenOnceThereIsRoom though nothing newer comes: while odind
// runs, and at the latest when it ends.
func TestArchiveIsWrittenOnceThereIsRoom(t *testing.T) {
	for name, ends := range map[string]bool{"while it runs": false, "when it ends": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), archiveName)
				obstacle := filepath.Join(filepath.Dir(path), "."+archiveName+".new", "full")
				if err := os.MkdirAll(obstacle, 0o700); err != nil {
					t.Fatal(err)
				}
				log, err := journal.Open(io.Discard, journal.Options{Level: "error", Format: journal.Text})
				if err != nil {
					t.Fatal(err)
				}
				defer log.Close()
				a := &archive{path: path, log: log}
				a.open()
				want := []keptEra{before(0, nil)}
				a.keep(want)
				synctest.Wait()
				if a.unwritten() != 1 {
					t.Error("it is written, or doesn't say so")
				}
				time.Sleep(3*archiveRetry + archiveRetry/2)
				if err := os.RemoveAll(filepath.Dir(obstacle)); err != nil {
					t.Fatal(err)
				}
				if !ends {
					time.Sleep(archiveRetry)
					synctest.Wait()
				}
				if got := a.unwritten(); (got == 1) != ends {
					t.Errorf("unwritten %d", got)
				}
				a.close()
				if got, err := readArchive(path, time.Now()); err != nil || !slices.Equal(got.list, want) || a.unwritten() != 0 {
					t.Errorf("%+v, %v, unwritten %d", got, err, a.unwritten())
				}
			})
		})
	}
}

// TestNothingIsWrittenThroughALink that lies where the file is built.
func TestNothingIsWrittenThroughALink(t *testing.T) {
	path := filepath.Join(t.TempDir(), archiveName)
	if err := writeArchive(path, []keptEra{before(0, nil)}); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/full", filepath.Join(filepath.Dir(path), "."+archiveName+".new")); err != nil {
		t.Fatal(err)
	}
	if err := writeArchive(path, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := readArchive(path, time.Now()); err != nil || len(got.list) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func FuzzArchive(f *testing.F) {
	f.Add([]byte(`{"version":1,"partitions":[{"topic":"t","partition":0,"id":"00","era":1,"from":0,"epoch":-1,"held":5,"held_epoch":2}]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := parseArchive(text)
		if err != nil {
			return
		}
		for _, k := range list {
			if err := k.check(); err != nil || fmt.Sprintf("%x", k.id()) != k.ID && k.ID != "" {
				t.Errorf("%+v: %v", k, err)
			}
		}
	})
}
