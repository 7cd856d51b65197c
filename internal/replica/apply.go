package replica

import "github.com/odin-ws/odin/internal/event"

// Pending appends to dst the records that sessions were not given yet, oldest
// first: at most so many, with frames of at most so many bytes (or one). Then
// Applied is to be called with to: the last of them, or Held if they are all.
func (r *Replica) Pending(dst []Entry, records, bytes int) (entries []Entry, to int64) {
	return r.entries(dst, r.window.applied, records, bytes)
}

// Waiting tells that there is something for Pending, or that Applied has to
// move to Held without any record.
func (r *Replica) Waiting() bool { return r.positioned && r.applied < r.held }

// Applied tells that sessions were given all up to an offset of Pending.
func (r *Replica) Applied(fx []Effect, to int64) []Effect {
	r.applied = max(r.applied, min(to, r.held))
	r.window.apply(r.applied)
	r.store.shrink(r.window)
	if r.losing && r.applied == r.held {
		return r.lost(fx)
	}
	return fx
}

// Read appends to dst the records above an offset, as Pending does, for a
// session that lags; to is how far they reach. Not ok: the history does not
// cover that any more.
func (r *Replica) Read(dst []Entry, above int64, records, bytes int) (entries []Entry, to int64, ok bool) {
	if !r.positioned || above+1 < r.window.from {
		return dst, above, false
	}
	dst, to = r.entries(dst, r.window.after(above), records, bytes)
	return dst, max(to, above), true
}

func (r *Replica) entries(dst []Entry, at, records, bytes int) ([]Entry, int64) {
	w := r.window
	end := min(w.len, at+records)
	for first := at; at < end; at++ {
		e := w.at(at)
		if bytes -= int(e.ref.Len); bytes < 0 && at > first {
			break
		}
		dst = append(dst, r.entry(e))
	}
	if at == w.len {
		return dst, r.held
	}
	if at == 0 {
		return dst, w.from - 1
	}
	return dst, w.at(at - 1).offset
}

func (r *Replica) entry(e *entry) Entry {
	return Entry{Offset: e.offset, Time: e.time, Channel: r.store.channel(e), Ref: e.ref}
}

// Published is the position that a worker published last.
type Published struct {
	Live  bool // the worker runs; otherwise it is gone, and this was its last
	Kept  bool // of before this start: the log is held against it, but nobody goes on from there
	Era   uint32
	Held  int64
	Epoch int32
}

// PeerPublished answers AskPublished with the positions of all slots that
// published one (rule 5).
func (r *Replica) PeerPublished(fx []Effect, all []Published) []Effect {
	if !r.Owns() || r.positioned {
		return fx
	}
	best := -1
	for i, p := range all {
		if p.Era > r.era.Number {
			return fx // EraChanged is to come, and asks again
		}
		if p.Era == r.era.Number && !p.Kept && (best < 0 || p.beats(all[best])) {
			best = i
		}
	}
	held, epoch := r.start()
	if best >= 0 {
		held, epoch = all[best].Held, all[best].Epoch
	}
	r.position(held, epoch)
	return r.wakeAll(r.fetch(fx))
}

// beats prefers the living, then the furthest.
func (p Published) beats(q Published) bool {
	if p.Live != q.Live {
		return p.Live
	}
	return p.Held > q.Held
}

// start is where an owner begins when nobody published a position.
func (r *Replica) start() (held int64, epoch int32) {
	if r.era.Number > r.config.BaseEra {
		return r.era.From - 1, r.era.Epoch
	}
	return r.config.Base - 1, event.NoEpoch
}
