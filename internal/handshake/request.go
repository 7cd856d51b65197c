package handshake

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strings"
)

// Request is the head of a request, as far as a WebSocket server needs it.
type Request struct {
	Method string
	Path   string // without a query
	Origin string // "": none was sent, so the client is no browser

	// Of a WebSocket handshake.
	Key        string   // as it was sent
	Protocols  []string // subprotocols that the client offers
	Extensions []string // extensions that it offers, with their parameters

	old        bool // HTTP/1.0
	upgrade    bool // Upgrade names websocket
	connection bool // Connection names upgrade
	version    bool // Sec-WebSocket-Version is 13
	keys       int
	hosts      int
	origins    int
	body       bool // more is to come behind the head
}

// Fault is what is wrong with a request; its text is for who wrote the client.
type Fault string

// Error is the text.
func (f Fault) Error() string { return string(f) }

// maxLines bounds the headers of one request.
const maxLines = 128

// Parse reads a request's head, which may not be whole yet: n is its length, 0
// while more input is needed. What is no HTTP at all is told as soon as it can
// be.
func Parse(b []byte) (r Request, n int, err error) {
	for lines := 0; ; lines++ {
		end := bytes.IndexByte(b[n:], '\n')
		if end < 0 {
			return r, 0, early(b, n, lines)
		}
		line := bytes.TrimSuffix(b[n:n+end], []byte{'\r'})
		n += end + 1
		switch {
		case lines == 0:
			err = r.requestLine(line)
		case lines > maxLines:
			err = Fault("more than 128 header lines")
		case len(line) == 0:
			return r, n, r.whole()
		default:
			err = r.header(line)
		}
		if err != nil {
			return r, n, err
		}
	}
}

// early judges the beginning of a line that isn't whole: nobody should wait
// for the rest of what is no request.
func early(b []byte, n, lines int) error {
	if lines > 0 {
		return nil
	}
	for _, c := range b[n:] {
		if c == ' ' {
			return nil
		}
		if !isToken(c) {
			return errNoHTTP
		}
	}
	return nil
}

const errNoHTTP = Fault("not an HTTP request")

func (r *Request) requestLine(line []byte) error {
	method, rest, _ := strings.Cut(string(line), " ")
	target, proto, ok := strings.Cut(rest, " ")
	if !ok || method == "" || strings.ContainsFunc(method, notToken) {
		return errNoHTTP
	}
	switch {
	case proto == "HTTP/1.0": // balancers look at /health with it
		r.old = true
	case proto == "HTTP/1.1":
	case strings.HasPrefix(proto, "HTTP/"):
		return Fault("HTTP/1.1 is needed, the request says " + printable(proto))
	default:
		return errNoHTTP
	}
	r.Method = method
	r.Path = path(target)
	return nil
}

// path is the path of a target in origin form, or in the absolute form that
// proxies use.
func path(target string) string {
	for _, scheme := range []string{"http://", "ws://"} {
		if rest, ok := strings.CutPrefix(target, scheme); ok {
			slash := strings.IndexByte(rest, '/')
			if slash < 0 {
				return "/"
			}
			target = rest[slash:]
		}
	}
	target, _, _ = strings.Cut(target, "?")
	return target
}

func (r *Request) header(line []byte) error {
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 || bytes.ContainsFunc(line[:colon], notToken) {
		return Fault("a header line is no NAME: VALUE")
	}
	value := bytes.Trim(line[colon+1:], " \t")
	if bytes.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
		return Fault("a header's value holds a control character")
	}
	r.take(strings.ToLower(string(line[:colon])), value)
	return nil
}

func (r *Request) take(name string, value []byte) {
	switch name {
	case "host":
		r.hosts++
	case "upgrade":
		r.upgrade = r.upgrade || hasToken(value, "websocket")
	case "connection":
		r.connection = r.connection || hasToken(value, "upgrade")
	case "sec-websocket-version":
		r.version = string(value) == "13"
	case "sec-websocket-key":
		r.keys++
		r.Key = string(value)
	case "sec-websocket-protocol":
		r.Protocols = appendList(r.Protocols, value)
	case "sec-websocket-extensions":
		r.Extensions = appendList(r.Extensions, value)
	case "origin":
		r.origins++
		r.Origin = string(value)
	case "transfer-encoding":
		r.body = true
	case "content-length":
		r.body = r.body || strings.Trim(string(value), "0") != ""
	}
}

// whole judges what only the end of a head can tell.
func (r *Request) whole() error {
	switch {
	case r.hosts > 1 || r.hosts == 0 && !r.old:
		return Fault("one Host header is needed")
	case r.body:
		return Fault("a request with a body")
	case r.origins > 1:
		return Fault("more than one Origin header")
	}
	return nil
}

// Check tells what a request lacks to be a WebSocket handshake (RFC 6455
// section 4.2.1).
func (r *Request) Check() error {
	switch {
	case r.Method != http.MethodGet:
		return Fault("a handshake is a GET")
	case r.old:
		return Fault("HTTP/1.1 is needed, the request says HTTP/1.0")
	case !r.upgrade:
		return Fault("no `Upgrade: websocket`")
	case !r.connection:
		return Fault("no `Connection: Upgrade`")
	case !r.version:
		return Fault("`Sec-WebSocket-Version` is not 13, the only one served")
	case r.keys != 1:
		return Fault("one Sec-WebSocket-Key is needed")
	case !validKey(r.Key):
		return Fault("`Sec-WebSocket-Key` is not 16 bytes in base64")
	}
	return nil
}

const keyBytes = 16

func validKey(key string) bool {
	var decoded [keyBytes + 2]byte // what base64 of that length may give at the most
	if len(key) != base64.StdEncoding.EncodedLen(keyBytes) {
		return false
	}
	n, err := base64.StdEncoding.Decode(decoded[:], []byte(key))
	return err == nil && n == keyBytes
}

// hasToken finds a token in a comma-separated list, in any case. What follows an
// item that is no token isn't looked at: who knows what that list was meant to be.
func hasToken(list []byte, token string) bool {
	for item := range bytes.SplitSeq(list, []byte{','}) {
		item = bytes.Trim(item, " \t")
		switch {
		case len(item) == 0 || bytes.ContainsFunc(item, notToken):
			return false
		case strings.EqualFold(string(item), token):
			return true
		}
	}
	return false
}

// appendList adds the items of a comma-separated list. A comma within quotes
// divides too: no item that is served has one.
func appendList(to []string, list []byte) []string {
	for item := range bytes.SplitSeq(list, []byte{','}) {
		if item = bytes.Trim(item, " \t"); len(item) > 0 {
			to = append(to, string(item))
		}
	}
	return to
}

// isToken tells the characters of methods and header names (RFC 9110 5.6.2).
func isToken(c byte) bool {
	letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9'
	return letter || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

func notToken(c rune) bool { return c > 0x7f || !isToken(byte(c)) }

// printable is a short text that can be shown.
func printable(s string) string {
	const most = 32
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, s[:min(len(s), most)])
}
