package arrows

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// line is one line of the log, as the code has it.
type line struct {
	level, msg string
	keys       []string
	where      token.Position
}

// logMethods are the methods of loggers, with the level and the place of the
// message among the arguments; level "" stands in the argument before it.
var logMethods = map[string]struct {
	level string
	msg   int
}{
	"Debug": {"debug", 0}, "Info": {"info", 0}, "Warn": {"warn", 0}, "Error": {"error", 0},
	"LogAttrs": {"", 2}, "NewRecord": {"", 2}, "debugOf": {"debug", 1}, "debugOn": {"debug", 1},
}

// linesOf finds the lines of the log that a file's source can write.
func linesOf(t *testing.T, name string, source any) (lines []line) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		m, ok := logMethods[method.Sel.Name]
		if !ok || len(call.Args) <= m.msg || m.msg == 0 && !isLog(method.X) {
			return true
		}
		l := line{level: m.level, where: set.Position(call.Pos())}
		if l.level == "" {
			l.level = levelOf(call.Args[1])
		}
		l.msg, _ = text(call.Args[m.msg])
		l.keys = keysOf(call.Args[m.msg+1:])
		if l.level != "" {
			lines = append(lines, l)
		}
		return true
	})
	return lines
}

// isLog tells whether an expression is a logger, by its name.
func isLog(x ast.Expr) bool {
	name := ""
	switch x := x.(type) {
	case *ast.Ident:
		name = x.Name
	case *ast.SelectorExpr:
		name = x.Sel.Name
	}
	return strings.EqualFold(name, "log") || name == "to"
}

func levelOf(x ast.Expr) string {
	if s, ok := x.(*ast.SelectorExpr); ok {
		if name, ok := strings.CutPrefix(s.Sel.Name, "Level"); ok {
			return strings.ToLower(name)
		}
	}
	return ""
}

func text(x ast.Expr) (string, bool) {
	if lit, ok := x.(*ast.BasicLit); ok && lit.Kind == token.STRING {
		s, err := strconv.Unquote(lit.Value)
		return s, err == nil
	}
	return "", false
}

// keysOf are the names of the fields that are written down in the arguments.
func keysOf(args []ast.Expr) (keys []string) {
	for i := 0; i < len(args); i++ {
		if key, ok := text(args[i]); ok {
			keys = append(keys, key)
			i++ // its value
			continue
		}
		ast.Inspect(args[i], func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if s, ok := call.Fun.(*ast.SelectorExpr); ok && len(call.Args) > 1 {
					if pkg, ok := s.X.(*ast.Ident); ok && pkg.Name == "slog" {
						if key, ok := text(call.Args[0]); ok {
							keys = append(keys, key)
						}
					}
				}
			}
			return true
		})
	}
	return keys
}

// allLines are the lines of all programs.
func allLines(t *testing.T) (lines []line) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		below, _ := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (below == "bench" || below == "test" || strings.HasPrefix(below, ".") && below != "."):
			return fs.SkipDir
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			lines = append(lines, linesOf(t, path, nil)...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) < 50 {
		t.Fatalf("only %d lines of the log are found", len(lines))
	}
	return lines
}

// cells are the rows of a page's tables that begin with words in backquotes, by
// those: the second cell.
func cells(page string) map[string]string {
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| (`[^|]+`) \\| ([^|]*) \\|").FindAllStringSubmatch(page, -1) {
		for _, name := range strings.Split(m[1], "`, `") {
			rows[strings.Trim(name, "`")] = strings.TrimSpace(m[2])
		}
	}
	return rows
}

func logsPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs", "LOGS.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// Every line that an operator can see is on the page, at its level, with what
// it wants of him; and the page has no other. Debug lines may say what they
// like.
func TestLinesOfTheLogAreOnTheirPage(t *testing.T) {
	documented := cells(logsPage(t))
	written := map[string]string{}
	for _, l := range allLines(t) {
		switch {
		case l.level == "debug":
			continue
		case l.msg == "":
			t.Errorf("%s: the message of a %s line is not a constant", l.where, l.level)
		case documented[l.msg] != l.level:
			t.Errorf("%s: docs/LOGS.md has no row for the %s line %q", l.where, l.level, l.msg)
		}
		if other, ok := written[l.msg]; ok && other != l.level {
			t.Errorf("%s: %q is a %s line elsewhere", l.where, l.msg, other)
		}
		written[l.msg] = l.level
	}
	for msg, level := range documented {
		if slices.Contains([]string{"info", "warn", "error"}, level) && written[msg] != level {
			t.Errorf("docs/LOGS.md has the %s line %q, which nobody writes", level, msg)
		}
	}
}

// Fields have the same names wherever they are: those of the page.
func TestFieldsOfTheLogAreOnTheirPage(t *testing.T) {
	documented := cells(logsPage(t))
	used := map[string]bool{"time": true, "level": true, "msg": true, "repeated": true, "id": true, "panic": true, "stack": true, "pid": true, "worker": true, "lines": true}
	for _, l := range allLines(t) {
		for _, key := range l.keys {
			used[key] = true
			if documented[key] == "" {
				t.Errorf("%s: docs/LOGS.md has no field %q", l.where, key)
			}
		}
	}
	_, fields, _ := strings.Cut(logsPage(t), "## Fields")
	fields, _, _ = strings.Cut(fields, "\n## ")
	for key := range cells(fields) {
		if !used[key] {
			t.Errorf("docs/LOGS.md has the field %q, which no line carries", key)
		}
	}
}

// What the runbook has somebody look for in the log can be found there.
func TestRunbookLooksForLinesThatThereAre(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "OPERATIONS.md"))
	if err != nil {
		t.Fatal(err)
	}
	var messages strings.Builder
	for _, l := range allLines(t) {
		messages.WriteString(l.msg + "\n")
	}
	looked := regexp.MustCompile(`log (?:for|line) "([^"]+)"`).FindAllStringSubmatch(strings.Join(strings.Fields(string(page)), " "), -1)
	for _, m := range looked {
		if !strings.Contains(messages.String(), m[1]) {
			t.Errorf("docs/OPERATIONS.md looks for %q in the log, which no line has", m[1])
		}
	}
	if len(looked) < 3 {
		t.Errorf("only %d are found", len(looked))
	}
}

func TestLinesAreFound(t *testing.T) {
	lines := linesOf(t, "x.go", `package x
func f() {
	c.log.Warn("one", "worker", 1, "err", err)
	log.Info("two")
	t.Error("no line")
	p.log.LogAttrs(ctx, slog.LevelError, "three", f.Attrs(slog.String("topic", t), slog.Int("partition", n))...)
	p.debugOf(s, "four", slog.Int("code", 1))
	s.o.Log.Debug("five: "+msg, keyvals...)
	d.log.Error(what, "err", err)
	slog.NewRecord(now, slog.LevelWarn, "six", 0)
	slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
}`)
	want := []line{
		{level: "warn", msg: "one", keys: []string{"worker", "err"}},
		{level: "info", msg: "two"},
		{level: "error", msg: "three", keys: []string{"topic", "partition"}},
		{level: "debug", msg: "four", keys: []string{"code"}},
		{level: "debug"},
		{level: "error", keys: []string{"err"}},
		{level: "warn", msg: "six"},
	}
	if len(lines) != len(want) {
		t.Fatalf("found %+v", lines)
	}
	for i, l := range lines {
		if l.level != want[i].level || l.msg != want[i].msg || !slices.Equal(l.keys, want[i].keys) {
			t.Errorf("found %+v, want %+v", l, want[i])
		}
	}
}
