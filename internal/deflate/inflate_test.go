package deflate_test

import (
	"bytes"
	stdflate "compress/flate"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/deflate"
)

const maxTest = 1 << 16

func TestInflate(t *testing.T) {
	for _, c := range []struct {
		what, payload, want string
		err                 error
	}{
		// The examples of RFC 7692 section 7.2.3.
		{"one block", "\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello", nil},
		{"not compressed", "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", "Hello", nil},
		{"a block that says to be the last", "\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "Hello", nil},
		{"two blocks", "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", "Hello", nil},
		{"an empty message", "\x00", "", nil},

		{"an empty last block", "\x03\x00\x00", "", nil},
		{"the flush sent as well", "\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff\x00", "Hello", nil},
		{"a last block, and none to complete", "\xf3\x48\xcd\xc9\xc9\x07\x00", "Hello", nil},
		{"last blocks between", "\xf3\x48\xcd\xc9\xc9\x07\x00\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x48\xcd\xc9\xc9\x07\x00", "HelloHelloHello", nil},
		{"a stored last block", "\x01\x02\x00\xfd\xffhi\x00", "hi", nil},
		{"the flush taken for data, as the RFC has it", "\x00\x04\x00\xfb\xff", "\x00\x00\xff\xff", nil},

		{"nothing at all", "", "", deflate.ErrCorrupt},
		{"half a block", "\xf2\x48\xcd", "", deflate.ErrCorrupt},
		{"no end of the block", "\xf2\x48\xcd\xc9\xc9\x07", "", deflate.ErrCorrupt},
		{"a stored block cut short", "\x00\x05\x00\xfa\xffHe", "", deflate.ErrCorrupt},
		{"a stored block whose lengths differ", "\x00\x05\x00\xfa\xfeHello\x00", "", deflate.ErrCorrupt},
		{"a block type that is none", "\x06", "", deflate.ErrCorrupt},
		{"a reference to before the beginning", "\x02\x02\x00", "", deflate.ErrCorrupt},
		{"a reference across a last block", "\xf3\x48\xcd\xc9\xc9\x07\x00\x02\x02\x00", "", deflate.ErrCorrupt},
		{"garbage behind the last block", "\xf3\x48\xcd\xc9\xc9\x07\x00\xff\xff", "", deflate.ErrCorrupt},
		{"plain text", `{"type":"heartbeat"}`, "", deflate.ErrCorrupt},
	} {
		var z deflate.Inflater
		for range 2 { // it can be used again, whatever came
			got, err := z.Inflate([]byte(c.payload), maxTest)
			if string(got) != c.want || !errors.Is(err, c.err) {
				t.Errorf("%s: %q, %v; want %q, %v", c.what, got, err, c.want, c.err)
			}
		}
		if got, err := z.Inflate([]byte("\xf2\x48\xcd\xc9\xc9\x07\x00"), 5); string(got) != "Hello" || err != nil {
			t.Errorf("behind %s: %q, %v", c.what, got, err)
		}
	}
}

// A bomb costs no more than the bound.
func TestInflateIsBounded(t *testing.T) {
	bomb := compressed(t, 9, bytes.Repeat([]byte("0"), 64<<20))
	var z deflate.Inflater
	for _, limit := range []int{0, 1, 1000, 1 << 20} {
		if got, err := z.Inflate(bomb, limit); got != nil || !errors.Is(err, deflate.ErrTooLarge) {
			t.Errorf("limit %d: %d bytes, %v", limit, len(got), err)
		}
		if n := testing.AllocsPerRun(10, func() { _, _ = z.Inflate(bomb, 1000) }); n > 16 { // a few more under the race detector, none for each megabyte
			t.Errorf("%v allocations", n)
		}
	}
	for _, size := range []int{0, 1, 511, 512, 1000, 100_000} {
		exact := compressed(t, 1, bytes.Repeat([]byte("0"), size))
		if got, err := z.Inflate(exact, size); len(got) != size || err != nil {
			t.Errorf("exactly %d: %d, %v", size, len(got), err)
		}
		if _, err := z.Inflate(exact, size-1); size > 0 && !errors.Is(err, deflate.ErrTooLarge) {
			t.Errorf("%d within %d: %v", size, size-1, err)
		}
	}
}

func TestInflateKeepsLittle(t *testing.T) {
	var z deflate.Inflater
	small, large := compressed(t, 1, []byte(`{"type":"heartbeat"}`)), compressed(t, 1, make([]byte, 1<<20))
	for range 3 {
		if got, err := z.Inflate(large, 1<<20); len(got) != 1<<20 || err != nil {
			t.Fatal(len(got), err)
		}
		got, err := z.Inflate(small, 1<<20)
		if string(got) != `{"type":"heartbeat"}` || err != nil || cap(got) > 64<<10 {
			t.Fatalf("%q of %d, %v", got, cap(got), err)
		}
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = z.Inflate(small, 1<<20) }); n != 0 {
		t.Errorf("%v allocations for a small message", n)
	}
}

func TestRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var z deflate.Inflater
	for level := deflate.LevelMin; level <= deflate.LevelMax; level++ {
		c, err := deflate.NewCompressor(level)
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{0, 1, 2, 50, 200, 5000, 70_000, 300_000} {
			for _, kinds := range []int{1, 3, 30, 256} {
				plain := make([]byte, size)
				for i := range plain {
					plain[i] = byte('0' + rnd.IntN(kinds))
				}
				payload, ok := c.Append([]byte("before"), plain)
				if !ok || !bytes.HasPrefix(payload, []byte("before")) {
					t.Fatalf("level %d, %d bytes: not compressed", level, size)
				}
				got, err := z.Inflate(payload[len("before"):], size)
				if err != nil || !bytes.Equal(got, plain) {
					t.Fatalf("level %d, %d bytes of %d kinds: %v", level, size, kinds, err)
				}
			}
		}
	}
}

func TestCompressorLevels(t *testing.T) {
	for _, level := range []int{-3, -2, -1, 0, 10} {
		if c, err := deflate.NewCompressor(level); c != nil || err == nil || !strings.Contains(err.Error(), "allowed: 1 to 9") {
			t.Errorf("level %d: %v", level, err)
		}
	}
}

func TestCompressorDoesNotAllocate(t *testing.T) {
	plain := []byte(strings.Repeat(`{"price":"64012.55"},`, 50))
	dst := make([]byte, 0, 2*len(plain))
	for level := deflate.LevelMin; level <= deflate.LevelMax; level++ {
		c, err := deflate.NewCompressor(level)
		if err != nil {
			t.Fatal(err)
		}
		c.Append(dst, plain)
		if n := testing.AllocsPerRun(100, func() { c.Append(dst, plain) }); n != 0 {
			t.Errorf("level %d: %v allocations", level, n)
		}
	}
}

func compressed(t testing.TB, level int, plain []byte) []byte {
	t.Helper()
	c, err := deflate.NewCompressor(level)
	if err != nil {
		t.Fatal(err)
	}
	payload, ok := c.Append(nil, plain)
	if !ok {
		t.Fatal("not compressed")
	}
	return payload
}

// FuzzInflate compares with what the standard library inflates.
func FuzzInflate(f *testing.F) {
	f.Add([]byte("\xf2\x48\xcd\xc9\xc9\x07\x00"))
	f.Add([]byte("\xf3\x48\xcd\xc9\xc9\x07\x00\xf3\x48\xcd\xc9\xc9\x07\x00\x00"))
	f.Add(compressed(f, 9, []byte(strings.Repeat("abcabcabd", 300))))
	f.Add(compressed(f, 1, make([]byte, 100_000)))
	var z deflate.Inflater // what an earlier input has left in it must not matter
	f.Fuzz(func(t *testing.T, payload []byte) {
		before := bytes.Clone(payload)
		want, wantErr := standard(payload, 5000)
		for range 2 {
			got, err := z.Inflate(payload, 5000)
			if !bytes.Equal(got, want) || !errors.Is(err, wantErr) {
				t.Fatalf("%x:\n got %q, %v\nwant %q, %v", payload, got, err, want, wantErr)
			}
		}
		if !bytes.Equal(payload, before) {
			t.Fatal("the payload was changed")
		}
	})
}

// standard inflates as RFC 7692 has it, and takes a last block that ends the
// payload for its end.
func standard(payload []byte, limit int) (out []byte, _ error) {
	in := bytes.NewReader(append(bytes.Clone(payload), "\x00\x00\xff\xff\x01\x00\x00\xff\xff"...))
	for {
		part, err := io.ReadAll(io.LimitReader(stdflate.NewReader(in), int64(limit+1-len(out))))
		if out = append(out, part...); len(out) > limit {
			return nil, deflate.ErrTooLarge
		}
		if err != nil {
			return nil, deflate.ErrCorrupt
		}
		if in.Len() == 0 || in.Len() == 9 {
			return out, nil
		}
	}
}

// FuzzAppend has the standard library inflate what is compressed, at every
// level, by compressors that have compressed other things before.
func FuzzAppend(f *testing.F) {
	f.Add([]byte(""), byte(0), uint16(1))
	f.Add([]byte(`{"type":"message","channel":"BTC.trade"}`), byte(5), uint16(1))
	f.Add([]byte("\x00"), byte(8), uint16(60_000))
	f.Add([]byte("\x00\x00\xff\xff"), byte(1), uint16(1))
	f.Add([]byte("abcdefghijklmnop"), byte(2), uint16(5000))
	var compressors [deflate.LevelMax + 1]*deflate.Compressor
	var z deflate.Inflater
	f.Fuzz(func(t *testing.T, piece []byte, n byte, times uint16) {
		plain := bytes.Repeat(piece, min(int(times), 1<<18/(len(piece)+1)))
		level := deflate.LevelMin + int(n)%(deflate.LevelMax-deflate.LevelMin+1)
		if compressors[level] == nil {
			c, err := deflate.NewCompressor(level)
			if err != nil {
				t.Fatal(err)
			}
			compressors[level] = c
		}
		payload, ok := compressors[level].Append([]byte("before"), plain)
		payload, before := bytes.CutPrefix(payload, []byte("before"))
		if !ok || !before {
			t.Fatalf("level %d: not compressed", level)
		}
		if got, err := standard(payload, len(plain)); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("level %d: the standard library makes %d bytes of it, not %d: %v", level, len(got), len(plain), err)
		}
		if got, err := z.Inflate(payload, len(plain)); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("level %d: %d bytes come back, not %d: %v", level, len(got), len(plain), err)
		}
	})
}
