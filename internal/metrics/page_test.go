package metrics

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite docs/METRICS.md")

const pagePath = "../../docs/METRICS.md"

func page(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	must(t, Page(&b))
	return b.String()
}

func TestPageIsTheTable(t *testing.T) {
	text := page(t)
	if *update {
		must(t, os.WriteFile(pagePath, []byte(text), 0o644))
	}
	committed, err := os.ReadFile(pagePath)
	must(t, err)
	if string(committed) != text {
		t.Error("docs/METRICS.md is not what the table says: go test ./internal/metrics -run Page -update")
	}
}

func TestPageHasEveryFamilyOnce(t *testing.T) {
	text := page(t)
	for _, f := range New(newSegment(t, 1, 1)).families {
		if n := strings.Count(text, "\n| `"+f.name+"` |"); n != 1 {
			t.Errorf("%s has %d rows", f.name, n)
		}
	}
	for line := range strings.Lines(text) {
		if bars := strings.Count(line, "|") - strings.Count(line, "\\|"); strings.HasPrefix(line, "|") && bars != 5 {
			t.Errorf("a row of %d bars: %s", bars, line)
		}
	}
}

// The number of series that the page promises is the number of lines that a
// scraper gets.
func TestPageKnowsTheNumberOfSeries(t *testing.T) {
	for _, c := range [][2]int{{2, 12}, {16, 96}, {1, 0}} {
		w, p, process := newWorkers(0), newPartitions(), newProcess()
		want := len(process.families()) + w.seriesEach()*c[0] + len(p.families())*c[1]
		got := 0
		for line := range strings.Lines(scrape(t, Handler(busy(t, c[0], c[1])), "").Body.String()) {
			if !strings.HasPrefix(line, "#") {
				got++
			}
		}
		equal(t, fmt.Sprint(c, " workers and partitions"), got, want)
		if c[1] > 0 && !strings.Contains(page(t), fmt.Sprintf("%3d workers, %4d partitions: %6d\n", c[0], c[1], want)) {
			t.Errorf("the page doesn't say %d series for %v", want, c)
		}
	}
}
