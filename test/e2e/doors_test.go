package e2e

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

// TestConnectionLimit wants who comes beyond the limit to be refused in words and
// asked to come later, and those inside not to notice.
func TestConnectionLimit(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 1)
	s := startOdind(t, options{workers: 1, brokers: b.addr, limits: map[string]string{"connections_max": "3"}})
	clients := []*client{connect(t, s), connect(t, s), connect(t, s)}
	for _, c := range clients {
		c.subscribe(t, "*.*")
	}
	for range 20 {
		var r *refusal
		if _, err := dial(s); !errors.As(err, &r) || r.code != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" {
			t.Fatalf("beyond the limit: %v", err)
		}
	}
	r := mustDo[*raw](t)(rawDial(s, 0))
	defer r.Close()
	mustDo[int](t)(r.WriteString(handshake + "\r\n"))
	must(t, r.refused(http.StatusServiceUnavailable, "overloaded"))
	if n := s.metrics(t).sum(t, "odin_connections_refused_total", "reason", "connections"); n != 21 {
		t.Errorf("%v refused", n)
	}
	b.produce(t, batch(5, "FULL.trade")...)
	for _, c := range clients {
		b.settle(t, c)
	}
	clients[0].close()
	eventually(t, soon, "there is room again", func() (bool, string) {
		c, err := tryConnect(s)
		if err != nil {
			return false, err.Error()
		}
		c.close()
		return true, ""
	})
	s.stop(t)
}

// TestOrigins lists an origin: browsers of it get in, those of others don't, and
// what isn't a browser sends none.
func TestOrigins(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 1)
	s := startOdind(t, options{brokers: b.addr, env: []string{"ODIN_ORIGINS=https://app.example.com"}})
	try := func(origin string) *raw {
		r := mustDo[*raw](t)(rawDial(s, 0))
		t.Cleanup(func() { r.Close() })
		mustDo[int](t)(r.WriteString(handshake + origin + "\r\n"))
		return r
	}
	must(t, try("Origin: https://app.example.com\r\n").upgraded())
	must(t, try("").upgraded())
	for _, foreign := range []string{"https://evil.example.com", "http://app.example.com", "https://app.example.com.evil.com", "null"} {
		if err := try("Origin: "+foreign+"\r\n").refused(http.StatusForbidden, "forbidden"); err != nil {
			t.Errorf("%s: %v", foreign, err)
		}
	}
	if code, err := workerHealth(s); err != nil || code != http.StatusOK {
		t.Errorf("/health on the clients' port: %d, %v", code, err)
	}
	for _, path := range []string{"/", "/metrics", "/ws/x"} {
		get := strings.Replace(handshake, "/ws", path, 1) + "\r\n"
		if err := inPlaceOfHandshake(http.StatusNotFound, "not_found", get)(s); err != nil {
			t.Errorf("%s on the clients' port: %v", path, err)
		}
	}
	s.stop(t)
}
