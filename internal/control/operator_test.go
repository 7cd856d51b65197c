package control

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

// serving runs Serve on a socket in a temporary directory.
func serving(t *testing.T, handle Handler) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), SocketName)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	ctx, end := context.WithCancel(context.Background())
	go func() { served <- Serve(ctx, l, handle) }()
	t.Cleanup(func() {
		end()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return path
}

func versions(_ context.Context, r Request, _ *Answer) Response {
	if r.Command == Version {
		return Response{OK: true, Version: "v1.2.3", PID: 42}
	}
	return Unknown(r.Command)
}

func TestCall(t *testing.T) {
	path := serving(t, versions)
	got, err := Call(path, Request{Command: Version}, 5*time.Second, nil)
	if want := (Response{OK: true, Version: "v1.2.3", PID: 42}); err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v; want %+v", got, err, want)
	}
}

func TestUnknownCommandIsRefusedByName(t *testing.T) {
	path := serving(t, versions)
	got, err := Call(path, Request{Command: "explode"}, 5*time.Second, nil)
	if err != nil || got.OK || !strings.Contains(got.Error, `"explode"`) {
		t.Fatalf("%+v, %v", got, err)
	}
}

func TestCallWithoutSupervisor(t *testing.T) {
	_, err := Call(filepath.Join(t.TempDir(), SocketName), Request{Command: Version}, time.Second, nil)
	if !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("%v, want that the socket does not exist", err)
	}
}

// TestCallIsBounded: a stopped supervisor accepts (the kernel does) and never
// answers.
func TestCallIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), SocketName)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = Call(path, Request{Command: Version}, 50*time.Millisecond, nil)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%v, want a timeout", err)
	}
}

func TestBrokenRequests(t *testing.T) {
	path := serving(t, versions)
	for _, c := range []struct{ name, send, want string }{
		{"no JSON", "version\n", "not a JSON object"},
		{"no object", "[]\n", "not a JSON object"},
		{"too long", strings.Repeat("x", LineMax+1), "longer than"},
		{"empty lines are nothing", "\n \n{\"command\":\"version\"}\n", "v1.2.3"},
		{"two in one write", "x\n{\"command\":\"version\"}\n", "v1.2.3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, err := net.Dial("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Write([]byte(c.send)); err != nil {
				t.Fatal(err)
			}
			in := bufio.NewScanner(conn)
			for in.Scan() {
				if strings.Contains(in.Text(), c.want) {
					return
				}
			}
			t.Fatalf("never answered %q", c.want)
		})
	}
}

// TestCallersAreBounded: the one beyond CallersMax waits for its turn.
func TestCallersAreBounded(t *testing.T) {
	var inside sync.WaitGroup
	inside.Add(CallersMax)
	release := make(chan struct{})
	path := serving(t, func(ctx context.Context, r Request, a *Answer) Response {
		if r.Command == "hold" {
			inside.Done()
			<-release
		}
		return versions(ctx, r, a)
	})
	var held sync.WaitGroup
	for range CallersMax {
		held.Go(func() { _, _ = Call(path, Request{Command: "hold"}, 10*time.Second, nil) })
	}
	inside.Wait()
	if _, err := Call(path, Request{Command: Version}, 50*time.Millisecond, nil); err == nil {
		t.Error("served beyond the bound")
	}
	close(release)
	held.Wait()
	if _, err := Call(path, Request{Command: Version}, 10*time.Second, nil); err != nil {
		t.Errorf("after the others had gone: %v", err)
	}
}

// TestServeEndsWithItsCallers: neither an idle caller nor a crowd of them
// holds up the end.
func TestServeEndsWithItsCallers(t *testing.T) {
	path := filepath.Join(t.TempDir(), SocketName)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, l, versions) }()
	for range CallersMax + 1 {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	end()
	select {
	case err := <-served:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("an idle caller holds up the end")
	}
}
