package config

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

func TestCPUQuota(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		want  float64
	}{
		"no control groups": {nil, 8},
		"version 2": {map[string]string{
			"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "150000 100000\n",
		}, 1.5},
		"version 2, none": {map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.max": "max 100000\n"}, 8},
		"version 2, the one above is tighter": {map[string]string{
			"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "400000 100000\n", "sys/fs/cgroup/a/cpu.max": "250000 100000\n",
		}, 2.5},
		"version 2, in a container": {map[string]string{"proc/self/cgroup": "0::/../x\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"}, 0.5},
		"version 1": {map[string]string{
			"proc/self/cgroup":                          "12:cpu,cpuacct:/d\n1:name=systemd:/\n0::/\n",
			"sys/fs/cgroup/cpu/d/cpu.cfs_quota_us":      "300000\n",
			"sys/fs/cgroup/cpu/d/cpu.cfs_period_us":     "100000\n",
			"sys/fs/cgroup/cpuacct/d/cpu.cfs_quota_us":  "1\n",
			"sys/fs/cgroup/cpuacct/d/cpu.cfs_period_us": "1\n",
		}, 3},
		"version 1, none":       {map[string]string{"proc/self/cgroup": "4:cpu:/\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}, 8},
		"version 1, no period":  {map[string]string{"proc/self/cgroup": "4:cpu:/\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000\n"}, 8},
		"hybrid":                {map[string]string{"proc/self/cgroup": "0::/u\n", "sys/fs/cgroup/unified/u/cpu.max": "100000 100000\n"}, 1},
		"more than the machine": {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "6400000 100000\n"}, 8},
		"nonsense":              {map[string]string{"proc/self/cgroup": "x\n::\n0::/\n", "sys/fs/cgroup/cpu.max": "a b c\n"}, 8},
		"more nonsense":         {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "100000 0\n"}, 8},
	} {
		root := fstest.MapFS{}
		for path, text := range c.files {
			root[path] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := cpuQuota(root, 8); got != c.want {
			t.Errorf("%s: %v cores, want %v", name, got, c.want)
		}
	}
}

func TestDefaultsOfTheHost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		host                 Host
		workers, connections string
	}{
		{host: Host{CPUs: 0.5, Files: 1024}, workers: "1", connections: "640"},
		{host: Host{CPUs: 1.9, Files: 20_000}, workers: "1", connections: "17696"},
		{host: Host{CPUs: 4, Files: 20_000}, workers: "4", connections: "70784"},
		{host: Host{CPUs: 1000, Files: 1 << 40}, workers: "128", connections: "133922816"},
		{host: Host{CPUs: 1, Files: 10}, workers: "1", connections: "1"},
	} {
		c.host.RuntimeDir = "/run/odin"
		loaded, _, err := Load(Input{NoDefaultFile: true, Host: c.host})
		if err != nil {
			t.Fatal(err)
		}
		if got := key(t, "workers").format(loaded); got != c.workers {
			t.Errorf("%+v: %s workers, want %s", c.host, got, c.workers)
		}
		if got := key(t, "limits.connections_max").format(loaded); got != c.connections {
			t.Errorf("%+v: %s connections, want %s", c.host, got, c.connections)
		}
	}
	if got := (Host{Terminal: true}).logFormat(); got != "text" {
		t.Errorf("a terminal gets %s", got)
	}
}

func TestRuntimeDir(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		uid       int
		xdg, want string
	}{
		{0, "/run/user/0", "/run/odin"},
		{1000, "/run/user/1000", "/run/user/1000/odin"},
		{1000, "", os.TempDir() + "/odin-1000"},
		{1000, "relative", os.TempDir() + "/odin-1000"},
	} {
		if got := runtimeDir(c.uid, c.xdg); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestDetect(t *testing.T) {
	t.Parallel()
	h := Detect()
	if h.CPUs <= 0 || h.Files < 64 || !strings.HasPrefix(h.RuntimeDir, "/") || h.Name == "" {
		t.Errorf("this machine is %+v", h)
	}
	if _, _, err := Load(Input{NoDefaultFile: true, Host: h}); err != nil {
		t.Errorf("the defaults of this machine are wrong: %v", err)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if isTerminal(null) {
		t.Error("the null device is a terminal")
	}
}

// TestDirectoriesOfAService: what odind check says of a file beside the unit has
// the digest of what runs in it.
func TestDirectoriesOfAService(t *testing.T) {
	for runtime, state := range map[string]string{"/run/odin": "/var/lib/odin", "/run/user/7/odin": "/run/user/7/odin"} {
		if got := stateDir(runtime); got != state {
			t.Errorf("%s: %s, want %s", runtime, got, state)
		}
	}
}
