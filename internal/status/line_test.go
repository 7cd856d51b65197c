package status

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	for scene, want := range map[string]string{
		"ready": "ready: 2 of 2 workers ready, 12,244 sessions, 19 partitions, lag 0",
		"new":   "starting: 0 of 2 workers ready, 0 sessions, 0 partitions, lag 0",
		"degraded": "degraded: 1 of 2 workers ready, 6,172 sessions, 19 partitions, lag 1,234,567;" +
			" worker 0: kafka 10.0.0.7:9092: connection refused (is the broker up?); worker 1: gone (1 respawn so far);" +
			" odin.trades: no owner for partitions 1, 3, 5, 7, 9, 11; odin.trades: partition 4 is 1,234,567 records behind, for 1…",
	} {
		s := staged(t, scene).read()
		if got := s.Line(s.Warnings); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", scene, got, want)
		}
	}
}

// TestLineIsOneShortLine: a reason may be anything.
func TestLineIsOneShortLine(t *testing.T) {
	s := staged(t, "ready").read()
	got := s.Line([]string{"first\nsecond\x1b[2J" + strings.Repeat("é", 500), "more"})
	if strings.ContainsAny(got, "\n\x1b") || utf8.RuneCountInString(got) != lineMax || !strings.Contains(got, "first?second?[2J") {
		t.Errorf("%q", got)
	}
}
