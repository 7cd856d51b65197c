// Package k6 tests the load test: its thresholds have to fail beside a server that
// does something wrong. The files tagged k6 are run by scripts/k6/smoke.sh, which
// `make k6` calls; the scenarios themselves are JavaScript, run by `make load`.
package k6
