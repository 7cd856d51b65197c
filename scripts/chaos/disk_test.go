package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

func TestStateThatIsKept(t *testing.T) {
	t.Parallel()
	d := disk(t.TempDir())
	topics := newTopics(1)[:2]
	topics[0].id, topics[1].id = "aa", "bb"
	for text, want := range map[string]string{
		`{"partitions":[{"topic":"chaos.steady","id":"aa"},{"topic":"chaos.drop","id":"bb"}]}`: "",
		`{"partitions":[{"topic":"chaos.steady","id":"aa"},{"topic":"chaos.drop","id":"aa"}]}`: "does not have chaos.drop with the id bb",
		`{"partitions":[{"topic":"chaos.steady"`:                                               "unexpected end",
	} {
		if err := os.WriteFile(d.file(erasFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := d.keeps(topics); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if err := d.written(time.Now().Add(-time.Hour)); err != nil {
		t.Error(err)
	}
	if d.written(time.Now().Add(time.Hour)) == nil {
		t.Error("an old state is a new one")
	}
}

func TestWhatTheLogSays(t *testing.T) {
	t.Parallel()
	o := &odind{dir: t.TempDir()}
	if o.logged("it rains") == nil {
		t.Error("no log says so")
	}
	log := `level=INFO msg="it rains"
level=ERROR msg="worker ended unasked" worker=1 exit="signal: killed"
level=ERROR msg="worker ended unasked" worker=2 exit="exit status 2"
level=ERROR msg="worker is stuck: it is made to show its goroutines, and killed" worker=3 pid=7
level=ERROR msg="worker ended unasked" worker=3 pid=7 exit="signal: aborted" up_ms=11280
level=ERROR msg="worker ended unasked" worker=3 pid=8 exit="signal: aborted" up_ms=11280
level=ERROR msg="panic: it pours"
fatal error: all goroutines are asleep
`
	if err := os.WriteFile(o.file("odind.log"), []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	if o.logged("it rains") != nil || o.logged("it snows") == nil {
		t.Errorf("%v, %v", o.logged("it rains"), o.logged("it snows"))
	}
	if crashes := o.crashes(); len(crashes) != 4 || strings.Contains(crashes[0], "killed") || !strings.Contains(crashes[1], "pid=8") {
		t.Errorf("%q", crashes)
	}
}

func TestWhatHealthSaysOfState(t *testing.T) {
	t.Parallel()
	status := "degraded"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"status":"degraded","checks":{"state":{"value":1,"status":%q}}}`, status)
	}))
	defer server.Close()
	o := &odind{operator: strings.TrimPrefix(server.URL, "http://")}
	if err := o.saysOfState("degraded"); err != nil {
		t.Error(err)
	}
	if o.saysOfState("healthy") == nil {
		t.Error("degraded is healthy")
	}
}
