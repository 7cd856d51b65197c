package supervisor

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/journal"
	"github.com/odin-ws/odin/shm"
)

// archiveName is the file of the eras in the state directory.
const archiveName = "eras.json"

// Bounds of that file and of what is in it.
const (
	archiveBytesMax = 4 << 20
	eraMax          = 1<<32 - 1<<20
	offsetMax       = 1 << 62         // what is counted on from it doesn't overflow
	archiveWait     = 2 * time.Second // for the last write, when odind ends
	archiveRetry    = 5 * time.Second // behind one that failed
)

// keptEra is what the file says of one partition.
type keptEra struct {
	Topic     string `json:"topic"`
	Number    int32  `json:"partition"`
	ID        string `json:"id,omitempty"` // of the topic, in hex; "": the brokers have none
	Era       uint32 `json:"era"`
	From      int64  `json:"from"`       // first offset of the era
	Epoch     int32  `json:"epoch"`      // leader epoch of the record before it, -1: not known
	Held      int64  `json:"held"`       // the last offset that anybody held, -1: not known
	HeldEpoch int32  `json:"held_epoch"` // its leader epoch
}

func newKeptEra(p event.Partition, e event.Era, m shm.Mark) keptEra {
	k := keptEra{
		Topic: p.Topic, Number: p.Number, Era: e.Number, From: e.From, Epoch: e.Epoch,
		Held: event.None, HeldEpoch: event.NoEpoch,
	}
	if e.Topic != (event.TopicID{}) {
		k.ID = hex.EncodeToString(e.Topic[:])
	}
	if m.Era == e.Number && m.Held >= 0 && m.Epoch != event.NoEpoch {
		k.Held, k.HeldEpoch = m.Held, m.Epoch
	}
	return k
}

func (k keptEra) name() event.Partition { return event.Partition{Topic: k.Topic, Number: k.Number} }

func (k keptEra) id() (id event.TopicID) {
	_, _ = hex.Decode(id[:], []byte(k.ID)) // checked when it was read
	return id
}

func (k keptEra) compare(l keptEra) int {
	return cmp.Or(strings.Compare(k.Topic, l.Topic), cmp.Compare(k.Number, l.Number))
}

func (k keptEra) check() error {
	switch {
	case k.Topic == "" || len(k.Topic) > shm.TopicMax || k.Number < 0:
		return fmt.Errorf("%.300q %d is no partition", k.Topic, k.Number)
	case k.ID != "" && (len(k.ID) != hex.EncodedLen(len(event.TopicID{})) || strings.Trim(k.ID, "0123456789abcdef") != ""):
		return fmt.Errorf("%.300q is no topic id", k.ID)
	case k.Era > eraMax || k.From < 0 || k.From > offsetMax || k.Held < event.None || k.Held > offsetMax,
		k.Epoch < event.NoEpoch || k.HeldEpoch < event.NoEpoch:
		return fmt.Errorf("a number of %v is out of range", k.name())
	}
	return nil
}

// archived is what a start finds.
type archived struct {
	list  []keptEra
	first uint32 // the era of partitions that are not in the list
}

type archiveFile struct {
	Version    int       `json:"version"`
	Partitions []keptEra `json:"partitions"`
}

const archiveVersion = 1

func parseArchive(text []byte) ([]keptEra, error) {
	var file archiveFile
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	if file.Version != archiveVersion {
		return nil, fmt.Errorf("version %d, not %d", file.Version, archiveVersion)
	}
	if len(file.Partitions) > shm.PartitionsMax {
		return nil, fmt.Errorf("%d partitions, more than %d", len(file.Partitions), shm.PartitionsMax)
	}
	met := make(map[event.Partition]bool, len(file.Partitions))
	for _, k := range file.Partitions {
		if err := k.check(); err != nil {
			return nil, err
		}
		if met[k.name()] {
			return nil, fmt.Errorf("%v is there twice", k.name())
		}
		met[k.name()] = true
	}
	return file.Partitions, nil
}

// readArchive reads the file. One that can't be used says nothing of what was
// before: then eras are numbered from the time of day on, so that no cursor of
// before has such an epoch, and is told so.
func readArchive(path string, now time.Time) (archived, error) {
	text, err := readRegular(path)
	if errors.Is(err, fs.ErrNotExist) {
		return archived{}, nil
	}
	var list []keptEra
	if err == nil {
		list, err = parseArchive(text)
	}
	if err != nil {
		return archived{first: uint32(min(max(now.Unix(), 1), eraMax))}, err
	}
	return archived{list: list}, nil
}

// readRegular reads a file of a bounded size, and nothing else that lies there:
// it follows no link and waits for no pipe.
func readRegular(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > archiveBytesMax {
		return nil, fmt.Errorf("it is no file of at most %d bytes", archiveBytesMax)
	}
	return io.ReadAll(io.LimitReader(f, archiveBytesMax))
}

// writeArchive replaces the file, whole or not at all.
func writeArchive(path string, list []keptEra) (err error) {
	text, err := json.MarshalIndent(archiveFile{archiveVersion, list}, "", " ")
	if err != nil {
		return err
	}
	building := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	if err := os.Remove(building); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(building, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(building, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(building))
	}
	return syncDirectory(filepath.Dir(path))
}

// syncDirectory has a rename outlast a crash of the machine.
func syncDirectory(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// archive writes the file in a goroutine of its own.
type archive struct {
	path    string
	log     *journal.Journal
	lists   chan []keptEra
	done    chan struct{}
	failing atomic.Bool
}

func (a *archive) open() {
	a.lists, a.done = make(chan []keptEra, 1), make(chan struct{})
	go a.run()
}

// read is what lies there at the start, before open. What an odind that was
// killed left in its segment is newer, and is written at once: the segment is
// about to be replaced.
func (a *archive) read(segment string) archived {
	found, err := readArchive(a.path, time.Now())
	if err != nil {
		a.log.Warn("what is kept of the partitions' eras can't be used: clients that come back are told that they may have missed something", "path", a.path, "err", err)
	}
	left, err := leftBehind(segment)
	if err != nil {
		a.log.Warn("what an odind that was killed left behind can't be used: what was truncated since may not be noticed, as far as it was sent in its last seconds", "path", segment, "err", err)
	}
	if len(left) > 0 {
		found.list = newest(left, found.list)
		a.log.Info("an odind that was killed is followed: what its partitions had come to is known", "partitions", len(left))
		a.write(found.list)
	}
	return found
}

// unwritten is 1 while the file can't be written.
func (a *archive) unwritten() int64 { return map[bool]int64{true: 1}[a.failing.Load()] }

// keep has a list written, by the crew alone. It takes the place of one that is
// still to be written.
func (a *archive) keep(list []keptEra) {
	select {
	case <-a.lists:
	default:
	}
	a.lists <- list
}

// close waits for the last list, but not for a disk that hangs.
func (a *archive) close() {
	close(a.lists)
	select {
	case <-a.done:
	case <-time.After(archiveWait):
		a.log.Warn("the eras of partitions are not written: the disk takes too long", "path", a.path)
	}
}

// run writes what it is given. What failed is written again until it succeeds,
// at the latest when odind ends: nothing newer may come.
func (a *archive) run() {
	defer close(a.done)
	var list []keptEra
	var again <-chan time.Time
	for open := true; open; {
		select {
		case newer, ok := <-a.lists:
			if open = ok; ok {
				list = newer
			} else if again == nil {
				return
			}
		case <-again:
		}
		again = nil
		if a.write(list); a.failing.Load() {
			again = time.After(archiveRetry)
		}
	}
}

func (a *archive) write(list []keptEra) {
	err, failing := writeArchive(a.path, list), a.failing.Load()
	switch {
	case err != nil && !failing:
		a.log.Warn("the eras of partitions can't be kept: after the next start, what was truncated before may not be noticed", "path", a.path, "err", err)
	case err == nil && failing:
		a.log.Info("the eras of partitions are kept again", "path", a.path)
	}
	a.failing.Store(err != nil)
}
