package supervisor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/shm"
)

// directoryMode of a directory that we make. The group of the runtime directory
// may use odinctl.
const directoryMode = 0o750

// directory is one that odind writes to, for itself alone.
type directory struct{ path, name, flag string }

// directories are the runtime directory and, if it is another one, that of what
// outlives odind.
func directories(cfg config.Config) []directory {
	all := []directory{{cfg.RuntimeDir, "runtime", "--runtime-dir"}}
	if filepath.Clean(cfg.StateDir) != filepath.Clean(cfg.RuntimeDir) {
		all = append(all, directory{cfg.StateDir, "state", "--state-dir"})
	}
	return all
}

// takeDirectory makes the directory or checks the existing one, and takes the
// lock that says that we run there.
func takeDirectory(d directory) (*shm.Lock, error) {
	path := d.path
	doing := "use " + d.name + " directory " + path
	err := os.Mkdir(path, directoryMode)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &StartError{doing, err, "create the directory above it, or name another one with " + d.flag}
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, &StartError{doing, err, "name one that this user may create with " + d.flag}
	}
	if err := checkDirectory(path); err != nil {
		return nil, &StartError{doing, err, "name another one with " + d.flag + ", or mend its owner and mode (0750)"}
	}
	lock, err := shm.LockDir(path)
	if errors.Is(err, shm.ErrRunning) {
		return nil, &StartError{"start", err, "stop that one first, or name another " + d.flag + ", --listen and --operator-listen"}
	}
	if err != nil {
		return nil, &StartError{doing, err, "check its owner and mode (0750)"}
	}
	return lock, nil
}

// checkDirectory refuses what somebody else could have prepared or could
// write to: whoever does controls odind. A symbolic link is followed only if
// it is ours or root's, as systemd makes them for DynamicUser.
func checkDirectory(path string) error {
	link, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if uid := owner(link); uid != os.Geteuid() && uid != 0 {
		return fmt.Errorf("it belongs to user %d, not to us (%d)", uid, os.Geteuid())
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return errors.New("it is not a directory")
	case owner(info) != os.Geteuid():
		return fmt.Errorf("it belongs to user %d, not to us (%d)", owner(info), os.Geteuid())
	case info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("others may write to it (mode %04o)", info.Mode().Perm())
	}
	return nil
}

func owner(info fs.FileInfo) int { return int(info.Sys().(*syscall.Stat_t).Uid) }
