package kafkatest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	startMax = 2 * time.Minute // of a machine that is busy
	stopMax  = 20 * time.Second
	started  = "Kafka Server started"
)

// Node is one broker.
type Node struct {
	ID      int32
	cluster *Cluster
	dir     string
	ports   ports
	process *exec.Cmd
	ended   chan struct{} // closed when the process is gone
	begun   int64         // where this run begins in the log
}

// Addr is the listener without TLS and login.
func (n *Node) Addr() string { return n.ports.addr(onPlain) }

// Kill ends the broker at once (SIGKILL), and waits until it is gone.
func (n *Node) Kill(t TB) {
	t.Helper()
	n.signal(t, syscall.SIGKILL)
	<-n.ended
}

// Stop ends the broker in order (SIGTERM), and waits until it is gone. One
// without a quorum hangs, and is killed.
func (n *Node) Stop(t TB) {
	t.Helper()
	n.signal(t, syscall.SIGTERM)
	select {
	case <-n.ended:
	case <-time.After(stopMax):
		n.Kill(t)
	}
}

// Freeze stops the broker's process as it is; Thaw lets it go on.
func (n *Node) Freeze(t TB) { t.Helper(); n.signal(t, syscall.SIGSTOP) }

// Thaw ends Freeze.
func (n *Node) Thaw(t TB) { t.Helper(); n.signal(t, syscall.SIGCONT) }

// Restart runs the broker again, which must have ended, and returns once it
// serves.
func (n *Node) Restart(t TB) {
	t.Helper()
	n.launch(t)
	n.await(t)
}

// Launch is Restart without waiting, for brokers that need each other.
func (n *Node) Launch(t TB) { t.Helper(); n.launch(t) }

// Await returns once the broker serves.
func (n *Node) Await(t TB) { t.Helper(); n.await(t) }

// LogDir is where the broker keeps its partitions, and the cluster's metadata.
func (n *Node) LogDir() string { return filepath.Join(n.dir, "log") }

func (n *Node) signal(t TB, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(-n.process.Process.Pid, sig); err != nil { // its group: it may not be Java yet
		t.Fatalf("kafkatest: signal broker %d: %v", n.ID, err)
	}
}

func (n *Node) logFile() string { return filepath.Join(n.dir, "server.log") }

func (n *Node) launch(t TB) {
	t.Helper()
	log, err := os.OpenFile(n.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatalf("kafkatest: %v", err)
	}
	defer log.Close()
	if n.begun, err = log.Seek(0, 2); err != nil {
		t.Fatalf("kafkatest: %v", err)
	}
	args := []string{n.dir}
	for _, m := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
		args = append(args, "--add-scram", fmt.Sprintf("%s=[name=%s,password=%s]", m, User, Password))
	}
	cmd := exec.Command(script("serve.sh"), args...)
	cmd.Env = append(os.Environ(), "CLUSTER_ID="+n.cluster.id)
	cmd.Stdout, cmd.Stderr = log, log
	// dies with a test that is killed
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	n.process, n.ended = cmd, make(chan struct{})
	n.run(t)
}

// run starts the process from a thread that lives as long as it: the death
// signal follows the thread.
func (n *Node) run(t TB) {
	t.Helper()
	result := make(chan error, 1)
	ended := n.ended
	cmd := n.process
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		result <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(ended)
	}()
	if err := <-result; err != nil {
		t.Fatalf("kafkatest: start broker %d: %v", n.ID, err)
	}
}

func script(name string) string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "scripts", "kafka", name)
}

// await waits for the line that says so: the port opens earlier.
func (n *Node) await(t TB) {
	t.Helper()
	deadline := time.After(startMax)
	for tick := time.Tick(50 * time.Millisecond); ; {
		log, _ := os.ReadFile(n.logFile())
		if bytes.Contains(log[min(n.begun, int64(len(log))):], []byte(started)) {
			return
		}
		select {
		case <-tick:
		case <-n.ended:
			t.Fatalf("kafkatest: broker %d ended: %s", n.ID, tail(log))
		case <-deadline:
			t.Fatalf("kafkatest: broker %d does not serve: %s", n.ID, tail(log))
		}
	}
}

func tail(log []byte) string {
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return strings.Join(lines[max(len(lines)-30, 0):], "\n")
}

// end is for the test's end: by force, nothing of it is needed any more.
func (n *Node) end(t TB) {
	if n.process == nil {
		return
	}
	select {
	case <-n.ended:
	default:
		_ = syscall.Kill(-n.process.Process.Pid, syscall.SIGKILL)
		<-n.ended
	}
	if t.Failed() {
		log, _ := os.ReadFile(n.logFile())
		t.Logf("kafkatest: broker %d said last:\n%s", n.ID, tail(log))
	}
}
