// Package prometheus tests what deploy gives to operators: alert rules with
// their runbook, and dashboards. What can be told from the files alone is told by
// `go test`; the files tagged prometheus run a real Prometheus and Alertmanager
// against a real odind (`make prometheus`).
package prometheus
