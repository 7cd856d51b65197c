package main

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
)

// inflater reads compressed messages (RFC 7692, no context takeover). Odin
// compresses a record once for all sessions, so what one session has got is known
// when the others get it, and a run isn't that of inflating.
type inflater struct {
	known map[string][]byte
	from  bytes.Reader
	flate io.Reader
}

// knownMax is how many messages are kept: more than are on their way at once.
const knownMax = 4096

// tail stands behind each message: the end that a sender leaves away, and an
// empty last block.
var tail = []byte{0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff}

func newInflater() *inflater {
	z := &inflater{known: map[string][]byte{}}
	z.flate = flate.NewReader(&z.from)
	return z
}

func (z *inflater) inflate(b []byte) ([]byte, error) {
	if plain, ok := z.known[string(b)]; ok {
		return plain, nil
	}
	z.from.Reset(append(bytes.Clone(b), tail...))
	if err := z.flate.(flate.Resetter).Reset(&z.from, nil); err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(z.flate, frameMax))
	if err != nil {
		return nil, fmt.Errorf("a compressed message: %w", err)
	}
	if len(z.known) >= knownMax {
		clear(z.known)
	}
	z.known[string(b)] = plain
	return plain, nil
}
