package wire

import (
	"bytes"
	"encoding/json"
)

// walker goes through the members of an object or the elements of an array
// that scanJSON has found valid: it needs no check of its own, and no stack.
type walker struct {
	s []byte
	i int // of the next member or element
}

// walk enters the container at the head of value.
func walk(value []byte) walker { return walker{s: value, i: skipSpace(value, 1)} }

// element returns the next element of an array, without the space around it.
func (w *walker) element() (value []byte, ok bool) {
	if w.s[w.i] == ']' {
		return nil, false
	}
	value = w.value()
	return value, true
}

// member returns the next member of an object, its key still quoted.
func (w *walker) member() (key, value []byte, ok bool) {
	if w.s[w.i] == '}' {
		return nil, nil, false
	}
	end, _ := skipString(w.s, w.i+1)
	key = w.s[w.i:end]
	colon := skipSpace(w.s, end)
	w.i = skipSpace(w.s, colon+1)
	value = w.value()
	return key, value, true
}

// value takes the value at w.i and the comma behind it.
func (w *walker) value() []byte {
	end := valueEnd(w.s, w.i)
	value := w.s[w.i:end]
	w.i = skipSpace(w.s, end)
	if w.s[w.i] == ',' {
		w.i = skipSpace(w.s, w.i+1)
	}
	return value
}

// valueEnd is where the valid value at s[i] ends.
func valueEnd(s []byte, i int) int {
	depth := 0
	for i < len(s) {
		switch s[i] {
		case '"':
			i, _ = skipString(s, i+1)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ' ', '\t', '\r', '\n', ',', ':':
			i++
			continue
		default:
			i = wordEnd(s, i)
		}
		if depth == 0 {
			return i
		}
	}
	return i
}

// wordEnd is where the number, true, false or null at s[i] ends.
func wordEnd(s []byte, i int) int {
	for ; i < len(s); i++ {
		switch s[i] {
		case ' ', '\t', '\r', '\n', ',', ']', '}':
			return i
		}
	}
	return i
}

// unquote returns what a valid JSON string stands for: a part of it, or if it
// holds escapes a new slice. ok is false if the value is no string.
func unquote(value []byte) (text []byte, ok bool) {
	if len(value) < 2 || value[0] != '"' {
		return nil, false
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1 : len(value)-1], true
	}
	var s string
	if json.Unmarshal(value, &s) != nil {
		return nil, false
	}
	return []byte(s), true
}
