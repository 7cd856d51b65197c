package kafka

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

func tx(producer, first int64) kmsg.FetchResponseTopicPartitionAbortedTransaction {
	return kmsg.FetchResponseTopicPartitionAbortedTransaction{ProducerID: producer, FirstOffset: first}
}

func TestAbortedFollowsItsMarkers(t *testing.T) {
	// sent in no order, as not every broker sorts them
	a := newAborted([]kmsg.FetchResponseTopicPartitionAbortedTransaction{tx(1, 30), tx(2, 5), tx(1, 10)})
	data := func(producer, at int64) header {
		return header{first: at, last: at, producer: producer, aborts: true}
	}
	steps := []struct {
		h    header
		end  int64 // the producer whose abort marker comes first, 0 = none
		want bool
	}{
		{h: data(1, 9), want: false}, // an earlier transaction, committed
		{h: data(1, 10), want: true},
		{h: data(3, 11), want: false},
		{h: data(2, 12), want: true},
		{h: header{first: 13, producer: 1}, want: false}, // not in a transaction
		{h: data(1, 14), end: 1, want: false},            // aborted: the next one begins at 30
		{h: data(2, 15), want: true},
		{h: data(1, 30), want: true},
		{h: data(1, 31), end: 1, want: false},
		{h: data(1, 32), end: 1, want: false}, // one marker too many
	}
	for i, s := range steps {
		if s.end != 0 {
			a.end(s.end)
		}
		if got := a.holds(s.h); got != s.want {
			t.Errorf("step %d: %+v held: %v, want %v", i, s.h, got, s.want)
		}
	}
}

// randomLog is a log with transactions of several producers that overlap, as
// a broker sends it from an offset on, and what it says of the aborted ones.
func randomLog(r *rand.Rand, from int64) (log []byte, gone []kmsg.FetchResponseTopicPartitionAbortedTransaction) {
	const producers = 3
	var open [producers]int64 // where the open transaction began, -1 = none
	for i := range open {
		open[i] = -1
	}
	at := int64(0)
	put := func(batch []byte, n int64) {
		if at += n; at > from {
			log = append(log, batch...)
		}
	}
	for range 5 + r.IntN(40) {
		p := r.IntN(producers + 1)
		if p == producers { // not in a transaction
			n := 1 + r.IntN(3)
			put(plainBatch(at, n, 0), int64(n))
			continue
		}
		if open[p] >= 0 && r.IntN(3) == 0 {
			commit := r.IntN(2) == 0
			if !commit && at >= from {
				gone = append(gone, tx(int64(p), open[p]))
			}
			put(marker(at, int64(p), 0, commit), 1)
			open[p] = -1
			continue
		}
		if open[p] < 0 {
			open[p] = at
		}
		b := batchOf{first: at, producer: int64(p), attrs: attributeTransactional, lastDelta: int32(r.IntN(4))}
		for d := range b.lastDelta + 1 {
			if r.IntN(4) > 0 { // compaction leaves holes
				b.deltas = append(b.deltas, d)
			}
		}
		put(b.bytes(), int64(b.lastDelta)+1)
	}
	r.Shuffle(len(gone), func(i, j int) { gone[i], gone[j] = gone[j], gone[i] })
	return log, gone
}

// TestVisibleIsWhatKgoSees compares with franz-go's filter, batch by batch
// here and in one go there, from any offset.
func TestVisibleIsWhatKgoSees(t *testing.T) {
	p := event.Partition{Topic: "t"}
	d := newDecoder(1 << 20)
	defer d.close()
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 1))
		from := int64(r.IntN(30))
		log, gone := randomLog(r, from)
		opts := kgo.ProcessFetchPartitionOpts{Offset: from, Topic: p.Topic}
		opts.IsolationLevel = kgo.ReadCommitted()
		want, wantNext := kgo.ProcessFetchPartition(opts, &kmsg.FetchResponseTopicPartition{RecordBatches: log, AbortedTransactions: gone}, nil, nil)
		var offsets, wanted []int64
		for _, r := range want.Records {
			wanted = append(wanted, r.Offset)
		}
		next, a := from, newAborted(gone)
		for rest := log; ; {
			h, batch, left, ok, broken := cut(rest)
			if !ok || broken != nil {
				break
			}
			rest = left
			records, err := d.visible(p, h, batch, from, a)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range records {
				offsets = append(offsets, r.Offset)
			}
			next = max(next, h.last+1)
		}
		if !slices.Equal(offsets, wanted) || next != wantNext {
			t.Fatalf("seed %d from %d:\n got %v, next %d\nwant %v, next %d", seed, from, offsets, next, wanted, wantNext)
		}
	}
}
