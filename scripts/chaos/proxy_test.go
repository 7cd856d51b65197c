package main

import (
	"io"
	"net"
	"testing"
	"time"
)

// echoing is a proxy before something that repeats what it is told.
func echoing(t *testing.T) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn); conn.Close() }()
		}
	}()
	p, err := newProxy()
	if err != nil {
		t.Fatal(err)
	}
	p.target = l.Addr().String()
	go p.serve()
	t.Cleanup(p.close)
	return p
}

func dial(t *testing.T, p *proxy) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", p.addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn
}

func echo(conn net.Conn) error {
	if _, err := conn.Write([]byte("odin")); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, make([]byte, 4))
	return err
}

func TestProxyPasses(t *testing.T) {
	t.Parallel()
	p := echoing(t)
	p.setDelay(time.Millisecond)
	if err := echo(dial(t, p)); err != nil {
		t.Error(err)
	}
}

func TestProxyCuts(t *testing.T) {
	t.Parallel()
	p := echoing(t)
	conn := dial(t, p)
	if err := echo(conn); err != nil {
		t.Fatal(err)
	}
	p.setCut(true)
	if err := echo(conn); err == nil {
		t.Error("a connection outlives the cut")
	}
	if err := echo(dial(t, p)); err == nil {
		t.Error("a new connection passes while it is cut")
	}
	p.setCut(false)
	if err := echo(dial(t, p)); err != nil {
		t.Error(err)
	}
}

func TestProxyHolds(t *testing.T) {
	t.Parallel()
	p := echoing(t)
	conn := dial(t, p)
	p.setHeld(true)
	p.setHeld(true)
	answered := make(chan error, 1)
	go func() { answered <- echo(conn) }()
	if _, err := net.DialTimeout("tcp", p.addr(), 20*time.Second); err != nil {
		t.Errorf("a held proxy takes no connection: %v", err)
	}
	select {
	case err := <-answered:
		t.Errorf("a byte passed: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	p.setHeld(false)
	if err := <-answered; err != nil {
		t.Error(err)
	}
}
