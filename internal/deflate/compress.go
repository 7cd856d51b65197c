package deflate

import (
	"bytes"
	"fmt"

	"github.com/klauspost/compress/flate"
)

// Levels of compression: the fastest and the one that yields least.
const (
	LevelMin = 1
	LevelMax = 9
)

// flushed is what a flush ends with, an empty block: it is not sent (RFC 7692
// section 7.2.1).
const flushed = "\x00\x00\xff\xff"

// Compressor makes payloads small. It holds 0.9 to 1.5 MB, by its level.
type Compressor struct {
	w   *flate.Writer
	out sink
}

// sink takes what a flate.Writer writes.
type sink struct{ b []byte }

func (s *sink) Write(p []byte) (int, error) {
	s.b = append(s.b, p...)
	return len(p), nil
}

// NewCompressor makes one of a level from LevelMin to LevelMax.
func NewCompressor(level int) (*Compressor, error) {
	if level < LevelMin || level > LevelMax {
		return nil, fmt.Errorf("deflate: level %d is out of range, allowed: %d to %d", level, LevelMin, LevelMax)
	}
	c := &Compressor{}
	var err error
	if c.w, err = flate.NewWriter(&c.out, level); err != nil {
		return nil, fmt.Errorf("deflate: %w", err)
	}
	return c, nil
}

// Append appends the payload of one compressed message. Where dst has room it
// allocates nothing. False: the library failed, which it does not for any
// input that is known; what was appended is worthless then.
func (c *Compressor) Append(dst, payload []byte) (_ []byte, ok bool) {
	c.out.b = dst
	c.w.Reset(&c.out)
	_, err := c.w.Write(payload)
	if err == nil {
		err = c.w.Flush()
	}
	dst, c.out.b = c.out.b, nil
	return bytes.TrimSuffix(dst, []byte(flushed)), err == nil && bytes.HasSuffix(dst, []byte(flushed))
}
