package top

import "time"

// Bounds of the time between two looks.
const (
	IntervalMin     = 100 * time.Millisecond
	IntervalMax     = time.Hour
	IntervalDefault = time.Second
)

// intervals are those that + and - go through.
func intervals() []time.Duration {
	const ms, s = time.Millisecond, time.Second
	return []time.Duration{IntervalMin, 200 * ms, 500 * ms, s, 2 * s, 5 * s, 10 * s, 30 * s, time.Minute}
}

func longer(than time.Duration) time.Duration {
	for _, d := range intervals() {
		if d > than {
			return d
		}
	}
	return than
}

func shorter(than time.Duration) time.Duration {
	steps := intervals()
	for i := len(steps) - 1; i >= 0; i-- {
		if steps[i] < than {
			return steps[i]
		}
	}
	return than
}

// Interval is the time between two looks.
func (m *Model) Interval() time.Duration { return m.interval }

func (m *Model) setInterval(d time.Duration) Action {
	if d == m.interval {
		return Nothing
	}
	m.interval = d
	return Interval
}
