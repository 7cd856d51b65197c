package systemd

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// sendMax bounds one datagram: the manager's queue may be full.
const sendMax = 100 * time.Millisecond

// Variables are the environment's that the manager meant for this process
// alone: children must not inherit them.
func Variables() []string { return []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} }

// Notifier speaks to the service manager, or to nobody: the zero value.
type Notifier struct {
	conn     *net.UnixConn
	watchdog time.Duration
}

// FromEnv connects to the manager that the environment names. The error says
// why it can't; the Notifier then is usable and does nothing.
func FromEnv(getenv func(string) string) (*Notifier, error) {
	path := getenv("NOTIFY_SOCKET")
	if path == "" {
		return &Notifier{}, nil
	}
	if !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "@") {
		return &Notifier{}, fmt.Errorf("systemd: NOTIFY_SOCKET=%s is neither a path nor abstract", path)
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return &Notifier{}, fmt.Errorf("systemd: connect to NOTIFY_SOCKET: %w", err)
	}
	return &Notifier{conn: conn, watchdog: watchdog(getenv)}, nil
}

// watchdog is the longest silence that the manager allows, 0 for any.
func watchdog(getenv func(string) string) time.Duration {
	if pid := getenv("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	us, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64)
	if err != nil || us <= 0 || us > int64(time.Duration(1<<63-1)/time.Microsecond) {
		return 0
	}
	return time.Duration(us) * time.Microsecond
}

// WatchdogInterval is how often Watchdog should be called: half of what the
// manager allows; 0: it does not watch.
func (n *Notifier) WatchdogInterval() time.Duration { return n.watchdog / 2 }

// Ready says that the start, or the reload, is complete.
func (n *Notifier) Ready() error { return n.send("READY=1") }

// Status is the line that `systemctl status` shows.
func (n *Notifier) Status(text string) error {
	return n.send("STATUS=" + strings.ReplaceAll(text, "\n", " "))
}

// Stopping says that the stop has begun.
func (n *Notifier) Stopping() error { return n.send("STOPPING=1") }

// Reloading says that a reload has begun; Ready ends it.
func (n *Notifier) Reloading() error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return fmt.Errorf("systemd: read the clock: %w", err)
	}
	return n.send("RELOADING=1\nMONOTONIC_USEC=" + strconv.FormatInt(now.Nano()/1000, 10))
}

// Extend asks the manager to wait so much longer, from now, for the start or
// the stop that is under way; it never shortens what is allowed. (Its watchdog
// waits too: do not call it while neither is under way.)
func (n *Notifier) Extend(by time.Duration) error {
	return n.send("EXTEND_TIMEOUT_USEC=" + strconv.FormatInt(by.Microseconds(), 10))
}

// Watchdog says that the process is alive.
func (n *Notifier) Watchdog() error { return n.send("WATCHDOG=1") }

// Close ends the talk; later calls do nothing but fail.
func (n *Notifier) Close() error {
	if n.conn == nil {
		return nil
	}
	return n.conn.Close()
}

func (n *Notifier) send(state string) error {
	if n.conn == nil {
		return nil
	}
	err := n.conn.SetWriteDeadline(time.Now().Add(sendMax))
	if err == nil {
		_, err = n.conn.Write([]byte(state))
	}
	if err != nil {
		return fmt.Errorf("systemd: notify %.20q: %w", state, err)
	}
	return nil
}
