package config

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// cpuQuota is the number of cores that the process may use: the machine's,
// or less where a control group (version 2 or 1, ours or one above it) says
// so. root is the file system's.
func cpuQuota(root fs.FS, cpus float64) float64 {
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return cpus
	}
	for line := range strings.Lines(string(groups)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		switch {
		case parts[0] == "0" && parts[1] == "":
			cpus = least(cpus, root, "sys/fs/cgroup", parts[2], quotaV2)
			cpus = least(cpus, root, "sys/fs/cgroup/unified", parts[2], quotaV2)
		case hasController(parts[1], "cpu"):
			cpus = least(cpus, root, "sys/fs/cgroup/cpu", parts[2], quotaV1)
		}
	}
	return cpus
}

func hasController(list, name string) bool {
	for controller := range strings.SplitSeq(list, ",") {
		if controller == name {
			return true
		}
	}
	return false
}

// least takes the smallest quota of the group and of all above it. In a
// container the group's own path may not exist below the mount; its root then
// is the container's.
func least(cpus float64, root fs.FS, mount, group string, quota func(fs.FS, string) (float64, bool)) float64 {
	for dir := path.Clean("/" + group); ; dir = path.Dir(dir) {
		if q, ok := quota(root, path.Join(mount, dir)); ok && q > 0 {
			cpus = min(cpus, q)
		}
		if dir == "/" {
			return cpus
		}
	}
}

func quotaV2(root fs.FS, dir string) (float64, bool) {
	text, err := fs.ReadFile(root, path.Join(dir, "cpu.max"))
	if err != nil {
		return 0, false
	}
	fields := strings.Fields(string(text))
	if len(fields) != 2 {
		return 0, false
	}
	return ratio(fields[0], fields[1])
}

func quotaV1(root fs.FS, dir string) (float64, bool) {
	quota, err := fs.ReadFile(root, path.Join(dir, "cpu.cfs_quota_us"))
	if err != nil {
		return 0, false
	}
	period, err := fs.ReadFile(root, path.Join(dir, "cpu.cfs_period_us"))
	if err != nil {
		return 0, false
	}
	return ratio(strings.TrimSpace(string(quota)), strings.TrimSpace(string(period)))
}

// ratio is quota/period; "max" and negative quotas are none.
func ratio(quota, period string) (float64, bool) {
	q, err := strconv.ParseFloat(quota, 64)
	if err != nil {
		return 0, false
	}
	p, err := strconv.ParseFloat(period, 64)
	if err != nil || p <= 0 || q <= 0 {
		return 0, false
	}
	return q / p, true
}
