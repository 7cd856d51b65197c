package kafka

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

// batchOf builds a batch of format 2 as a broker would send it.
type batchOf struct {
	first     int64
	deltas    []int32 // offsets of the records, less first; compaction leaves holes
	lastDelta int32
	epoch     int32
	producer  int64
	attrs     int16
	key       []byte // of every record
}

func (b batchOf) bytes() []byte {
	var records []byte
	for _, d := range b.deltas {
		var r []byte
		r = append(r, 0) // attributes
		r = kbin.AppendVarlong(r, 0)
		r = kbin.AppendVarint(r, d)
		r = kbin.AppendVarintBytes(r, b.key)
		r = kbin.AppendVarintBytes(r, []byte("v"))
		r = kbin.AppendVarint(r, 0) // headers
		records = append(kbin.AppendVarint(records, int32(len(r))), r...)
	}
	rb := kmsg.RecordBatch{
		FirstOffset: b.first, PartitionLeaderEpoch: b.epoch, Magic: 2, Attributes: b.attrs,
		LastOffsetDelta: b.lastDelta, ProducerID: b.producer, NumRecords: int32(len(b.deltas)), Records: records,
	}
	raw := rb.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-batchLengthEnd))
	sum(raw)
	return raw
}

// sum writes the checksum anew.
func sum(raw []byte) {
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
}

// plainBatch holds n records from first on.
func plainBatch(first int64, n int, epoch int32) []byte {
	b := batchOf{first: first, lastDelta: int32(n - 1), epoch: epoch, producer: -1, key: []byte("k")}
	for i := range n {
		b.deltas = append(b.deltas, int32(i))
	}
	return b.bytes()
}

// marker ends a transaction.
func marker(at, producer int64, epoch int32, commit bool) []byte {
	key := []byte{0, 0, 0, 0}
	if commit {
		key[3] = 1
	}
	return batchOf{
		first: at, deltas: []int32{0}, epoch: epoch, producer: producer, key: key,
		attrs: attributeTransactional | attributeControl,
	}.bytes()
}

func TestCutReadsTheHead(t *testing.T) {
	in := append(plainBatch(40, 3, 7), plainBatch(43, 1, 8)...)
	h, batch, rest, ok, err := cut(in)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if want := (header{first: 40, last: 42, epoch: 7, producer: -1}); h != want {
		t.Errorf("head %+v, want %+v", h, want)
	}
	if len(batch)+len(rest) != len(in) {
		t.Errorf("%d + %d bytes of %d", len(batch), len(rest), len(in))
	}
	h, _, rest, ok, err = cut(rest)
	if err != nil || !ok || h.first != 43 || h.epoch != 8 || len(rest) != 0 {
		t.Errorf("second: %+v, %d bytes left, %v, %v", h, len(rest), ok, err)
	}
	if h, _, _, _, _ := cut(marker(9, 5, 1, true)); !h.control || !h.aborts || h.producer != 5 {
		t.Errorf("marker: %+v", h)
	}
}

func TestCutTakesOldMessages(t *testing.T) {
	for magic := range byte(2) {
		m := make([]byte, 40)
		binary.BigEndian.PutUint64(m, 12)
		binary.BigEndian.PutUint32(m[8:], 28)
		m[batchMagicAt] = magic
		h, _, _, ok, err := cut(m)
		if err != nil || !ok || h.first != 12 || h.last != 12 || h.epoch != event.NoEpoch || h.aborts || h.control {
			t.Errorf("format %d: %+v, %v, %v", magic, h, ok, err)
		}
	}
}

func TestCutLeavesWhatIsCutOff(t *testing.T) {
	whole := plainBatch(1, 5, 0)
	for n := range whole {
		_, _, rest, ok, err := cut(whole[:n])
		if ok || err != nil || rest != nil {
			t.Fatalf("%d of %d bytes: ok %v, err %v", n, len(whole), ok, err)
		}
	}
}

func TestCutRefusesWhatIsBroken(t *testing.T) {
	change := func(at int, b ...byte) []byte {
		raw := plainBatch(1, 2, 0)
		copy(raw[at:], b)
		return raw
	}
	short := make([]byte, 30)
	binary.BigEndian.PutUint32(short[8:], 18)
	short[batchMagicAt] = 2
	for name, in := range map[string][]byte{
		"negative length":        change(8, 0xff, 0xff, 0xff, 0xff),
		"length within its head": change(8, 0, 0, 0, 4),
		"unknown format":         change(batchMagicAt, 3),
		"negative offset":        change(0, 0xff),
		"last before first":      change(23, 0xff, 0xff, 0xff, 0xff),
		"beyond all offsets":     change(0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		"shorter than a head":    short,
	} {
		if _, _, _, ok, err := cut(in); ok || !errors.Is(err, errBatch) {
			t.Errorf("%s: ok %v, err %v", name, ok, err)
		}
	}
}

// FuzzDecode feeds whatever a broker may send: no panic, and what comes out is
// in order and within what the heads said.
func FuzzDecode(f *testing.F) {
	f.Add(plainBatch(0, 3, 1), int64(0))
	f.Add(append(plainBatch(5, 2, 1), plainBatch(7, 2, 2)...), int64(6))
	f.Add(append(batchOf{first: 3, deltas: []int32{0}, producer: 4, attrs: attributeTransactional}.bytes(), marker(4, 4, 0, false)...), int64(0))
	f.Add(batchOf{first: 3, lastDelta: 9, producer: -1}.bytes(), int64(2))
	p := event.Partition{Topic: "t"}
	f.Fuzz(func(t *testing.T, in []byte, from int64) {
		d := newDecoder(1 << 20)
		defer d.close()
		gone := aborted{4: {3}}
		for rest := in; ; {
			h, batch, left, ok, err := cut(rest)
			if err != nil || !ok {
				return
			}
			rest = left
			if len(batch) > batchMagicAt && batch[batchMagicAt] == 2 {
				sum(batch) // reach behind the checksum
			}
			records, err := d.visible(p, h, batch, from, gone)
			if err != nil {
				return
			}
			for _, r := range records {
				if r.Offset < from {
					t.Fatalf("record %d below %d", r.Offset, from)
				}
				_ = d.raw(p, r)
				_, _ = d.lastHeader("h")
			}
		}
	})
}
