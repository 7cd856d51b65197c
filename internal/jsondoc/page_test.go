package jsondoc

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/status"
	"github.com/odin-ws/odin/internal/top"
	"github.com/odin-ws/odin/shm"
)

var update = flag.Bool("update", false, "rewrite docs/JSON.md")

const pagePath = root + "/docs/JSON.md"

const head = `# What Odin prints as JSON

<!-- Generated from the types' comments: go test ./internal/jsondoc -update -->

With ` + "`--json`" + ` every command of odinctl prints JSON on standard output; what went wrong is told in words on standard error, and by
the exit code. Fields may be added; none is renamed, removed, or changes its meaning. ` + "`a[].b`" + ` is the field b of each entry of the
list a, ` + "`a{}`" + ` the value of each key of the object a. Whole numbers are below 2⁵³ but for counters, which may become larger.
` + "`odinctl sub --json`" + ` prints messages as clients get them: [PROTOCOL.md](PROTOCOL.md). The page's stream is in [EVENTS.md](EVENTS.md).
`

// sections are what is printed, in the order of the page. Each is the fields
// of one type; a type that has a section is told of there alone.
func sections() []section {
	return []section{
		{"`odinctl status --json`, `/api/status`", "One document.", "internal/status", "Status"},
		{"`odinctl top --json`", "A document a line, one each interval. The first comes after an interval, so that it has rates.", "internal/top", "Document"},
		{"`odinctl drain --json`", "One document, the `drain` of `odinctl status`; with `--wait` a line now and then, and a last one.", "internal/status", "Drain"},
		{"`odinctl undrain --json`", "One document.", "cmd/odinctl", "undrained"},
		{"`odinctl reload --json`", "One document, also when mistakes were found: the exit code is 1 then.", "cmd/odinctl", "reloading"},
		{"`odinctl conns --json`", "A session a line, and last the line below.", "internal/control", "Connection"},
		{"`odinctl conns --json`, the last line", "What the answer was made from.", "cmd/odinctl", "connsTotal"},
		{"`odinctl conns ID --json`", "One document.", "cmd/odinctl", "sessionAnswer"},
		{"`odinctl channels --json`", "A channel or pattern a line, and last the line below.", "cmd/odinctl", "channelRow"},
		{"`odinctl channels --json`, the last line", "What the answer was made from.", "cmd/odinctl", "channelsTotal"},
		{"`odinctl explain --json`", "One document.", "cmd/odinctl", "explained"},
		{"`odinctl publish --json`", "A line for each record that is stored.", "cmd/odinctl", "receipt"},
		{"`odinctl logs-level --json`", "One document.", "cmd/odinctl", "levelsInForce"},
		{"`odinctl pprof --json`", "One document.", "cmd/odinctl", "profileFile"},
		{"`odinctl version --json`", "One document.", "cmd/odinctl", "versions"},
	}
}

type section struct{ title, text, dir, root string }

func page(t *testing.T) []byte {
	t.Helper()
	apart := map[string]string{}
	var out bytes.Buffer
	out.WriteString(head)
	for _, s := range sections() {
		fields, err := fieldsOf(s.dir, s.root, apart)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "\n## %s\n\n%s\n\n| field | is | meaning |\n|---|---|---|\n", s.title, s.text)
		for _, f := range fields {
			fmt.Fprintf(&out, "| `%s` | %s | %s |\n", f.path, f.kind, strings.ReplaceAll(f.meaning, "|", `\|`))
		}
		title, _, _ := strings.Cut(s.title, ",")
		if s.root != "Drain" { // which is a part of status too
			apart[s.dir+"."+s.root] = title
		}
	}
	return out.Bytes()
}

// published are the fields of a page, each with its section's title.
func published(page []byte) map[string]bool {
	found := map[string]bool{}
	for _, section := range strings.Split(string(page), "\n## ")[1:] {
		title, rows, _ := strings.Cut(section, "\n")
		for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(rows, -1) {
			found[title+": "+row[1]] = true
		}
	}
	return found
}

func TestPageIsTheTypes(t *testing.T) {
	committed, err := os.ReadFile(pagePath)
	if err != nil && !*update {
		t.Fatal(err)
	}
	made := page(t)
	for name := range published(committed) {
		if !published(made)[name] {
			t.Errorf("%s is published and gone: programs read it. If it has to go, take its row off docs/JSON.md by hand", name)
		}
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(pagePath, made, 0o644); err != nil {
			t.Fatal(err)
		}
	} else if !bytes.Equal(committed, made) {
		t.Error("docs/JSON.md is not what the types say: go test ./internal/jsondoc -update")
	}
}

// TestFieldsAreThoseThatArePrinted compares the page with a document that has
// something everywhere.
func TestFieldsAreThoseThatArePrinted(t *testing.T) {
	now := look(t)
	for title, document := range map[string]any{
		"`odinctl status --json`, `/api/status`": now,
		"`odinctl top --json`":                   top.Look{Status: now, Rates: status.Between(now, now)}.Document(),
	} {
		text, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal(text, &value); err != nil {
			t.Fatal(err)
		}
		printed, told := map[string]bool{}, map[string]bool{}
		paths("", value, printed)
		for name := range published(page(t)) {
			if path, ok := strings.CutPrefix(name, title+": "); ok {
				told[path] = true
			}
		}
		if _, ok := document.(top.Document); ok { // told of in its own section
			maps.DeleteFunc(printed, func(path string, _ bool) bool { return strings.HasPrefix(path, "status.") })
		}
		if got, want := slices.Sorted(maps.Keys(printed)), slices.Sorted(maps.Keys(told)); !slices.Equal(got, want) {
			t.Errorf("%s: printed\n%v\ntold of\n%v", title, got, want)
		}
	}
}

// paths are the fields in a document, as the page writes them.
func paths(prefix string, value any, found map[string]bool) {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if strings.HasSuffix(prefix, "closed_by_code.") { // its names are data
				continue
			}
			found[prefix+name] = true
			paths(prefix+name+".", inner, found)
		}
	case []any:
		for _, inner := range v {
			paths(strings.TrimSuffix(prefix, ".")+"[].", inner, found)
		}
	}
}

// look is a status in which no list is empty and nothing is null.
func look(t *testing.T) status.Status {
	t.Helper()
	seg, err := shm.Create(filepath.Join(t.TempDir(), "stats.shm"), shm.Layout{Slots: 2, Partitions: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = seg.Close() })
	if _, err := seg.AddPartition(event.Partition{Topic: "a"}, 0); err != nil {
		t.Fatal(err)
	}
	seg.SetOwner(0, event.Owner{Term: 1, Slot: 1, Generation: 1})
	seg.Slot(0).SetLent(1)
	seg.Process().Set(shm.DrainStart, 1)
	return status.Read(seg, shm.Now())
}

// TestEveryCommandHasASection: with --json every command prints something, and
// the page tells of it once.
func TestEveryCommandHasASection(t *testing.T) {
	sources, err := filepath.Glob(root + "/cmd/odinctl/*.go")
	if err != nil {
		t.Fatal(err)
	}
	titles := strings.Join(slices.Sorted(maps.Keys(titlesOf(t))), "\n")
	commands := 0
	for _, name := range sources {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, use := range regexp.MustCompile(`(?m)^\t\tUse:\s+"([a-z-]+)`).FindAllStringSubmatch(string(text), -1) {
			commands++
			if slices.Contains([]string{"odinctl", "sub", "completion"}, use[1]) { // no JSON of its own
				continue
			}
			if !strings.Contains(titles, "`odinctl "+use[1]+" --json`") {
				t.Errorf("docs/JSON.md has no section for odinctl %s", use[1])
			}
		}
	}
	if commands < 10 {
		t.Errorf("only %d commands in %s", commands, sources)
	}
}

func titlesOf(t *testing.T) map[string]bool {
	t.Helper()
	titles := map[string]bool{}
	for _, s := range sections() {
		if titles[s.title] {
			t.Errorf("two sections are titled %s", s.title)
		}
		titles[s.title] = true
	}
	return titles
}

func TestTypesAreTaken(t *testing.T) {
	for _, c := range []struct{ dir, root, want string }{
		{"internal/status", "Spread", "count whole number|p50_ms number or null|p99_ms number or null"},
		{"internal/status", "WorkerRates", "slot whole number|deliveries_per_s number"},
		{"internal/nothing", "Status", "holds no Go"},
		{"internal/status", "Nothing", "has no type Nothing"},
	} {
		fields, err := fieldsOf(c.dir, c.root, nil)
		got := ""
		for _, f := range fields {
			got += "|" + f.path + " " + f.kind
		}
		if err != nil {
			got = "|" + err.Error()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s.%s: %s, want %s", c.dir, c.root, got, c.want)
		}
	}
}
