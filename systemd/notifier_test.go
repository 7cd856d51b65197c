package systemd

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// manager is a socket that receives what is notified.
func manager(t *testing.T, name string) *net.UnixConn {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func heard(t *testing.T, m *net.UnixConn) string {
	t.Helper()
	if err := m.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var buf [512]byte
	n, err := m.Read(buf[:])
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

func TestDatagrams(t *testing.T) {
	for _, name := range []string{
		filepath.Join(t.TempDir(), "notify"),
		"@odin-test-" + strconv.Itoa(os.Getpid()),
	} {
		m := manager(t, name)
		n, err := FromEnv(env("NOTIFY_SOCKET", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			call func() error
			want string
		}{
			{n.Ready, `READY=1`},
			{func() error { return n.Status("2 workers\nready") }, `STATUS=2 workers ready`},
			{n.Stopping, `STOPPING=1`},
			{n.Reloading, `RELOADING=1\nMONOTONIC_USEC=[0-9]+`},
			{n.Watchdog, `WATCHDOG=1`},
			{func() error { return n.Extend(1500 * time.Millisecond) }, `EXTEND_TIMEOUT_USEC=1500000`},
		} {
			if err := c.call(); err != nil {
				t.Fatal(err)
			}
			if got := heard(t, m); !regexp.MustCompile("^" + c.want + "$").MatchString(got) {
				t.Errorf("heard %q, want %q", got, c.want)
			}
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestWithoutManagerNothingHappens(t *testing.T) {
	n, err := FromEnv(env("WATCHDOG_USEC", "1000000"))
	if err != nil || n.WatchdogInterval() != 0 {
		t.Fatalf("%v, watchdog %v", err, n.WatchdogInterval())
	}
	for _, call := range []func() error{n.Ready, n.Stopping, n.Reloading, n.Watchdog, n.Close, func() error { return n.Status("x") }} {
		if err := call(); err != nil {
			t.Error(err)
		}
	}
}

func TestUnreachableManager(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "none"), "relative"} {
		n, err := FromEnv(env("NOTIFY_SOCKET", path))
		if err == nil {
			t.Errorf("%s: no error", path)
		}
		if err := n.Ready(); err != nil {
			t.Errorf("%s: a notifier of nobody failed: %v", path, err)
		}
	}
}

// TestFullQueueIsBounded: a manager that reads nothing costs sendMax a call.
func TestFullQueueIsBounded(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notify")
	manager(t, name)
	n, err := FromEnv(env("NOTIFY_SOCKET", name))
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	for range 10_000 {
		start := time.Now()
		err := n.Watchdog()
		if took := time.Since(start); took > 50*sendMax {
			t.Fatalf("blocked for %v", took)
		}
		if err != nil {
			return
		}
	}
	t.Fatal("the queue never filled")
}

func TestWatchdogInterval(t *testing.T) {
	me := strconv.Itoa(os.Getpid())
	name := filepath.Join(t.TempDir(), "notify")
	manager(t, name)
	for _, c := range []struct {
		usec, pid string
		want      time.Duration
	}{
		{"", "", 0},
		{"10000000", "", 5 * time.Second},
		{"10000000", me, 5 * time.Second},
		{"10000000", "1", 0}, // meant for another process
		{"soon", me, 0},
		{"-1", me, 0},
		{"9223372036854775807", me, 0},
	} {
		n, err := FromEnv(env("NOTIFY_SOCKET", name, "WATCHDOG_USEC", c.usec, "WATCHDOG_PID", c.pid))
		if err != nil {
			t.Fatal(err)
		}
		if got := n.WatchdogInterval(); got != c.want {
			t.Errorf("WATCHDOG_USEC=%s WATCHDOG_PID=%s: %v, want %v", c.usec, c.pid, got, c.want)
		}
		n.Close()
	}
}
