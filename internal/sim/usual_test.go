//go:build !race

package sim

// usualSchedules is how many TestSchedules runs unless told otherwise.
const usualSchedules = 20_000
