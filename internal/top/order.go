package top

import (
	"cmp"
	"slices"

	"github.com/odin-ws/odin/internal/status"
)

// order is one way to sort a view's rows: by a number, the largest first, or,
// without one, as they are.
type order struct {
	name string
	by   func(l Look, i int) float64
}

// Orders are the names of a view's orders, the usual one first.
func Orders(v View) (names []string) {
	for _, o := range ordersOf(v) {
		names = append(names, o.name)
	}
	return names
}

func (m *Model) orders() []order { return ordersOf(m.view) }

func ordersOf(v View) []order {
	worker := func(number func(w status.Worker) int64) func(Look, int) float64 {
		return func(l Look, i int) float64 { return float64(number(l.Status.Workers[i])) }
	}
	flow := func(number func(f status.Flow) float64) func(Look, int) float64 {
		return func(l Look, i int) float64 { return number(l.worker(i)) }
	}
	partition := func(number func(p status.Partition) float64) func(Look, int) float64 {
		return func(l Look, i int) float64 { return number(l.Status.Partitions[i]) }
	}
	sessions := order{"sessions", worker(func(w status.Worker) int64 { return w.Sessions })}
	owed := order{"owed", worker(func(w status.Worker) int64 { return w.OwedBytes })}
	switch v {
	case Partitions:
		return []order{
			{name: "topic"},
			{"lag", partition(func(p status.Partition) float64 { return float64(p.Lag) })},
			{"behind", partition(func(p status.Partition) float64 { return p.LagS })},
			{"records", func(l Look, i int) float64 { return l.partition(i) }},
		}
	case Clients:
		return []order{
			{name: "worker"},
			sessions, owed,
			{"blocked", worker(func(w status.Worker) int64 { return w.BlockedSessions })},
			{"closed", flow(func(f status.Flow) float64 { return f.Closed })},
			{"slow", worker(func(w status.Worker) int64 { return int64(w.SlowCloses) })},
		}
	default:
		return []order{
			{name: "worker"},
			sessions, owed,
			{"deliveries", flow(func(f status.Flow) float64 { return f.Deliveries })},
			{"cpu", flow(func(f status.Flow) float64 { return f.Cores })},
			{"turn", flow(func(f status.Flow) float64 { return millis(f.Turn.P99MS) })},
		}
	}
}

func millis(ms *float64) float64 {
	if ms == nil {
		return 0
	}
	return *ms
}

// sorted are the indexes 0 to n-1 in the view's order. Rows that are equal in
// it keep their places.
func (m *Model) sorted(n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	if by := m.orders()[m.sorts[m.view]].by; by != nil {
		slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(by(m.look, b), by(m.look, a)) })
	}
	if m.reversed[m.view] {
		slices.Reverse(rows)
	}
	return rows
}
