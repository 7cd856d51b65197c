package event

import (
	"bytes"
	"errors"
)

// ChannelPartMax is the most bytes of one part of a channel.
const ChannelPartMax = 128

// ChannelMax is the most bytes of a whole channel.
const ChannelMax = 2*ChannelPartMax + 1

// Errors of a channel's or pattern's form, in words for the client who sent it.
var (
	ErrChannelForm = errors.New("a channel is SUBJECT.EVENT, like BTC.trade")
	ErrChannelSize = errors.New("each part of a channel has 1 to 128 bytes")
	ErrChannelByte = errors.New("a channel has printable ASCII only, without space, quotes, backslash and '*' (which stands for one whole part of a pattern)")
)

// SplitChannel checks a record's channel and returns its two parts, which
// alias c.
func SplitChannel(c []byte) (subject, name []byte, err error) { return split(c, false) }

// SplitPattern is SplitChannel for what a client may subscribe to: a part may
// be "*" and stands for any.
func SplitPattern(p []byte) (subject, name []byte, err error) { return split(p, true) }

func split(c []byte, stars bool) (subject, name []byte, err error) {
	dot := bytes.IndexByte(c, '.')
	if dot < 0 || bytes.IndexByte(c[dot+1:], '.') >= 0 {
		return nil, nil, ErrChannelForm
	}
	subject, name = c[:dot], c[dot+1:]
	for _, part := range [2][]byte{subject, name} {
		if err := CheckPart(part); err != nil && !(stars && IsStar(part)) {
			return nil, nil, err
		}
	}
	return subject, name, nil
}

// IsStar tells whether a pattern's part stands for any.
func IsStar(part []byte) bool { return len(part) == 1 && part[0] == '*' }

// CheckPart checks one part of a channel.
func CheckPart(part []byte) error {
	if len(part) == 0 || len(part) > ChannelPartMax {
		return ErrChannelSize
	}
	for _, b := range part {
		if b == '.' {
			return ErrChannelForm
		}
		if b <= ' ' || b > '~' || b == '"' || b == '\'' || b == '\\' || b == '*' {
			return ErrChannelByte
		}
	}
	return nil
}
