package supervisor

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/odin-ws/odin/internal/live"
	"github.com/odin-ws/odin/shm"
)

// stream opens /api/events; the body ends with the test.
func (o *odind) stream() (*http.Response, *bufio.Reader) {
	o.t.Helper()
	client := http.Client{}
	answer, err := client.Get("http://" + o.operator + "/api/events")
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { answer.Body.Close(); client.CloseIdleConnections() })
	return answer, bufio.NewReader(answer.Body)
}

// hear reads until a line begins so.
func hear(t *testing.T, in *bufio.Reader, begin string) string {
	t.Helper()
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatalf("no %q: %v", begin, err)
		}
		if strings.HasPrefix(line, begin) {
			return line
		}
	}
}

// TestStopWhileWatched: who watches sees the end coming, and holds up nothing.
func TestStopWhileWatched(t *testing.T) {
	o := serve(t, quick(t, 2))
	answer, in := o.stream()
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || kind != "text/event-stream" {
		t.Fatalf("%s, %s", answer.Status, kind)
	}
	hear(t, in, "event: history")
	for state := ""; !strings.Contains(state, `"state":"ready"`); {
		hear(t, in, "event: status")
		state = hear(t, in, "data: ")
	}
	o.signal(syscall.SIGTERM)
	_, _ = io.Copy(io.Discard, in)
	if code := o.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestScrapedWhileWatched: pages take no place of those who scrape.
func TestScrapedWhileWatched(t *testing.T) {
	o := serve(t, quick(t, 1))
	for range live.ViewersMax {
		_, in := o.stream()
		hear(t, in, "event: status")
	}
	more, in := o.stream()
	if text, _ := io.ReadAll(in); more.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(text), "watching already") {
		t.Errorf("%s %q", more.Status, text)
	}
	_, metrics := o.get("/metrics")
	for _, line := range []string{"odin_page_viewers 32\n", "odin_page_viewers_refused_total 1\n"} {
		if !strings.Contains(metrics, line) {
			t.Errorf("no %q", line)
		}
	}
	if code, _ := o.get("/api/partitions?topic=none"); code != http.StatusNotFound {
		t.Errorf("partitions of no topic: %d", code)
	}
}

func TestOwnHost(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1:9464": true, "127.0.0.1": true, "[::1]:9464": true, "[::1]": true, "[fe80::1%eth0]:9464": true,
		"localhost:9464": true, "LOCALHOST.": true, "odin.localhost:80": true, "": true, "fra-2:9464": true,
		"node.example.com:9464": true, "Node.Example.COM": true,
		"evil.example.com:9464": false, "evil.example.com": false, "127.0.0.1.evil.com": false, "localhost.evil.com": false,
		"evil.com.": false, "example.com": false, "1.2.3": false, "a.b\x00": false,
	} {
		if got := ownHost(host, "node.example.com"); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

// TestNameOfSomebodyElse: a page whose name was turned to our address reads nothing.
func TestNameOfSomebodyElse(t *testing.T) {
	o := serve(t, quick(t, 1))
	for _, path := range []string{"/", "/api/status", "/api/events", "/api/partitions", "/metrics"} {
		r, err := http.NewRequest(http.MethodGet, "http://"+o.operator+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "rebound.example.com"
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != http.StatusForbidden || !strings.Contains(string(text), "Host: localhost") {
			t.Errorf("%s: %s %q", path, answer.Status, text)
		}
	}
	if n := o.counter(shm.RequestsOfOtherHosts); n != 5 {
		t.Errorf("%d counted", n)
	}
}

// TestNamesAtAnAddressForAll: there anybody may call us anything.
func TestNamesAtAnAddressForAll(t *testing.T) {
	cfg := quick(t, 1)
	cfg.Operator.Listen = "0.0.0.0:0"
	o := serve(t, cfg)
	r := httptest.NewRequest(http.MethodGet, "http://"+o.operator+"/livez", nil)
	r.RequestURI, r.Host = "", "odin.example.com"
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Error(answer.Status)
	}
}
