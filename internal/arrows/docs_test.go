package arrows

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// pages are the Markdown files of the tree, by path below the root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, glob := range []string{"*.md", "docs/*.md", "bench/*.md"} {
		names, err := filepath.Glob(filepath.Join(root, glob))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			below, _ := filepath.Rel(root, name)
			found[below] = string(text)
		}
	}
	if len(found) < 3 {
		t.Fatalf("only %d pages", len(found))
	}
	return found
}

func TestLinksOfPagesLead(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`)
	for page, text := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s links to %s, which isn't there", page, m[1])
			}
		}
	}
}

// A page that says that a test proves something names a test that exists.
func TestTestsOfPagesExist(t *testing.T) {
	exists := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9_]+)\(`)
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range declared.FindAllSubmatch(source, -1) {
			exists[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for page, text := range pages(t) {
		for _, m := range regexp.MustCompile("`(Test[A-Z][A-Za-z0-9_]+)`").FindAllStringSubmatch(text, -1) {
			if !exists[m[1]] {
				t.Errorf("%s names the test %s, which doesn't exist", page, m[1])
			}
		}
	}
}

// Every make target, script and part of .ci/run that a page names exists.
func TestCommandsOfPagesExist(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile("(?:`|^    |^)make ([a-z][a-z0-9-]*)")
	script := regexp.MustCompile(`\b((?:scripts|test|bench)/[a-z0-9/_-]+\.sh)\b`)
	for page, text := range pages(t) {
		for line := range strings.Lines(text) {
			for _, m := range command.FindAllStringSubmatch(line, -1) {
				if !strings.Contains(string(makefile), "\n"+m[1]+":") {
					t.Errorf("%s names `make %s`, which the Makefile lacks", page, m[1])
				}
			}
			for _, m := range script.FindAllStringSubmatch(line, -1) {
				if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
					t.Errorf("%s names %s, which isn't there", page, m[1])
				}
			}
		}
	}
}

// Every series that a page names is one that is published.
func TestMetricsOfPagesExist(t *testing.T) {
	all := pages(t)
	listed := all["docs/METRICS.md"]
	name := regexp.MustCompile("`(odin_[a-z0-9_]+)")
	for page, text := range all {
		for _, m := range name.FindAllStringSubmatch(text, -1) {
			series := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(m[1], "_bucket"), "_sum"), "_count")
			if !strings.Contains(listed, "`"+m[1]+"`") && !strings.Contains(listed, "`"+series+"`") {
				t.Errorf("%s names %s, which docs/METRICS.md lacks", page, m[1])
			}
		}
	}
}
