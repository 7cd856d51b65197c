package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"
)

// entry is one record that is in the log for good.
type entry struct {
	offset  int64
	channel string // "" if no route can place it, so that nobody is owed it
	value   []byte // nil: a tombstone
	ts      int64  // Unix milliseconds
}

// ledger is what was produced and committed: the truth that clients are held to.
type ledger struct {
	mu      sync.Mutex
	entries map[partition][]entry // by offset
}

// enter writes down a record that the broker has confirmed. Confirmations of
// one partition come in the order of offsets, except from several producers.
func (l *ledger) enter(r *kgo.Record) {
	p := partition{r.Topic, r.Partition}
	e := entry{r.Offset, channelOf(r), r.Value, r.Timestamp.UnixMilli()}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.entries == nil {
		l.entries = map[partition][]entry{}
	}
	at, _ := slices.BinarySearchFunc(l.entries[p], e.offset, func(e entry, o int64) int { return int(e.offset - o) })
	l.entries[p] = slices.Insert(l.entries[p], at, e)
}

// channelOf is where the default routes put a record, "" for nowhere.
func channelOf(r *kgo.Record) string {
	if len(r.Key) == 0 || len(r.Key) > 128 || len(r.Value) > 1<<20 {
		return ""
	}
	for _, b := range r.Key {
		if b <= ' ' || b > '~' || strings.IndexByte(`"'\.*`, b) >= 0 {
			return ""
		}
	}
	return string(r.Key) + "." + eventOf(r.Topic)
}

// ends is the last offset of every partition that has a record.
func (l *ledger) ends() map[partition]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	ends := map[partition]int64{}
	for p, list := range l.entries {
		ends[p] = list[len(list)-1].offset
	}
	return ends
}

// between are the entries of (after, to] that the patterns match.
func (l *ledger) between(p partition, after, to int64, patterns []string) []entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []entry
	for _, e := range l.entries[p] {
		if e.offset > after && e.offset <= to && e.channel != "" && matchesAny(patterns, e.channel) {
			list = append(list, e)
		}
	}
	return list
}

// settle waits until the client has been sent all that the ledger holds, as its
// pongs tell, and then holds it to the ledger: from the cursor of its first
// subscription_ack on, exactly the records of its channels, in order, none
// twice. Its subscriptions must not have changed since.
func (l *ledger) settle(t testing.TB, c *client) {
	t.Helper()
	l.settleWithin(t, c, soon)
}

func (l *ledger) settleWithin(t testing.TB, c *client, within time.Duration) {
	t.Helper()
	ends := l.awaitSent(t, c, within)
	c.faultless(t, l.check(c.entries(), c.patterns, ends))
}

// settleTold is settle for a client that may lack what a reset has told it is
// lost, and nothing else.
func (l *ledger) settleTold(t testing.TB, c *client) {
	t.Helper()
	ends := l.awaitSent(t, c, soon)
	log := c.entries()
	c.faultless(t, l.without(toldLost(log)).check(log, c.patterns, ends))
}

// awaitSent waits until the client's pongs have what the ledger ends with now.
func (l *ledger) awaitSent(t testing.TB, c *client, within time.Duration) (ends map[partition]int64) {
	t.Helper()
	ends = l.ends()
	eventually(t, within, c.name+" is sent all", func() (bool, string) {
		pong := c.heartbeat(t)
		for p, end := range ends {
			if at, ok := pong.Cursor.at(p); relevant(c.patterns, p.topic) && (!ok || at < end) {
				return false, fmt.Sprintf("%v is at %d, proven %v, of %d", p, at, ok, end)
			}
		}
		return true, ""
	})
	return ends
}

func (c *client) faultless(t testing.TB, faults []string) {
	t.Helper()
	if len(faults) > 0 {
		t.Fatalf("%s, channels %v: %d faults, first: %v", c.name, c.patterns, len(faults), faults[:min(5, len(faults))])
	}
}

// span is a stretch of offsets: (after, to].
type span struct{ after, to int64 }

// toldLost is what resets tell is lost: from where the client stood to where the
// reset's cursor stands. A cursor that passes records before the reset tells of
// them stands behind them: they are missing, untold.
func toldLost(log []message) map[partition][]span {
	lost := map[partition][]span{}
	stood := map[partition]int64{}
	for _, m := range log {
		if m.Type == "message" {
			stood[m.pos.partition] = m.pos.offset
		}
		for topic, tc := range m.Cursor {
			for i, at := range tc.Offsets {
				p := partition{topic, int32(i)}
				if at == nil {
					continue
				}
				if before, ok := stood[p]; ok && m.Type == "reset" && *m.Lost && *at > before {
					lost[p] = append(lost[p], span{before, *at})
				}
				stood[p] = *at
			}
		}
	}
	return lost
}

// without is a copy that owes nobody what is lost.
func (l *ledger) without(lost map[partition][]span) *ledger {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := &ledger{entries: map[partition][]entry{}}
	for p, list := range l.entries {
		left.entries[p] = slices.DeleteFunc(slices.Clone(list), func(e entry) bool {
			return slices.ContainsFunc(lost[p], func(s span) bool { return e.offset > s.after && e.offset <= s.to })
		})
	}
	return left
}

// relevant tells whether a topic's channels can match a pattern.
func relevant(patterns []string, topic string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		_, event, _ := cutChannel(p)
		return event == "*" || event == eventOf(topic)
	})
}

// check holds a log to the ledger up to the given ends.
func (l *ledger) check(log []message, patterns []string, ends map[partition]int64) []string {
	faults := append(checkOrder(log), checkCursors(log)...)
	first := slices.IndexFunc(log, func(m message) bool { return m.Type == "subscription_ack" })
	if first < 0 {
		return append(faults, "no subscription_ack")
	}
	got := map[partition][]message{}
	for _, m := range log {
		end, known := ends[m.pos.partition]
		if m.Type == "message" && known && m.pos.offset <= end {
			got[m.pos.partition] = append(got[m.pos.partition], m)
		}
		if m.Type == "message" && eventOf(m.pos.topic) == "" {
			faults = append(faults, fmt.Sprintf("%v: a record of no topic of ours", m.pos))
		}
	}
	for _, p := range slices.SortedFunc(maps.Keys(ends), func(a, b partition) int { return int(a.number - b.number) }) {
		after, ok := log[first].Cursor.at(p)
		if !ok {
			after = -1 // a partition that came later is owed from its start
		}
		faults = append(faults, compare(p, l.between(p, after, ends[p], patterns), got[p])...)
	}
	return faults
}

// compare holds what arrived of one partition to what had to.
func compare(p partition, want []entry, got []message) []string {
	var faults []string
	for len(want) > 0 || len(got) > 0 {
		switch {
		case len(got) == 0 || len(want) > 0 && want[0].offset < got[0].pos.offset:
			faults = append(faults, fmt.Sprintf("%v:%d (%s) is missing", p, want[0].offset, want[0].channel))
			want = want[1:]
		case len(want) == 0 || got[0].pos.offset < want[0].offset:
			faults = append(faults, fmt.Sprintf("%v (%s) was not owed", got[0].pos, got[0].Channel))
			got = got[1:]
		default:
			if fault := compareOne(want[0], got[0]); fault != "" {
				faults = append(faults, fault)
			}
			want, got = want[1:], got[1:]
		}
	}
	return faults
}

func compareOne(want entry, got message) string {
	switch {
	case got.Channel != want.channel:
		return fmt.Sprintf("%v arrived as %q instead of %q", got.pos, got.Channel, want.channel)
	case got.TS != want.ts:
		return fmt.Sprintf("%v has ts %d instead of %d", got.pos, got.TS, want.ts)
	}
	return compareData(want, got)
}

// compareData wants JSON spliced in as it is, base64 of anything else, and null
// for a tombstone.
func compareData(want entry, got message) string {
	encoding, data := "", string(bytes.TrimSpace(want.value))
	switch {
	case want.value == nil:
		data = "null"
	case !json.Valid(want.value) || !utf8.Valid(want.value):
		encoding, data = "base64", `"`+base64.StdEncoding.EncodeToString(want.value)+`"`
	}
	if got.Encoding != encoding || string(got.Data) != data {
		return fmt.Sprintf("%v has data %.80s (%s) instead of %.80s (%s)", got.pos, got.Data, got.Encoding, data, encoding)
	}
	return ""
}

// checkOrder wants rising offsets in each partition, which excludes twice.
func checkOrder(log []message) []string {
	var faults []string
	last := map[partition]int64{}
	for _, m := range log {
		if m.Type != "message" {
			continue
		}
		if before, ok := last[m.pos.partition]; ok && m.pos.offset <= before {
			faults = append(faults, fmt.Sprintf("%v behind %d", m.pos, before))
		}
		last[m.pos.partition] = m.pos.offset
	}
	return faults
}

// checkCursors wants every cursor to stand behind every record that it covers
// and none to fall.
func checkCursors(log []message) []string {
	var faults []string
	covered := map[partition]int64{}
	for _, m := range log {
		if at, ok := covered[m.pos.partition]; m.Type == "message" && ok && m.pos.offset <= at {
			faults = append(faults, fmt.Sprintf("%v behind a cursor of %d", m.pos, at))
		}
		for topic, tc := range m.Cursor {
			for i, at := range tc.Offsets {
				p := partition{topic, int32(i)}
				if at == nil {
					continue
				}
				if before, ok := covered[p]; ok && *at < before && m.Type != "reset" {
					faults = append(faults, fmt.Sprintf("%s: %v falls from %d to %d", m.Type, p, before, *at))
				}
				covered[p] = *at
			}
		}
	}
	return append(faults, checkBehind(log)...)
}

// checkBehind wants every cursor to cover the records that stand before it.
func checkBehind(log []message) []string {
	var faults []string
	last := map[partition]int64{}
	for _, m := range log {
		if m.Type == "message" {
			last[m.pos.partition] = m.pos.offset
		}
		if len(m.Cursor) == 0 || m.Type == "reset" {
			continue
		}
		for p, offset := range last {
			if at, ok := m.Cursor.at(p); ok && at < offset {
				faults = append(faults, fmt.Sprintf("%s: %v at %d, but %d was sent", m.Type, p, at, offset))
			}
		}
	}
	return faults
}

// unplace says that a record that has been entered is owed to nobody.
func (l *ledger) unplace(r *kgo.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.entries[partition{r.Topic, r.Partition}]
	for i := range list {
		if list[i].offset == r.Offset {
			list[i].channel = ""
		}
	}
}
