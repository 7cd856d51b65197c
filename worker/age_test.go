package worker

import (
	"math"
	"testing"
	"time"
)

func TestAge(t *testing.T) {
	now := 1_763_800_000_123*time.Millisecond + 456*time.Microsecond
	for _, c := range []struct {
		name   string
		millis int64
		want   time.Duration
	}{
		{"just made", now.Milliseconds(), 456 * time.Microsecond},
		{"a while ago", now.Milliseconds() - 250, 250*time.Millisecond + 456*time.Microsecond},
		{"a clock ahead of ours", now.Milliseconds() + 1, 0},
		{"a clock far ahead", math.MaxInt64, 0},
		{"old", now.Milliseconds() - ageMax.Milliseconds(), ageMax},
		{"without a timestamp", -1, ageMax},
		{"nonsense", math.MinInt64, ageMax},
	} {
		if got := age(now, c.millis); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
