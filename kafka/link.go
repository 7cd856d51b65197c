package kafka

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// link is a fetcher's connection to its broker, used by the fetcher's goroutine
// alone. franz-go's take five goroutines for a request and its answer, and for a
// record that comes alone their wake-ups cost more than all of its deliveries;
// this one writes and reads where it is called.
type link struct {
	net.Conn
	forget   func() bool // ends that the context cuts it
	in       *bufio.Reader
	out      []byte
	form     *kmsg.RequestFormatter
	last     int32           // the newest request's number
	versions map[int16]int16 // the newest that the broker knows, by key of the request
	until    time.Time       // when the login ends; zero: never
	used     bool            // a fetch was answered
}

// answerRate is the least, in bytes a second, that a large answer comes with: as
// much as a slow network gives, or it could never be had over one.
const answerRate = 64 << 10

// linkBuffer is room for the answers to most fetches.
const linkBuffer = 16 << 10

var (
	// errEnded is wrapped with why a link that had served ended, which is nothing
	// to be said of its broker.
	errEnded  = errors.New("the connection ended")
	errAnswer = errors.New("the broker's answer can't be understood")
)

// connect opens a link and logs in. When ctx ends, so does what waits on it.
func (o *Options) connect(ctx context.Context, addr string, l *login) (*link, error) {
	socket, err := dialSocket(ctx, addr)
	if err != nil {
		return nil, err
	}
	k := &link{Conn: socket, forget: context.AfterFunc(ctx, socket.cut), form: kmsg.NewRequestFormatter(kmsg.FormatterClientID(o.ClientID))}
	if o.TLS != nil {
		k.Conn = tls.Client(socket, serverName(o.TLS, addr))
	}
	k.in = bufio.NewReaderSize(k.Conn, linkBuffer)
	err = k.greet()
	if err == nil && o.SASL != nil {
		err = k.logIn(ctx, addr, l)
	}
	if err != nil {
		k.close()
		return nil, fmt.Errorf("%s: %w", addr, err)
	}
	return k, nil
}

// serverName is the configuration for one broker, which shows a certificate for
// the name that it is known by.
func serverName(c *tls.Config, addr string) *tls.Config {
	host, _, err := net.SplitHostPort(addr)
	if c.ServerName != "" || err != nil {
		return c
	}
	c = c.Clone()
	c.ServerName = host
	return c
}

func (k *link) close() {
	k.forget()
	_ = k.Conn.Close()
}

// fetch sends a fetch and waits for the answer.
func (k *link) fetch(req *kmsg.FetchRequest) (*kmsg.FetchResponse, error) {
	req.Version = k.version(req.Key(), fetchVersion(req))
	resp := kmsg.NewPtrFetchResponse()
	err := k.ask(req, resp, requestTimeout+time.Duration(req.MaxWaitMillis)*time.Millisecond)
	if k.used && err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, errAnswer) {
		err = fmt.Errorf("%w: %w", errEnded, err)
	}
	k.used = err == nil
	return resp, err
}

// version is the newest of a request that both sides know, of ours the newest
// as given.
func (k *link) version(key, ours int16) int16 { return min(ours, k.versions[key]) }

// ask sends a request, whose version is set, and reads the answer.
func (k *link) ask(req kmsg.Request, resp kmsg.Response, within time.Duration) error {
	until := time.Now().Add(within)
	if err := k.SetDeadline(until); err != nil {
		return err
	}
	k.last++
	k.out = k.form.AppendRequest(k.out[:0], req, k.last)
	if _, err := k.Write(k.out); err != nil {
		return err
	}
	body, err := k.read(until)
	if err != nil {
		return err
	}
	resp.SetVersion(req.GetVersion())
	return parse(body, resp)
}

// read reads the answer to the newest request, without its number.
func (k *link) read(until time.Time) ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(k.in, head[:]); err != nil {
		return nil, err
	}
	size, number := int32(binary.BigEndian.Uint32(head[:])), int32(binary.BigEndian.Uint32(head[4:]))
	if size < 4 || size > responseBytesMax {
		return nil, fmt.Errorf("%w: it has %d bytes", errAnswer, size)
	}
	if number != k.last {
		return nil, fmt.Errorf("%w: it is of request %d instead of %d", errAnswer, number, k.last)
	}
	body := make([]byte, size-4)
	return body, k.fill(body, until)
}

// fill reads a body whole. What comes of it puts the deadline off.
func (k *link) fill(body []byte, until time.Time) error {
	for len(body) > 0 {
		n, err := k.in.Read(body)
		if body = body[n:]; errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		until = until.Add(time.Duration(n) * time.Second / answerRate)
		if err := k.SetDeadline(until); err != nil {
			return err
		}
	}
	return nil
}

// parse reads an answer's body. Its bytes are then the answer's.
func parse(body []byte, resp kmsg.Response) (err error) {
	if resp.IsFlexible() {
		if body, err = skipTags(body); err != nil {
			return err
		}
	}
	if err := resp.ReadFrom(body); err != nil {
		return fmt.Errorf("%w: %w", errAnswer, err)
	}
	return nil
}

// skipTags cuts off the tagged fields of an answer's head. (kmsg's reads on
// behind the end, for as many as the broker said that there are.)
func skipTags(body []byte) ([]byte, error) {
	b := kbin.Reader{Src: body}
	for n := b.Uvarint(); n > 0 && b.Ok(); n-- {
		_, size := b.Uvarint(), b.Uvarint()
		b.Span(int(size))
	}
	if !b.Ok() {
		return nil, fmt.Errorf("%w: its head is cut off", errAnswer)
	}
	return b.Src, nil
}

// over tells whether the login's time is up.
func (k *link) over() bool { return !k.until.IsZero() && time.Now().After(k.until) }
