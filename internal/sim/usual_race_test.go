//go:build race

package sim

// usualSchedules: nothing here is shared between goroutines, so the race
// detector gets a taste only; it makes a schedule twenty times as long.
const usualSchedules = 1000
