package e2e

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// scrape is one /metrics: series with labels as written → value, and families →
// type.
type scrape struct {
	series map[string]float64
	types  map[string]string
}

// metrics scrapes once.
func (s *server) metrics(t testing.TB) scrape {
	t.Helper()
	code, body := s.get(t, "/metrics")
	if code != 200 {
		t.Fatalf("/metrics says %d %s", code, body)
	}
	m, err := parseMetrics(body)
	must(t, err)
	return m
}

func parseMetrics(body string) (scrape, error) {
	m := scrape{series: map[string]float64{}, types: map[string]string{}}
	lines := bufio.NewScanner(strings.NewReader(body))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, kind, _ := strings.Cut(rest, " ")
			m.types[name] = kind
		}
		if line == "" || line[0] == '#' {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			return m, fmt.Errorf("metrics line %q: %w", line, err)
		}
		m.series[line[:at]] = value
	}
	return m, lines.Err()
}

// sum adds a family's series that carry all the labels (name, value, …).
func (m scrape) sum(t testing.TB, family string, labels ...string) float64 {
	t.Helper()
	total, found := 0.0, false
	for series, value := range m.series {
		name, rest, _ := strings.Cut(series, "{")
		if name != family {
			continue
		}
		match := true
		for i := 0; i < len(labels); i += 2 {
			match = match && strings.Contains(rest, labels[i]+`="`+labels[i+1]+`"`)
		}
		if match {
			total, found = total+value, true
		}
	}
	if !found {
		t.Fatalf("no series %s %v in /metrics", family, labels)
	}
	return total
}

// fallen lists the counters (histograms' parts too) of before that are smaller
// now or gone.
func (m scrape) fallen(now scrape) []string {
	var list []string
	for series, before := range m.series {
		if !m.counts(series) {
			continue
		}
		if after, ok := now.series[series]; !ok || after < before {
			list = append(list, fmt.Sprintf("%s from %v to %v", series, before, after))
		}
	}
	return list
}

func (m scrape) counts(series string) bool {
	name, _, _ := strings.Cut(series, "{")
	for _, part := range []string{"", "_bucket", "_sum", "_count"} {
		family, ok := strings.CutSuffix(name, part)
		if kind := m.types[family]; ok && (kind == "counter" || kind == "histogram" && part != "") {
			return true
		}
	}
	return false
}
