package arrows

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/odin-ws/odin/"

// rooms is who may import whom, as docs/DESIGN.md has it: the packages of Odin
// that a package may import. "internal/*" stands for all below internal.
var rooms = map[string][]string{
	"internal/event":      {},
	"internal/loop":       {},
	"internal/journal":    {},
	"internal/page":       {},
	"internal/jsondoc":    {},
	"internal/arrows":     {},
	"internal/handshake":  {},
	"internal/profile":    {},
	"systemd":             {},
	"internal/deflate":    {},
	"internal/wire":       {"internal/event", "internal/deflate"},
	"internal/replica":    {"internal/event"},
	"internal/election":   {"internal/event"},
	"internal/bus":        {"internal/event"},
	"internal/control":    {"internal/event"},
	"internal/route":      {"internal/event", "internal/wire"},
	"kafka":               {"internal/event", "internal/loop"},
	"nats":                {"internal/event"},
	"shm":                 {"internal/event"},
	"internal/resume":     {"internal/event", "internal/replica"},
	"internal/backfill":   {"internal/event", "internal/replica", "internal/resume"},
	"internal/hub":        {"internal/event", "internal/wire"},
	"internal/config":     {"internal/event", "internal/route", "shm"},
	"internal/metrics":    {"internal/event", "shm"},
	"internal/text":       {},
	"internal/status":     {"internal/event", "internal/text", "shm"},
	"internal/live":       {"internal/control", "internal/status", "shm"},
	"internal/top":        {"internal/status", "internal/text"},
	"internal/sim":        {"internal/event", "internal/replica", "internal/resume", "internal/backfill", "internal/election"},
	"internal/demo":       {"internal/*"},
	"worker":              {"shm", "kafka", "nats", "internal/*"},
	"supervisor":          {"shm", "systemd", "internal/*"},
	"internal/kafkatest":  {},
	"cmd/*":               {"*"},
	"clients/go":          {},
	"test/*":              {"*"},
	"scripts/*":           {},
	"scripts/chaos":       {"internal/kafkatest", "clients/go", "scripts/chaos/*"},
	"scripts/chaos/plan":  {},
	"scripts/chaos/check": {"clients/go"},
}

// outside is where a module of others may be imported at all; what isn't named
// here is free.
var outside = map[string][]string{
	"github.com/twmb/franz-go":       {"kafka", "internal/demo", "cmd/*", "test/*", "scripts/chaos"},
	"github.com/gorilla/websocket":   {"cmd/*", "clients/go", "test/*", "scripts/*"},
	"github.com/prometheus/":         {"internal/metrics", "supervisor"},
	"github.com/spf13/":              {"cmd/*"},
	"github.com/gdamore/tcell":       {"cmd/*"},
	"go.yaml.in/yaml":                {"internal/config"},
	"github.com/libp2p/go-reuseport": {"supervisor"},
	"github.com/klauspost/compress":  {"internal/deflate", "kafka"},
}

// pure rooms decide; they never wait, ask the time or touch the world.
var (
	pure    = []string{"internal/event", "internal/handshake", "internal/deflate", "internal/text", "internal/replica", "internal/resume", "internal/backfill", "internal/election", "internal/route", "internal/wire", "internal/bus", "internal/hub"}
	worldly = []string{"os", "net", "syscall", "context", "log", "log/slog", "sync", "math/rand", "math/rand/v2", "golang.org/x/sys/unix"}
)

type pkg struct {
	ImportPath, Name, Dir string
	Standard              bool
	Imports               []string
	GoFiles               []string
}

// room is the package's path below the module, "" for one of others.
func (p pkg) room() string {
	if rest, ok := strings.CutPrefix(p.ImportPath, module); ok {
		return rest
	}
	return ""
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Name,Dir,Standard,Imports,GoFiles", "./...")
	cmd.Dir = "../.."
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if p.room() != "" {
			all = append(all, p)
		}
	}
}

// covers tells whether a list like {"shm", "internal/*"} names the room.
func covers(list []string, room string) bool {
	return slices.ContainsFunc(list, func(entry string) bool {
		if below, ok := strings.CutSuffix(entry, "*"); ok {
			return strings.HasPrefix(room, below)
		}
		return room == entry
	})
}

func allowed(room string) ([]string, bool) {
	if list, ok := rooms[room]; ok {
		return list, true
	}
	for name, list := range rooms {
		if strings.HasSuffix(name, "*") && covers([]string{name}, room) {
			return list, true
		}
	}
	return nil, false
}

// faults lists what is wrong with one package's imports.
func faults(p pkg) []string {
	list, known := allowed(p.room())
	if !known {
		return []string{p.room() + " is in no room: add it to docs/DESIGN.md and here"}
	}
	var found []string
	for _, path := range p.Imports {
		if target, ours := strings.CutPrefix(path, module); ours {
			if !covers(list, target) {
				found = append(found, fmt.Sprintf("%s must not import %s", p.room(), target))
			}
			continue
		}
		for prefix, where := range outside {
			if strings.HasPrefix(path, prefix) && !covers(where, p.room()) {
				found = append(found, fmt.Sprintf("%s must not import %s", p.room(), path))
			}
		}
		if slices.Contains(pure, p.room()) && slices.Contains(worldly, path) {
			found = append(found, fmt.Sprintf("%s is pure and must not import %s", p.room(), path))
		}
	}
	return found
}

func TestArrowsPointDownwards(t *testing.T) {
	all := packages(t)
	if len(all) < 5 {
		t.Fatalf("go list names only %d packages", len(all))
	}
	for _, p := range all {
		for _, fault := range faults(p) {
			t.Error(fault)
		}
	}
}

// Who uses the client gets gorilla/websocket with it, and nothing else.
func TestClientDragsLittle(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./clients/go")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	if got, want := strings.Fields(string(out)), []string{"github.com/gorilla/websocket", module + "clients/go"}; !slices.Equal(got, want) {
		t.Errorf("clients/go needs %q, want %q", got, want)
	}
}

func TestFaultsAreFound(t *testing.T) {
	for _, c := range []struct {
		room, imports string
		fault         bool
	}{
		{"worker", module + "supervisor", true},
		{"supervisor", module + "worker", true},
		{"worker", module + "internal/hub", false},
		{"internal/hub", module + "shm", true},
		{"internal/event", module + "internal/wire", true},
		{"kafka", "github.com/twmb/franz-go/pkg/kgo", false},
		{"worker", "github.com/twmb/franz-go/pkg/kgo", true},
		{"internal/replica", "net", true},
		{"internal/replica", "time", false},
		{"cmd/odind", module + "worker", false},
		{"test/e2e", module + "supervisor", false},
		{"internal/misc", "fmt", true},
	} {
		found := faults(pkg{ImportPath: module + c.room, Imports: []string{c.imports}})
		if (len(found) > 0) != c.fault {
			t.Errorf("%s importing %s: %v, want a fault: %v", c.room, c.imports, found, c.fault)
		}
	}
}

func TestNamesSayWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		names := append([]string{p.Name, filepath.Base(p.Dir)}, p.GoFiles...)
		for _, name := range names {
			switch strings.TrimSuffix(name, ".go") {
			case "util", "utils", "common", "manager", "helper", "helpers", "misc", "types":
				t.Errorf("%s: %s says nothing", p.room(), name)
			}
		}
	}
}

// A main file parses, calls and maps errors to exit codes: 40 lines do.
func TestEntryPointsAreShort(t *testing.T) {
	for _, p := range packages(t) {
		if p.Name != "main" {
			continue
		}
		source, err := os.ReadFile(filepath.Join(p.Dir, "main.go"))
		if err != nil {
			t.Errorf("%s: %v", p.room(), err)
			continue
		}
		if lines := bytes.Count(source, []byte("\n")); lines > 40 {
			t.Errorf("%s/main.go has %d lines, more than 40", p.room(), lines)
		}
	}
}
