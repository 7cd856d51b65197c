package sim

import "github.com/odin-ws/odin/internal/event"

// kafka is the truth: a partition as it is now, and as it was before each
// truncation and each new incarnation.
type kafka struct {
	versions []*version
	contents uint64 // the last content given out
}

// version is the partition between two such events.
type version struct {
	entries []entry // by offset
	start   int64   // log start
	stable  int64   // last stable offset: the next one that read_committed does not give
	epoch   int32   // of the leader now
	topic   event.TopicID
	from    int64 // the first offset that differs from the version before
}

// entry is what an offset holds.
type entry struct {
	content   uint64 // unique; 0: nothing that sessions could be given
	epoch     int32
	compacted bool // was there once, and may be missing from what is read later
}

func newKafka() *kafka {
	return &kafka{versions: []*version{{topic: event.TopicID{1}}}}
}

func (k *kafka) now() *version { return k.versions[len(k.versions)-1] }

func (v *version) end() int64 { return int64(len(v.entries)) }

// endOf is the first offset of a leader epoch above the given one
// (OffsetForLeaderEpoch).
func (v *version) endOf(epoch int32) int64 {
	end := v.end()
	for end > 0 && v.entries[end-1].epoch > epoch {
		end--
	}
	return end
}

func (v *version) epochBefore(offset int64) int32 {
	if offset < 1 || offset > v.end() {
		return event.NoEpoch
	}
	return v.entries[offset-1].epoch
}

// produce appends up to four entries; some are control records, aborted, or of
// a form that no route places.
func (k *kafka) produce(x uint32) {
	v := k.now()
	if x%16 == 0 {
		v.epoch++
	}
	for n := x>>4%4 + 1; n > 0; n-- {
		x = mix(x)
		e := entry{epoch: v.epoch}
		if x%4 != 0 {
			k.contents++
			e.content = k.contents
		}
		v.entries = append(v.entries, e)
	}
	if x>>8%4 != 0 {
		v.stable = v.end()
	}
}

// retain moves the log start.
func (v *version) retain(x uint32) {
	if v.stable > v.start {
		v.start += 1 + int64(x)%(v.stable-v.start)
	}
}

// compact takes a record away, from the log as it was too: who reads it late
// does not know yet that it was truncated.
func (k *kafka) compact(x uint32) {
	v := k.now()
	if v.stable <= 1 {
		return
	}
	at := int64(x) % (v.stable - 1)
	for _, u := range k.versions {
		if at < u.end() && u.entries[at].content == v.entries[at].content {
			u.entries[at].compacted = true
		}
	}
}

// truncate ends the log at an offset: an unclean election.
func (k *kafka) truncate(at int64) {
	old := k.now()
	v := *old
	v.entries = append([]entry(nil), old.entries[:at]...)
	v.stable, v.start, v.from = min(v.stable, at), min(v.start, at), at
	v.epoch++
	k.versions = append(k.versions, &v)
}

// recreate makes the topic anew.
func (k *kafka) recreate() {
	k.versions = append(k.versions, &version{topic: event.TopicID{byte(len(k.versions) + 1)}})
}

// read appends what a fetch of [from, to] gives.
func (v *version) read(dst []record, from, to int64) []record {
	for o := from; o <= to; o++ {
		if e := &v.entries[o]; e.content != 0 && !e.compacted {
			dst = append(dst, record{offset: o, content: e.content, epoch: e.epoch})
		}
	}
	return dst
}

// record is a record on its way.
type record struct {
	offset  int64
	content uint64
	epoch   int32
}

// mix derives another number from one, for moves that need several.
func mix(x uint32) uint32 {
	x ^= x >> 16
	x *= 0x7feb352d
	x ^= x >> 15
	x *= 0x846ca68b
	return x ^ x>>16
}
