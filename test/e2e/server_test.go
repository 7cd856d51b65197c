package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// options of an odind under test.
type options struct {
	workers int               // 2 unless given
	brokers string            // HOST:PORT
	host    string            // a new one unless given
	dir     string            // runtime directory, a new one unless given
	limits  map[string]string // keys under limits., without that prefix
	args    []string          // besides the usual
	env     []string          // besides the limits
	program string            // odind unless given
	stderr  *os.File          // its log is taken down unless given
}

// server is one odind.
type server struct {
	*process
	host    string
	dir     string
	options options
}

// readyLine is what standard output carries, and all that it carries.
var readyLine = regexp.MustCompile(`^ready ws=ws://(\S+)/ws operator=http://(\S+) runtime=(\S+)\n$`)

// startOdind starts an odind and waits until it is ready.
func startOdind(t testing.TB, o options) *server {
	t.Helper()
	s := launchOdind(t, o)
	s.waitReady(t, longer)
	return s
}

// launchOdind starts an odind and waits for nothing.
func launchOdind(t testing.TB, o options) *server {
	t.Helper()
	if o.workers == 0 {
		o.workers = 2
	}
	if o.host == "" {
		o.host = nextHost()
	}
	if o.dir == "" {
		o.dir = filepath.Join(t.TempDir(), "run")
	}
	args := append([]string{
		"--listen", o.host + ":3001", "--operator-listen", o.host + ":9464", "--runtime-dir", o.dir,
		"--workers", fmt.Sprint(o.workers), "--brokers", o.brokers, "--log-format", "text",
	}, o.args...)
	// A stop that spreads its closes over 5 s would make every test as long.
	env := append([]string{"ODIN_LIMITS_STOP_MS=200"}, o.env...)
	for key, value := range o.limits {
		env = append(env, "ODIN_LIMITS_"+strings.ToUpper(key)+"="+value)
	}
	return &server{process: startProcessTo(t, o.stderr, cmp.Or(o.program, "odind"), args, env), host: o.host, dir: o.dir, options: o}
}

// waitReady waits for the ready line and checks that it tells the truth.
func (s *server) waitReady(t testing.TB, within time.Duration) {
	t.Helper()
	eventually(t, within, "ready line", func() (bool, string) {
		if !s.running() {
			t.Fatalf("odind ended before it was ready, exit code %d", s.cmd.ProcessState.ExitCode())
		}
		return strings.Contains(s.out.String(), "\n"), s.readyz()
	})
	m := readyLine.FindStringSubmatch(s.out.String())
	if m == nil || m[1] != s.host+":3001" || m[2] != s.host+":9464" || m[3] != s.dir {
		t.Fatalf("standard output is %q", s.out.String())
	}
	if n := len(s.descendants()); n != 1+s.options.workers {
		t.Fatalf("%d processes for %d workers", n, s.options.workers)
	}
	if code, body := s.get(t, "/readyz"); code != http.StatusOK {
		t.Fatalf("/readyz says %d %s behind the ready line", code, body)
	}
}

func (s *server) readyz() string {
	code, body, err := s.fetch("/readyz")
	return fmt.Sprint(code, " ", body, err)
}

// fetch asks the operator's HTTP.
func (s *server) fetch(path string) (code int, body string, err error) {
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get("http://" + s.host + ":9464" + path)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	client.CloseIdleConnections()
	return resp.StatusCode, string(all), err
}

func (s *server) get(t testing.TB, path string) (code int, body string) {
	t.Helper()
	code, body, err := s.fetch(path)
	if err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	return code, body
}

// signal sends one to the supervisor.
func (s *server) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	must(t, syscall.Kill(s.pid(), sig))
}

// stop ends odind as a service manager does and wants a clean end.
func (s *server) stop(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGTERM)
	if code := s.code(t, soon); code != 0 {
		t.Errorf("odind ended with %d", code)
	}
	if left := s.descendants(); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
}

// status is what `odinctl status --json` prints (protocol.md section 4).
type status struct {
	Version      string  `json:"version"`
	PID          int     `json:"pid"`
	State        string  `json:"state"`
	Uptime       float64 `json:"uptime_s"`
	ConfigDigest string  `json:"config_digest"`

	PendingRestart []string `json:"pending_restart"`
	ReloadRefused  bool     `json:"reload_refused"`
	Warnings       []string `json:"warnings"`

	Listen     any               `json:"listen"`
	Workers    []workerStatus    `json:"workers"`
	Sessions   int               `json:"sessions"`
	Deliveries uint64            `json:"deliveries"`
	Partitions []partitionStatus `json:"partitions"`
	Balance    float64           `json:"balance"`
	Drain      *drainStatus      `json:"drain"`
}

type drainStatus struct {
	Left int  `json:"sessions_left"`
	Done bool `json:"done"`
}

type workerStatus struct {
	Slot         int     `json:"slot"`
	PID          int     `json:"pid"`
	Generation   uint32  `json:"generation"`
	State        string  `json:"state"`
	Sessions     int     `json:"sessions"`
	Deliveries   uint64  `json:"deliveries"`
	CPU          float64 `json:"cpu_s"`
	HeartbeatAge float64 `json:"heartbeat_age_ms"`
}

type partitionStatus struct {
	Topic     string  `json:"topic"`
	Partition int32   `json:"partition"`
	Owner     *int    `json:"owner"`
	Term      uint32  `json:"term"`
	Position  int64   `json:"position"`
	Lag       int64   `json:"lag"`
	LagS      float64 `json:"lag_s"`
}

// status asks odinctl, as a user does.
func (s *server) status(t testing.TB) status {
	t.Helper()
	code, out, stderr := runProgram(t, "odinctl", "--runtime-dir", s.dir, "--json", "status")
	if code != 0 {
		t.Fatalf("odinctl status: exit %d: %s", code, stderr)
	}
	return parseStatus(t, out)
}

// apiStatus asks the supervisor's HTTP, which is cheaper to do often.
func (s *server) apiStatus(t testing.TB) status {
	t.Helper()
	_, body := s.get(t, "/api/status")
	return parseStatus(t, body)
}

func parseStatus(t testing.TB, text string) status {
	t.Helper()
	var st status
	if err := json.Unmarshal([]byte(text), &st); err != nil {
		t.Fatalf("status is not what was agreed: %v\n%s", err, text)
	}
	return st
}

// worker is the pid of the slot's present incarnation.
func (s *server) worker(t testing.TB, slot int) int {
	t.Helper()
	st := s.apiStatus(t)
	if slot >= len(st.Workers) || st.Workers[slot].Slot != slot || st.Workers[slot].PID <= 0 {
		t.Fatalf("no worker %d in %+v", slot, st.Workers)
	}
	return st.Workers[slot].PID
}
