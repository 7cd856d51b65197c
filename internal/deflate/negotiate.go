package deflate

import (
	"strconv"
	"strings"
)

// Extension is the extension's name in Sec-WebSocket-Extensions.
const Extension = "permessage-deflate"

// An LZ77 window's size, in powers of two. All that is compressed fits into the
// largest one.
const (
	windowBitsMin = 8
	windowBitsMax = 15
)

// Fits tells whether a message of so many bytes may be compressed for a client
// whose window has so many bits: in a message that is no larger than the
// window, nothing can look back beyond it. So a small window needs no
// compression of its own; what does not fit into it is sent as it is.
func Fits(size int, windowBits uint8) bool {
	return windowBits >= windowBitsMax || size <= 1<<windowBits
}

// The parameters of an offer (RFC 7692 section 7.1).
const (
	serverNoContext  = "server_no_context_takeover"
	clientNoContext  = "client_no_context_takeover"
	serverWindowBits = "server_max_window_bits"
	clientWindowBits = "client_max_window_bits"
)

// Negotiate takes the first of a client's offers that is well-formed and has
// no parameter that the RFC doesn't know; each of those can be met. extension
// is the answer, "" where no offer is taken: then nothing is compressed, which
// is no mistake, and windowBits is 0. Else it is what Fits wants to know.
func Negotiate(offers []string) (extension string, windowBits uint8) {
	for _, text := range offers {
		if o, ok := parseOffer(text); ok {
			return o.answer(), o.windowBits()
		}
	}
	return "", 0
}

// offer is what a client would take.
type offer struct {
	window int // of the server, in bits; 0: as it likes
}

func (o offer) windowBits() uint8 {
	if o.window == 0 {
		return windowBitsMax
	}
	return uint8(o.window)
}

// answer agrees on no context takeover for either side, asked for or not
// (sections 7.1.1.1 and 7.1.1.2). The client's window needn't be limited: the
// Inflater's is the largest there is.
func (o offer) answer() string {
	const answer = Extension + "; " + serverNoContext + "; " + clientNoContext
	if o.window == 0 {
		return answer
	}
	return answer + "; " + serverWindowBits + "=" + strconv.Itoa(o.window)
}

// parseOffer reads one offer (RFC 6455 section 9.1). False: it is another
// extension, malformed, or asks for what the RFC doesn't know.
func parseOffer(text string) (o offer, ok bool) {
	parts := strings.Split(text, ";")
	if trim(parts[0]) != Extension {
		return o, false
	}
	seen := map[string]bool{}
	for _, part := range parts[1:] {
		name, value, given := strings.Cut(part, "=")
		if name = trim(name); seen[name] {
			return o, false
		}
		seen[name] = true
		if given {
			if value, ok = unquote(trim(value)); !ok {
				return o, false
			}
		}
		if !o.take(name, value, given) {
			return o, false
		}
	}
	return o, true
}

// take is false for a parameter that the RFC doesn't know, and for a value
// that it must not have.
func (o *offer) take(name, value string, given bool) bool {
	switch name {
	case serverNoContext, clientNoContext:
		return !given
	case serverWindowBits:
		o.window = windowBits(value)
		return o.window != 0
	case clientWindowBits:
		return !given || windowBits(value) != 0
	}
	return false
}

// windowBits reads a number from 8 to 15 without leading zeros; 0: it is none.
func windowBits(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < windowBitsMin || n > windowBitsMax || strconv.Itoa(n) != text {
		return 0
	}
	return n
}

// unquote gives what a quoted text stands for. What isn't a number after that
// is refused later; so it needn't be known what else a token may be.
func unquote(text string) (string, bool) {
	if !strings.HasPrefix(text, `"`) {
		return text, true
	}
	if len(text) < 2 || !strings.HasSuffix(text, `"`) {
		return "", false
	}
	var plain strings.Builder
	for inner := text[1 : len(text)-1]; inner != ""; inner = inner[1:] {
		if inner[0] == '"' {
			return "", false
		}
		if inner[0] == '\\' {
			if inner = inner[1:]; inner == "" {
				return "", false
			}
		}
		plain.WriteByte(inner[0])
	}
	return plain.String(), true
}

// trim drops the space that HTTP allows between words.
func trim(s string) string { return strings.Trim(s, " \t") }
