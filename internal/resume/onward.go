package resume

// Move is how a replay goes on.
type Move uint8

// The moves.
const (
	Live  Move = iota // it has all that the others were given: the answer is due
	Await             // it has more than the others in some partition: they come
	Read              // the partition is to be read
)

// Onward tells which of n partitions a replay reads next, beginning with the one
// it read last. missing is how many offsets it is behind those who are live;
// negative: ahead of them. It goes live only where it is neither, in all.
func Onward(n, last int, missing func(i int) int64) (part int, m Move) {
	ahead := false
	for k := range n {
		i := (last + k) % n
		switch d := missing(i); {
		case d > 0:
			return i, Read
		case d < 0:
			ahead = true
		}
	}
	if ahead {
		return 0, Await
	}
	return 0, Live
}
