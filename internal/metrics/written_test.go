package metrics

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odin-ws/odin/shm"
)

// A number that nobody writes is a promise that isn't kept: every row of the
// table is written by the program's source, but for those of a later version.
func TestEveryMetricIsWritten(t *testing.T) {
	named, families := mentions(t)
	for name, r := range rows(t) {
		m := r.Metric
		written := named[name] || families[m.Name]
		switch {
		case !written && !m.Later:
			t.Errorf("shm.%s (%s %s) is written nowhere", name, m.Name, m.Value)
		case named[name] && m.Later:
			t.Errorf("shm.%s (%s %s) is written: it belongs to this version", name, m.Name, m.Value)
		}
	}
}

// tableRow is one row and who writes it.
type tableRow struct {
	shm.Metric
	writer string
}

// rows are the table's by the names of their constants.
func rows(t *testing.T) map[string]tableRow {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../shm/counters.go", nil, 0)
	must(t, err)
	all := map[string]tableRow{}
	for _, d := range file.Decls {
		group, ok := d.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		kind := ""
		for i, s := range group.Specs {
			spec := s.(*ast.ValueSpec)
			if spec.Type != nil {
				kind = spec.Type.(*ast.Ident).Name
			}
			if name := spec.Names[0].Name; !strings.HasSuffix(name, "Count") {
				all[name] = row(kind, i)
			}
		}
	}
	if len(all) < 60 {
		t.Fatalf("only %d rows", len(all))
	}
	return all
}

func row(kind string, i int) tableRow {
	switch kind {
	case "Counter":
		return tableRow{shm.Counter(i).Metric(), "worker"}
	case "Gauge":
		return tableRow{shm.Gauge(i).Metric(), "worker"}
	case "Histogram":
		return tableRow{shm.Histogram(i).Metric(), "worker"}
	case "SupervisorCounter":
		return tableRow{shm.SupervisorCounter(i).Metric(), "supervisor"}
	}
	return tableRow{shm.SupervisorGauge(i).Metric(), "supervisor"}
}

// mentions are the names of shm that their writer uses, worker or supervisor,
// and the families of which it uses every row, by the value of the label.
func mentions(t *testing.T) (named, families map[string]bool) {
	t.Helper()
	named, families = map[string]bool{}, map[string]bool{shm.ClosedBy(1000).Metric().Name: true}
	all := rows(t)
	dir := ""
	visit := func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if name := ofShm(s); name != "" {
			named[name] = named[name] || all[name].writer == dir
		} else if first, ok := s.X.(*ast.SelectorExpr); ok && s.Sel.Name == "By" {
			families[all[ofShm(first)].Name] = true
			return false
		}
		return true
	}
	for _, dir = range []string{"worker", "supervisor"} {
		must(t, filepath.WalkDir(filepath.Join("../..", dir), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err == nil {
				ast.Inspect(file, visit)
			}
			return err
		}))
	}
	return named, families
}

// ofShm is the name of shm that a selector names, "" if it isn't one of shm.
func ofShm(s *ast.SelectorExpr) string {
	if x, ok := s.X.(*ast.Ident); ok && x.Name == "shm" {
		return s.Sel.Name
	}
	return ""
}
