package wire

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// Eight bytes at a time must equal one at a time, at every length, at every
// alignment of the slice and of the key, and in two steps.
func TestUnmask(t *testing.T) {
	key := [4]byte{0x12, 0x34, 0x56, 0x78}
	memory := make([]byte, 200)
	for size := range 100 {
		for offset := range 9 {
			for cut := 0; cut <= size; cut += 1 + size/7 {
				p := memory[offset : offset+size]
				want := make([]byte, size)
				for i := range p {
					p[i] = byte(i * 7)
					want[i] = p[i] ^ key[i%4]
				}
				word := binary.LittleEndian.Uint32(key[:])
				word = unmask(p[:cut], word)
				word = unmask(p[cut:], word)
				if !bytes.Equal(p, want) {
					t.Fatalf("size %d, offset %d, cut %d", size, offset, cut)
				}
				if byte(word) != key[size%4] {
					t.Fatalf("size %d: the key was not turned", size)
				}
			}
		}
	}
}
