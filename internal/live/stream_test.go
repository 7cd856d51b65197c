package live

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/odin-ws/odin/shm"
)

func TestWhatAPageHears(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		time.Sleep(2500 * time.Millisecond)
		p := r.watch(nil)
		synctest.Wait()
		text := p.take()
		if !strings.HasPrefix(text, "retry: 1000\n\n") {
			t.Errorf("begins with %.40q", text)
		}
		events := parse(t, text)
		equal(t, "at first", names(events), "history status")
		if n := len(read[History](t, events[0]).TS); n < 3 || n > 4 { // with the look that it caused, or without
			t.Errorf("%d looks so far", n)
		}

		r.seg.Slot(1).Block(1).Add(shm.Deliveries, 500)
		for i := range 6 {
			publish(r.seg, i, 999, 1000)
		}
		publish(r.seg, 4, 1099, 1120)
		beat(r.seg)
		time.Sleep(time.Second)
		synctest.Wait()
		events = parse(t, p.take())
		equal(t, "a second later", names(events), "status")
		v := read[View](t, events[0])
		equal(t, "state", v.State, "ready")
		equal(t, "sessions", v.Sessions, 300)
		equal(t, "workers", len(v.Workers), 2)
		equal(t, "deliveries", v.Workers[1].Deliveries, 500)
		equal(t, "partitions", v.Partitions, 6)
		equal(t, "behind", v.Lag, 20)
		topic := v.Topics[1]
		equal(t, "topic", topic.Topic, "odin.liquidity")
		equal(t, "its partitions", topic.Partitions, 3)
		equal(t, "its worst", *topic.Worst, 1)
		equal(t, "its owners", topic.Owners, "0-1")
		time.Sleep(time.Second)
		synctest.Wait()
		equal(t, "rates", read[View](t, parse(t, p.take())[0]).IntervalS, 1)
		p.leave()
		<-p.left
	})
}

// A page that comes while none is there gets a look as fresh as others have.
func TestFirstPageWakes(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		time.Sleep(7500 * time.Millisecond)
		p := r.watch(nil)
		synctest.Wait()
		equal(t, "at first", names(parse(t, p.take())), "history status")
		equal(t, "age", bubbleClock().Monotonic-r.lastLook().at, 0)
		count := r.past.count
		for range 50 { // who comes and goes makes no looks
			other := r.watch(nil)
			synctest.Wait()
			other.leave()
			<-other.left
		}
		equal(t, "looks", r.past.count, count)
		p.leave()
		<-p.left
	})
}

// Nobody watches: a glance each second, a whole look every ten.
func TestLooksThatNobodySees(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		synctest.Wait()
		first := r.lastLook()
		for second := range 30 {
			time.Sleep(time.Second)
			synctest.Wait()
			if now := r.lastLook(); (now != first) != (second%10 == 9) {
				t.Fatalf("second %d: a whole look: %v", second+1, now != first)
			}
			first = r.lastLook()
		}
		equal(t, "points", r.past.count, 31)
	})
}

func TestPastIsBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		time.Sleep(interval / 2)
		for range HistoryMax {
			r.seg.Slot(0).Block(1).Add(shm.Deliveries, 10)
			r.seg.Slot(0).Block(1).Add(shm.RecordsFetched, 5)
			r.seg.Slot(0).Block(1).Observe(shm.DeliveryLatency, 900, 10)
			r.seg.Slot(0).Block(1).Add(shm.CPUUser, 250e6)
			time.Sleep(time.Second)
		}
		time.Sleep(100 * time.Second)
		synctest.Wait()
		p := r.watch(nil)
		synctest.Wait()
		h := read[History](t, parse(t, p.take())[0])
		for what, n := range map[string]int{
			"ts": len(h.TS), "deliveries": len(h.Deliveries), "records": len(h.Records), "p50": len(h.P50),
			"p99": len(h.P99), "sessions": len(h.Sessions), "lag": len(h.Lag), "cores": len(h.Cores),
		} {
			equal(t, what, n, HistoryMax)
		}
		for i := 1; i < HistoryMax; i++ {
			equal(t, "apart", h.TS[i]-h.TS[i-1], h.IntervalMS)
		}
		early, late := HistoryMax-150, HistoryMax-50
		equal(t, "deliveries", h.Deliveries[early], 10)
		equal(t, "records", h.Records[early], 5)
		equal(t, "cores", h.Cores[early], 0.25)
		if h.P50[early] == nil || *h.P99[early] < *h.P50[early] {
			t.Errorf("latency %v %v", h.P50[early], h.P99[early])
		}
		if h.P50[late] != nil || h.Deliveries[late] != 0 {
			t.Error("something happened when nothing did")
		}
		p.leave()
		<-p.left
	})
}

func TestPagesShareTheirBytes(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		a, b := r.watch(nil), r.watch(nil)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		first, second := a.take(), b.take()
		if first != second || first == "" {
			t.Error("two pages hear different things")
		}
		var sent, same [kindCount]uint64
		x, _, _ := r.since(&sent)
		y, _, _ := r.since(&same)
		if &x[0][0] != &y[0][0] {
			t.Error("encoded twice")
		}
		for _, p := range []*page{a, b} {
			p.leave()
			<-p.left
		}
	})
}

// Who reads slowly misses looks, holds up nobody, and is left when it takes
// nothing for long.
func TestSlowPage(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		gate := make(chan struct{})
		slow, quick := r.watch(gate), r.watch(nil)
		time.Sleep(5500 * time.Millisecond)
		synctest.Wait()
		equal(t, "the quick one", names(parse(t, quick.take())), "history status status status status status status")
		close(gate)
		synctest.Wait()
		equal(t, "the slow one", names(parse(t, slow.take())), "history status")
		stuck := r.watch(make(chan struct{}))
		time.Sleep(writeTime + time.Second)
		<-stuck.left
		viewers, _ := r.counted.now()
		equal(t, "viewers", viewers, 2)
		for _, p := range []*page{slow, quick} {
			p.leave()
			<-p.left
		}
	})
}

func TestViewersAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		var pages []*page
		for range ViewersMax {
			pages = append(pages, r.watch(nil))
		}
		synctest.Wait()
		more := r.watch(nil)
		<-more.left
		equal(t, "code", more.code, http.StatusServiceUnavailable)
		if text := more.take(); !strings.Contains(text, "32 pages") || more.header.Get("Retry-After") == "" {
			t.Errorf("%v %q", more.header, text)
		}
		viewers, refused := r.counted.now()
		equal(t, "viewers", viewers, ViewersMax)
		equal(t, "refused", refused, 1)
		pages[7].leave()
		<-pages[7].left
		pages[7] = r.watch(nil)
		synctest.Wait()
		equal(t, "the next one", names(parse(t, pages[7].take())), "history status")
		for _, p := range pages {
			p.leave()
			<-p.left
		}
		viewers, _ = r.counted.now()
		equal(t, "viewers in the end", viewers, 0)
	})
}

func TestEndOfTheStream(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		p := r.watch(nil)
		synctest.Wait()
		r.end()
		<-p.left
		late := r.watch(nil)
		<-late.left
	})
}

// A stream without news is kept alive, and each write has its own deadline.
func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &rig{Stream: begin(segmentOf(t, 1, 1, "t"), silence, (&counted{}).hooks(), bubbleClock)}
		p := r.watch(nil)
		synctest.Wait()
		p.take()
		time.Sleep(3*heartbeat + time.Second)
		synctest.Wait()
		equal(t, "heard", p.take(), strings.Repeat(": still here\n\n", 3))
		equal(t, "flushes", p.flushes, 5)
		equal(t, "deadline", time.Until(p.deadline), writeTime-time.Second)
		p.leave()
		<-p.left
	})
}

func TestHeadOfTheStream(t *testing.T) {
	s := New(segmentOf(t, 1, 1, "t"), silence, (&counted{}).hooks())
	w := httptest.NewRecorder()
	s.Events().ServeHTTP(w, httptest.NewRequest(http.MethodHead, "/api/events", nil))
	equal(t, "type", w.Header().Get("Content-Type"), "text/event-stream")
	equal(t, "cache", w.Header().Get("Cache-Control"), "no-store")
	equal(t, "body", w.Body.Len(), 0)
}

// An HTTP server's deadlines for a request are not those of a stream.
func TestDeadlinesOfAServer(t *testing.T) {
	s := New(segmentOf(t, 1, 1, "t"), silence, (&counted{}).hooks())
	go s.Run(t.Context())
	server := httptest.NewUnstartedServer(s.Events())
	server.Config.ReadTimeout, server.Config.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	server.Start()
	defer server.Close()
	answer, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var heard strings.Builder
	buf := make([]byte, 64<<10)
	for strings.Count(heard.String(), "event: status") < 3 {
		n, err := answer.Body.Read(buf)
		if err != nil {
			t.Fatalf("after %q: %v", heard.String(), err)
		}
		heard.Write(buf[:n])
	}
}
