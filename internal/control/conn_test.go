package control

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/odin-ws/odin/internal/event"
)

// pair gives both ends of a connection, closed when the test ends.
func pair(t *testing.T) (near, far *Conn) {
	t.Helper()
	near, file, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	far, err = FromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

// all has one message of every type, with the fields its comment names.
func all() []Message {
	return []Message{
		{Type: Config, Config: json.RawMessage(`{"listen":":3001"}`), Slot: 1, Generation: 7, Slots: 4},
		{Type: Link, Peer: 3, PeerGeneration: 9},
		{Type: Listener, Slot: 2},
		{Type: Unlisten, Slot: 2},
		{Type: Scout, On: true},
		{Type: Drain, WindowMS: 60_000},
		{Type: Undrain},
		{Type: Stop, OverMS: 5000},
		{Type: LogLevel, Level: "debug"},
		{Type: Dump},
		{Type: Ready},
		{Type: Unlistened, Slot: 2},
		{Type: Topology, Topics: []Topic{{
			Name: "odin.trades", ID: event.TopicID{1, 2, 3},
			Partitions: []Partition{{Number: 0, Base: 0}, {Number: 1, Base: 1 << 62}},
		}}, Missing: []string{"odin.social"}},
		{Type: Source, Healthy: true},
		{Type: Source, Reason: "dial tcp 127.0.0.1:9092: connection refused"},
		{Type: Stopped},
	}
}

func TestEveryMessageArrivesAsSent(t *testing.T) {
	near, far := pair(t)
	for _, m := range all() {
		if err := near.Send(m); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range all() {
		got, files, err := far.Receive()
		if err != nil || len(files) != 0 || !reflect.DeepEqual(got, want) {
			t.Fatalf("received %+v, %d files, %v; want %+v", got, len(files), err, want)
		}
	}
}

func TestBothWays(t *testing.T) {
	near, far := pair(t)
	if err := far.Send(Message{Type: Ready}); err != nil {
		t.Fatal(err)
	}
	if m, _, err := near.Receive(); err != nil || m.Type != Ready {
		t.Fatalf("received %v, %v", m, err)
	}
}

// TestLargestTopology checks the sum in MessageMax's comment: the largest
// report fits, and passes a socket whose buffer is smaller.
func TestLargestTopology(t *testing.T) {
	m := Message{Type: Topology}
	for i := range 64 {
		topic := Topic{Name: strings.Repeat("t", 249), ID: event.TopicID(bytes.Repeat([]byte{0xff}, 16))}
		for range 64 {
			topic.Partitions = append(topic.Partitions, Partition{Number: 1<<31 - 1 - int32(i), Base: 1<<63 - 1})
		}
		m.Topics = append(m.Topics, topic)
	}
	near, far := pair(t)
	sent := make(chan error, 1)
	go func() { sent <- near.Send(m) }()
	got, _, err := far.Receive()
	if err != nil || !reflect.DeepEqual(got, m) {
		t.Fatalf("the largest topology did not arrive as sent: %v", err)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
}

// pipeSaying gives a file whose content names it.
func pipeSaying(t *testing.T, text string) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(w, text)
	w.Close()
	t.Cleanup(func() { r.Close() })
	return r
}

// TestFilesStayWithTheirMessage mixes messages with and without files so that
// one read of the socket sees several.
func TestFilesStayWithTheirMessage(t *testing.T) {
	near, far := pair(t)
	const rounds = 50
	for i := range rounds {
		count := i % (FilesMax + 1)
		var files []*os.File
		for k := range count {
			files = append(files, pipeSaying(t, fmt.Sprintf("%d/%d", i, k)))
		}
		if err := near.Send(Message{Type: Link, Peer: i, Slots: count}, files...); err != nil {
			t.Fatal(err)
		}
	}
	for i := range rounds {
		m, files, err := far.Receive()
		if err != nil || m.Peer != i || len(files) != m.Slots {
			t.Fatalf("message %d: %+v with %d files, %v", i, m, len(files), err)
		}
		for k, f := range files {
			text, err := io.ReadAll(f)
			if want := fmt.Sprintf("%d/%d", i, k); err != nil || string(text) != want {
				t.Fatalf("file says %q, %v; want %q", text, err, want)
			}
			f.Close()
		}
	}
}

func TestReceivedFilesCloseOnExec(t *testing.T) {
	near, far := pair(t)
	if err := near.Send(Message{Type: Link}, pipeSaying(t, "x")); err != nil {
		t.Fatal(err)
	}
	_, files, err := far.Receive()
	if err != nil {
		t.Fatal(err)
	}
	fd, err := Detach(files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Fatalf("flags %x, %v: would leak into a child", flags, err)
	}
}

// TestListenerStaysNonBlocking holds the trap: a listener's description is
// shared by the supervisor and every worker, so nobody may make it blocking.
func TestListenerStaysNonBlocking(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	near, far := pair(t)
	if err := near.Send(Message{Type: Listener}, f); err != nil {
		t.Fatal(err)
	}
	_, files, err := far.Receive()
	if err != nil {
		t.Fatal(err)
	}
	fd, err := Detach(files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK == 0 {
		t.Fatalf("flags %x, %v: the shared listener was made blocking", flags, err)
	}
}

func TestSendersDoNotMix(t *testing.T) {
	near, far := pair(t)
	const senders, each = 8, 100
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			for k := range each {
				if err := near.Send(Message{Type: Source, Slot: i, Reason: strings.Repeat("r", 3000), OverMS: int64(k)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	next := make([]int64, senders)
	for range senders * each {
		m, _, err := far.Receive()
		if err != nil || m.OverMS != next[m.Slot] {
			t.Fatalf("received %d from %d, %v; want %d", m.OverMS, m.Slot, err, next[m.Slot])
		}
		next[m.Slot]++
	}
	all.Wait()
}

func TestSendRefusesWhatNobodyReceives(t *testing.T) {
	near, _ := pair(t)
	if err := near.Send(Message{Type: Source, Reason: strings.Repeat("r", MessageMax)}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a huge message: %v", err)
	}
	f := pipeSaying(t, "x")
	if err := near.Send(Message{Type: Link}, f, f, f, f, f); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too many files: %v", err)
	}
	f.Close()
	if err := near.Send(Message{Type: Link}, f); err == nil {
		t.Error("sent a closed file")
	}
}

// TestSendDeadline: a worker that reads nothing does not hold its sender.
func TestSendDeadline(t *testing.T) {
	near, _ := pair(t)
	if err := near.SetSendDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	big := Message{Type: Source, Reason: strings.Repeat("r", MessageMax/2)}
	var err error
	for range 100 {
		if err = near.Send(big); err != nil {
			break
		}
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("sent to a peer that does not read: %v", err)
	}
}

func TestPeerGone(t *testing.T) {
	near, far := pair(t)
	near.Close()
	if _, _, err := far.Receive(); !errors.Is(err, io.EOF) {
		t.Fatalf("received %v, want io.EOF", err)
	}
	if err := far.Send(Message{Type: Ready}); !errors.Is(err, unix.EPIPE) {
		t.Fatalf("sent: %v, want EPIPE", err)
	}
}

// TestPeerKilled: a peer that ends with messages unread resets the stream.
func TestPeerKilled(t *testing.T) {
	near, far := pair(t)
	if err := near.Send(Message{Type: Dump}); err != nil {
		t.Fatal(err)
	}
	far.Close()
	if _, _, err := near.Receive(); !errors.Is(err, unix.ECONNRESET) {
		t.Fatalf("received %v, want ECONNRESET", err)
	}
}

// frame is a message as it travels, with a count of files that may lie.
func frame(body string, files uint32) []byte {
	out := binary.LittleEndian.AppendUint32(nil, uint32(len(body)))
	return append(binary.LittleEndian.AppendUint32(out, files), body...)
}

func TestBrokenStreams(t *testing.T) {
	huge := binary.LittleEndian.AppendUint32(nil, MessageMax+1)
	for _, c := range []struct {
		name  string
		bytes []byte
		want  error
	}{
		{"cut in the head", []byte{1, 0}, io.ErrUnexpectedEOF},
		{"cut in the body", frame(`{"type":"ready"}`, 0)[:12], io.ErrUnexpectedEOF},
		{"size beyond the limit", append(huge, 0, 0, 0, 0), ErrTooLarge},
		{"more files than allowed", frame(`{}`, FilesMax+1), ErrTooLarge},
		{"files that never came", frame(`{}`, 1), ErrLostFiles},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := receiveAll(t, c.bytes); !errors.Is(err, c.want) {
				t.Fatalf("%v, want %v", err, c.want)
			}
		})
	}
	if _, err := receiveAll(t, frame(`{"type":`, 0)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("broken JSON: %v", err)
	}
}

// receiveAll feeds raw bytes to a Conn and receives until it fails.
func receiveAll(t testing.TB, raw []byte) (got []Message, err error) {
	t.Helper()
	a, b, err := Socketpair()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = a.Write(raw)
		a.Close()
	}()
	c, err := FromFile(b)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for {
		m, _, err := c.Receive()
		if err != nil {
			return got, err
		}
		got = append(got, m)
	}
}

func FuzzReceive(f *testing.F) {
	for _, m := range all() {
		body, _ := json.Marshal(m)
		f.Add(frame(string(body), 0))
		f.Add(append(frame(string(body), 0), frame(string(body), 1)...))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := receiveAll(t, raw)
		if err == nil {
			t.Fatal("no end")
		}
		if len(got)*headSize > len(raw) {
			t.Fatalf("%d messages from %d bytes", len(got), len(raw))
		}
	})
}
