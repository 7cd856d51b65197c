package kafka

import (
	"math/rand/v2"
	"time"
)

// Bounds of the wait before something is tried again.
const (
	retryMin = 50 * time.Millisecond
	retryMax = 2 * time.Second
)

// delay is how long to wait after the n-th failure in a row (from 1): twice
// as long each time, ± 20 % so that workers don't return in step.
func delay(n int) time.Duration {
	d := retryMax
	if n < 8 {
		d = min(retryMin<<max(n-1, 0), retryMax)
	}
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}
