package wire

import (
	"strconv"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string. What is not UTF-8 becomes U+FFFD,
// so the result is valid whatever s is.
func appendString[S ~string | ~[]byte](dst []byte, s S) []byte {
	dst = append(dst, '"')
	clean := 0 // s[clean:i] needs no escape
	for i := 0; i < len(s); {
		b := s[i]
		if plain(b) {
			i++
			continue
		}
		size, escape := 1, false
		if b >= utf8.RuneSelf {
			size, escape = runeAt(s, i)
		} else {
			escape = true
		}
		if escape {
			dst = append(dst, s[clean:i]...)
			dst = appendEscape(dst, b)
			clean = i + size
		}
		i += size
	}
	dst = append(dst, s[clean:]...)
	return append(dst, '"')
}

// plain tells whether the byte stands for itself in a JSON string.
func plain(b byte) bool { return b >= ' ' && b < utf8.RuneSelf && b != '"' && b != '\\' }

// runeAt is the size of the rune at s[i], and whether it isn't one.
func runeAt[S ~string | ~[]byte](s S, i int) (size int, bad bool) {
	var window [utf8.UTFMax]byte
	n := copy(window[:], s[i:])
	r, size := utf8.DecodeRune(window[:n])
	return size, r == utf8.RuneError && size == 1
}

// appendEscape appends what stands for a byte that can't stand for itself.
func appendEscape(dst []byte, b byte) []byte {
	switch b {
	case '"', '\\':
		return append(dst, '\\', b)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	if b >= utf8.RuneSelf {
		return append(dst, "\uFFFD"...)
	}
	return append(dst, `\u00`+string(hexDigits[b>>4])+string(hexDigits[b&0xf])...)
}

// appendStrings appends a JSON array of strings.
func appendStrings(dst []byte, list [][]byte) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, s)
	}
	return append(dst, ']')
}

// appendKeyInt appends a key, with its punctuation, and a number.
func appendKeyInt(dst []byte, key string, n int64) []byte {
	return strconv.AppendInt(append(dst, key...), n, 10)
}
