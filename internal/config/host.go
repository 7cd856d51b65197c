package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// Host is what the machine and the process's surroundings allow: the
// defaults that are not constants come from it.
type Host struct {
	CPUs       float64 // CPU quota, in cores
	Files      int     // open files allowed to a process
	RuntimeDir string  // default of runtime_dir
	Name       string  // the machine's
	Terminal   bool    // standard error is one
}

// Detect looks at the machine that we run on.
func Detect() Host {
	name, _ := os.Hostname()
	return Host{
		CPUs:       cpuQuota(os.DirFS("/"), float64(runtime.NumCPU())),
		Files:      openFiles(),
		RuntimeDir: runtimeDir(os.Geteuid(), os.Getenv("XDG_RUNTIME_DIR")),
		Name:       name,
		Terminal:   isTerminal(os.Stderr),
	}
}

func (h Host) workers() string { return strconv.Itoa(min(max(1, int(h.CPUs)), workersMax)) }

func (h Host) logFormat() string {
	if h.Terminal {
		return "text"
	}
	return "json"
}

func (h Host) connections(c *Config) string {
	each, _ := c.Limits.Descriptors(min(h.Files, filesMax))
	return strconv.Itoa(max(c.Workers, 1) * each)
}

// filesMax is what "unlimited" counts as: the kernel's own default of
// fs.nr_open.
const filesMax = 1 << 20

func openFiles() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 1024 // what every Unix allows
	}
	return int(min(limit.Cur, filesMax))
}

// A service's directories, as the unit has them: what odinctl and odind check
// say of the same file is the same, with the unit's environment or without.
const (
	serviceRuntimeDir = "/run/odin"
	serviceStateDir   = "/var/lib/odin"
)

func stateDir(runtimeDir string) string {
	if runtimeDir == serviceRuntimeDir {
		return serviceStateDir
	}
	return runtimeDir
}

func runtimeDir(uid int, xdg string) string {
	switch {
	case uid == 0:
		return serviceRuntimeDir
	case filepath.IsAbs(xdg):
		return filepath.Join(xdg, "odin")
	default:
		return filepath.Join(os.TempDir(), "odin-"+strconv.Itoa(uid))
	}
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
