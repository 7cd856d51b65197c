package supervisor

import (
	"testing"
	"testing/fstest"
)

func TestMemoryLimit(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{"no control groups", nil, 0},
		{"version 2, own group", map[string]string{
			"proc/self/cgroup": "0::/system.slice/odind.service\n",
			"sys/fs/cgroup/system.slice/odind.service/memory.max": "536870912\n",
		}, 512 << 20},
		{"version 2, the one above is tighter", map[string]string{
			"proc/self/cgroup":             "0::/a/b\n",
			"sys/fs/cgroup/a/b/memory.max": "2000000\n",
			"sys/fs/cgroup/a/memory.max":   "1000000\n",
		}, 1_000_000},
		{"version 2, unlimited", map[string]string{
			"proc/self/cgroup":           "0::/a\n",
			"sys/fs/cgroup/a/memory.max": "max\n",
		}, 0},
		{"version 2, in a container", map[string]string{
			"proc/self/cgroup":         "0::/../../outside\n",
			"sys/fs/cgroup/memory.max": "3000000\n",
		}, 3_000_000},
		{"version 1", map[string]string{
			"proc/self/cgroup": "5:cpu,cpuacct:/\n4:memory:/m\n",
			"sys/fs/cgroup/memory/m/memory.limit_in_bytes": "4000000\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":   "9223372036854771712\n",
		}, 4_000_000},
		{"hybrid: both count", map[string]string{
			"proc/self/cgroup":                           "4:memory:/\n0::/u\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "4000000\n",
			"sys/fs/cgroup/unified/u/memory.max":         "3500000\n",
		}, 3_500_000},
		{"nonsense", map[string]string{
			"proc/self/cgroup":         "what\n0::/\n",
			"sys/fs/cgroup/memory.max": "much\n",
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := fstest.MapFS{}
			for name, text := range c.files {
				root[name] = &fstest.MapFile{Data: []byte(text)}
			}
			if got := memoryLimit(root); got != c.want {
				t.Fatalf("%d, want %d", got, c.want)
			}
		})
	}
}
