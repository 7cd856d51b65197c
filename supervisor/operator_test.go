package supervisor

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestOperatorsConnectionsAreBounded(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := newBounded(l, 2)
	accepted := make(chan net.Conn)
	go func() {
		for {
			conn, err := b.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- conn
		}
	}()
	for range 3 {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	first := <-accepted
	defer (<-accepted).Close()
	select {
	case <-accepted:
		t.Fatal("a third one was accepted")
	case <-time.After(50 * time.Millisecond):
	}
	first.Close()
	first.Close() // twice frees one place, not two
	(<-accepted).Close()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, open := <-accepted; open {
		t.Fatal("accepts though it is closed")
	}
}

func TestGate(t *testing.T) {
	var g gate
	inside, release := make(chan struct{}), make(chan struct{})
	calls := 0
	handler := g.guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if calls++; calls == 1 {
			close(inside)
			<-release
		}
	}))
	serve := func() { handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)) }
	go serve()
	<-inside
	closed := make(chan struct{})
	go func() { g.close(); close(closed) }()
	select {
	case <-closed:
		t.Fatal("closed while a handler runs")
	case <-time.After(20 * time.Millisecond):
	}
	close(release)
	<-closed
	serve()
	if calls != 1 {
		t.Error("a handler ran after the end")
	}
}

func TestDocumentThatIsNone(t *testing.T) {
	w := httptest.NewRecorder()
	document(func() (int, any) { return 200, func() {} }).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusInternalServerError {
		t.Fatalf("%d", w.Code)
	}
}

func TestOperatorIsReadOnly(t *testing.T) {
	o := serve(t, quick(t, 1))
	for _, path := range []string{"/metrics", "/health", "/livez", "/readyz", "/api/status", "/api/events", "/api/partitions", "/"} {
		answer, err := http.Post("http://"+o.operator+path, "text/plain", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode < 400 {
			t.Errorf("POST %s: %d", path, answer.StatusCode)
		}
	}
	if code, _ := o.get("/nothing"); code != http.StatusNotFound {
		t.Errorf("/nothing: %d", code)
	}
}

// TestSlowOperatorIsCutOff: who sends no request holds no place for ever.
func TestSlowOperatorIsCutOff(t *testing.T) {
	o := serve(t, quick(t, 1))
	conn, err := net.Dial("tcp", o.operator)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /metrics HTTP/1.1\r\nHost:"); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if _, err := io.ReadAll(conn); errors.As(err, &timeout) && timeout.Timeout() {
		t.Fatal("still open")
	}
}

func TestEnvironment(t *testing.T) {
	for _, c := range []struct{ ours, want []string }{
		{[]string{"A=1"}, []string{"A=1", "GOMAXPROCS=2"}},
		{[]string{"GOMAXPROCS=4", "A="}, []string{"GOMAXPROCS=4", "A="}},
		{[]string{"NOTIFY_SOCKET=/x", "WATCHDOG_USEC=1", "WATCHDOG_PID=2", "WATCHDOG=x"}, []string{"WATCHDOG=x", "GOMAXPROCS=2"}},
	} {
		if got := environment(c.ours); !slices.Equal(got, c.want) {
			t.Errorf("%q becomes %q, want %q", c.ours, got, c.want)
		}
	}
}
