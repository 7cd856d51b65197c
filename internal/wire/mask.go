package wire

import (
	"encoding/binary"
	"math/bits"
)

// unmask applies the key to p in place, eight bytes at a time, and returns
// the key turned so that its first byte masks the byte behind p (RFC 6455
// section 5.3).
func unmask(p []byte, key uint32) uint32 {
	wide := uint64(key)<<32 | uint64(key)
	for len(p) >= 32 {
		mask8(p, wide)
		mask8(p[8:], wide)
		mask8(p[16:], wide)
		mask8(p[24:], wide)
		p = p[32:]
	}
	for len(p) >= 8 {
		mask8(p, wide)
		p = p[8:]
	}
	for i := range p {
		p[i] ^= byte(key)
		key = bits.RotateLeft32(key, -8)
	}
	return key
}

func mask8(p []byte, key uint64) {
	binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^key)
}
