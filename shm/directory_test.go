package shm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/odin-ws/odin/internal/event"
)

// foreign reads a segment by what describe.go says about it and nothing else,
// like a tool in another language would.
type foreign struct {
	data    []byte
	entries map[string]foreignEntry
}

type foreignEntry struct {
	kind, unit, label, help string
	base, offset, words     int
	stride1, count1         int
	stride2, count2         int
	bounds                  []uint64
}

func (f *foreign) u32(off int) int { return int(binary.LittleEndian.Uint32(f.data[off:])) }
func (f *foreign) u64(off int) int { return int(binary.LittleEndian.Uint64(f.data[off:])) }

func (f *foreign) text(off, width int) string {
	text, _, _ := bytes.Cut(f.data[off:off+width], []byte{0})
	return string(text)
}

func readForeign(t *testing.T, path string) *foreign {
	data, err := os.ReadFile(path)
	must(t, err)
	f := &foreign{data, map[string]foreignEntry{}}
	equal(t, "magic", string(data[:8]), "odinshm\n")
	equal(t, "size", f.u64(16), len(data))
	areas, directory, n, bounds := f.u32(32), f.u32(40), f.u32(44), f.u32(48)
	for i := range n {
		at := directory + i*384
		e := foreignEntry{kind: f.text(at+64, 16), unit: f.text(at+80, 16), label: f.text(at+96, 16), help: f.text(at+144, 192)}
		area := areas + f.u32(at+336)*64
		e.base, e.stride1, e.count1 = f.u64(area+24), f.u64(area+32), f.u64(area+40)
		e.stride2, e.count2 = f.u64(area+48), f.u64(area+56)
		e.offset, e.words = f.u32(at+340), f.u32(at+344)
		for b := range f.u32(at + 352) {
			e.bounds = append(e.bounds, uint64(f.u64(bounds+(f.u32(at+348)+b)*8)))
		}
		key := f.text(area, 24) + "/" + f.text(at, 64)
		if value := f.text(at+112, 32); value != "" {
			key += "/" + value
		}
		if _, twice := f.entries[key]; twice {
			t.Errorf("%s is in the directory twice", key)
		}
		f.entries[key] = e
	}
	return f
}

// at gives the offset of an entry's copy i, j.
func (e foreignEntry) at(i, j int) int { return e.base + i*e.stride1 + j*e.stride2 + e.offset }

func (f *foreign) twin(e foreignEntry, i, j int) []int {
	at, n := e.at(i, j), (e.words-1)/2
	at += 8 + f.u64(at)&1*n*8
	values := make([]int, n)
	for w := range values {
		values[w] = f.u64(at + w*8)
	}
	return values
}

func TestSegmentCanBeReadByItsDirectoryAlone(t *testing.T) {
	s, path := created(t, small)
	s.Process().SetName(Version, "v3.4")
	s.Process().Add(Elections, 12)
	i := added(t, s, "odin.metadata", 6, 100)
	s.SetOwner(i, event.Owner{Term: 8, Slot: 2, Generation: 5})
	s.Slot(2).SetSpawn(4321, 5, 1)
	s.Slot(2).Block(5).Add(SessionsClosed1001, 3)
	s.Slot(2).Block(6).Add(SessionsClosed1001, 4)
	s.Slot(2).Block(6).Observe(DeliveryLatency, 300, 2)
	s.Slot(1).PublishPosition(i, Position{Held: 55, Epoch: 2})
	f := readForeign(t, path)

	closed := f.entries["block/sessions_closed_total/1001"]
	equal(t, "label", closed.label, "code")
	equal(t, "closed", f.u64(closed.at(2, 0))+f.u64(closed.at(2, 1)), 7)
	equal(t, "elections", f.u64(f.entries["process/elections_total"].at(0, 0)), 12)
	equal(t, "pid", f.u64(f.entries["slot/spawn"].at(2, 0))>>32, 4321)
	equal(t, "owner's term", f.u64(f.entries["partition/owner"].at(i, 0))>>32, 8)
	equal(t, "number", f.u64(f.entries["partition/number"].at(i, 0)), 6)

	version := f.entries["process/version"]
	equal(t, "length of the version", f.twin(version, 0, 0)[0], 4)
	topic := f.twin(f.entries["partition/topic"], i, 0)
	equal(t, "length of the topic", topic[0], len("odin.metadata"))
	equal(t, "its first bytes", topic[1], int(binary.LittleEndian.Uint64([]byte("odin.met"))))
	equal(t, "held", f.twin(f.entries["position/position"], 1, i)[1], 55)

	latency := f.entries["block/delivery_latency_seconds"]
	equal(t, "unit", latency.unit, "microseconds")
	equal(t, "kind", latency.kind, "histogram")
	if !slices.Equal(latency.bounds, DeliveryLatency.Bounds()) {
		t.Errorf("bounds %v", latency.bounds)
	}
	equal(t, "sum", f.u64(latency.at(2, 0)), 600)
	equal(t, "second bucket", f.u64(latency.at(2, 0)+2*8), 2)
}

// No two numbers share a byte, and none reaches out of its file.
func TestNumbersDoNotOverlap(t *testing.T) {
	for _, l := range []Layout{small, {1, 1}, {5, 77}} {
		_, path := created(t, l)
		f := readForeign(t, path)
		used := make([]string, len(f.data)/8)
		for name, e := range f.entries {
			for i := range e.count1 {
				for j := range e.count2 {
					claim(t, used, fmt.Sprintf("%s[%d,%d]", name, i, j), e.at(i, j), e.words)
				}
			}
		}
	}
}

func claim(t *testing.T, used []string, name string, off, words int) {
	t.Helper()
	if off%8 != 0 {
		t.Fatalf("%s is not aligned", name)
	}
	for w := range words {
		if other := used[off/8+w]; other != "" {
			t.Fatalf("%s lies on %s", name, other)
		}
		used[off/8+w] = name
	}
}

// What different processes write lies in different cache lines.
func TestWritersDoNotShareLines(t *testing.T) {
	p := planOf(small)
	for what, off := range map[string]int{
		"process": p.process, "beat": processBeat, "topology": processTopology, "counters": processCounters,
		"partition": p.partitionBytes, "partitions": p.partitions, "slots": p.slots, "slot": p.slotBytes,
		"state": slotState, "heartbeat": slotBeat, "reason": slotReason, "blocks": p.blocks, "block": p.blockBytes,
		"positions": p.positions, "eras": p.eras,
	} {
		if off%line != 0 {
			t.Errorf("%s begins at %d", what, off)
		}
	}
}
