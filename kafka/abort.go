package kafka

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// aborted tells which batches of a fetch belong to aborted transactions: the
// first offsets of each producer's aborted transactions that are still ahead,
// ascending. A batch at or above the first of them is aborted, until the
// transaction's abort marker takes that one away.
type aborted map[int64][]int64

func newAborted(txs []kmsg.FetchResponseTopicPartitionAbortedTransaction) aborted {
	if len(txs) == 0 {
		return nil
	}
	a := make(aborted)
	for _, tx := range txs {
		a[tx.ProducerID] = append(a[tx.ProducerID], tx.FirstOffset)
	}
	for _, firsts := range a { // not every broker sorts them
		slices.Sort(firsts)
	}
	return a
}

// holds tells whether a batch lies within an aborted transaction; of a
// control batch, whether it may be the marker that ends one.
func (a aborted) holds(h header) bool {
	firsts := a[h.producer]
	return h.aborts && len(firsts) > 0 && h.first >= firsts[0]
}

// end takes away the aborted transaction that a marker ends.
func (a aborted) end(producer int64) {
	if firsts := a[producer]; len(firsts) > 1 {
		a[producer] = firsts[1:]
		return
	}
	delete(a, producer)
}

// isAbortMarker reads a control record's key: version and type, 0 = abort.
func isAbortMarker(key []byte) bool {
	return len(key) >= 4 && key[2] == 0 && key[3] == 0
}
