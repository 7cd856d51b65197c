package control

import "slices"

// First keeps the first so many of the things that it is given, in an order.
type First[T any] struct {
	limit   int
	compare func(a, b *T) int
	list    []T
}

// NewFirst makes a First that holds limit things; compare is negative if a
// comes before b.
func NewFirst[T any](limit int, compare func(a, b *T) int) *First[T] {
	return &First[T]{limit: limit, compare: compare}
}

// Add takes one more.
func (f *First[T]) Add(one T) {
	f.list = append(f.list, one)
	if len(f.list) >= 2*f.limit+64 {
		f.cut()
	}
}

// List gives them in their order.
func (f *First[T]) List() []T {
	f.cut()
	return f.list
}

func (f *First[T]) cut() {
	slices.SortFunc(f.list, func(a, b T) int { return f.compare(&a, &b) })
	f.list = f.list[:min(len(f.list), f.limit)]
}
