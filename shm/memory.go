package shm

import (
	"sync/atomic"
	"unsafe"
)

// line is the bytes of a cache line: words of different writers never share
// one.
const line = 64

// page is what areas of different writers are rounded up to.
const page = 4096

// word is the bytes of one number.
const word = 8

// memory is the mapped file. Every access goes through an atomic operation on
// an aligned word inside of its bounds; an offset outside panics in the slice
// expression instead of touching foreign memory.
type memory []byte

func (m memory) at(off int) *uint64 {
	return (*uint64)(unsafe.Pointer(unsafe.SliceData(m[off : off+word])))
}

// words views n words from off on.
func (m memory) words(off, n int) []uint64 {
	return unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(m[off:off+n*word]))), n)
}

func (m memory) load(off int) uint64            { return atomic.LoadUint64(m.at(off)) }
func (m memory) store(off int, v uint64)        { atomic.StoreUint64(m.at(off), v) }
func (m memory) add(off int, n uint64)          { atomic.AddUint64(m.at(off), n) }
func (m memory) swap(off int, o, n uint64) bool { return atomic.CompareAndSwapUint64(m.at(off), o, n) }

// roundUp gives the next multiple of unit, a power of two.
func roundUp(n, unit int) int { return (n + unit - 1) &^ (unit - 1) }
