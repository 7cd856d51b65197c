package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// odind is the service under test, over all of its restarts.
type odind struct {
	world    *world
	ws       string // address for clients
	operator string // address
	brokers  string // addresses that it knows
	dir      string
	disk     disk   // of its state
	mark     string // in the environment of all of its processes

	mu       sync.Mutex
	cmd      *exec.Cmd
	ended    chan struct{} // closed when the supervisor is gone
	expected bool          // that it goes
}

func (w *world) newOdind() (*odind, error) {
	host := fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(250), 1+rand.IntN(250), 1+rand.IntN(250))
	o := &odind{world: w, ws: host + ":3001", operator: host + ":9464", brokers: strings.Join(w.cluster.BehindAddrs(), ","), dir: w.stage.TempDir(), mark: "CHAOS_MARK=" + host}
	var err error
	if o.disk, err = w.mount(o.file("state")); err != nil {
		return nil, err
	}
	return o, os.WriteFile(o.file("odin.yaml"), []byte(o.config()), 0o600)
}

func (o *odind) file(name string) string { return filepath.Join(o.dir, name) }
func (o *odind) url() string             { return "ws://" + o.ws + "/ws" }

// When clients that odind closes are to come back.
const (
	windowMin = 100 * time.Millisecond
	windowMax = time.Second
)

// config has limits that bring about in minutes what else takes hours.
func (o *odind) config() string {
	var b strings.Builder
	fmt.Fprintf(&b, "listen: %q\nworkers: %d\nruntime_dir: %q\nstate_dir: %q\n", o.ws, o.world.options.workers, o.file("run"), o.file("state"))
	fmt.Fprintf(&b, "operator: {listen: %q}\nlog: {format: text}\n", o.operator)
	fmt.Fprintf(&b, "kafka: {brokers: %q}\nroutes:\n", o.brokers)
	for _, t := range o.world.topics {
		fmt.Fprintf(&b, "  - {topic: %s, channel: \"{key}.%s\", slow: %s}\n", t.name, t.event, t.slow)
	}
	b.WriteString(`limits:
  owed_bytes_max: 128KiB
  ping_interval_ms: 5000
  history_ms_max: 30000
  history_refill_ms: 60000
  history_records_max: 3000
  topology_refresh_ms: 1000
  stop_ms: 1000
  respawn_ms_max: 1000
  respawn_reset_ms: 2000
  respawn_attempts_max: 1000
`)
	fmt.Fprintf(&b, "  retry_ms_min: %d\n  retry_ms_max: %d\n", windowMin.Milliseconds(), windowMax.Milliseconds())
	return b.String()
}

// crashes are the lines of its log that tell of panics, and of workers that
// ended by something else than being killed, as is done to them: those that were
// frozen for so long that they were to show their goroutines may thaw and do so.
func (o *odind) crashes() (lines []string) {
	text, _ := os.ReadFile(o.file("odind.log"))
	stuck := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		pid := field(line, "pid")
		if strings.Contains(line, "worker is stuck") {
			stuck[pid] = true
		}
		meant := strings.Contains(line, `exit="signal: killed"`) || stuck[pid] && strings.Contains(line, `exit="signal: aborted"`)
		if strings.Contains(line, "worker ended unasked") && !meant || strings.Contains(line, "panic") || strings.HasPrefix(line, "fatal error:") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// field is the value of a field of a line of the log, which has no spaces.
func field(line, name string) string {
	_, value, _ := strings.Cut(line, " "+name+"=")
	value, _, _ = strings.Cut(value, " ")
	return strings.TrimSpace(value)
}

// start runs odind and returns once it is ready.
func (o *odind) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		if err := o.launch(); err != nil {
			return err
		}
		ready, err := o.await(ctx)
		if ready || err != nil {
			return err
		}
		// what is left of the last one may hold the port or the lock
		time.Sleep(200 * time.Millisecond)
	}
}

func (o *odind) launch() error {
	log, err := os.OpenFile(o.file("odind.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(o.world.options.programs, "odind"), "--config", o.file("odin.yaml"))
	cmd.Env = append(os.Environ(), o.mark)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	ended, result := make(chan struct{}), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the death signal follows the thread
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		result <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(ended)
	}()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cmd, o.ended, o.expected = cmd, ended, true
	return <-result
}

// await returns false when odind ended because something is in its way still.
func (o *odind) await(ctx context.Context) (ready bool, err error) {
	for tick := time.Tick(50 * time.Millisecond); ; {
		select {
		case <-o.ended:
			if code := o.cmd.ProcessState.ExitCode(); code != 3 {
				return false, fmt.Errorf("odind ended with %d before it was ready", code)
			}
			return false, nil
		case <-ctx.Done():
			return false, errors.New("odind is not ready within two minutes")
		case <-tick:
		}
		if code, _, err := o.get("/readyz"); err == nil && code == http.StatusOK {
			o.expect(false)
			return true, nil
		}
	}
}

func (o *odind) expect(end bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.expected = end
}

// surprise tells whether odind has ended though nothing was done to it.
func (o *odind) surprise() (string, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case <-o.ended:
		return o.cmd.ProcessState.String(), !o.expected
	default:
		return "", false
	}
}

// stop ends odind as a service manager does.
func (o *odind) stop() error {
	o.expect(true)
	_ = o.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-o.ended:
		if code := o.cmd.ProcessState.ExitCode(); code != 0 {
			return fmt.Errorf("odind ended with %d when it was told to", code)
		}
		return nil
	case <-time.After(30 * time.Second):
		return errors.New("odind has not ended within 30 s of being told to")
	}
}

// killSupervisor leaves the workers to themselves, and waits for their end.
func (o *odind) killSupervisor() error {
	o.expect(true)
	_ = o.cmd.Process.Kill()
	<-o.ended
	for deadline := time.Now().Add(30 * time.Second); len(o.pids()) > 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			return errors.New("workers have outlived their supervisor by 30 s")
		}
	}
	return nil
}

// killAll ends every process at once, a supervisor that never was included.
func (o *odind) killAll() {
	if o.cmd == nil {
		return
	}
	o.expect(true)
	for pids := o.pids(); len(pids) > 0; pids = o.pids() {
		send(pids, syscall.SIGKILL)
		time.Sleep(10 * time.Millisecond)
	}
	<-o.ended
}

func send(pids []int, sig syscall.Signal) {
	for _, pid := range pids {
		_ = syscall.Kill(pid, sig)
	}
}

// pids are all processes of odind, those of a supervisor that is gone too: they
// carry the mark.
func (o *odind) pids() (pids []int) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if bytes.Contains(environ, []byte(o.mark+"\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// status is what is needed of /api/status.
type status struct {
	Workers []struct {
		PID   int    `json:"pid"`
		State string `json:"state"`
	} `json:"workers"`
	Partitions []struct {
		Owner *int `json:"owner"`
	} `json:"partitions"`
}

func (o *odind) status() (s status, err error) {
	_, body, err := o.get("/api/status")
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(body, &s)
}

func (o *odind) get(path string) (code int, body []byte, err error) {
	client := http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + o.operator + path)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(answer.Body)
	return answer.StatusCode, b.Bytes(), err
}

// workers are the pids of the workers, and those of the owners, a pid for each
// partition.
func (o *odind) workers() (all, owners []int) {
	s, err := o.status()
	if err != nil {
		return nil, nil
	}
	for _, w := range s.Workers {
		if w.PID > 0 && w.State != "gone" {
			all = append(all, w.PID)
		}
	}
	for _, p := range s.Partitions {
		if p.Owner != nil && *p.Owner < len(s.Workers) && s.Workers[*p.Owner].PID > 0 {
			owners = append(owners, s.Workers[*p.Owner].PID)
		}
	}
	return all, owners
}
