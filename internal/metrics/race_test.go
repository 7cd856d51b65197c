//go:build race

package metrics

// raceCost is how much more the race detector lets a scrape cost.
const raceCost = 15
