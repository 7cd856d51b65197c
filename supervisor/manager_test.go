package supervisor

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// manager is a service manager: its socket, and whether it was told a text.
func manager(t *testing.T) (name string, told func(text string) func() bool) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	var mu sync.Mutex
	var heard []string
	go func() {
		for buf := make([]byte, 4096); ; {
			n, err := socket.Read(buf)
			if err != nil {
				return
			}
			mu.Lock()
			heard = append(heard, string(buf[:n]))
			mu.Unlock()
		}
	}()
	return name, func(text string) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return strings.Contains(strings.Join(heard, "\n"), text)
		}
	}
}

func TestServiceManagerIsTold(t *testing.T) {
	name, told := manager(t)
	o := serve(t, quick(t, 1), "NOTIFY_SOCKET="+name, "WATCHDOG_USEC=200000")
	eventually(t, "READY", told("READY=1"))
	eventually(t, "STATUS", told("STATUS=ready: 1 of 1 worker ready, 0 sessions, 8 partitions, lag 0"))
	eventually(t, "WATCHDOG", told("WATCHDOG=1"))
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", o.pid(0)))
	if err != nil || strings.Contains(string(env), "NOTIFY_SOCKET") || !strings.Contains(string(env), "GOMAXPROCS=") {
		t.Errorf("worker's environment: %v, %q", err, env)
	}
	o.signal(syscall.SIGTERM)
	eventually(t, "STOPPING", told("STOPPING=1"))
	o.exit()
}

// TestServiceManagerIsToldWhyNot: while it waits to start odind again it shows
// this line, and none of the log.
func TestServiceManagerIsToldWhyNot(t *testing.T) {
	name, told := manager(t)
	first := serve(t, quick(t, 1))
	cfg := quick(t, 1)
	cfg.Listen = first.ws
	o := begin(t, cfg, "NOTIFY_SOCKET="+name)
	if code := o.exit(); code != ExitStart {
		t.Errorf("exit code %d", code)
	}
	eventually(t, "STATUS of an address that is taken", told("STATUS=failed: listen on "+first.ws))
	cfg = quick(t, 1)
	cfg.Limits.RespawnAttemptsMax = 1
	o = begin(t, cfg, "NOTIFY_SOCKET="+name, roleVariable+"=*=crash")
	if code := o.exit(); code != ExitGivenUp {
		t.Errorf("exit code %d", code)
	}
	eventually(t, "STATUS of workers that keep failing", told("STATUS=failed: every worker keeps failing"))
}
