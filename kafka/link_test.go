package kafka

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

// bogus is a broker that answers the requests of one connection as told, and
// then ends it.
func bogus(t *testing.T, answers ...func(number uint32) []byte) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for _, answer := range answers {
			var size [4]byte
			if _, err := io.ReadFull(conn, size[:]); err != nil {
				return
			}
			req := make([]byte, binary.BigEndian.Uint32(size[:]))
			if _, err := io.ReadFull(conn, req); err != nil {
				return
			}
			if _, err := conn.Write(answer(binary.BigEndian.Uint32(req[4:]))); err != nil {
				return
			}
		}
	}()
	return l.Addr().String()
}

// framed is an answer as it goes over the wire.
func framed(number uint32, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)+4))
	return append(binary.BigEndian.AppendUint32(b, number), body...)
}

// knowing answers a greeting with the versions of fetches and logins.
func knowing(fetch, authenticate int16) func(uint32) []byte {
	return func(number uint32) []byte {
		resp := kmsg.NewPtrApiVersionsResponse()
		for key, newest := range map[int16]int16{kmsg.Fetch.Int16(): fetch, kmsg.SASLHandshake.Int16(): 1, kmsg.SASLAuthenticate.Int16(): authenticate} {
			resp.ApiKeys = append(resp.ApiKeys, kmsg.ApiVersionsResponseApiKey{ApiKey: key, MaxVersion: newest})
		}
		return framed(number, resp.AppendTo(nil))
	}
}

func raw(b ...byte) func(uint32) []byte { return func(uint32) []byte { return b } }

func shortly(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patienceOfTests)
	t.Cleanup(cancel)
	return ctx
}

// patienceOfTests is longer than anything here takes on a busy machine.
const patienceOfTests = 30 * time.Second

func TestAnswersThatCantBe(t *testing.T) {
	flexible := func(body ...byte) func(uint32) []byte {
		return func(number uint32) []byte { return framed(number, body) }
	}
	for name, row := range map[string]struct {
		answer func(number uint32) []byte
		want   error
	}{
		"nothing":              {raw(), io.EOF},
		"cut off in its head":  {raw(0, 0, 0), io.ErrUnexpectedEOF},
		"cut off in its body":  {func(n uint32) []byte { return framed(n, make([]byte, 100))[:50] }, io.ErrUnexpectedEOF},
		"no room for a number": {raw(0, 0, 0, 3, 0, 0, 0, 0), errAnswer},
		"negative":             {raw(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0), errAnswer},
		"huge":                 {raw(0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 2), errAnswer},
		"of another request":   {func(n uint32) []byte { return framed(n+1, make([]byte, 100)) }, errAnswer},
		"without tags":         {flexible(), errAnswer},
		"with endless tags":    {flexible(0xff, 0xff, 0xff, 0xff, 0x0f), errAnswer},
		"of garbage":           {flexible(0, 1, 2, 3), errAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{ClientID: "t"}
			k, err := o.connect(shortly(t), bogus(t, knowing(fetchNewest, 2), row.answer), newLogin(nil))
			if err != nil {
				t.Fatal(err)
			}
			defer k.close()
			if _, err := k.fetch(newFetch(100)); !errors.Is(err, row.want) || errors.Is(err, errEnded) {
				t.Errorf("%v instead of %v", err, row.want)
			}
		})
	}
}

// What has served may end, and that is no failure of the broker.
func TestALinkThatServedMayEnd(t *testing.T) {
	empty := func(number uint32) []byte {
		resp := kmsg.NewPtrFetchResponse()
		resp.Version = fetchNewest
		return framed(number, resp.AppendTo([]byte{0})) // without tags
	}
	o := Options{ClientID: "t"}
	k, err := o.connect(shortly(t), bogus(t, knowing(fetchNewest, 2), empty), newLogin(nil))
	if err != nil {
		t.Fatal(err)
	}
	defer k.close()
	if resp, err := k.fetch(newFetch(100)); err != nil || resp.ErrorCode != 0 {
		t.Fatalf("%+v, %v", resp, err)
	}
	if _, err := k.fetch(newFetch(100)); !errors.Is(err, errEnded) {
		t.Errorf("%v", err)
	}
	if _, err := k.fetch(newFetch(100)); errors.Is(err, errEnded) {
		t.Errorf("a second time: %v", err)
	}
}

func TestABrokerThatIsTooOld(t *testing.T) {
	o := Options{ClientID: "t"}
	_, err := o.connect(shortly(t), bogus(t, knowing(fetchOldest-1, 0)), newLogin(nil))
	if err == nil || !strings.Contains(err.Error(), "up to version 3") {
		t.Errorf("%v", err)
	}
}

// A fetch is sent in no version that the broker doesn't know, and by names where
// a topic has no id.
func TestVersionsOfAFetch(t *testing.T) {
	byName, byID := newFetch(1), newFetch(1)
	want(byName, newPart(tee, Tag{}, 0, event.NoEpoch), 1)
	a := newPart(tee, Tag{}, 0, event.NoEpoch)
	a.topic[3] = 1
	want(byID, a, 1)
	k := &link{versions: map[int16]int16{kmsg.Fetch.Int16(): fetchNewest}}
	old := &link{versions: map[int16]int16{kmsg.Fetch.Int16(): 5}}
	for i, row := range []struct {
		k    *link
		req  *kmsg.FetchRequest
		want int16
	}{{k, byName, fetchNamed}, {k, byID, fetchNewest}, {old, byName, 5}, {old, byID, 5}} {
		if v := row.k.version(row.req.Key(), fetchVersion(row.req)); v != row.want {
			t.Errorf("%d: version %d instead of %d", i, v, row.want)
		}
	}
}

func TestLoginsThatFail(t *testing.T) {
	shake := func(code int16) func(uint32) []byte {
		return func(number uint32) []byte {
			resp := kmsg.NewPtrSASLHandshakeResponse()
			resp.Version, resp.ErrorCode, resp.SupportedMechanisms = 1, code, []string{"GSSAPI"}
			return framed(number, resp.AppendTo(nil))
		}
	}
	refuse := func(number uint32) []byte {
		resp := kmsg.NewPtrSASLAuthenticateResponse()
		resp.ErrorCode, resp.ErrorMessage = 58, kmsg.StringPtr("not you")
		return framed(number, resp.AppendTo(nil))
	}
	silence := func(uint32) []byte { return nil } // it has read all, so the connection isn't reset
	for name, row := range map[string]struct {
		answers []func(uint32) []byte
		want    string
	}{
		"no such mechanism": {[]func(uint32) []byte{shake(33)}, "GSSAPI"},
		"refused":           {[]func(uint32) []byte{shake(0), refuse}, "not you"},
		"without a word":    {[]func(uint32) []byte{shake(0), silence}, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{ClientID: "t", SASL: &SASL{Mechanism: Plain, User: "odin", Password: "draupnir"}}
			_, err := o.connect(shortly(t), bogus(t, append([]func(uint32) []byte{knowing(fetchNewest, 0)}, row.answers...)...), newLogin(o.SASL))
			if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "draupnir") {
				t.Errorf("%v", err)
			}
		})
	}
}

// A login ends, and the link is opened anew before the broker ends it.
func TestALoginsLife(t *testing.T) {
	k := &link{}
	if k.over() {
		t.Error("over without an end")
	}
	k.until = time.Now().Add(time.Hour)
	if k.over() {
		t.Error("over before its end")
	}
	k.until = time.Now().Add(-1)
	if !k.over() {
		t.Error("not over")
	}
}

// silent is a server that takes connections and says nothing.
func silent(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestASocketsDeadline(t *testing.T) {
	s, err := dialSocket(shortly(t), silent(t).Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_ = s.SetDeadline(time.Now())
	if n, err := s.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %d, %v", n, err)
	}
	much := make([]byte, 64<<20) // more than the kernel takes
	if n, err := s.Write(much); !errors.Is(err, os.ErrDeadlineExceeded) || n == len(much) {
		t.Errorf("wrote %d, %v", n, err)
	}
}

// A peer that sends a little now and then doesn't put the deadline off.
func TestASocketsDeadlineIsMetThoughInputComes(t *testing.T) {
	l := silent(t)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for range 60 {
			if _, err := conn.Write([]byte{0}); err != nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	s, err := dialSocket(shortly(t), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_ = s.SetDeadline(time.Now().Add(300 * time.Millisecond))
	if n, err := io.ReadFull(s, make([]byte, 1<<10)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %d, %v", n, err)
	}
}

// Who reads is let go when the context ends, and a descriptor that was closed
// is never touched again.
func TestASocketIsCut(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, err := dialSocket(shortly(t), silent(t).Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	context.AfterFunc(ctx, s.cut)
	ended := make(chan error, 1)
	go func() {
		_, err := s.Read(make([]byte, 1))
		ended <- err
	}()
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, io.EOF) && !errors.Is(err, errBroken) {
			t.Errorf("%v", err)
		}
	case <-time.After(patienceOfTests):
		t.Fatal("it reads on")
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	fd := s.fd
	other, err := dialSocket(t.Context(), silent(t).Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	s.cut()
	if other.fd == fd {
		if _, err := other.Write([]byte("x")); err != nil {
			t.Errorf("another's connection was cut: %v", err)
		}
	}
}

// A login by name and password makes one round.
func TestPlainIsOneRound(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"), kfake.EnableSASL(), kfake.Superuser(Plain, "odin", "draupnir"))
	o := Options{ClientID: "t", SASL: &SASL{Mechanism: Plain, User: "odin", Password: "draupnir"}}
	k, err := o.connect(shortly(t), c.ListenAddrs()[0], newLogin(o.SASL))
	if err != nil {
		t.Fatal(err)
	}
	defer k.close()
	if k.last != 3 { // greeting, mechanism, proof
		t.Errorf("%d requests", k.last)
	}
}

func FuzzSkipTags(f *testing.F) {
	f.Add([]byte{0, 1, 2})
	f.Add([]byte{2, 0, 1, 'a', 7, 0, 'b'})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		rest, err := skipTags(body)
		if err == nil && !bytes.HasSuffix(body, rest) || err != nil && !errors.Is(err, errAnswer) {
			t.Errorf("%q: %q, %v", body, rest, err)
		}
	})
}
