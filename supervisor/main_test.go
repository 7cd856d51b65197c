package supervisor

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/journal"
	"github.com/odin-ws/odin/shm"
)

// configVariable makes the test binary an odind with this configuration.
const configVariable = "ODIN_TEST_CONFIG"

// TestMain re-executes this binary as odind, and by its hand as workers.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 2 && os.Args[0] == "odind" && os.Args[1] == "worker":
		os.Exit(actorMain())
	case os.Getenv(configVariable) != "":
		os.Exit(odindMain())
	}
	os.Exit(m.Run())
}

// odindMain is what cmd/odind does.
func odindMain() int {
	runtime.LockOSThread()
	var cfg config.Config
	if err := json.Unmarshal([]byte(os.Getenv(configVariable)), &cfg); err != nil {
		return fail(err)
	}
	log, err := journal.Open(os.Stderr, journal.Options{Level: "debug", Format: journal.Text})
	if err != nil {
		return fail(err)
	}
	defer log.Close()
	err = Run(context.Background(), cfg, Options{
		Version: "v0.0.0-test",
		Log:     log,
		Ready:   func(i ReadyInfo) { fmt.Printf("ready %s %s %s\n", i.WS, i.Operator, i.RuntimeDir) },
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "odind:", err)
	}
	return ExitCode(err)
}

// quick is a configuration with times that suit a test on a busy machine.
func quick(t *testing.T, workers int) config.Config {
	t.Helper()
	cfg := settings(workers)
	cfg.Listen, cfg.Operator.Listen = "127.0.0.1:0", "127.0.0.1:0"
	cfg.RuntimeDir = filepath.Join(t.TempDir(), "run")
	cfg.StateDir = cfg.RuntimeDir
	cfg.Limits.PartitionsMax = 64
	cfg.Limits.HeartbeatBeat = 20 * time.Millisecond
	cfg.Limits.HeartbeatSuspect = 500 * time.Millisecond
	cfg.Limits.HeartbeatDead = 2 * time.Second
	cfg.Limits.LendAfter = 100 * time.Millisecond
	cfg.Limits.RespawnFirst = 20 * time.Millisecond
	cfg.Limits.RespawnMax = 100 * time.Millisecond
	cfg.Limits.StopOver = 100 * time.Millisecond
	cfg.Limits.StopMax = 2 * time.Second
	return cfg
}

// patience is how long a test waits for what should come at once.
const patience = 30 * time.Second

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// odind is a running one.
type odind struct {
	t     *testing.T
	cfg   config.Config
	cmd   *exec.Cmd
	lines chan string // of standard output
	ended chan struct{}

	mu  sync.Mutex
	log bytes.Buffer

	ws, operator string // HOST:PORT
}

// Write takes standard error.
func (o *odind) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log.Write(p)
}

func (o *odind) logged() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log.String()
}

// begin starts an odind and does not wait for anything.
func begin(t *testing.T, cfg config.Config, env ...string) *odind {
	t.Helper()
	encoded, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	o := &odind{t: t, cfg: cfg, lines: make(chan string, 4), ended: make(chan struct{})}
	o.cmd = exec.Command(os.Args[0])
	o.cmd.Env = append(append(os.Environ(), configVariable+"="+string(encoded)), env...)
	stderr, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	o.cmd.Stderr = w
	stdout, err := o.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := o.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	go func() { _, _ = io.Copy(o, stderr) }()
	go o.await(stdout)
	t.Cleanup(o.clear)
	return o
}

func (o *odind) await(stdout io.Reader) {
	for in := bufio.NewScanner(stdout); in.Scan(); {
		o.lines <- in.Text()
	}
	_ = o.cmd.Wait()
	close(o.ended)
}

// clear leaves nothing behind, whatever happened.
func (o *odind) clear() {
	pids := o.pids()
	_ = o.cmd.Process.Kill()
	<-o.ended
	for _, pid := range pids {
		if !hasEnded(pid) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	if o.t.Failed() {
		o.t.Logf("log of odind:\n%s", o.logged())
	}
}

// serve starts an odind and waits for its ready line.
func serve(t *testing.T, cfg config.Config, env ...string) *odind {
	t.Helper()
	o := begin(t, cfg, env...)
	o.awaitReady()
	return o
}

func (o *odind) awaitReady() {
	o.t.Helper()
	select {
	case line := <-o.lines:
		var ws, operator, dir string
		if n, err := fmt.Sscanf(line, "ready %s %s %s", &ws, &operator, &dir); n != 3 || dir != o.cfg.RuntimeDir {
			o.t.Fatalf("printed %q: %v", line, err)
		}
		o.ws = strings.TrimSuffix(strings.TrimPrefix(ws, "ws://"), "/ws")
		o.operator = strings.TrimPrefix(operator, "http://")
	case <-o.ended:
		o.t.Fatalf("ended: %v", o.cmd.ProcessState)
	case <-time.After(patience):
		o.t.Fatal("never ready")
	}
}

// exit waits for the end and gives its code.
func (o *odind) exit() int {
	o.t.Helper()
	select {
	case <-o.ended:
		return o.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		o.t.Fatal("never ended")
		return -1
	}
}

func (o *odind) signal(s syscall.Signal) {
	o.t.Helper()
	if err := o.cmd.Process.Signal(s); err != nil {
		o.t.Fatal(err)
	}
}

// look reads something from the segment, as odinctl does.
func look[T any](o *odind, read func(*shm.Segment) T) T {
	o.t.Helper()
	segment, err := shm.Open(filepath.Join(o.cfg.RuntimeDir, segmentName))
	if err != nil {
		o.t.Fatal(err)
	}
	defer segment.Close()
	return read(segment)
}

// pid of the worker in a slot.
func (o *odind) pid(slot int) int {
	return look(o, func(s *shm.Segment) int { return s.Slot(slot).Pid() })
}

// pids of all workers, none if there is no segment.
func (o *odind) pids() (all []int) {
	segment, err := shm.Open(filepath.Join(o.cfg.RuntimeDir, segmentName))
	if err != nil {
		return nil
	}
	defer segment.Close()
	for i := range segment.Layout().Slots {
		if pid := segment.Slot(i).Pid(); pid != 0 {
			all = append(all, pid)
		}
	}
	return all
}

func (o *odind) counter(c shm.SupervisorCounter) uint64 {
	return look(o, func(s *shm.Segment) uint64 { return s.Process().Counter(c) })
}

// owned counts the partitions of a slot's present worker.
func (o *odind) owned(slot int) int {
	return look(o, func(s *shm.Segment) (n int) {
		for i := range s.Partitions() {
			if s.Owner(i).Is(slot, s.Slot(slot).Generation()) {
				n++
			}
		}
		return n
	})
}

func (o *odind) state(slot int) shm.State {
	return look(o, func(s *shm.Segment) shm.State { return s.Slot(slot).State() })
}

// hasEnded tells that a process has ended (a zombie has).
func hasEnded(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return true
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(after, "Z")
}

// hello connects as a client and reads who answers.
func (o *odind) hello() (who string, err error) {
	conn, err := net.DialTimeout("tcp", o.ws, patience)
	if err != nil {
		return "", fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	if err == nil && len(answer) == 0 {
		err = io.ErrUnexpectedEOF
	}
	return strings.TrimSpace(string(answer)), err
}

// get asks the operator's HTTP.
func (o *odind) get(path string) (code int, body string) {
	o.t.Helper()
	client := http.Client{Timeout: patience}
	defer client.CloseIdleConnections()
	answer, err := client.Get("http://" + o.operator + path)
	if err != nil {
		o.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}
