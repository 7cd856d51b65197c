package worker

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// place is where a record stands.
type place struct {
	topic     string
	partition int32
	offset    int64
}

func placeOf(t *testing.T, m wire.ServerMessage) (pl place) {
	t.Helper()
	topic, rest, _ := strings.Cut(m.Pos, ":")
	if _, err := fmt.Sscanf(rest, "%d:%d", &pl.partition, &pl.offset); err != nil {
		t.Fatalf("pos %q: %v", m.Pos, err)
	}
	pl.topic = topic
	return pl
}

// keep brings a cursor along with what came, as a client does.
func keep(t *testing.T, c wire.Cursor, m wire.ServerMessage) {
	maps.Copy(c, m.Cursor)
	if m.Type != "message" {
		return
	}
	pl := placeOf(t, m)
	if entry, ok := c[pl.topic]; ok && int(pl.partition) < len(entry.Offsets) && *entry.Offsets[pl.partition] < pl.offset {
		entry.Offsets[pl.partition] = &pl.offset
	}
}

// ask sends a reconnect.
func (g *guest) ask(cursor wire.Cursor, channels ...string) {
	g.t.Helper()
	text, err := json.Marshal(wire.ClientRequest{Type: "reconnect", ID: "r", Data: &wire.ClientData{ClientID: "c", Channels: append([]string{}, channels...), Cursor: cursor}})
	if err != nil {
		g.t.Fatal(err)
	}
	g.send(string(text))
}

// resume reconnects and returns what came up to the answer.
func (g *guest) resume(cursor wire.Cursor, channels ...string) (missed []wire.ServerMessage, ack wire.ServerMessage) {
	g.t.Helper()
	g.ask(cursor, channels...)
	for {
		m := g.next()
		switch m.Type {
		case "message":
			missed = append(missed, m)
		case "reconnect_ack":
			if *m.ID != "r" || m.MessagesReplayed != len(missed) || !m.Recovered && len(missed) > 0 {
				g.t.Fatalf("%d records, then %+v", len(missed), m)
			}
			return missed, m
		default:
			g.t.Fatalf("got %+v", m)
		}
	}
}

// cursor asks for the session's.
func (g *guest) cursor() wire.Cursor {
	g.t.Helper()
	g.send(`{"type":"heartbeat"}`)
	for {
		if m := g.next(); m.Type == "pong" {
			return m.Cursor
		}
	}
}

func clone(c wire.Cursor) wire.Cursor {
	copied := wire.Cursor{}
	for topic, entry := range c {
		copied[topic] = wire.CursorEntry{Epoch: entry.Epoch, Offsets: slices.Clone(entry.Offsets)}
	}
	return copied
}

func number(n int64) *int64 { return &n }

func TestResumeFromMemoryOnAnyWorker(t *testing.T) {
	st := newTheatre(t, 3, nil)
	first := st.visit(0)
	first.subscribe("BTC.trade", "ETH.*")
	cursor := first.cursor()
	first.conn.Close()
	var want []string
	for i := range 40 {
		key := []string{"BTC", "ETH", "SOL"}[i%3]
		topic := []string{"odin.trades", "odin.balances"}[i%2]
		offset := st.produce(topic, int32(i%4), key, fmt.Sprint(i))
		if key == "ETH" || key == "BTC" && topic == "odin.trades" {
			want = append(want, fmt.Sprintf("%s:%d:%d", topic, i%4, offset))
		}
	}
	st.settled()
	for w := range st.workers {
		g := st.visit(w)
		missed, ack := g.resume(cursor, "BTC.trade", "ETH.*", "nonsense")
		var got []string
		for _, m := range missed {
			got = append(got, m.Pos)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !ack.Recovered || ack.Status != "completed" || !slices.Equal(got, want) || len(ack.Subscribed) != 2 || len(ack.Rejected) != 1 {
			t.Fatalf("worker %d: %+v, got %v, want %v", w, ack, got, want)
		}
		if again := g.cursor(); fmt.Sprint(flat(again)) != fmt.Sprint(flat(ack.Cursor)) {
			t.Errorf("the cursor of the answer is %v, then %v", flat(ack.Cursor), flat(again))
		}
		if again, ack := st.visit(w).resume(ack.Cursor, "BTC.trade", "ETH.*"); len(again) != 0 || !ack.Recovered {
			t.Errorf("nothing is missing, but %d came, %+v", len(again), ack)
		}
	}
	live := st.visit(1)
	live.resume(cursor, "BTC.trade", "ETH.*")
	st.produce("odin.trades", 2, "ETH", "1")
	if m := live.next(); m.Channel != "ETH.trade" {
		t.Errorf("live comes %+v", m)
	}
	resumes := uint64(0)
	for w := range st.workers {
		resumes += st.segment.Slot(w).Counter(shm.Resumes)
	}
	if resumes != 7 || st.segment.Slot(0).Counter(shm.ReplayedRecords) != uint64(len(want)) {
		t.Errorf("%d resumes, %d records", resumes, st.segment.Slot(0).Counter(shm.ReplayedRecords))
	}
}

// flat is a cursor as text.
func flat(c wire.Cursor) (out []string) {
	for topic, entry := range c {
		text := topic + " " + entry.Epoch
		for _, o := range entry.Offsets {
			if o == nil {
				text += " null"
			} else {
				text += fmt.Sprint(" ", *o)
			}
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return out
}

// settled waits until every worker has applied all that was produced.
func (st *theatre) settled() {
	st.t.Helper()
	st.await("all is applied", func() bool {
		for i := range st.segment.Partitions() {
			name, _ := st.segment.Partition(i)
			end := st.broker.PartitionInfo(name.Topic, name.Number).HighWatermark
			for _, a := range st.workers {
				if pos, ok := st.segment.Slot(a.slot).Position(i); !ok || pos.Applied != end-1 {
					return false
				}
			}
		}
		return true
	})
}

func TestWhatCannotBeRecovered(t *testing.T) {
	st := newTheatre(t, 2, func(c *configType) { c.Limits.HistoryRecordsMax = 10 })
	g := st.visit(0)
	g.subscribe("BTC.trade")
	before := g.cursor()
	st.produceMany("odin.trades", "BTC", 4, 100)
	st.settled()
	now := st.visit(0).subscribe("BTC.trade").Cursor
	change := func(c wire.Cursor, f func(*wire.CursorEntry)) wire.Cursor {
		c = clone(c)
		entry := c["odin.trades"]
		f(&entry)
		c["odin.trades"] = entry
		return c
	}
	for name, c := range map[string]struct {
		cursor wire.Cursor
		reason string
	}{
		"another epoch":           {change(now, func(e *wire.CursorEntry) { e.Epoch = "what" }), "epoch"},
		"an epoch yet to come":    {change(now, func(e *wire.CursorEntry) { e.Epoch = event.EpochName(idOf(t, e.Epoch), 99) }), "unavailable"},
		"nothing proven":          {change(now, func(e *wire.CursorEntry) { e.Offsets[2] = nil }), "unavailable"},
		"beyond the end":          {change(now, func(e *wire.CursorEntry) { e.Offsets[1] = number(1 << 60) }), "epoch"},
		"a partition that is not": {change(now, func(e *wire.CursorEntry) { e.Offsets = append(e.Offsets, number(3)) }), "unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			g := st.visit(0)
			g.t = t
			_, ack := g.resume(c.cursor, "BTC.trade")
			if ack.Recovered || ack.Reason != c.reason || fmt.Sprint(flat(ack.Cursor)) != fmt.Sprint(flat(now)) {
				t.Errorf("answered with %+v", ack)
			}
			st.produce("odin.balances", 0, "BTC", "1")
		})
	}
	if len(before) == 0 {
		t.Error("no cursor")
	}
	slot := st.segment.Slot(0)
	if e, u := slot.Counter(shm.ResumesFailedEpoch), slot.Counter(shm.ResumesFailedUnavailable); e != 2 || u != 3 {
		t.Errorf("counted %d epoch, %d unavailable", e, u)
	}
}

func idOf(t *testing.T, epoch string) event.TopicID {
	t.Helper()
	id, _, ok := event.ParseEpoch(epoch)
	if !ok {
		t.Fatalf("epoch %q", epoch)
	}
	return id
}

// What the replaced system's clients send.
func TestResumeByLastOffset(t *testing.T) {
	st := newTheatre(t, 1, nil)
	for i := range 4 {
		st.produce("odin.trades", int32(i), "BTC", "0")
	}
	st.settled()
	for text, want := range map[string]string{
		`{"odin.trades":3}`:                        `reconnect_error partition_needed`,
		`{"odin.trades:2":0}`:                      `reconnect_ack true 0`,
		`{"odin.trades:2":-1,"odin.trades:0":-1}`:  `reconnect_ack true 2`,
		`{"other":7,"odin.trades:1":-1}`:           `reconnect_ack true 1`,
		`{"odin.trades:9":1}`:                      `reconnect_ack false 0 unavailable`,
		`{"odin.trades:0":5}`:                      `reconnect_ack false 0 epoch`,
		`{}`:                                       `reconnect_ack true 0`,
		`{"odin.trades:x":0}`:                      `error bad_request`,
		`{"odin.trades:0":-1,"odin.trades:0":0}`:   `error bad_request`,
		`{"odin.trades:2":-1,"odin.balances:0":7}`: `reconnect_ack true 1`,
	} {
		g := st.visit(0)
		g.send(`{"type":"reconnect","data":{"channels":["BTC.trade"],"last_offset":` + text + `}}`)
		m := g.next()
		for m.Type == "message" {
			m = g.next()
		}
		got := m.Type + " " + m.Code
		if m.Type == "reconnect_ack" {
			got = strings.TrimSpace(fmt.Sprintf("%s %t %d %s", m.Type, m.Recovered, m.MessagesReplayed, m.Reason))
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestReconnectComesFirst(t *testing.T) {
	st := newTheatre(t, 1, nil)
	g := st.visit(0)
	cursor := g.subscribe("BTC.trade").Cursor
	g.ask(cursor, "BTC.trade")
	if m := g.next(); m.Type != "error" || m.Code != "bad_request" || *m.ID != "r" {
		t.Errorf("behind a subscribe: %+v", m)
	}
	g = st.visit(0)
	if _, ack := g.resume(cursor); !ack.Recovered || len(ack.Cursor) != 0 {
		t.Errorf("of no channels: %+v", ack)
	}
	g.ask(cursor, "BTC.trade")
	if m := g.next(); m.Type != "error" {
		t.Errorf("a second time: %+v", m)
	}
	if m := g.subscribe("BTC.trade"); m.Count != 1 {
		t.Errorf("afterwards: %+v", m)
	}
}

// A topic that the cursor doesn't name is live from now; a partition that it
// doesn't name is owed from its start.
func TestResumeOfWhatIsNotNamed(t *testing.T) {
	st := newTheatre(t, 1, nil)
	cursor := st.visit(0).subscribe("BTC.*").Cursor
	for i := range 4 {
		st.produce("odin.trades", int32(i), "BTC", "0")
		st.produce("odin.balances", int32(i), "BTC", "0")
	}
	st.settled()
	delete(cursor, "odin.balances")
	entry := cursor["odin.trades"]
	entry.Offsets = entry.Offsets[:2]
	entry.Offsets[0] = number(0)
	cursor["odin.trades"] = entry
	missed, ack := st.visit(0).resume(cursor, "BTC.*")
	if !ack.Recovered || len(missed) != 3 {
		t.Errorf("%d records, %+v", len(missed), ack)
	}
}

func TestRequestsDuringAReplay(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) { c.Limits.ReplayTurnBytesMax = 1 })
	g := st.visit(0)
	cursor := g.subscribe("*.trade").Cursor
	const n = 3000
	value := `"` + strings.Repeat("x", 1000) + `"`
	for i := range n {
		st.client.Produce(t.Context(), &kgo.Record{Topic: "odin.trades", Partition: int32(i % 4), Key: []byte("K"), Value: []byte(value)}, nil)
	}
	st.must(st.client.Flush(t.Context()))
	st.settled()
	r := st.visit(0)
	r.ask(cursor, "*.trade")
	r.send(`{"type":"subscribe","id":"s","data":{"channels":["A.b"]}}`)
	r.send(`{"type":"heartbeat","id":"h"}`)
	have, errs, pongs := clone(cursor), 0, 0
	for records := 0; ; {
		m := r.next()
		switch m.Type {
		case "error":
			errs++
		case "pong":
			pongs++
			if got := flat(m.Cursor); len(got) > 0 && fmt.Sprint(got) != fmt.Sprint(flat(have)) {
				t.Errorf("the cursor is %v, what came says %v", got, flat(have))
			}
		case "message":
			records++
		}
		keep(t, have, m)
		if m.Type == "reconnect_ack" {
			if !m.Recovered || records != n || errs != 1 || pongs != 1 {
				t.Fatalf("%d records, %d errors, %d pongs, then %+v", records, errs, pongs, m)
			}
			return
		}
	}
}

func TestTooMuchToRemember(t *testing.T) {
	st := newTheatre(t, 1, func(c *configType) { c.Limits.ReplayStateBytesMax = 10 })
	cursor := st.visit(0).subscribe("BTC.trade").Cursor
	g := st.visit(0)
	g.ask(cursor, "BTC.trade")
	if ce := g.closed(); ce.Code != 1013 {
		t.Errorf("closed with %v", ce)
	}
	if n := st.segment.Slot(0).Counter(shm.ReplayLimitReached); n != 1 {
		t.Errorf("counted %d", n)
	}
}
