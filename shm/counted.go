//go:build !nostats

package shm

// counted is false only in the build that bench/statistics.sh compares with,
// to find out what it costs that workers count.
const counted = true
