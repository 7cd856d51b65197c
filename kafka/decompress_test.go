package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

func codecs() map[string]kgo.CompressionCodec {
	return map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
}

func compress(t testing.TB, codec kgo.CompressionCodec, plain []byte) ([]byte, kgo.CompressionCodecType) {
	t.Helper()
	c, err := kgo.DefaultCompressor(codec)
	if err != nil {
		t.Fatal(err)
	}
	if c == nil {
		return plain, kgo.CodecNone
	}
	var dst bytes.Buffer
	out, kind := c.Compress(&dst, plain)
	return bytes.Clone(out), kind
}

// payload compresses well, but not too well.
func payload(n int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = "abcdefgh"[r.IntN(8)]
	}
	return b
}

func TestEveryCodecUnpacks(t *testing.T) {
	d := &decompressor{max: 8 << 20}
	defer d.close()
	for name, codec := range codecs() {
		// up and down, so that a buffer that is used again would show
		for _, n := range []int{1, 100_000, 10, 1 << 20, 1000, 0} {
			plain := payload(n)
			packed, kind := compress(t, codec, plain)
			out, err := d.Decompress(packed, kind)
			if err != nil || !bytes.Equal(out, plain) {
				t.Errorf("%s: %d bytes: %d came out, err %v", name, n, len(out), err)
			}
		}
	}
}

// xerial packs as Java's snappy does, in blocks.
func xerial(t testing.TB, plain []byte, block int) []byte {
	out := append([]byte(xerialMagic), 0, 0, 0, 1, 0, 0, 0, 1)
	for len(plain) > 0 {
		n := min(block, len(plain))
		packed, _ := compress(t, kgo.SnappyCompression(), plain[:n])
		if bytes.HasPrefix(packed, []byte(xerialMagic)) {
			packed = packed[xerialHead+4:]
		}
		out = binary.BigEndian.AppendUint32(out, uint32(len(packed)))
		out = append(out, packed...)
		plain = plain[n:]
	}
	return out
}

func TestXerialBlocksUnpack(t *testing.T) {
	d := &decompressor{max: 1 << 20}
	plain := payload(100_000)
	for _, block := range []int{999, 32 << 10, 1 << 20} {
		out, err := d.Decompress(xerial(t, plain, block), kgo.CodecSnappy)
		if err != nil || !bytes.Equal(out, plain) {
			t.Errorf("blocks of %d: %d bytes came out, err %v", block, len(out), err)
		}
	}
	whole := xerial(t, plain, 32<<10)
	for _, n := range []int{len(xerialMagic), xerialHead - 1, xerialHead + 2, xerialHead + 100, len(whole) - 1} {
		if _, err := d.Decompress(whole[:n], kgo.CodecSnappy); err == nil {
			t.Errorf("%d of %d bytes unpacked", n, len(whole))
		}
	}
}

func TestUnpackingIsBounded(t *testing.T) {
	d := &decompressor{max: 1 << 20}
	defer d.close()
	bomb := []byte(strings.Repeat("0", 16<<20))
	for name, codec := range codecs() {
		packed, kind := compress(t, codec, bomb)
		if kind == kgo.CodecNone {
			continue
		}
		if _, err := d.Decompress(packed, kind); !errors.Is(err, kgo.ErrMaxDecompress) {
			t.Errorf("%s: %d bytes of 16 MiB: %v", name, len(packed), err)
		}
		if n := max(cap(d.flat), d.buf.Cap()); n > 4*d.max {
			t.Errorf("%s: %d bytes are kept", name, n)
		}
	}
	if _, err := d.Decompress(xerial(t, bomb[:4<<20], 32<<10), kgo.CodecSnappy); !errors.Is(err, kgo.ErrMaxDecompress) {
		t.Errorf("xerial: %v", err)
	}
	if _, err := d.Decompress(nil, 5); err == nil {
		t.Error("an unknown codec unpacked")
	}
}

// The bound may be moved between two batches, whatever a codec has built in.
func TestTheBoundMoves(t *testing.T) {
	d := &decompressor{max: 1 << 20}
	defer d.close()
	plain := []byte(strings.Repeat("0", 4<<20))
	for name, codec := range codecs() {
		packed, kind := compress(t, codec, plain)
		if kind == kgo.CodecNone {
			continue
		}
		for _, most := range []int{8 << 20, 1 << 20, 8 << 20} {
			d.bound(most)
			if _, err := d.Decompress(packed, kind); errors.Is(err, kgo.ErrMaxDecompress) == (most > len(plain)) {
				t.Errorf("%s: 4 MiB within %d: %v", name, most, err)
			}
		}
	}
}

func TestScratchIsGivenBack(t *testing.T) {
	d := &decompressor{max: 8 << 20}
	defer d.close()
	for name, codec := range codecs() {
		for _, n := range []int{80, 1} {
			packed, kind := compress(t, codec, bytes.Repeat(payload(64<<10), n))
			if _, err := d.Decompress(packed, kind); err != nil {
				t.Fatal(name, err)
			}
		}
		if n := max(cap(d.flat), d.buf.Cap()); n > scratchKept {
			t.Errorf("%s: %d bytes are kept after a large batch", name, n)
		}
	}
}

func FuzzDecompress(f *testing.F) {
	for _, codec := range codecs() {
		packed, kind := compress(f, codec, payload(300))
		f.Add(packed, int8(kind))
	}
	f.Add(xerial(f, payload(300), 100), int8(kgo.CodecSnappy))
	d := &decompressor{max: 64 << 10}
	f.Fuzz(func(t *testing.T, in []byte, codec int8) {
		out, err := d.Decompress(in, kgo.CompressionCodecType(codec))
		if err == nil && codec != 0 && len(out) > d.max {
			t.Fatalf("%d bytes of at most %d", len(out), d.max)
		}
	})
}
