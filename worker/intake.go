package worker

import (
	"sync"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/kafka"
)

// blockBytes is the size of the blocks that fetched records are copied into.
const blockBytes = 256 << 10

// intake carries what the source fetched to the loop. It holds at most max
// bytes; beyond that who fetches waits, and Kafka is paused: nothing is dropped.
type intake struct {
	max    int
	wake   func()
	paused func()

	mu     sync.Mutex
	room   sync.Cond
	items  []kafka.Fetched
	block  []byte
	bytes  int
	closed bool
}

func newIntake(bytesMax int, wake, paused func()) *intake {
	in := &intake{max: bytesMax, wake: wake, paused: paused}
	in.room.L = &in.mu
	return in
}

// put copies what was fetched for the loop, which is told by ring, or before it
// if that is much. It waits for room.
func (in *intake) put(f kafka.Fetched) {
	in.mu.Lock()
	if in.bytes >= in.max && !in.closed {
		in.paused()
		in.wake()
	}
	for in.bytes >= in.max && !in.closed {
		in.room.Wait()
	}
	in.bytes += weight(&f)
	f.Records = in.copied(f.Records)
	in.items = append(in.items, f)
	much := in.bytes >= blockBytes
	in.mu.Unlock()
	if much {
		in.wake()
	}
}

// ring wakes the loop for what was put: once for all partitions of one answer,
// which then share a turn, its writes to the siblings and to the sessions.
func (in *intake) ring() {
	if !in.empty() {
		in.wake()
	}
}

// bound makes it hold other bytes at most.
func (in *intake) bound(bytesMax int) {
	in.mu.Lock()
	in.max = bytesMax
	in.mu.Unlock()
	in.room.Signal()
}

// take empties the intake. What was taken still counts until it is done.
func (in *intake) take(spare []kafka.Fetched) []kafka.Fetched {
	in.mu.Lock()
	defer in.mu.Unlock()
	taken := in.items
	in.items = spare[:0]
	return taken
}

// done gives the room of something taken back.
func (in *intake) done(f *kafka.Fetched) {
	in.mu.Lock()
	in.bytes -= weight(f)
	in.mu.Unlock()
	in.room.Signal()
}

func (in *intake) empty() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.items) == 0
}

// each shows what waits here.
func (in *intake) each(show func(*kafka.Fetched)) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for i := range in.items {
		show(&in.items[i])
	}
}

// held is how many bytes wait to be taken over by the loop.
func (in *intake) held() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.bytes
}

// close lets a waiting put go on, for the end of the process.
func (in *intake) close() {
	in.mu.Lock()
	in.closed = true
	in.mu.Unlock()
	in.room.Broadcast()
}

// weight is what something fetched counts for, an empty one included.
func weight(f *kafka.Fetched) int {
	n := 64
	for i := range f.Records {
		n += len(f.Records[i].Channel) + len(f.Records[i].Frame)
	}
	return n
}

// copied gives the records bytes of their own, in blocks that the garbage
// collector frees once the loop is done with all of one.
func (in *intake) copied(records []event.Record) []event.Record {
	if len(records) == 0 {
		return nil
	}
	own := make([]event.Record, len(records))
	for i, r := range records {
		r.Channel, r.Frame = in.copy(r.Channel), in.copy(r.Frame)
		own[i] = r
	}
	return own
}

func (in *intake) copy(b []byte) []byte {
	if cap(in.block)-len(in.block) < len(b) {
		in.block = make([]byte, 0, max(blockBytes, len(b)))
	}
	at := len(in.block)
	in.block = append(in.block, b...)
	return in.block[at:len(in.block):len(in.block)]
}
