//go:build nostats

package shm

const counted = false
