package shm

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// NameMax is the most bytes of a name that is kept in the segment; a longer
// one is cut at a rune.
const NameMax = 120

// TopicMax is the most bytes of a topic's name (Kafka's own limit is 249).
const TopicMax = 256

// Words of a name's value: its length and its bytes.
const (
	nameWords  = 1 + NameMax/word
	topicWords = 1 + TopicMax/word
)

// name is a text of fixed width, kept as a twin.
type name struct{ twin }

func (n name) set(s string) {
	width := (len(n.words) - 1) / 2
	value := make([]uint64, width)
	s = cut(s, (width-1)*word)
	value[0] = uint64(len(s))
	buf := make([]byte, (width-1)*word)
	copy(buf, s)
	for i := range value[1:] {
		value[1+i] = binary.LittleEndian.Uint64(buf[i*word:])
	}
	n.write(value)
}

// get gives valid UTF-8 whatever the segment holds, "" if nothing was set.
func (n name) get() string {
	width := (len(n.words) - 1) / 2
	value := make([]uint64, width)
	if !n.read(value) {
		return ""
	}
	buf := make([]byte, 0, (width-1)*word)
	for _, w := range value[1:] {
		buf = binary.LittleEndian.AppendUint64(buf, w)
	}
	size := min(value[0], uint64(len(buf)))
	return strings.ToValidUTF8(string(buf[:size]), "�")
}

// cut shortens s to at most size bytes without splitting a rune.
func cut(s string, size int) string {
	if len(s) <= size {
		return s
	}
	for size > 0 && !utf8.RuneStart(s[size]) {
		size--
	}
	return s[:size]
}
