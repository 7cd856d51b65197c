package shm

import (
	"encoding/binary"
)

// The description, all little endian. Header, headerBytes:
//
//	 0  magic            8 bytes "odinshm\n", written last
//	 8  layout version   uint32
//	12  byte order       uint32 0x01020304, as the machine writes it
//	16  size of the file uint64
//	24  slots            uint32
//	28  partitions       uint32, capacity
//	32  areas            uint32 offset, uint32 count, areaBytes each
//	40  directory        uint32 offset, uint32 count, entryBytes each
//	48  bounds           uint32 offset, uint32 count, uint64 each
//
// Area: name [24], base uint64, then twice (stride uint64, count uint64): an
// area repeats, a slot's positions in two dimensions. A number with area A and
// offset o stands at A.base + i*stride1 + j*stride2 + o.
//
// Entry: name [64], kind [16], unit [16], label [16], value [32], help [192],
// area uint32, offset uint32, words uint32, first bound uint32, bounds uint32.
// Kinds: counter, gauge (add the copies of area "block"), histogram (words:
// sum, a bucket for each bound and one beyond), word, and twin (words: a
// version, whose lowest bit says which of the two copies behind it is whole).

// magic is "odinshm\n" as a little-endian word.
const magic = 0x0a6d68736e69646f

const byteOrder = 0x01020304

const (
	headerBytes = 64
	areaBytes   = 64
	entryBytes  = 384
)

// area is a part of the segment that repeats in up to two dimensions.
type area struct {
	name                             string
	base                             int
	stride1, count1, stride2, count2 int
}

// Indexes of areas.
const (
	areaProcess = iota
	areaPartition
	areaSlot
	areaBlock
	areaPosition
	areaEra
	areaCount
)

func areasOf(p plan) [areaCount]area {
	slots, partitions := p.layout.Slots, p.layout.Partitions
	return [areaCount]area{
		areaProcess:   {"process", p.process, 0, 1, 0, 1},
		areaPartition: {"partition", p.partitions, p.partitionBytes, partitions, 0, 1},
		areaSlot:      {"slot", p.slots, p.slotBytes, slots, 0, 1},
		areaBlock:     {"block", p.slots + p.blocks, p.slotBytes, slots, p.blockBytes, 2},
		areaPosition:  {"position", p.slots + p.positions, p.slotBytes, slots, positionBytes, partitions},
		areaEra:       {"era", p.slots + p.eras, p.slotBytes, slots, stagesBytes, partitions},
	}
}

// entry is one row of the directory.
type entry struct {
	Metric
	kind   string
	area   int
	offset int
	words  int
}

// descriptionBytes is the room of the description: it depends on the table of
// metrics alone.
func descriptionBytes() int {
	bounds := 0
	for _, m := range histogramTable {
		bounds += len(m.Bounds)
	}
	return roundUp(headerBytes+areaCount*areaBytes+len(directory(plan{}))*entryBytes+bounds*word, page)
}

// describe gives the bytes that a segment of this plan begins with. Open
// compares them with what it finds, so one that passes has every offset that
// this program expects.
func describe(p plan) []byte {
	entries := directory(p)
	areas := areasOf(p)
	boundsAt := headerBytes + areaCount*areaBytes + len(entries)*entryBytes
	out := make([]byte, p.process)

	w := writer{out: out[:headerBytes]}
	w.u64(magic)
	w.u32(LayoutVersion)
	binary.NativeEndian.PutUint32(w.out[w.at:], byteOrder)
	w.at += 4
	w.u64(uint64(p.size))
	w.u32(uint32(p.layout.Slots))
	w.u32(uint32(p.layout.Partitions))
	w.table(headerBytes, areaCount)
	w.table(headerBytes+areaCount*areaBytes, len(entries))

	bounds := writer{out: out[boundsAt:]}
	for i, a := range areas {
		writeArea(out[headerBytes+i*areaBytes:], a)
	}
	for i, e := range entries {
		first := bounds.at / word
		for _, b := range e.Bounds {
			bounds.u64(b)
		}
		writeEntry(out[headerBytes+areaCount*areaBytes+i*entryBytes:], e, first)
	}
	w.table(boundsAt, bounds.at/word)
	return out
}

func writeArea(out []byte, a area) {
	w := writer{out: out}
	w.text(a.name, 24)
	for _, v := range []int{a.base, a.stride1, a.count1, a.stride2, a.count2} {
		w.u64(uint64(v))
	}
}

func writeEntry(out []byte, e entry, firstBound int) {
	w := writer{out: out}
	w.text(e.Name, 64)
	w.text(e.kind, 16)
	w.text(e.Unit.String(), 16)
	w.text(e.Label, 16)
	w.text(e.Value, 32)
	w.text(e.Help, 192)
	for _, v := range []int{e.area, e.offset, e.words, firstBound, len(e.Bounds)} {
		w.u32(uint32(v))
	}
}

// writer fills a part of the description from its beginning.
type writer struct {
	out []byte
	at  int
}

func (w *writer) u32(v uint32) {
	binary.LittleEndian.PutUint32(w.out[w.at:], v)
	w.at += 4
}

func (w *writer) u64(v uint64) {
	binary.LittleEndian.PutUint64(w.out[w.at:], v)
	w.at += 8
}

func (w *writer) table(offset, count int) {
	w.u32(uint32(offset))
	w.u32(uint32(count))
}

func (w *writer) text(s string, width int) {
	copy(w.out[w.at:w.at+width], s)
	w.at += width
}
