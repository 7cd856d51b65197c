package hub

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/wire"
)

// pond is a queue over a history of one chunk, and what was attached to it.
type pond struct {
	t       *testing.T
	q       Queue
	history []byte
	offsets map[string]int64   // next, by topic and partition
	sent    []byte             // what the socket took
	dropped int                // records
	upTo    []map[string]int64 // what the answers' cursors cover, by partition
	fates   map[string]Fate    // by topic
}

func newPond(t *testing.T, fates map[string]Fate) *pond {
	return &pond{t: t, offsets: map[string]int64{}, fates: fates}
}

func (p *pond) attach(topic string, partition int32, channel string, size int) {
	key := fmt.Sprint(topic, partition)
	frame := wire.AppendRecord(nil, []byte(channel), event.Partition{Topic: topic, Number: partition}, p.offsets[key], 1, []byte(`"`+strings.Repeat("x", size)+`"`))
	p.offsets[key]++
	p.q.Attach(Piece{0, uint32(len(p.history)), uint32(len(frame))})
	p.history = append(p.history, frame...)
}

// pong answers with a cursor that covers all that was attached so far.
func (p *pond) pong(channels map[string][]string) {
	upTo := map[string]int64{}
	for key, list := range channels {
		upTo[key] = int64(len(list)) - 1
	}
	p.upTo = append(p.upTo, upTo)
	p.q.Say(func(dst []byte) []byte { return wire.AppendPong(dst, nil, int64(len(p.upTo)-1), []byte("{}")) })
}

func (p *pond) look(piece Piece) []byte {
	if piece.Chunk == Own {
		return p.q.Own[piece.Off : piece.Off+piece.Len]
	}
	return p.history[piece.Off : piece.Off+piece.Len]
}

func (p *pond) shed(target, limit int) bool {
	s := &Shedding{
		Target: target, Limit: limit, Look: p.look,
		Judge: func(topic []byte) Fate { return p.fates[string(topic)] },
	}
	ok := p.q.Shed(s)
	p.dropped += int(s.Dropped + s.Conflated)
	return ok
}

// write lets the socket take n bytes.
func (p *pond) write(n int) {
	for n > 0 && !p.q.Empty() {
		b := p.look(p.q.Pieces[0])
		k := min(n, len(b))
		p.sent = append(p.sent, b[:k]...)
		p.q.Written(k, p.look)
		n -= k
	}
}

// frames are what a client reads of it.
func (p *pond) frames() (all []wire.ServerMessage) {
	p.t.Helper()
	for b := p.sent; len(b) > 0; {
		size := wire.FrameSize(b)
		if size > len(b) {
			p.t.Fatalf("a frame of %d bytes is cut: %q", size, b)
		}
		head := 2
		if b[1] == 126 { // none is longer
			head = 4
		}
		var m wire.ServerMessage
		if err := json.Unmarshal(b[head:size], &m); err != nil {
			p.t.Fatalf("%q: %v", b[:size], err)
		}
		all = append(all, m)
		b = b[size:]
	}
	return all
}

// told writes the whole queue, and shows what the client reads.
func (p *pond) told() string {
	p.t.Helper()
	p.write(p.q.Bytes)
	var words []string
	for _, m := range p.frames() {
		switch m.Type {
		case "message":
			words = append(words, strings.TrimPrefix(m.Pos, "t:"))
		case "gap":
			words = append(words, fmt.Sprintf("gap(%s %d %s)", m.Channel, m.Dropped, strings.TrimPrefix(m.Pos, "t:")))
		default:
			words = append(words, m.Type)
		}
	}
	return strings.Join(words, " ")
}

func TestShedDropsTheOldest(t *testing.T) {
	p := newPond(t, map[string]Fate{"t": DropNormal})
	for range 6 {
		p.attach("t", 0, "A.x", 100)
	}
	half := p.q.Bytes / 2
	if !p.shed(half, p.q.Bytes) || p.dropped != 3 || p.q.Records != 3 {
		t.Errorf("%d dropped, %d left", p.dropped, p.q.Records)
	}
	if got, want := p.told(), "gap(A.x 3 0:2) 0:3 0:4 0:5"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
}

func TestShedTellsEachChannelInItsPlace(t *testing.T) {
	p := newPond(t, map[string]Fate{"t": DropNormal})
	for _, channel := range []string{"A.x", "B.x", "A.x", "B.x", "C.x"} {
		p.attach("t", 0, channel, 1000)
	}
	p.shed(1500, 1<<20)
	if got, want := p.told(), "gap(A.x 2 0:-1) gap(B.x 2 0:3) 0:4"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
}

func TestShedAgainJoinsNotices(t *testing.T) {
	p := newPond(t, map[string]Fate{"t": DropNormal})
	for range 4 {
		for range 3 {
			p.attach("t", 0, "A.x", 1000)
		}
		p.shed(1500, 1<<20)
	}
	if got, want := p.told(), "gap(A.x 11 0:10) 0:11"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
}

// An answer's cursor covers what is announced before it, not what might be
// announced later.
func TestShedKeepsAnswersInTheirPlace(t *testing.T) {
	p := newPond(t, map[string]Fate{"t": DropNormal})
	p.attach("t", 0, "A.x", 1000)
	p.q.Say(func(dst []byte) []byte { return wire.AppendPong(dst, nil, 1, []byte("{}")) })
	p.attach("t", 0, "A.x", 1000)
	p.attach("t", 0, "A.x", 1000)
	p.shed(0, 1<<20)
	if got, want := p.told(), "gap(A.x 1 0:0) pong gap(A.x 2 0:2)"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
}

func TestShedConflates(t *testing.T) {
	p := newPond(t, map[string]Fate{"t": Conflate})
	for _, channel := range []string{"A.x", "A.x", "B.x", "A.x", "C.x", "B.x"} {
		p.attach("t", 0, channel, 1000)
	}
	if !p.shed(100, 4000) {
		t.Error("not short enough")
	}
	if got, want := p.told(), "gap(A.x 2 0:-1) gap(B.x 1 0:2) 0:3 0:4 0:5"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
}

func TestShedByRank(t *testing.T) {
	for _, c := range []struct {
		target, limit int
		want          string
		ok            bool
	}{
		{4500, 1 << 20, "h:0:0 h:0:1 k:0:0 k:0:1 gap(A.n 2 n:0:1)", true},
		{3500, 1 << 20, "gap(A.h 1 h:0:0) h:0:1 k:0:0 k:0:1 gap(A.n 2 n:0:1)", true},
		{100, 2000, "k:0:0 k:0:1 gap(A.n 2 n:0:1) gap(A.h 2 h:0:1)", false},
	} {
		p := newPond(t, map[string]Fate{"n": DropNormal, "h": DropHigh, "k": Keep})
		for _, channel := range []string{"n", "h", "n", "h"} {
			p.attach(channel, 0, "A."+channel, 1000)
		}
		p.attach("k", 0, "A.k", 1000)
		p.attach("k", 0, "A.k", 1000)
		ok := p.shed(c.target, c.limit)
		if got := p.told(); got != c.want || ok != c.ok {
			t.Errorf("to %d: %v, told\n%s, want\n%s", c.target, ok, got, c.want)
		}
	}
}

func TestShedWithoutHistory(t *testing.T) {
	p := newPond(t, map[string]Fate{"t": DropNormal})
	p.attach("t", 0, "A.x", 1000)
	gone := &Shedding{Look: func(Piece) []byte { return nil }}
	if p.q.Shed(gone) {
		t.Error("shed what is gone")
	}
	p.write(10)
	if p.q.Shed(gone) {
		t.Error("shed behind half a frame that is gone")
	}
}

// What a client reads accounts for every record: it is there, or a notice counts
// it; and wherever the connection ends, a cursor that was moved by all positions
// that came covers nothing that was neither sent nor announced.
func TestShedAgainstALedger(t *testing.T) {
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 1))
		p := newPond(t, map[string]Fate{"drop": DropNormal, "high": DropHigh, "conf": Conflate, "keep": Keep})
		topics := []string{"drop", "high", "conf", "keep"}
		channels := map[string][]string{}
		for range 80 {
			switch random.IntN(8) {
			case 0:
				p.pong(channels)
			case 1:
				p.write(random.IntN(700))
			case 2:
				p.shed(random.IntN(2000), 1<<20)
			default:
				topic, partition := topics[random.IntN(4)], int32(random.IntN(2))
				channel := fmt.Sprintf("%d.%s", random.IntN(3), topic)
				key := fmt.Sprint(topic, ":", partition)
				channels[key] = append(channels[key], channel)
				p.attach(topic, partition, channel, random.IntN(200))
			}
		}
		p.write(p.q.Bytes)
		audit(t, seed, p, channels)
	}
}

func audit(t *testing.T, seed uint64, p *pond, channels map[string][]string) {
	t.Helper()
	due := map[string]map[string][]int64{} // by partition and channel: offsets
	for key, list := range channels {
		due[key] = map[string][]int64{}
		for offset, channel := range list {
			due[key][channel] = append(due[key][channel], int64(offset))
		}
	}
	for _, m := range p.frames() {
		if m.Type == "pong" {
			for key, upTo := range p.upTo[m.TS] {
				covers(t, seed, m, due[key], upTo)
			}
			continue
		}
		at := strings.LastIndexByte(m.Pos, ':')
		key := m.Pos[:at]
		var offset int64
		if _, err := fmt.Sscan(m.Pos[at+1:], &offset); err != nil {
			t.Fatal(err)
		}
		list, n := due[key][m.Channel], 1
		switch {
		case m.Type == "gap":
			if n = int(m.Dropped); n > len(list) {
				t.Fatalf("seed %d: a notice of %d up to %s, but %v are due", seed, n, m.Pos, list)
			}
		case len(list) == 0 || list[0] != offset:
			t.Fatalf("seed %d: %s %s comes, but %v are due", seed, m.Channel, m.Pos, list)
		}
		due[key][m.Channel] = list[n:]
		covers(t, seed, m, due[key], offset)
	}
	for key, lists := range due {
		for channel, list := range lists {
			if len(list) > 0 {
				t.Fatalf("seed %d: %s of %s: %v are neither sent nor announced", seed, channel, key, list)
			}
		}
	}
}

// covers checks that nothing up to a position is due any more.
func covers(t *testing.T, seed uint64, m wire.ServerMessage, due map[string][]int64, upTo int64) {
	t.Helper()
	for channel, list := range due {
		if len(list) > 0 && list[0] <= upTo {
			t.Fatalf("seed %d: %s %s %s lets a cursor come to %d, but %d of %s is neither sent nor announced", seed, m.Type, m.Channel, m.Pos, upTo, list[0], channel)
		}
	}
}
