package supervisor

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/shm"
)

func TestServesUntilTerminated(t *testing.T) {
	o := serve(t, quick(t, 3))
	for range 30 {
		if _, err := o.hello(); err != nil {
			t.Fatal(err)
		}
	}
	for path, word := range map[string]string{
		"/livez": "ok", "/readyz": "ready", "/metrics": "odin_respawns_total 0", "/": "<html",
		"/api/status": `"state":"ready"`, "/health": `"status":"healthy"`,
	} {
		if code, body := o.get(path); code != 200 || !strings.Contains(body, word) {
			t.Errorf("%s: %d, %.300s; want %q", path, code, body, word)
		}
	}
	answer, err := control.Call(filepath.Join(o.cfg.RuntimeDir, control.SocketName), control.Request{Command: control.Version}, patience, nil)
	if err != nil || answer.Version != "v0.0.0-test" || answer.PID != o.cmd.Process.Pid {
		t.Errorf("control.sock: %+v, %v", answer, err)
	}
	pids := o.pids()
	o.signal(syscall.SIGTERM)
	if code := o.exit(); code != ExitClean {
		t.Errorf("exit code %d", code)
	}
	for _, pid := range pids {
		if !hasEnded(pid) {
			t.Errorf("worker %d is left", pid)
		}
	}
	for _, name := range []string{control.SocketName, segmentName} {
		if _, err := os.Stat(filepath.Join(o.cfg.RuntimeDir, name)); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", name, err)
		}
	}
	if conn, err := net.Dial("tcp", o.ws); err == nil {
		conn.Close()
		t.Error("the port is left")
	}
}

func TestHealthNamesWhatIsWrong(t *testing.T) {
	cfg := quick(t, 2)
	cfg.Limits.RespawnAttemptsMax = 2
	o := serve(t, cfg, roleVariable+"=1=crash")
	eventually(t, "worker 1 given up", func() bool { return o.counter(shm.WorkersGivenUp) == 1 })
	code, body := o.get("/health")
	var h Health
	if err := json.Unmarshal([]byte(body), &h); err != nil {
		t.Fatal(err)
	}
	if c := h.Checks["workers"]; code != 200 || h.Status != degraded || c.Status != degraded || c.Value != 1 || c.Limit != 2 {
		t.Fatalf("%d %s", code, body)
	}
	if len(h.Checks) != 7 || len(h.Workers) != 2 {
		t.Errorf("%d checks, %d workers", len(h.Checks), len(h.Workers))
	}
}

// crowd connects all the time until the test calls end, which says how many
// connects failed, and how many were accepted and not answered.
func (o *odind) crowd() (end func() (answered, refused, lost int64)) {
	var answered, refused, lost atomic.Int64
	var stop atomic.Bool
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for !stop.Load() {
				_, err := o.hello()
				switch {
				case err == nil:
					answered.Add(1)
				case strings.HasPrefix(err.Error(), "connect:"):
					refused.Add(1)
				default:
					lost.Add(1)
				}
			}
		})
	}
	return func() (int64, int64, int64) {
		stop.Store(true)
		all.Wait()
		return answered.Load(), refused.Load(), lost.Load()
	}
}

func TestKilledWorkerIsReplacedAndNoConnectRefused(t *testing.T) {
	o := serve(t, quick(t, 3))
	eventually(t, "all are ready, not only the first", func() bool {
		return o.state(0) == shm.Ready && o.state(1) == shm.Ready && o.state(2) == shm.Ready
	})
	end := o.crowd()
	const kills = 5
	for i := range kills {
		slot := i % 3
		old := o.pid(slot)
		before := o.counter(shm.WorkersExited)
		if err := syscall.Kill(old, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "its partitions have other owners", func() bool { return o.counter(shm.WorkersExited) > before })
		eventually(t, "another worker is ready in its slot", func() bool {
			return o.pid(slot) != old && o.state(slot) == shm.Ready && o.owned(slot) > 0
		})
	}
	answered, refused, lost := end()
	t.Logf("%d answered, %d refused, %d lost with their worker", answered, refused, lost)
	if refused != 0 || answered == 0 {
		t.Errorf("%d answered, %d refused", answered, refused)
	}
	if lost > 4*kills {
		t.Errorf("%d were lost: more than the clients that could be with a worker that was killed", lost)
	}
	total := look(o, func(s *shm.Segment) (n uint64) {
		for i := range 3 {
			n += s.Slot(i).Counter(shm.Deliveries)
		}
		return n
	})
	if total != 3+kills { // each incarnation counts one
		t.Errorf("%d deliveries of %d incarnations", total, 3+kills)
	}
}

func TestFrozenWorkerIsSuspectedThenKilled(t *testing.T) {
	o := serve(t, quick(t, 2))
	pid := o.pid(1)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "suspect", func() bool { return o.counter(shm.Suspects) == 1 })
	eventually(t, "all partitions with the other", func() bool { return o.owned(0) == actorPartitions })
	for range 20 { // both listeners are served
		if who, err := o.hello(); err != nil || who != "0/1" {
			t.Fatalf("%q, %v while worker 1 is frozen", who, err)
		}
	}
	if hasEnded(pid) {
		t.Error("killed as soon as it was suspect")
	}
	eventually(t, "killed", func() bool { return hasEnded(pid) })
	eventually(t, "replaced", func() bool { return o.owned(1) > 0 })
	if n := o.counter(shm.Deaths); n != 1 {
		t.Errorf("%d deaths", n)
	}
}

func TestThawedWorkerLives(t *testing.T) {
	cfg := quick(t, 2)
	cfg.Limits.HeartbeatDead = time.Minute
	o := serve(t, cfg)
	pid := o.pid(1)
	_ = syscall.Kill(pid, syscall.SIGSTOP)
	eventually(t, "all partitions with the other", func() bool { return o.owned(0) == actorPartitions })
	_ = syscall.Kill(pid, syscall.SIGCONT)
	eventually(t, "some are back", func() bool { return o.owned(1) > 0 })
	eventually(t, "its listener is back", func() bool {
		return look(o, func(s *shm.Segment) int { return s.Slot(1).Lent() }) == nobody
	})
	if o.pid(1) != pid || o.counter(shm.Kills) != 0 {
		t.Error("killed though it thawed")
	}
}

// TestFrozenMachine: neither a pause of all processes nor one of the
// supervisor alone costs anybody's life.
func TestFrozenMachine(t *testing.T) {
	o := serve(t, quick(t, 2))
	for _, frozen := range [][]int{append(o.pids(), o.cmd.Process.Pid), {o.cmd.Process.Pid}} {
		for _, pid := range frozen {
			_ = syscall.Kill(pid, syscall.SIGSTOP)
		}
		time.Sleep(o.cfg.Limits.HeartbeatDead * 3 / 2) // what is tested is the length of this
		for _, pid := range frozen {
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
		beats := func() uint64 {
			return look(o, func(s *shm.Segment) uint64 { n, _ := s.Process().LastBeat(); return n })
		}
		before := beats()
		eventually(t, "the supervisor polls", func() bool { return beats() > before+20 })
	}
	if k, s := o.counter(shm.Kills), o.counter(shm.Suspects); k+s != 0 {
		t.Errorf("%d killed, %d suspected", k, s)
	}
}

func TestSupervisorKilledLeavesNobody(t *testing.T) {
	o := serve(t, quick(t, 3))
	pids := o.pids()
	if len(pids) != 3 {
		t.Fatalf("workers %v", pids)
	}
	o.signal(syscall.SIGKILL)
	o.exit()
	for _, pid := range pids {
		eventually(t, fmt.Sprintf("worker %d ends", pid), func() bool { return hasEnded(pid) })
	}
	next := serve(t, o.cfg) // nothing of it is in the way
	if _, err := next.hello(); err != nil {
		t.Error(err)
	}
}

func TestSlowWorkersListenerIsLent(t *testing.T) {
	o := serve(t, quick(t, 2), roleVariable+"=1=slow")
	eventually(t, "lent", func() bool { return o.counter(shm.Lends) > 0 })
	for range 20 {
		if who, err := o.hello(); err != nil || who != "0/1" {
			if o.state(1) == shm.Ready {
				break // it has become ready meanwhile
			}
			t.Fatalf("%q, %v", who, err)
		}
	}
	eventually(t, "returned", func() bool {
		return look(o, func(s *shm.Segment) int { return s.Slot(1).Lent() }) == nobody
	})
	eventually(t, "worker 1 accepts", func() bool { who, _ := o.hello(); return who == "1/1" })
}

func TestCrashAtTheStartIsMended(t *testing.T) {
	o := serve(t, quick(t, 2), roleVariable+"=*=crashfirst")
	if g := look(o, func(s *shm.Segment) uint32 { return s.Slot(0).Generation() }); g != 2 {
		t.Errorf("generation %d", g)
	}
}

func TestAllWorkersGivenUp(t *testing.T) {
	cfg := quick(t, 2)
	cfg.Limits.RespawnAttemptsMax = 3
	o := begin(t, cfg, roleVariable+"=*=crash")
	if code := o.exit(); code != ExitGivenUp {
		t.Errorf("exit code %d", code)
	}
	// Its last lines may still be on their way.
	eventually(t, "8 workers were started", func() bool { return strings.Count(o.logged(), "worker started") == 2*(1+3) })
}

func TestStubbornWorkerIsKilledInTime(t *testing.T) {
	o := serve(t, quick(t, 2), roleVariable+"=1=stubborn")
	pid := o.pid(1)
	started := time.Now()
	o.signal(syscall.SIGTERM)
	eventually(t, "readiness ends", func() bool { return strings.Contains(o.logged(), "msg=stopping") })
	if code, body := o.get("/readyz"); code != 503 || !strings.Contains(body, "stopping") {
		t.Errorf("/readyz: %d, %s", code, body)
	}
	if code, body := o.get("/health"); code != 503 || !strings.Contains(body, `"status":"draining"`) {
		t.Errorf("/health: %d, %.100s", code, body)
	}
	if code := o.exit(); code != ExitClean || !hasEnded(pid) {
		t.Errorf("exit code %d, stubborn worker gone: %v", code, hasEnded(pid))
	}
	if took := time.Since(started); took < o.cfg.Limits.StopOver {
		t.Errorf("took %v: it was given no time", took)
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	cfg := quick(t, 2)
	cfg.Limits.StopMax = time.Hour
	o := serve(t, cfg, roleVariable+"=*=stubborn")
	o.signal(syscall.SIGTERM)
	eventually(t, "stopping", func() bool { return strings.Contains(o.logged(), "msg=stopping") })
	o.signal(syscall.SIGINT)
	if code := o.exit(); code != ExitClean {
		t.Errorf("exit code %d", code)
	}
}

func TestQuitDumpsAndGoesOn(t *testing.T) {
	o := serve(t, quick(t, 2))
	o.signal(syscall.SIGQUIT)
	eventually(t, "stacks of supervisor and workers", func() bool {
		log := o.logged()
		return strings.Contains(log, "supervisor.(*house).supervise") && strings.Count(log, "supervisor.(*actor).play(") >= 2
	})
	o.signal(syscall.SIGHUP)
	o.signal(syscall.SIGUSR2)
	eventually(t, "the others are logged", func() bool {
		return strings.Contains(o.logged(), "nothing has changed") && strings.Contains(o.logged(), "a signal that means nothing to odind")
	})
	if _, err := o.hello(); err != nil {
		t.Error(err)
	}
}

func TestNotReadyNamesTheBroker(t *testing.T) {
	cfg := quick(t, 1)
	cfg.Operator.Listen = freePort(t)
	o := begin(t, cfg, roleVariable+"=*=cutoff")
	o.operator = cfg.Operator.Listen
	eventually(t, "said", func() bool { return strings.Contains(o.logged(), "worker started") })
	eventually(t, "the reason in /readyz", func() bool {
		code, body := o.get("/readyz")
		return code == 503 && strings.Contains(body, "127.0.0.1:9092: connection refused")
	})
	o.signal(syscall.SIGTERM)
	if code := o.exit(); code != ExitClean {
		t.Errorf("exit code %d", code)
	}
}

// freePort is an address that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestWorkersTimersMayBeLate(t *testing.T) {
	usual, err := os.ReadFile("/proc/self/timerslack_ns")
	if err != nil {
		t.Fatal(err)
	}
	o := serve(t, quick(t, 1))
	for pid, want := range map[int]string{o.pid(0): "4000000\n", o.cmd.Process.Pid: string(usual)} {
		if slack, err := os.ReadFile(fmt.Sprintf("/proc/%d/timerslack_ns", pid)); err != nil || string(slack) != want {
			t.Errorf("timer slack of %d: %q, %v; want %q", pid, slack, err, want)
		}
	}
	o.signal(syscall.SIGTERM)
	o.exit()
}

// TestWorkersHaveTheirOwnGroup: ^C and ^\ of a terminal are for the
// supervisor to act on.
func TestWorkersHaveTheirOwnGroup(t *testing.T) {
	o := serve(t, quick(t, 1))
	group, err := syscall.Getpgid(o.pid(0))
	if err != nil || group != o.pid(0) {
		t.Fatalf("process group %d of worker %d, %v", group, o.pid(0), err)
	}
}
