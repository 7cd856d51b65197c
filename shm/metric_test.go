package shm

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func allMetrics() []Metric {
	return slices.Concat(counterTable[:], gaugeTable[:], histogramTable[:], supervisorCounterTable[:], supervisorGaugeTable[:])
}

func TestEveryMetricIsNamedLikePrometheusWants(t *testing.T) {
	form := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	for i, m := range allMetrics() {
		if !form.MatchString(m.Name) || strings.HasPrefix(m.Name, "odin") {
			t.Errorf("row %d: name %q", i, m.Name)
		}
		equal(t, m.Name+" ends in _total", strings.HasSuffix(m.Name, "_total"), m.Kind == KindCounter)
		base := strings.TrimSuffix(m.Name, "_total")
		equal(t, m.Name+" ends in _seconds", strings.HasSuffix(base, "_seconds"), m.Unit == Nanoseconds || m.Unit == Microseconds)
		equal(t, m.Name+" ends in _bytes", strings.HasSuffix(base, "_bytes"), m.Unit == Bytes)
		for _, reserved := range []string{"_count", "_sum", "_bucket", "_info", "_created"} {
			if strings.HasSuffix(m.Name, reserved) {
				t.Errorf("%s ends like a part of another metric", m.Name)
			}
		}
		if len(m.Help) < 10 || !strings.HasSuffix(m.Help, ".") {
			t.Errorf("%s: help %q", m.Name, m.Help)
		}
	}
}

func TestEveryMetricFitsIntoTheDirectory(t *testing.T) {
	for _, e := range directory(planOf(small)) {
		for what, n := range map[string][2]int{
			"name": {len(e.Name), 64}, "kind": {len(e.kind), 16}, "unit": {len(e.Unit.String()), 16},
			"label": {len(e.Label), 16}, "value": {len(e.Value), 32}, "help": {len(e.Help), 192},
		} {
			if n[0] >= n[1] { // a zero at the end is there
				t.Errorf("%s: %s has %d bytes of %d", e.Name, what, n[0], n[1])
			}
		}
	}
}

func TestSeriesAreUniqueAndFamiliesStandTogether(t *testing.T) {
	seen := map[string]Metric{}
	series := map[string]bool{}
	last := ""
	for _, m := range allMetrics() {
		key := m.Name + "/" + m.Value
		if series[key] {
			t.Errorf("%s is there twice", key)
		}
		series[key] = true
		first, known := seen[m.Name]
		if known && (m.Name != last || first.Help != m.Help || first.Label != m.Label || first.Unit != m.Unit || m.Label == "") {
			t.Errorf("%s: rows of one name differ, or do not stand together", m.Name)
		}
		if m.Label != "" && m.Label != "reason" && m.Label != "code" || (m.Label == "") != (m.Value == "") {
			t.Errorf("%s: label %q with value %q", m.Name, m.Label, m.Value)
		}
		seen[m.Name], last = m, m.Name
	}
	if len(seen) < 60 {
		t.Errorf("only %d names", len(seen))
	}
}

func TestBoundsGrow(t *testing.T) {
	for h := range HistogramCount {
		b := h.Bounds()
		if len(b) == 0 || !slices.IsSorted(b) || len(slices.Compact(slices.Clone(b))) != len(b) {
			t.Errorf("%s: bounds %v", h.Metric().Name, b)
		}
	}
}

func TestClosedBy(t *testing.T) {
	for _, code := range closeCodes {
		m := ClosedBy(code).Metric()
		equal(t, "name", m.Name, "sessions_closed_total")
		equal(t, "code", m.Value, strconv.Itoa(int(code)))
	}
	equal(t, "a code that is never sent", ClosedBy(4999), SessionsClosed1006)
}

func TestBy(t *testing.T) {
	for _, c := range []struct {
		first Counter
		value string
		want  Counter
		ok    bool
	}{
		{RecordsSkippedNoKey, "no_key", RecordsSkippedNoKey, true},
		{RecordsSkippedNoKey, "bad_path", RecordsSkippedBadPath, true},
		{RecordsSkippedNoKey, "nonsense", 0, false},
		{RequestErrorsBadJSON, "rate_limited", RequestErrorsRateLimited, true},
		{Faults, "beyond the table's end", 0, false},
	} {
		got, ok := c.first.By(c.value)
		equal(t, c.value, got, c.want)
		equal(t, c.value+" found", ok, c.ok)
	}
}

func TestWordsOfKindsUnitsAndStates(t *testing.T) {
	equal(t, "kind", KindHistogram.String(), "histogram")
	equal(t, "unit", Microseconds.String(), "microseconds")
	equal(t, "nanoseconds in a second", Nanoseconds.PerBase(), 1e9)
	equal(t, "state", Draining.String(), "draining")
	equal(t, "state of a hostile segment", State(77).String(), "unknown(77)")
}
