package sim

// poison is memory that is spoilt when it is given back: whoever reads on finds
// no record there.
type poison struct{}

func (poison) Take(size int) []byte { return make([]byte, 0, size) }

func (poison) Give(room []byte) {
	room = room[:cap(room)]
	for i := range room {
		room[i] = 0xdb
	}
}
