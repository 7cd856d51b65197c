package odin

import (
	"errors"
	"math"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// The client comes back within the window that a close frame gives, or not at
// all where the server says that this won't help.
func TestComesBackAsTheCloseSays(t *testing.T) {
	for _, c := range []struct {
		code   int
		reason string
		from   time.Duration
		to     time.Duration // 0: doesn't come back
	}{
		{1001, `{"code":"draining","retry_min_ms":500,"retry_max_ms":5000}`, 500 * time.Millisecond, 5 * time.Second},
		{1013, `{"code":"overloaded","retry_min_ms":5000,"retry_max_ms":30000}`, 5 * time.Second, 30 * time.Second},
		{4000, `{"code":"slow_consumer","retry_min_ms":70,"retry_max_ms":70}`, 70 * time.Millisecond, 70 * time.Millisecond},
		{1011, `{"code":"internal:7","retry_min_ms":9,"retry_max_ms":3}`, 9 * time.Millisecond, 9 * time.Millisecond},
		{1012, `{"code":"restarting","retry_min_ms":-5,"retry_max_ms":9223372036854775807}`, 0, retryMax},
		{1008, `{"code":"origin"}`, 0, 0},
		{1009, `{"code":"too_big"}`, 0, 0},
		{4001, `{"code":"token_expired"}`, 0, 0},
		{1002, "", 0, 0},
		{1003, "", 0, 0},
		{1007, "no json", 0, 0},
		{1008, "", 0, 0},
		{1000, "", 0, DefaultBackoffMin},
		{1001, "proxy says bye", 0, DefaultBackoffMin},
		{1011, `{"code":""}`, 0, DefaultBackoffMin},
		{1013, `{"retry":1}`, 0, DefaultBackoffMin},
		{4999, "", 0, DefaultBackoffMin},
	} {
		var told Disconnection
		o := Options{Channels: []string{"A.x"}, OnDisconnect: func(d Disconnection) { told = d }}
		bubble(t, o, func(t *testing.T, r *rig) {
			p := r.live("{}")
			start := time.Now()
			p.close(c.code, c.reason)
			synctest.Wait()
			var end *CloseError
			if !errors.As(told.Err, &end) || end.Code != c.code || told.Final != (c.to == 0) {
				t.Fatalf("%d %s: %+v", c.code, c.reason, told)
			}
			if c.to == 0 {
				<-r.done
				if r.err != told.Err {
					t.Errorf("%d: Run returns %v", c.code, r.err)
				}
				return
			}
			r.accept()
			if d := time.Since(start); d < c.from || d > c.to || d != told.RetryIn {
				t.Errorf("%d %s: back after %v, told %v", c.code, c.reason, d, told.RetryIn)
			}
		})
	}
}

func TestComesBackAsTheRefusalSays(t *testing.T) {
	date := time.Date(2000, 1, 1, 0, 1, 0, 0, time.UTC) // bubbles begin at 2000
	for _, c := range []struct {
		status      int
		after, body string
		from, to    time.Duration // 0: doesn't come back
		says        string
	}{
		{503, "5", `{"error":"overloaded","reason":"connections"}`, 5 * time.Second, 10 * time.Second, "503 Service Unavailable: connections: overloaded"},
		{429, "2", `{"error":"rate_limited","reason":"rate"}`, 2 * time.Second, 4 * time.Second, "rate: rate_limited"},
		{503, date.Format(http.TimeFormat), "", time.Minute, 2 * time.Minute, "503"},
		{503, "999999", "", retryMax / 2, retryMax, "503"},
		{503, "99999999999999999999999", "", retryMax / 2, retryMax, "503"},
		{503, date.AddDate(50, 0, 0).Format(http.TimeFormat), "", retryMax / 2, retryMax, "503"},
		{503, date.AddDate(-50, 0, 0).Format(http.TimeFormat), "", 0, DefaultBackoffMin, "503"},
		{503, "-5", "", 0, DefaultBackoffMin, "503"},
		{503, "0", "", 0, DefaultBackoffMin, "503"},
		{503, "5.5", "", 0, DefaultBackoffMin, "503"},
		{503, "soon", "", 0, DefaultBackoffMin, "503"},
		{502, "", "<html>", 0, DefaultBackoffMin, "502 Bad Gateway: <html>"},
		{500, "", `{"error":"internal","reason":"a1b2"}`, 0, DefaultBackoffMin, "a1b2: internal"},
		{408, "", "", 0, DefaultBackoffMin, "408"},
		{403, "", `{"error":"forbidden","reason":"origin"}`, 0, 0, "origin: forbidden"},
		{401, "", `{"error":"unauthorized"}`, 0, 0, "Unauthorized: unauthorized"},
		{404, "", "", 0, 0, "404 Not Found"},
		{302, "", "<html>log in to the hotel</html>", 0, DefaultBackoffMin, "302 Found"}, // something between, for today
		{200, "", "<!doctype html>\n<html>\x1b[2J" + strings.Repeat("x", 9000), 0, DefaultBackoffMin, "200 OK: <!doctype html>"},
		{502, "", "\x1b[2J" + strings.Repeat("ü", 9000), 0, DefaultBackoffMin, "502 Bad Gateway: [2Jüü"},
	} {
		var told Disconnection
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, Options{OnDisconnect: func(d Disconnection) { told = d }})
			r.refuse = append(r.refuse, func(w http.ResponseWriter) {
				if c.after != "" {
					w.Header().Set("Retry-After", c.after)
				}
				w.WriteHeader(c.status)
				w.Write([]byte(c.body))
			})
			r.run()
			start := time.Now()
			synctest.Wait()
			var no *RefusedError
			if !errors.As(told.Err, &no) || no.Status != c.status || told.Final != (c.to == 0) || !strings.Contains(no.Error(), c.says) {
				t.Fatalf("%d: %+v", c.status, told)
			}
			if text := no.Error(); len(text) > 200 || strings.ContainsFunc(text, unicode.IsControl) {
				t.Errorf("%d: %q", c.status, text)
			}
			if c.to == 0 {
				<-r.done
				return
			}
			r.acceptSilent()
			if d := time.Since(start); d < c.from || d > c.to || d != told.RetryIn {
				t.Errorf("%d: back after %v, told %v", c.status, d, told.RetryIn)
			}
		})
	}
}

func TestOwnWaitsGrow(t *testing.T) {
	b := backoff{first: time.Second, most: 30 * time.Second}
	for i, seconds := range []int{1, 2, 4, 8, 16, 30, 30, 30} {
		if w := b.next(0); w != (window{0, time.Duration(seconds) * time.Second}) {
			t.Errorf("window %d is %v", i, w)
		}
	}
	for range 100 {
		b.next(time.Second)
	}
	if w := b.next(29 * time.Second); w.to != 30*time.Second {
		t.Errorf("after a short life: %v", w)
	}
	if w := b.next(30 * time.Second); w.to != time.Second {
		t.Errorf("after a long life: %v", w)
	}
}

// A window beyond what a client takes still spreads those who have it.
func TestWindowsBeyondTheBoundsSpread(t *testing.T) {
	far := window{retryMax / 2, retryMax}
	for _, w := range []window{
		milliseconds(math.MaxInt64, math.MaxInt64), milliseconds(700_000, 800_000), milliseconds(600_000, 600_000),
		retryAfter("600", time.Now()), retryAfter("99999999999999999999", time.Now()),
	} {
		if w != far {
			t.Errorf("%v, want %v", w, far)
		}
	}
	for _, w := range []window{milliseconds(math.MinInt64, math.MinInt64), milliseconds(0, 0), retryAfter("", time.Now()), retryAfter("NaN", time.Now())} {
		if w != (window{}) {
			t.Errorf("%v, want none", w)
		}
	}
}

// Attempts are spread over the whole window.
func TestWindowsAreUsedInFull(t *testing.T) {
	w := window{time.Second, 5 * time.Second}
	var quarters [4]int
	for range 4000 {
		d := w.pick()
		if d < w.from || d > w.to {
			t.Fatalf("%v is not in %v", d, w)
		}
		quarters[min(3, (d-w.from)/time.Second)]++
	}
	for i, n := range quarters {
		if n < 700 {
			t.Errorf("quarter %d: %d of 4000", i, n)
		}
	}
}

// A server that can't be reached is tried for ever.
func TestUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		o := Options{OnDisconnect: func(d Disconnection) {
			attempts++
			if d.Final || d.RetryIn > DefaultBackoffMax || !strings.Contains(d.Err.Error(), "no route") {
				t.Errorf("%+v", d)
			}
		}}
		r := newRig(t, o)
		r.dialErr = errors.New("no route")
		r.run()
		time.Sleep(time.Hour)
		r.fake.mu.Lock()
		r.dialErr = nil
		r.fake.mu.Unlock()
		r.accept()
		if attempts < 120 || attempts > 1000 { // an hour of at most 30 s each
			t.Errorf("%d attempts", attempts)
		}
	})
}
