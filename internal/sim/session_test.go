package sim

import (
	"slices"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/resume"
)

// session is one connection of a client, as its worker has it.
type session struct {
	worker *worker
	client *client // nil: it has hung up, and the worker will notice
	wants  wanted
	asked  *cursor     // a reconnect that was not served yet
	subs   []subscribe // that were not served yet
	pings  int         // that were not answered yet
	live   bool
	replay *replay
	queue  []packet // owed
	half   bool     // the first of them is written in part
}

// packet is one message to a client.
type packet struct {
	kind      packetKind
	part      int
	offset    int64
	version   int         // of a record, as versions
	ref       replica.Ref // of a record, in one of the worker's stores
	cursor    cursor      // of all others
	versions  []int       // by partition: what the cursor is about, which no client knows
	recovered bool
	reason    resume.Reason
	told      told
	granted   channelSet // of a subscription_ack
	history   int        // how many records of the past follow it
	replayed  int        // how many records a resume says that it has sent
	content   uint64     // of a record
	dropped   []packet   // what a gap is about
}

type packetKind uint8

const (
	packetRecord packetKind = iota
	packetSubscribed
	packetResumed
	packetPong
	packetReset
	packetLatest
	packetGap
	packets
)

// told is a reset that sessions are to be told.
type told struct {
	topic int
	lost  bool
	parts uint // whose records were lost, as bits
}

func (s *session) busy() bool { return s.asked != nil || len(s.subs) > 0 || s.pings > 0 }

// sessionActions appends what the worker can do for its sessions. It writes
// nothing before its positions are published.
func (w *worker) sessionActions(dst []action) []action {
	published := w.world.broken == lateHeld || !w.unpublished()
	for i, s := range w.sessions {
		if s.busy() {
			dst = append(dst, action{do: doServe, peer: i, part: noPart})
		}
		if s.replay != nil && s.replay.playing && !s.replay.stuck {
			dst = append(dst, action{do: doPlay, peer: i, part: noPart})
		}
		if len(s.queue) > 0 && published && !s.slow() {
			dst = append(dst, action{do: doWrite, peer: i, part: noPart})
		}
	}
	if len(w.tells) > 0 {
		dst = append(dst, action{do: doTell, part: noPart})
	}
	if w.redecides && w.deciding() {
		dst = append(dst, action{do: doDecide, part: noPart})
	}
	return dst
}

// noPart is the part of an action that is about all.
const noPart = 1 << 10

func (w *worker) unpublished() bool {
	for _, l := range w.locals {
		if l.part.unpublished(l) {
			return true
		}
	}
	return false
}

// slow tells whether the session's socket is full now.
func (s *session) slow() bool {
	w := s.worker.world
	return s.client != nil && s.client.slow && !w.calm && w.time>>5%8 != 0
}

func (w *worker) deciding() bool {
	for _, s := range w.sessions {
		if s.replay != nil && (s.replay.deciding || s.replay.lacking) {
			return true
		}
	}
	return false
}

func (w *worker) actSession(a action, x uint32) {
	switch a.do {
	case doServe:
		w.serve(w.sessions[a.peer])
	case doPlay:
		w.play(w.sessions[a.peer], x)
	case doWrite:
		w.write(w.sessions[a.peer], 1+int(x>>3%5))
	case doDecide:
		w.redecide()
	case doHurry:
		w.hurry()
	}
	for _, l := range w.locals {
		w.world.check(l)
	}
}

// serve takes what a client has sent.
func (w *worker) serve(s *session) {
	w.tellResets()
	switch {
	case s.gone():
	case s.client == nil:
		s.close("hung up")
	case s.asked != nil:
		w.reconnect(s)
	case len(s.subs) > 0:
		w.subscribe(s)
	default:
		s.pings--
		if s.live || s.replay != nil && s.replay.playing {
			w.say(s, packet{kind: packetPong})
		}
	}
}

// gone tells that the session was closed.
func (s *session) gone() bool {
	for _, t := range s.worker.sessions {
		if s == t {
			return false
		}
	}
	return true
}

// say queues an answer, with a cursor that stands behind all that is queued.
func (w *worker) say(s *session, p packet) {
	p.cursor, p.versions = w.cursorOf(s)
	s.queue = append(s.queue, p)
}

// cursorOf gives the session's cursor: how far it was given all that it wants.
func (w *worker) cursorOf(s *session) (c cursor, versions []int) {
	for t := range w.topics {
		name := ""
		if s.wants.topic(t) {
			name = w.epochOf(t)
		}
		c.epochs = append(c.epochs, name)
	}
	for _, l := range w.locals {
		at := l.replica.Position().Applied
		if s.replay != nil && w.world.broken != cursorIsApplied {
			at = s.replay.pointerOf(l)
		}
		c.offsets = append(c.offsets, at)
		versions = append(versions, l.versionIndex())
	}
	return c, versions
}

func (w *worker) epochOf(topic int) string { return event.EpochName(w.named(topic), w.eras(topic)) }

// named is what a topic's epochs are named by: where it has no id, by the start
// of everything (rule 17).
func (w *worker) named(topic int) event.TopicID {
	id := w.topics[topic]
	if id == (event.TopicID{}) && w.world.broken != startUnnamed {
		id[len(id)-1] = byte(w.world.runs)
	}
	return id
}

// eras is the sum of the era numbers of a topic's partitions.
func (w *worker) eras(topic int) (sum uint64) {
	for _, l := range w.locals {
		if l.part.topic == topic || w.world.broken == erasTogether {
			sum += uint64(l.replica.Position().Era)
		}
	}
	return sum
}

// attach gives live sessions what was applied.
func (l *local) attach(entries []replica.Entry) {
	w := l.worker
	for i := len(w.sessions) - 1; i >= 0; i-- {
		s, doomed := w.sessions[i], false
		for n := range entries {
			if e := &entries[n]; s.live && s.wants.has(l.part, e.Offset) {
				s.queue = append(s.queue, l.packet(e))
				doomed = doomed || s.owesTooMuch() && !s.owedTooMuch()
			}
		}
		if doomed {
			s.close("slow")
		}
	}
}

// owesTooMuch tells whether a live session is too slow.
func (s *session) owesTooMuch() bool {
	return s.live && len(s.queue) > s.worker.world.plan.owed && s.slow()
}

// packet is a record as a session is owed it.
func (l *local) packet(e *replica.Entry) packet {
	return packet{part: l.part.index, offset: e.Offset, version: l.versionIndex(), ref: e.Ref, content: contentOf(l.worker.bytesOf(e.Ref))}
}

// versionIndex is which version of the log the partition's era is of.
func (l *local) versionIndex() int {
	return l.part.eras[min(int(l.replica.Position().Era), len(l.part.eras)-1)]
}

// tellResets tells the sessions, before the first record that it concerns and
// before the next answer with a cursor.
func (w *worker) tellResets() {
	lostFirst(w.tells) // for every cursor has it behind it
	for len(w.tells) > 0 {
		t := w.tells[0]
		w.tells = w.tells[1:]
		w.tell(t)
	}
}

func lostFirst(tells []told) {
	slices.SortStableFunc(tells, func(a, b told) int {
		switch {
		case a.lost == b.lost:
			return 0
		case a.lost:
			return -1
		}
		return 1
	})
}

func (w *worker) tell(t told) {
	if w.world.broken == untold {
		return
	}
	for _, u := range w.tells { // the cursor has them in it, too
		if u.lost {
			t.parts |= u.parts
		}
	}
	for i := len(w.sessions) - 1; i >= 0; i-- {
		switch s := w.sessions[i]; {
		case !s.wants.topic(t.topic):
		case s.replay != nil && w.world.broken != replayKept:
			w.world.broke++
			s.close("broken")
		case s.live:
			w.say(s, packet{kind: packetReset, told: t})
		}
	}
}

// write sends some of what a session is owed.
func (w *worker) write(s *session, n int) {
	if s.client == nil {
		s.close("hung up")
		return
	}
	for n = min(n, len(s.queue)); n > 0 && s.client != nil; n-- {
		p := s.queue[0]
		s.queue, s.half = s.queue[1:], false
		content := uint64(0)
		if p.kind == packetRecord || p.kind == packetLatest {
			content = contentOf(w.bytesOf(p.ref))
		}
		s.client.receive(&p, content)
	}
	switch {
	case s.client == nil:
	case len(s.queue) == 0:
		s.client.rests()
	default:
		s.half = len(s.queue)%2 == 0 && w.world.plan.fates != 0
	}
}

func (w *worker) bytesOf(ref replica.Ref) []byte {
	if ref.Past() {
		return w.past.Bytes(ref)
	}
	return w.store.Bytes(ref)
}

// owesEvicted tells whether a frame that the session is owed is gone.
func (s *session) owesEvicted() bool {
	for i := range s.queue {
		if p := &s.queue[i]; (p.kind == packetRecord || p.kind == packetLatest) && s.worker.bytesOf(p.ref) == nil {
			return true
		}
	}
	return false
}

// close ends a session; what it is owed is not sent any more.
func (s *session) close(why string) {
	w := s.worker
	w.world.note("%d closes a session: %s", w.slot, why)
	for i := range w.sessions {
		if w.sessions[i] == s {
			w.sessions = append(w.sessions[:i:i], w.sessions[i+1:]...)
			break
		}
	}
	s.hangUp()
}

// hangUp tells the client that its connection is over.
func (s *session) hangUp() {
	if s.client != nil {
		s.client.session = nil
		s.client = nil
	}
}
