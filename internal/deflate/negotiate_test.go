package deflate_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/deflate"
)

const plainAnswer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

func TestNegotiate(t *testing.T) {
	for _, c := range []struct {
		offers    string // divided as in the header
		extension string
		bits      uint8
	}{
		{"permessage-deflate", plainAnswer, 15},
		{"permessage-deflate; client_max_window_bits", plainAnswer, 15}, // browsers
		{"permessage-deflate;client_max_window_bits=8", plainAnswer, 15},
		{"permessage-deflate; server_no_context_takeover; client_no_context_takeover", plainAnswer, 15},
		{"permessage-deflate; server_max_window_bits=15", plainAnswer + "; server_max_window_bits=15", 15},
		{"permessage-deflate; server_max_window_bits=8", plainAnswer + "; server_max_window_bits=8", 8},
		{`permessage-deflate; server_max_window_bits="10"; client_max_window_bits="\15"`, plainAnswer + "; server_max_window_bits=10", 10},
		{" permessage-deflate\t;\tserver_max_window_bits = 9 ", plainAnswer + "; server_max_window_bits=9", 9},

		{"", "", 0},
		{"x-webkit-deflate-frame", "", 0},
		{"permessage-bzip2; client_max_window_bits", "", 0},
		{"PERMESSAGE-DEFLATE", "", 0},
		{"permessage-deflate;", "", 0},
		{"permessage-deflate; ; client_max_window_bits", "", 0},
		{"permessage-deflate; =1", "", 0},
		{"permessage-deflate; x", "", 0},
		{"permessage-deflate; client_max_window_bits; x=1", "", 0},
		{"permessage-deflate; Client_max_window_bits", "", 0},

		{"permessage-deflate; client_max_window_bits; client_max_window_bits", "", 0},
		{"permessage-deflate; client_max_window_bits=10; client_max_window_bits", "", 0},
		{"permessage-deflate; server_no_context_takeover; server_no_context_takeover", "", 0},
		{"permessage-deflate; server_no_context_takeover=1", "", 0},
		{"permessage-deflate; client_no_context_takeover=", "", 0},
		{`permessage-deflate; client_no_context_takeover=""`, "", 0},

		{"permessage-deflate; server_max_window_bits", "", 0},
		{"permessage-deflate; server_max_window_bits=", "", 0},
		{"permessage-deflate; server_max_window_bits=7", "", 0},
		{"permessage-deflate; server_max_window_bits=16", "", 0},
		{"permessage-deflate; server_max_window_bits=08", "", 0},
		{"permessage-deflate; server_max_window_bits=+8", "", 0},
		{"permessage-deflate; server_max_window_bits=-8", "", 0},
		{"permessage-deflate; server_max_window_bits=1e1", "", 0},
		{"permessage-deflate; server_max_window_bits=99999999999999999999", "", 0},
		{"permessage-deflate; client_max_window_bits=", "", 0},
		{"permessage-deflate; client_max_window_bits=16", "", 0},
		{`permessage-deflate; client_max_window_bits="10`, "", 0},
		{`permessage-deflate; client_max_window_bits=10"`, "", 0},
		{`permessage-deflate; client_max_window_bits="`, "", 0},
		{`permessage-deflate; client_max_window_bits="1"0"`, "", 0},
		{`permessage-deflate; client_max_window_bits="10\"`, "", 0},
		{`permessage-deflate; client_max_window_bits="1;0"`, "", 0},

		{"permessage-deflate; x, permessage-deflate", plainAnswer, 15},
		{"permessage-deflate; server_max_window_bits=9, permessage-deflate", plainAnswer + "; server_max_window_bits=9", 9},
		{"foo, permessage-deflate; server_max_window_bits=2, permessage-deflate; server_max_window_bits=12, permessage-deflate", plainAnswer + "; server_max_window_bits=12", 12},
	} {
		extension, bits := deflate.Negotiate(strings.Split(c.offers, ","))
		if extension != c.extension || bits != c.bits {
			t.Errorf("%s:\n got %q, %d\nwant %q, %d", c.offers, extension, bits, c.extension, c.bits)
		}
	}
	if extension, bits := deflate.Negotiate(nil); extension != "" || bits != 0 {
		t.Errorf("of no offer: %q, %d", extension, bits)
	}
}

func TestFits(t *testing.T) {
	for _, c := range []struct {
		size int
		bits uint8
		want bool
	}{{0, 8, true}, {256, 8, true}, {257, 8, false}, {512, 9, true}, {16384, 14, true}, {16385, 14, false}, {1 << 20, 15, true}} {
		if got := deflate.Fits(c.size, c.bits); got != c.want {
			t.Errorf("%d bytes, %d bits: %v", c.size, c.bits, got)
		}
	}
}

// Whatever is offered, the answer is one that a client may get: of an offer
// that is there, with parameters that it may have, and no other.
func FuzzNegotiate(f *testing.F) {
	f.Add("permessage-deflate; client_max_window_bits, x", "permessage-deflate; server_max_window_bits=10")
	f.Add(`permessage-deflate; server_max_window_bits="1\0"`, "permessage-deflate;;")
	f.Add("permessage-deflate; server_no_context_takeover; client_no_context_takeover", "")
	f.Fuzz(func(t *testing.T, first, second string) {
		extension, bits := deflate.Negotiate([]string{first, second})
		if extension == "" {
			if bits != 0 || fine(first) || fine(second) {
				t.Fatalf("%q, %q: none taken, window %d", first, second, bits)
			}
			return
		}
		rest, ok := strings.CutPrefix(extension, plainAnswer)
		if !ok || bits < 8 || bits > 15 {
			t.Fatalf("%q, %q: %q, %d", first, second, extension, bits)
		}
		asked := rest != ""
		if asked && rest != "; server_max_window_bits="+strconv.Itoa(int(bits)) || !asked && bits != 15 {
			t.Fatalf("%q, %q: %q, %d", first, second, extension, bits)
		}
		if asked && !strings.Contains(first+second, "server_max_window_bits") {
			t.Fatalf("%q, %q: %q was not asked for", first, second, extension)
		}
		if !strings.Contains(first, deflate.Extension) && !strings.Contains(second, deflate.Extension) {
			t.Fatalf("%q, %q: %q was not offered", first, second, extension)
		}
	})
}

// fine tells offers that can't be declined.
func fine(offer string) bool {
	return offer == deflate.Extension || offer == deflate.Extension+"; client_max_window_bits"
}
