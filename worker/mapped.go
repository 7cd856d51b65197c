package worker

import "golang.org/x/sys/unix"

// mapped is memory of the kernel's, outside of Go's heap: the collector lets as
// much garbage gather as the heap holds, so a history that lay there would take
// its bytes twice.
type mapped struct{}

// Take maps room. Where the kernel has no mapping left it is of Go's heap.
func (mapped) Take(size int) []byte {
	room, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return make([]byte, 0, size)
	}
	return room[:0]
}

// Give unmaps it. What was not mapped is left to the collector.
func (mapped) Give(room []byte) { _ = unix.Munmap(room[:cap(room)]) }
