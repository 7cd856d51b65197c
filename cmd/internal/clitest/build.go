package clitest

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// Version is what the linker tells the built programs.
const Version = "v9.8.7-test"

// Bin is a directory of built programs.
type Bin struct {
	programs []string // named by their directories below cmd
	once     sync.Once
	path     string
	err      error
}

// Programs will build the named programs once the first of them is run: the
// processes of a fuzzing test need none.
func Programs(names ...string) *Bin { return &Bin{programs: names} }

// Main runs the tests, and removes what was built for them. TestMain calls it.
func (b *Bin) Main(m *testing.M) int {
	defer func() { os.RemoveAll(b.path) }()
	return m.Run()
}

// Dir is where the programs are.
func (b *Bin) Dir(t testing.TB) string {
	t.Helper()
	b.once.Do(func() { b.path, b.err = build(b.programs) })
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.path
}

func build(programs []string) (dir string, err error) {
	if dir, err = os.MkdirTemp("", "odin-cli-"); err != nil {
		return "", err
	}
	for _, program := range programs {
		cmd := exec.Command("go", "build", "-ldflags", "-X main.version="+Version, "-o", dir, "github.com/odin-ws/odin/cmd/"+program)
		if out, err := cmd.CombinedOutput(); err != nil {
			return dir, fmt.Errorf("build %s: %w\n%s", program, err, out)
		}
	}
	return dir, nil
}
