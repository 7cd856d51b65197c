package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kgo"
)

// scratchKept is the largest buffer that is kept between batches.
const scratchKept = 4 << 20

var errXerial = errors.New("snappy: broken xerial frame")

// decompressor unpacks one batch at a time into a buffer of its own, bounded,
// which franz-go's own one isn't when it is used outside of a client (2 GiB).
// What Decompress returns is valid until the next call.
type decompressor struct {
	max  int
	buf  bytes.Buffer
	flat []byte // snappy and zstd unpack into a slice
	src  bytes.Reader
	gzip gzip.Reader
	lz4  *lz4.Reader
	zstd *zstd.Decoder
}

// bound changes the bound, between two batches.
func (d *decompressor) bound(most int) {
	if most == d.max {
		return
	}
	d.close() // zstd's reader has it built in
	d.zstd, d.max = nil, most
}

// Decompress implements kgo.Decompressor.
func (d *decompressor) Decompress(src []byte, codec kgo.CompressionCodecType) (out []byte, err error) {
	d.src.Reset(src)
	switch codec {
	case kgo.CodecNone:
		return src, nil
	case kgo.CodecGzip:
		if err = d.gzip.Reset(&d.src); err == nil {
			out, err = d.drain(&d.gzip)
		}
	case kgo.CodecSnappy:
		out, err = d.snappy(src)
	case kgo.CodecLz4:
		if d.lz4 == nil {
			d.lz4 = lz4.NewReader(nil)
		}
		d.lz4.Reset(&d.src)
		out, err = d.drain(d.lz4)
	case kgo.CodecZstd:
		out, err = d.unzstd(src)
	default:
		return nil, fmt.Errorf("compressed in an unknown way (%d)", codec)
	}
	return out, err
}

func (d *decompressor) drain(r io.Reader) ([]byte, error) {
	if d.buf.Cap() > scratchKept {
		d.buf = bytes.Buffer{}
	}
	d.buf.Reset()
	n, err := d.buf.ReadFrom(io.LimitReader(r, int64(d.max)+1))
	if err != nil {
		return nil, err
	}
	if n > int64(d.max) {
		return nil, kgo.ErrMaxDecompress
	}
	return d.buf.Bytes(), nil
}

func (d *decompressor) scratch() []byte {
	if cap(d.flat) > scratchKept {
		d.flat = nil
	}
	return d.flat[:0]
}

func (d *decompressor) unzstd(src []byte) ([]byte, error) {
	if d.zstd == nil {
		z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(uint64(d.max)))
		if err != nil {
			return nil, err
		}
		d.zstd = z
	}
	out, err := d.zstd.DecodeAll(src, d.scratch())
	if errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return nil, kgo.ErrMaxDecompress
	}
	if err != nil {
		return nil, err
	}
	d.flat = out
	return out, nil
}

// xerialHead is what the Java library puts before snappy blocks, each of
// which has its length before it: 8 bytes of magic, two versions.
const (
	xerialMagic = "\x82SNAPPY\x00"
	xerialHead  = len(xerialMagic) + 8
)

func (d *decompressor) snappy(src []byte) ([]byte, error) {
	out := d.scratch()
	if !bytes.HasPrefix(src, []byte(xerialMagic)) {
		return d.block(out, src)
	}
	if len(src) < xerialHead {
		return nil, errXerial
	}
	for src = src[xerialHead:]; len(src) > 0; {
		if len(src) < 4 {
			return nil, errXerial
		}
		n := int64(binary.BigEndian.Uint32(src))
		src = src[4:]
		if n > int64(len(src)) {
			return nil, errXerial
		}
		var err error
		if out, err = d.block(out, src[:n]); err != nil {
			return nil, err
		}
		src = src[n:]
	}
	return out, nil
}

// block unpacks one snappy block behind out.
func (d *decompressor) block(out, src []byte) ([]byte, error) {
	n, err := s2.DecodedLen(src)
	if err != nil {
		return nil, err
	}
	if len(out)+n > d.max {
		return nil, kgo.ErrMaxDecompress
	}
	if cap(out)-len(out) < n {
		out = append(make([]byte, 0, 2*len(out)+n), out...)
	}
	if _, err := s2.Decode(out[len(out):len(out)+n], src); err != nil {
		return nil, err
	}
	d.flat = out[:len(out)+n]
	return d.flat, nil
}

// close ends what a decoder may have running.
func (d *decompressor) close() {
	if d.zstd != nil {
		d.zstd.Close()
	}
}
