package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/odin-ws/odin/cmd/internal/clitest"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestDemoSaysThatItIsReady(t *testing.T) {
	t.Parallel()
	d := bin.StartDemo(t, "--rate", "0")
	if want := regexp.MustCompile(`^ready ws=ws://127\.0\.0\.1:\d+/ws operator=http://127\.0\.0\.1:\d+ broker=127\.0\.0\.1:\d+ runtime=/\S+$`); !want.MatchString(d.Said) {
		t.Errorf("ready line %q", d.Said)
	}
	if code, _ := get(t, d.Ready["operator"]+"/readyz"); code != http.StatusOK {
		t.Errorf("/readyz answers %d after the ready line", code)
	}
	info, err := os.Stat(d.Ready["runtime"])
	if err != nil || !info.IsDir() || info.Mode().Perm() != 0o700 {
		t.Errorf("runtime directory: %v, %v", info, err)
	}
	workers := d.Children()
	if len(workers) != 2 {
		t.Errorf("workers %v", workers)
	}
	d.Signal(syscall.SIGTERM)
	if code, rest := d.Wait(); code != 0 || len(rest) != 0 {
		t.Errorf("exit %d, more on standard output: %q", code, rest)
	}
	if _, err := os.Stat(d.Ready["runtime"]); !os.IsNotExist(err) {
		t.Errorf("the temporary directory is left behind: %v", err)
	}
	for _, pid := range workers {
		if err := syscall.Kill(pid, 0); err == nil {
			t.Errorf("worker %d is left behind", pid)
		}
	}
	for _, name := range []string{"ws", "operator", "broker"} {
		address := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(d.Ready[name])
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			t.Errorf("%s still listens", name)
		}
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// subscribe connects as a browser does.
func subscribe(t *testing.T, url string, channels ...string) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.WriteJSON(wire.ClientRequest{Type: "subscribe", Data: &wire.ClientData{Channels: channels}}); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for {
		if m := read(t, conn); m.Type == "subscription_ack" {
			if len(m.Subscribed) != len(channels) {
				t.Fatalf("subscribed %v, rejected %v", m.Subscribed, m.Rejected)
			}
			return conn
		}
	}
}

func read(t *testing.T, conn *websocket.Conn) (m wire.ServerMessage) {
	t.Helper()
	if err := conn.ReadJSON(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestDemoServesTheMarket sees every topic's channel, and what somebody else
// produces to the broker.
func TestDemoServesTheMarket(t *testing.T) {
	t.Parallel()
	d := bin.StartDemo(t, "--rate", "200")
	events := map[string]bool{}
	for conn := subscribe(t, d.Ready["ws"], "*.trade", "*.liquidity", "*.metadata", "*.social", "*.community", "*.creation", "*.analytics", "*.balances"); len(events) < 8; {
		if m := read(t, conn); m.Type == "message" {
			_, event, _ := strings.Cut(m.Channel, ".")
			events[event] = true
		}
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(d.Ready["broker"]))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn := subscribe(t, d.Ready["ws"], "MINE.trade")
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "odin.trades", Key: []byte("MINE"), Value: []byte(`{"my":1}`)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	for {
		if m := read(t, conn); m.Type == "message" {
			if string(m.Data) != `{"my":1}` {
				t.Errorf("got %s", m.Data)
			}
			return
		}
	}
}

// TestServe runs odind itself against a demo's broker: it prints the same line
// without a broker, and its log is JSON, a line each.
func TestServe(t *testing.T) {
	t.Parallel()
	d := bin.StartDemo(t, "--rate", "0")
	dir := t.TempDir()
	p := bin.Start(t, clitest.Command{
		Program: "odind", Dir: dir,
		Args: []string{"--brokers", d.Ready["broker"], "--runtime-dir", "run"},
		Env:  []string{"ODIN_LISTEN=127.0.0.1:0", "ODIN_OPERATOR_LISTEN=127.0.0.1:0", "NUM_SHARDS=1", "ODIN_NODE=n1"},
	})
	ready := clitest.ParseReady(t, p.Line())
	if _, has := ready["broker"]; has || ready["runtime"] != dir+"/run" {
		t.Errorf("ready line %v", ready)
	}
	conn, _, err := websocket.DefaultDialer.Dial(ready["ws"], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if m := read(t, conn); m.Type != "hello" || m.Node != "n1" {
		t.Errorf("hello is %+v", m)
	}
	conn.Close()
	p.Signal(syscall.SIGINT)
	if code, rest := p.Wait(); code != 0 || len(rest) != 0 {
		t.Errorf("exit %d, more on standard output: %q", code, rest)
	}
	checkLog(t, p.Stderr())
}

func checkLog(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		var record struct {
			Time       time.Time
			Level, Msg string
			PID        int
		}
		if err := json.Unmarshal([]byte(line), &record); err != nil || record.Time.IsZero() || record.Level == "" || record.Msg == "" || record.PID == 0 {
			t.Errorf("log line %q: %+v, %v", line, record, err)
		}
		if n := strings.Count(line, `"pid":`); n != 1 {
			t.Errorf("%d pids in %q", n, line)
		}
	}
}

// TestCannotStart: what is taken is named, with a way out, and nothing is left
// behind.
func TestCannotStart(t *testing.T) {
	t.Parallel()
	d := bin.StartDemo(t, "--rate", "0", "--runtime-dir", t.TempDir()+"/run")
	address := func(name string) string { return regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(d.Ready[name]) }
	for name, c := range map[string]struct {
		flags []string
		wants []string
	}{
		"broker":      {[]string{"--broker-listen", address("broker")}, []string{address("broker"), "address already in use", "--broker-listen"}},
		"listen":      {[]string{"--listen", address("ws")}, []string{address("ws")}},
		"operator":    {[]string{"--operator-listen", address("operator")}, []string{address("operator")}},
		"runtime dir": {[]string{"--runtime-dir", d.Ready["runtime"]}, []string{d.Ready["runtime"], "running already"}},
	} {
		t.Run(name, func(t *testing.T) {
			temp := t.TempDir()
			args := []string{"demo", "--rate", "0", "--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0", "--broker-listen", "127.0.0.1:0"}
			got := bin.Run(t, clitest.Command{Program: "odind", Args: append(args, c.flags...), Env: []string{"TMPDIR=" + temp}})
			if got.Code != 3 || got.Stdout != "" {
				t.Errorf("exit %d, %q", got.Code, got.Stdout)
			}
			for _, want := range c.wants {
				if !strings.Contains(got.Stderr, want) {
					t.Errorf("no %q in %q", want, got.Stderr)
				}
			}
			if left, err := os.ReadDir(temp); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
	if code, _ := get(t, d.Ready["operator"]+"/readyz"); code != http.StatusOK {
		t.Errorf("the running one answers %d", code)
	}
}

// TestGivenUp: workers that all fail for good end odind, with their reason in
// the log. The authorities' file is there, but holds no certificate.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "ca.pem", "nonsense")
	got := bin.Run(t, clitest.Command{
		Program: "odind", Dir: dir,
		Args: []string{"--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0", "--runtime-dir", "run", "--workers", "1", "--brokers", "127.0.0.1:1"},
		Env:  []string{"ODIN_KAFKA_TLS_ENABLED=true", "ODIN_KAFKA_TLS_CA_FILE=ca.pem", "ODIN_LIMITS_RESPAWN_ATTEMPTS_MAX=2", "ODIN_LIMITS_RESPAWN_MS_FIRST=1"},
	})
	if got.Code != 4 || got.Stdout != "" || !strings.Contains(got.Stderr, "ca.pem") || !strings.Contains(got.Stderr, "odind: every worker keeps failing") {
		t.Errorf("%+v", got)
	}
}
