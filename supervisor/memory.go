package supervisor

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// memoryUnlimited is what version 1 of control groups says for "no limit",
// and beyond.
const memoryUnlimited = 1 << 60

// memoryLimit is the bytes that our control group (version 2 or 1), or one
// above it, allows; 0: any. root is the file system's.
func memoryLimit(root fs.FS) (limit int64) {
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(groups)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(parts) != 3:
		case parts[0] == "0" && parts[1] == "":
			limit = tighter(limit, walkUp(root, "sys/fs/cgroup", parts[2], "memory.max"))
			limit = tighter(limit, walkUp(root, "sys/fs/cgroup/unified", parts[2], "memory.max"))
		case strings.Contains(","+parts[1]+",", ",memory,"):
			limit = tighter(limit, walkUp(root, "sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes"))
		}
	}
	return limit
}

// walkUp takes the tightest limit of a group and of all above it. In a
// container the group's own path may not exist below the mount.
func walkUp(root fs.FS, mount, group, file string) (limit int64) {
	for dir := path.Clean("/" + group); ; dir = path.Dir(dir) {
		text, err := fs.ReadFile(root, path.Join(mount, dir, file))
		if err == nil {
			n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
			if err == nil && n > 0 && n < memoryUnlimited {
				limit = tighter(limit, n)
			}
		}
		if dir == "/" {
			return limit
		}
	}
}

// tighter is the smaller of two limits, 0 being none.
func tighter(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
