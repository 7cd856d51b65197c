package kafka

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

// decoder turns batches into records, one batch at a time, in memory that it
// uses again for the next one: a fetch that is waiting takes no more than
// what came over the wire.
type decoder struct {
	unzip   *decompressor
	records []kgo.Record
	pools   []kgo.Pool // the decoder itself: kgo takes its records from it
	now     *kgo.Record
	header  func(name string) ([]byte, bool)
}

func newDecoder(decompressedMax int) *decoder {
	d := &decoder{unzip: &decompressor{max: decompressedMax}}
	d.pools = []kgo.Pool{d}
	d.header = d.lastHeader
	return d
}

func (d *decoder) close() { d.unzip.close() }

// GetRecords implements kgo.PoolRecords.
func (d *decoder) GetRecords(n int) []kgo.Record {
	if cap(d.records) < n {
		d.records = make([]kgo.Record, n)
	}
	return d.records[:n]
}

// PutRecords implements kgo.PoolRecords; the next batch overwrites them.
func (d *decoder) PutRecords([]kgo.Record) {}

// decode returns the records at or above from of one batch, markers included.
// They are valid until the next call. Less than the whole batch is an error.
func (d *decoder) decode(p event.Partition, h header, batch []byte, from int64) ([]*kgo.Record, error) {
	got, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		KeepControlRecords: true,
		Offset:             from,
		Topic:              p.Topic,
		Partition:          p.Number,
		Pools:              d.pools,
	}, &kmsg.FetchResponseTopicPartition{Partition: p.Number, RecordBatches: batch}, d.unzip, nil)
	if got.Err != nil {
		return nil, fmt.Errorf("decode %d to %d: %w", h.first, h.last, got.Err)
	}
	if next != h.last+1 {
		return nil, fmt.Errorf("decode %d to %d: %w: its records end at %d", h.first, h.last, errBatch, next-1)
	}
	return got.Records, nil
}

// visible is decode without what nobody may see: records of aborted
// transactions (which aren't even decoded) and markers.
func (d *decoder) visible(p event.Partition, h header, batch []byte, from int64, a aborted) ([]*kgo.Record, error) {
	within := a.holds(h)
	if h.control != within || h.last < from && !h.control {
		return nil, nil
	}
	if !h.control {
		return d.decode(p, h, batch, from)
	}
	marker, err := d.decode(p, h, batch, h.first)
	if len(marker) > 0 && isAbortMarker(marker[0].Key) {
		a.end(h.producer)
	}
	return nil, err
}

// raw shows a record to an Encoder.
func (d *decoder) raw(p event.Partition, r *kgo.Record) Raw {
	d.now = r
	return Raw{Partition: p, Offset: r.Offset, Time: r.Timestamp.UnixMilli(), Key: r.Key, Value: r.Value, Header: d.header}
}

func (d *decoder) lastHeader(name string) ([]byte, bool) {
	for i := len(d.now.Headers) - 1; i >= 0; i-- {
		if h := &d.now.Headers[i]; h.Key == name {
			return h.Value, true
		}
	}
	return nil, false
}
