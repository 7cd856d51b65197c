package journal

import (
	"fmt"
	"hash/maphash"
	"log/slog"
	"math/bits"
	"strconv"
)

// identity tells which lines say the same: level, message, and what names a
// thing or says in words how it is. What merely measures doesn't count: times,
// durations, numbers that name nothing, and in a text runs of digits that are
// long enough to be a port or an offset.
//
// It is a hash of 64 bits; of the few hundred that are remembered at once, two
// different lines never share one in practice.
type identity struct {
	sum  uint64
	seed maphash.Seed
}

func newIdentity() identity { return identity{seed: maphash.MakeSeed()} }

// of is the identity of a record.
func (id identity) of(r *slog.Record) uint64 {
	id = id.text(strconv.Itoa(int(r.Level))).text(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		id = id.field(a)
		return true
	})
	return id.sum
}

func (id identity) with(attrs []slog.Attr) identity {
	for _, a := range attrs {
		id = id.field(a)
	}
	return id
}

func (id identity) group(name string) identity { return id.text(name) }

// field adds one field, if it counts.
func (id identity) field(a slog.Attr) identity {
	v := a.Value.Resolve()
	switch {
	case v.Kind() == slog.KindGroup:
		return id.text(a.Key).with(v.Group())
	case named(a.Key):
		return id.text(a.Key).text(textOf(v))
	case personal(a.Key):
		return id
	}
	switch v.Kind() {
	case slog.KindString, slog.KindAny, slog.KindBool:
		return id.text(a.Key).text(squeezed(textOf(v)))
	default:
		return id
	}
}

// named tells whether a field's value, whatever it is, names what a line is
// about.
func named(key string) bool {
	switch key {
	case "worker", "topic", "partition", "peer", "slot", "broker", "id", "code", "signal":
		return true
	}
	return false
}

// personal tells whether a field says at whom or where just this line came up:
// another client meets the same.
func personal(key string) bool {
	switch key {
	case "remote", "session", "panic", "stack":
		return true
	}
	return false
}

// textOf is a value as it is compared, and kept of what is held back.
func textOf(v slog.Value) string {
	if v.Kind() == slog.KindAny {
		return fmt.Sprint(v.Any()) // catches what a nil's own method does
	}
	return v.String()
}

// digitsMin is from how many digits on a number in a text doesn't tell two
// texts apart: exit codes and statuses do, ports and offsets don't.
const digitsMin = 4

// squeezed replaces each long run of digits by one '#'.
func squeezed(text string) string {
	if len(text) < digitsMin {
		return text
	}
	out := make([]byte, 0, len(text))
	run := 0
	for i := range len(text) {
		c := text[i]
		out = append(out, c)
		if c < '0' || c > '9' {
			run = 0
			continue
		}
		switch run++; {
		case run == digitsMin:
			out = append(out[:len(out)-digitsMin], '#')
		case run > digitsMin:
			out = out[:len(out)-1]
		}
	}
	return string(out)
}

func (id identity) text(s string) identity {
	const odd = 0x9e3779b97f4a7c15 // 2^64 by the golden ratio: spreads well
	id.sum = (bits.RotateLeft64(id.sum, 5) ^ maphash.String(id.seed, s)) * odd
	return id
}
