//go:build prometheus

package prometheus

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is for a busy machine.
const patience = 90 * time.Second

// stack is a Prometheus that scrapes the demo every second, with the rules that
// are deployed, and an Alertmanager that tells a receiver of the test.
type stack struct {
	operator   string // of the demo
	prometheus string
	received   receiver
}

// variable is one that run.sh sets.
func variable(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s is not set: this is run by test/prometheus/run.sh", name)
	}
	return value
}

func startStack(t *testing.T) *stack {
	t.Helper()
	s := &stack{operator: variable(t, "ODIN_DEMO_OPERATOR")}
	web := httptest.NewServer(&s.received)
	t.Cleanup(web.Close)
	dir := t.TempDir()
	manager := serve(t, "/-/ready", func(address string) *exec.Cmd {
		config := fmt.Sprintf("route: {receiver: test, group_wait: 0s, group_interval: 1s, group_by: [alertname, instance, worker]}\n"+
			"receivers: [{name: test, webhook_configs: [{url: %s, send_resolved: true}]}]\n", web.URL)
		return exec.Command(variable(t, "ALERTMANAGER"), "--config.file="+write(t, dir, "alertmanager.yml", config),
			"--storage.path="+filepath.Join(dir, "alertmanager"), "--web.listen-address="+address, "--cluster.listen-address=")
	})
	s.prometheus = serve(t, "/-/ready", func(address string) *exec.Cmd {
		config := strings.NewReplacer("127.0.0.1:9464", s.operator[len("http://"):], "127.0.0.1:9093", manager[len("http://"):], "10s", "1s").
			Replace(read(t, configFile))
		write(t, dir, "odin.rules.yml", hasty(t, "OdinWorkerDown"))
		return exec.Command(variable(t, "PROMETHEUS"), "--config.file="+write(t, dir, "prometheus.yml", config),
			"--storage.tsdb.path="+filepath.Join(dir, "prometheus"), "--web.listen-address="+address, "--log.level=warn")
	})
	return s
}

// hasty gives the rules, with one alert that fires after a second.
func hasty(t *testing.T, alert string) string {
	t.Helper()
	before, after, found := strings.Cut(read(t, rulesFile), "- alert: "+alert+"\n")
	at := strings.Index(after, "for: ")
	if !found || at < 0 {
		t.Fatalf("no alert %s that waits", alert)
	}
	line, rest, _ := strings.Cut(after[at:], "\n")
	t.Logf("%s: %s becomes 1s", alert, line)
	return before + "- alert: " + alert + "\n" + after[:at] + "for: 1s\n" + rest
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// serve starts a program on a free port and waits until it is ready. Somebody
// may take the port in between: then another is tried.
func serve(t *testing.T, ready string, command func(address string) *exec.Cmd) (url string) {
	t.Helper()
	var log *bytes.Buffer
	for range 5 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		l.Close()
		cmd := command(address)
		log = new(bytes.Buffer)
		cmd.Stdout, cmd.Stderr = log, log
		ended := start(t, cmd)
		if awaitReady("http://"+address+ready, ended) {
			return "http://" + address
		}
	}
	t.Fatalf("it doesn't become ready:\n%s", log)
	return ""
}

// start runs a program that the kernel kills with this process: the thread that
// starts it waits for it, since it is that thread's end that the kernel looks at.
func start(t *testing.T, cmd *exec.Cmd) (ended chan struct{}) {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(ended)
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			<-ended
		}
	})
	return ended
}

func awaitReady(url string, ended <-chan struct{}) bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if _, err := get(url); err == nil {
			return true
		}
		select {
		case <-ended:
			return false
		case <-time.After(50 * time.Millisecond):
		}
	}
	return false
}

func get(url string) ([]byte, error) {
	resp, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s says %s: %s", url, resp.Status, body)
	}
	return body, err
}

// eventually waits for a condition, which says what is instead.
func eventually(t *testing.T, what string, is func() (bool, string)) {
	t.Helper()
	said := ""
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		ok, now := is()
		if ok {
			return
		}
		said = now
	}
	t.Fatalf("waited for: %s; instead: %s", what, said)
}

// receiver takes Alertmanager's notifications.
type receiver struct {
	mu  sync.Mutex
	got []alert
}

// alert is one, as Prometheus' API and Alertmanager's webhook have it.
type alert struct {
	Status, State       string // of the webhook: firing, resolved; of the API: pending, firing
	Labels, Annotations map[string]string
}

func (a *alert) is(name, worker string) bool {
	return a.Labels["alertname"] == name && a.Labels["worker"] == worker
}

// ServeHTTP is the webhook.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var message struct{ Alerts []alert }
	if err := json.NewDecoder(req.Body).Decode(&message); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, message.Alerts...)
}

// heard tells whether a notification has come.
func (r *receiver) heard(name, worker, status string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.got {
		if r.got[i].is(name, worker) && r.got[i].Status == status {
			return true
		}
	}
	return false
}
