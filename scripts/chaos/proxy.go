package main

import (
	"net"
	"sync"
	"time"
)

// proxy stands between odind and one broker.
type proxy struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	cut   bool          // connections are closed at once
	delay time.Duration // before what was read is passed on
	held  chan struct{} // closed when it may go on; nil: it may
}

// newProxy listens; it refuses until it has a target.
func newProxy() (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &proxy{listener: l, conns: map[net.Conn]struct{}{}}, nil
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) serve() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.join(conn)
	}
}

func (p *proxy) close() {
	p.listener.Close()
	p.setCut(true)
}

// join connects a caller with the broker until one of them has enough.
func (p *proxy) join(caller net.Conn) {
	broker, err := net.DialTimeout("tcp", p.target, 5*time.Second)
	if err != nil {
		caller.Close()
		return
	}
	if !p.enter(caller, broker) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.pass(caller, broker) })
	both.Go(func() { p.pass(broker, caller) })
	both.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, caller)
	delete(p.conns, broker)
}

func (p *proxy) enter(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if p.cut {
			c.Close()
		}
		p.conns[c] = struct{}{}
	}
	return !p.cut
}

// pass copies one direction, late or not at all for a while if so it is.
func (p *proxy) pass(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			p.wait()
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (p *proxy) wait() {
	p.mu.Lock()
	held, delay := p.held, p.delay
	p.mu.Unlock()
	if held != nil {
		<-held
	}
	time.Sleep(delay)
}

// setCut closes all connections and refuses new ones, or takes them again.
func (p *proxy) setCut(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	if cut {
		for c := range p.conns {
			c.Close()
		}
		clear(p.conns)
	}
}

// setHeld lets no byte pass, or goes on.
func (p *proxy) setHeld(held bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case held && p.held == nil:
		p.held = make(chan struct{})
	case !held && p.held != nil:
		close(p.held)
		p.held = nil
	}
}

func (p *proxy) setDelay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}
