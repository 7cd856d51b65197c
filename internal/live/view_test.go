package live

import (
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/odin-ws/odin/internal/event"
)

// hostile names are what a topic may be called by somebody who means harm.
var hostile = []string{
	"<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "line\nevent: status\ndata: {}\n\n", "\u202eright to left",
	"a\u2028b\u2029c", "nul\x00bel\x07esc\x1b[2J", `quote"back\slash`, "not\xffUTF-8",
}

// Whatever a name holds, an event is one event, of three lines.
func TestFramesOfHostileNames(t *testing.T) {
	for _, name := range hostile {
		text := string(encode("status", View{Topics: []Topic{{Topic: name}}}))
		equal(t, "lines", strings.Count(text, "\n"), 3)
		events := parse(t, text)
		equal(t, "events", names(events), "status")
		equal(t, "name", read[View](t, events[0]).Topics[0].Topic, strings.ToValidUTF8(name, "\ufffd"))
	}
	equal(t, "what JSON lacks", len(parse(t, string(encode("status", math.NaN())))), 0)
}

func TestPartitionsOfATopic(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.seg.SetOwner(4, event.Owner{Term: 9, Slot: event.Nobody})
		time.Sleep(10500 * time.Millisecond)
		publish(r.seg, 3, 1099, 1120)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		code, body := ask(r.Stream, "odin.liquidity")
		equal(t, "code", code, http.StatusOK)
		p := read[Partitions](t, told{"partitions", body})
		equal(t, "topic", p.Topic, "odin.liquidity")
		equal(t, "partitions", len(p.Partition), 3)
		equal(t, "lag", p.Lag[0], 20)
		equal(t, "position", p.Position[0], 1099)
		equal(t, "rate", p.Records[0], 10)
		equal(t, "owner", *p.Owner[0], 1)
		equal(t, "term", p.Term[1], 9)
		if p.Owner[1] != nil {
			t.Error("an owner where there is none")
		}
		for _, n := range []int{len(p.Owner), len(p.Term), len(p.LagS), len(p.Records)} {
			equal(t, "entries", n, 3)
		}
		if _, again := ask(r.Stream, "odin.liquidity"); again != body {
			t.Error("another answer between two looks")
		}
	})
}

func TestTopicsThatAreNone(t *testing.T) {
	s := New(segmentOf(t, 1, 1, "t"), silence, (&counted{}).hooks())
	for _, name := range append(hostile, "", "T", strings.Repeat("x", 5000)) {
		if code, body := ask(s, name); code != http.StatusNotFound || !strings.Contains(body, "?topic=NAME") {
			t.Errorf("%q: %d %q", name, code, body)
		}
	}
	equal(t, "answers kept", len(s.lastLook().answers), 0)
}

func TestTopicsOfHostileNames(t *testing.T) {
	s := New(segmentOf(t, 1, 1, hostile...), silence, (&counted{}).hooks())
	for _, name := range hostile {
		name = strings.ToValidUTF8(name, "\ufffd")
		code, body := ask(s, name)
		equal(t, "code", code, http.StatusOK)
		equal(t, "name", read[Partitions](t, told{"partitions", body}).Topic, name)
	}
}

func ask(s *Stream, topic string) (code int, body string) {
	w := httptest.NewRecorder()
	s.Partitions().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/partitions?topic="+url.QueryEscape(topic), nil))
	return w.Code, w.Body.String()
}
