package wire

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// ValueDepthMax is the deepest nesting of arrays and objects that counts as
// valid JSON: RFC 8259 section 9 lets an implementation set one, and every
// parser of a client has one.
const ValueDepthMax = 512

// ValidJSON tells whether value is one JSON value in valid UTF-8 (RFC 8259),
// nested no deeper than ValueDepthMax. It neither allocates nor recurses, so
// hostile nesting costs no stack.
func ValidJSON(value []byte) bool {
	_, ok := scanJSON(value)
	return ok
}

// scanState is what scanJSON expects next.
type scanState byte

const (
	wantValue     scanState = iota
	wantElement             // a value, or the end of the array just opened
	wantKey                 // a key
	wantMember              // a key, or the end of the object just opened
	wantNext                // behind a value: a comma, an end, or the input's end
	scanIsRefused           // not JSON
)

// nesting is the stack of open arrays and objects, a bit for each.
type nesting struct {
	depth   int
	objects [ValueDepthMax / 64]uint64
}

// scanJSON checks s and returns where it ends to be JSON.
func scanJSON(s []byte) (at int, ok bool) {
	var open nesting
	state := wantValue
	for i := skipSpace(s, 0); ; i = skipSpace(s, i) {
		if i >= len(s) {
			return i, state == wantNext && open.depth == 0
		}
		at = i
		switch state {
		case wantValue:
			i, state = open.value(s, i)
		case wantElement:
			if s[i] == ']' {
				i, state = open.pop(i)
			} else {
				i, state = open.value(s, i)
			}
		case wantMember:
			if s[i] == '}' {
				i, state = open.pop(i)
			} else {
				i, state = key(s, i)
			}
		case wantKey:
			i, state = key(s, i)
		case wantNext:
			i, state = open.next(s[i], i)
		}
		if state == scanIsRefused {
			return max(at, i), false
		}
	}
}

// value reads a whole string, number or word, or the opening of a container.
func (n *nesting) value(s []byte, i int) (int, scanState) {
	switch b := s[i]; b {
	case '"':
		return after(skipString(s, i+1))
	case '{', '[':
		return n.push(i, b == '{')
	case 't':
		return word(s, i, "true")
	case 'f':
		return word(s, i, "false")
	case 'n':
		return word(s, i, "null")
	default:
		return after(skipNumber(s, i))
	}
}

func (n *nesting) push(i int, object bool) (int, scanState) {
	if n.depth == ValueDepthMax {
		return i, scanIsRefused
	}
	bit := uint64(1) << (n.depth % 64)
	n.depth++
	if object {
		n.objects[(n.depth-1)/64] |= bit
		return i + 1, wantMember
	}
	n.objects[(n.depth-1)/64] &^= bit
	return i + 1, wantElement
}

func (n *nesting) pop(i int) (int, scanState) {
	n.depth--
	return i + 1, wantNext
}

func (n *nesting) inObject() bool {
	top := n.depth - 1
	return n.objects[top/64]&(1<<(top%64)) != 0
}

// next reads what follows a value.
func (n *nesting) next(b byte, i int) (int, scanState) {
	if n.depth == 0 {
		return i, scanIsRefused
	}
	object := n.inObject()
	switch {
	case b == ',' && object:
		return i + 1, wantKey
	case b == ',':
		return i + 1, wantValue
	case b == '}' && object, b == ']' && !object:
		return n.pop(i)
	}
	return i, scanIsRefused
}

// key reads a member's key and its colon.
func key(s []byte, i int) (int, scanState) {
	if s[i] != '"' {
		return i, scanIsRefused
	}
	i, ok := skipString(s, i+1)
	if !ok {
		return i, scanIsRefused
	}
	i = skipSpace(s, i)
	if i >= len(s) || s[i] != ':' {
		return i, scanIsRefused
	}
	return i + 1, wantValue
}

func after(i int, ok bool) (int, scanState) {
	if !ok {
		return i, scanIsRefused
	}
	return i, wantNext
}

func word(s []byte, i int, w string) (int, scanState) {
	if len(s)-i < len(w) || string(s[i:i+len(w)]) != w {
		return i, scanIsRefused
	}
	return i + len(w), wantNext
}

func skipSpace(s []byte, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\n' || s[i] == '\t' || s[i] == '\r') {
		i++
	}
	return i
}

// skipString goes from behind the opening quote to behind the closing one.
func skipString(s []byte, i int) (int, bool) {
	for {
		if i = skipPlain(s, i); i >= len(s) {
			return i, false
		}
		if s[i] == '"' {
			return i + 1, true
		}
		n := specialSize(s[i:])
		if n == 0 {
			return i, false
		}
		i += n
	}
}

// specialSize is the length of the escape or rune at the head of s, 0 if a
// string can't hold it.
func specialSize(s []byte) int {
	switch {
	case s[0] == '\\':
		return escapeSize(s)
	case s[0] < ' ':
		return 0
	}
	r, n := utf8.DecodeRune(s)
	if r == utf8.RuneError && n == 1 {
		return 0
	}
	return n
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// skipPlain skips bytes that stand for themselves, eight at a time. A byte
// below 0x20, a quote or a backslash borrows into its highest bit; a byte
// beyond ASCII keeps its own in one of the last two terms at least. A borrow
// can only spoil the bytes behind the first hit.
func skipPlain(s []byte, i int) int {
	for ; i+8 <= len(s); i += 8 {
		x := binary.LittleEndian.Uint64(s[i:])
		hit := (x - ones*' ') | ((x ^ ones*'"') - ones) | ((x ^ ones*'\\') - ones)
		if hit &= highs; hit != 0 {
			return i + bits.TrailingZeros64(hit)>>3
		}
	}
	for i < len(s) && plain(s[i]) {
		i++
	}
	return i
}

// escapeSize is the length of the escape at the head of s, 0 if it is none.
func escapeSize(s []byte) int {
	if len(s) < 2 {
		return 0
	}
	switch s[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(s) >= 6 && isHex(s[2]) && isHex(s[3]) && isHex(s[4]) && isHex(s[5]) {
			return 6
		}
	}
	return 0
}

func isHex(b byte) bool {
	return b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'f'
}

// skipNumber reads a number by the grammar of RFC 8259 section 6.
func skipNumber(s []byte, i int) (int, bool) {
	if i < len(s) && s[i] == '-' {
		i++
	}
	whole := skipDigits(s, i)
	if whole == i || s[i] == '0' && whole > i+1 {
		return i, false
	}
	i = whole
	if i < len(s) && s[i] == '.' {
		fraction := skipDigits(s, i+1)
		if fraction == i+1 {
			return i, false
		}
		i = fraction
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		return skipExponent(s, i+1)
	}
	return i, true
}

func skipExponent(s []byte, i int) (int, bool) {
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	end := skipDigits(s, i)
	return end, end > i
}

func skipDigits(s []byte, i int) int {
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return i
}
