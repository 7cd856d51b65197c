package wire_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/wire"
)

// TestReaderRandomly sends plausible conversations with a mistake here and
// there, which bytes at random hardly ever are, to Reader and to gorilla.
func TestReaderRandomly(t *testing.T) {
	for seed := range uint64(4000) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		input := conversation(rnd)
		ours := feed(t, bytes.Clone(input), testMax, whole)
		if cut := feed(t, bytes.Clone(input), testMax, func(left int) int { return rnd.IntN(left + 1) }); !sameSeen(ours, cut) {
			t.Fatalf("seed %d, %q:\nat once   %+v\nin pieces %+v", seed, input, ours, cut)
		}
		checkDifference(t, input, ours, gorilla(t, input, testMax))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func conversation(rnd *rand.Rand) (input []byte) {
	open := false
	for range 1 + rnd.IntN(8) {
		frame := randomFrame(rnd, &open)
		if rnd.IntN(20) == 0 { // a mistake
			frame[rnd.IntN(min(len(frame), 8))] ^= 1 << rnd.IntN(8)
		}
		input = append(input, frame...)
	}
	if rnd.IntN(5) == 0 {
		input = input[:rnd.IntN(len(input)+1)]
	}
	return input
}

// randomFrame continues the conversation as the protocol allows.
func randomFrame(rnd *rand.Rand, open *bool) []byte {
	var key [4]byte
	for i := range key {
		key[i] = byte(rnd.Uint32())
	}
	if rnd.IntN(4) == 0 {
		op := []wire.Opcode{wire.Ping, wire.Pong, wire.Ping, wire.Close}[rnd.IntN(4)]
		return wire.AppendClientFrame(nil, true, op, controlPayload(rnd, op), key)
	}
	op := []wire.Opcode{wire.Text, wire.Text, wire.Binary}[rnd.IntN(3)]
	if *open {
		op = wire.Continuation
	}
	last := rnd.IntN(2) == 0
	*open = !last
	return wire.AppendClientFrame(nil, last, op, dataPayload(rnd), key)
}

func controlPayload(rnd *rand.Rand, op wire.Opcode) []byte {
	if op != wire.Close {
		return []byte(strings.Repeat("c", rnd.IntN(126)))
	}
	codes := []string{"", "\x03\xe8", "\x03\xe9reason", "\x03\xedreason", "\x0f\xa0", "\x03\xe8\xff", "\x03", "\x03\xf6"}
	return []byte(codes[rnd.IntN(len(codes))])
}

// dataPayload is text that may begin or end within a rune.
func dataPayload(rnd *rand.Rand) []byte {
	text := strings.Repeat("aé🙂", rnd.IntN(5)*rnd.IntN(12))
	if rnd.IntN(10) == 0 {
		text += strings.Repeat("z", rnd.IntN(testMax))
	}
	if rnd.IntN(4) == 0 && len(text) > 0 {
		cut := rnd.IntN(len(text))
		text = text[cut:] + text[:cut]
	}
	return []byte(text)
}
