package supervisor

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/config"
)

// refused starts an odind that must not start, and gives its last words.
func refused(t *testing.T, cfg config.Config, words ...string) {
	t.Helper()
	o := begin(t, cfg)
	if code := o.exit(); code != ExitStart {
		t.Fatalf("exit code %d, want %d", code, ExitStart)
	}
	eventually(t, "its reason: "+strings.Join(words, ", "), func() bool {
		log := o.logged()
		for _, w := range words {
			if !strings.Contains(log, w) {
				return false
			}
		}
		return true
	})
	if strings.Contains(o.logged(), "worker started") {
		t.Error("a worker was started")
	}
}

func TestSecondOdindIsRefused(t *testing.T) {
	first := serve(t, quick(t, 2))
	t.Run("same runtime directory", func(t *testing.T) {
		cfg := quick(t, 1)
		cfg.RuntimeDir = first.cfg.RuntimeDir
		cfg.StateDir = cfg.RuntimeDir
		refused(t, cfg, "running already", "--runtime-dir")
	})
	t.Run("same port", func(t *testing.T) {
		cfg := quick(t, 1)
		cfg.Listen = first.ws
		refused(t, cfg, first.ws, "address already in use", "--listen")
	})
	t.Run("same operator's port", func(t *testing.T) {
		cfg := quick(t, 1)
		cfg.Operator.Listen = first.operator
		refused(t, cfg, first.operator, "address already in use", "--operator-listen")
	})
	for range 20 {
		if _, err := first.hello(); err != nil {
			t.Fatalf("the first one was disturbed: %v", err)
		}
	}
	if code, _ := first.get("/readyz"); code != 200 {
		t.Errorf("/readyz of the first: %d", code)
	}
}

func TestDirectoryIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		make func(t *testing.T, dir string) error
		want string
	}{
		"others may write": {func(_ *testing.T, dir string) error {
			return errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o777))
		}, "others may write"},
		"its group may write": {func(_ *testing.T, dir string) error {
			return errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o770))
		}, "others may write"},
		"a file":        {func(_ *testing.T, dir string) error { return os.WriteFile(dir, nil, 0o600) }, "not a directory"},
		"nothing above": {func(_ *testing.T, dir string) error { return os.RemoveAll(filepath.Dir(dir)) }, "no such file"},
		"somebody's": {func(_ *testing.T, dir string) error {
			return errors.Join(os.Mkdir(dir, 0o755), os.Chown(dir, 65534, 65534))
		}, "belongs to user 65534"},
		"somebody's link": {func(t *testing.T, dir string) error {
			return errors.Join(os.Symlink(t.TempDir(), dir), os.Lchown(dir, 65534, 65534))
		}, "belongs to user 65534"},
		"a dangling link": {func(_ *testing.T, dir string) error { return os.Symlink("/nowhere/at/all", dir) }, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			if os.Geteuid() != 0 && strings.Contains(c.want, "65534") {
				return // only root can give a directory away
			}
			dir := filepath.Join(t.TempDir(), "above", "run")
			if err := os.Mkdir(filepath.Dir(dir), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := c.make(t, dir); err != nil {
				t.Fatal(err)
			}
			_, err := takeDirectory(directory{dir, "runtime", "--runtime-dir"})
			var start *StartError
			if !errors.As(err, &start) || !strings.Contains(err.Error(), c.want) || start.Try == "" {
				t.Fatalf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestDirectoryIsTaken(t *testing.T) {
	for name, prepare := range map[string]func(dir string) error{
		"made":         func(string) error { return nil },
		"there":        func(dir string) error { return os.Mkdir(dir, 0o750) },
		"readable":     func(dir string) error { return errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o755)) },
		"our own link": func(dir string) error { return os.Symlink(filepath.Dir(dir), dir) },
	} {
		t.Run(name, func(t *testing.T) {
			above := t.TempDir()
			if err := os.Chmod(above, 0o755); err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(above, "run")
			if err := prepare(dir); err != nil {
				t.Fatal(err)
			}
			lock, err := takeDirectory(directory{dir, "runtime", "--runtime-dir"})
			if err != nil {
				t.Fatal(err)
			}
			defer lock.Release()
			if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o022 != 0 {
				t.Errorf("%v, %v", info.Mode(), err)
			}
		})
	}
}

func TestAddressIsRefused(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1:0":     "no interface",
		"no-such-host.:1": "--listen",
		"127.0.0.1:99999": "--listen",
	} {
		_, _, err := bind(address, 1)
		var start *StartError
		if !errors.As(err, &start) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
}

func TestListenersShareOnePort(t *testing.T) {
	listeners, bound, err := bind("127.0.0.1:0", 4)
	if err != nil {
		t.Fatal(err)
	}
	if len(listeners) != 4 || bound.Port == 0 {
		t.Fatalf("%d listeners on %v", len(listeners), bound)
	}
	for _, l := range listeners {
		f, err := l.file()
		if err != nil {
			t.Fatal(err)
		}
		again, err := net.FileListener(f)
		if err != nil || again.Addr().String() != bound.String() {
			t.Errorf("%v, %v", again, err)
		}
		again.Close()
		f.Close()
		if err := l.close(); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := bind(bound.String(), 1); err != nil {
		t.Errorf("the port is left: %v", err)
	}
}

func TestDialable(t *testing.T) {
	for from, want := range map[string]string{
		"0.0.0.0:3001":   "127.0.0.1:3001",
		"[::]:3001":      "127.0.0.1:3001",
		":3001":          "127.0.0.1:3001",
		"[::1]:3001":     "[::1]:3001",
		"10.1.2.3:3001":  "10.1.2.3:3001",
		"127.0.0.1:3001": "127.0.0.1:3001",
	} {
		a, err := net.ResolveTCPAddr("tcp", from)
		if err != nil {
			t.Fatal(err)
		}
		if got := dialable(a); got != want {
			t.Errorf("%s is shown as %s, want %s", from, got, want)
		}
	}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, ExitClean},
		{errors.New("something"), ExitFailed},
		{&StartError{"start", os.ErrPermission, "try"}, ExitStart},
		{ErrGivenUp, ExitGivenUp},
	} {
		if got := ExitCode(c.err); got != c.want {
			t.Errorf("%v: %d, want %d", c.err, got, c.want)
		}
	}
	if err := (&StartError{"start", os.ErrPermission, "try"}); !errors.Is(err, os.ErrPermission) {
		t.Error("the reason is hidden")
	}
}

func TestLongRuntimeDirectory(t *testing.T) {
	cfg := quick(t, 1)
	cfg.RuntimeDir = filepath.Join(t.TempDir(), strings.Repeat("d", 120))
	cfg.StateDir = cfg.RuntimeDir
	refused(t, cfg, "control.sock", "shorter")
}
