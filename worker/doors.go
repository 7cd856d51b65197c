package worker

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// doors accepts connections and makes sessions of them: the only part of a
// worker with a goroutine per connection, for as long as a handshake takes.
// Its fields are set before the first connection; what changes is atomic.
type doors struct {
	terms   atomic.Pointer[terms]
	block   *shm.Block
	log     *slog.Logger
	state   *atomic.Uint32 // shm.State
	live    *atomic.Int64  // sessions that the loop has
	reason  func() string
	adopt   func(arrival)
	upgrade websocket.Upgrader

	pending atomic.Int64 // connections without an answer yet
	coming  atomic.Int64 // admitted and not yet the loop's

	mu        sync.Mutex
	server    *http.Server // of the connections to come
	opened    bool
	files     map[int]*os.File     // by slot
	listeners map[int]net.Listener // by slot, while accepting
}

// headSlack is what net/http adds to MaxHeaderBytes by itself.
const headSlack = 4096

func newDoors(d *doors, t *terms) *doors {
	d.terms.Store(t)
	d.files, d.listeners = make(map[int]*os.File), make(map[int]net.Listener)
	d.upgrade = websocket.Upgrader{
		ReadBufferSize: 1024, WriteBufferSize: 1024, WriteBufferPool: &sync.Pool{},
		Subprotocols: []string{wire.Subprotocol},
		CheckOrigin:  d.allowed,
		Error: func(w http.ResponseWriter, _ *http.Request, _ int, reason error) {
			refuse(w, http.StatusBadRequest, "bad_handshake", strings.TrimPrefix(reason.Error(), "websocket: "))
		},
	}
	d.server = d.newServer()
	return d
}

func (d *doors) newServer() *http.Server {
	lim := &d.terms.Load().config.Limits
	s := &http.Server{
		Handler:           http.HandlerFunc(d.serve),
		ReadHeaderTimeout: lim.HandshakeMax,
		ReadTimeout:       lim.HandshakeMax, // a body that never comes pins no place either
		WriteTimeout:      lim.HandshakeMax,
		MaxHeaderBytes:    max(lim.HeadBytesMax-headSlack, 1),
		ErrorLog:          slog.NewLogLogger(d.log.Handler(), slog.LevelDebug),
		ConnState:         d.connState,
		ConnContext:       withKnock,
	}
	s.SetKeepAlivesEnabled(false)
	return s
}

// connState counts the connections that never became a request.
func (d *doors) connState(_ net.Conn, state http.ConnState) {
	if state == http.StateNew {
		d.block.Add(shm.ConnectionsAccepted, 1)
	}
}

// add takes a slot's listener into use, at once or when the doors open.
func (d *doors) add(slot int, f *os.File) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(slot)
	d.files[slot] = f
	if d.opened {
		d.serveOn(slot)
	}
}

// shut accepts no more from a slot's listener. What waits in its queue stays
// there for whoever accepts next: the supervisor keeps the socket.
func (d *doors) shut(slot int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(slot)
}

func (d *doors) drop(slot int) {
	if l := d.listeners[slot]; l != nil {
		l.Close()
		delete(d.listeners, slot)
	}
	if f := d.files[slot]; f != nil {
		f.Close()
		delete(d.files, slot)
	}
}

// unpause accepts from all listeners.
func (d *doors) unpause() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.opened {
		return
	}
	d.opened = true
	for slot := range d.files {
		d.serveOn(slot)
	}
}

// pause leaves connections in the listeners' queues, for a sibling or for
// later.
func (d *doors) pause() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened = false
	for slot, l := range d.listeners {
		l.Close()
		delete(d.listeners, slot)
	}
}

// serveOn accepts from a slot's listener. FileListener works on a copy, so the
// file stays for the next time.
func (d *doors) serveOn(slot int) {
	l, err := net.FileListener(d.files[slot])
	if err != nil {
		d.log.Error("take over a listener", "slot", slot, "err", err)
		return
	}
	d.listeners[slot] = l
	server := d.server
	go func() {
		err := server.Serve(&gate{Listener: l, doors: d})
		if err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) {
			d.log.Error("accept", "slot", slot, "err", err)
		}
	}()
}

// gate counts pending handshakes, and answers those beyond the limit at once.
type gate struct {
	net.Listener
	doors *doors
}

// Accept gives the next connection whose handshake may begin.
func (g *gate) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		if err != nil { // no descriptors or memory: that passes, and the listener must not be given up
			g.doors.block.Add(shm.AcceptErrors, 1)
			time.Sleep(acceptPause)
			continue
		}
		if g.doors.pending.Add(1) <= int64(g.doors.terms.Load().handshakesMax) {
			return &knock{Conn: c, doors: g.doors, began: time.Now()}, nil
		}
		g.doors.pending.Add(-1)
		g.doors.block.Add(shm.RefusedHandshakes, 1)
		g.doors.turnAway(c)
	}
}

// turnAway refuses a connection without having read its request.
func (d *doors) turnAway(c net.Conn) {
	body := wire.AppendRefusalBody(nil, "overloaded", "handshakes")
	head := "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: application/json\r\nRetry-After: " +
		d.retryAfter() + "\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n"
	// A peer that doesn't take it is not waited for: the buffer is empty, so
	// the write can't block.
	_, _ = c.Write(append([]byte(head), body...))
	// What has come of the request is read, or the close would be a reset that
	// overtakes the answer.
	_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, _ = io.CopyN(io.Discard, c, int64(d.terms.Load().config.Limits.HeadBytesMax))
	_ = c.Close()
}

// acceptPause is how long accepting rests after an error.
const acceptPause = 50 * time.Millisecond

func (d *doors) retryAfter() string {
	return strconv.Itoa(int(d.terms.Load().config.Limits.RetryAfter / time.Second))
}

func refuse(w http.ResponseWriter, status int, what, reason string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The client may be gone; there is nobody to tell.
	_, _ = w.Write(wire.AppendRefusalBody(nil, what, reason))
}

func (d *doors) serve(w http.ResponseWriter, r *http.Request) {
	defer d.containHandshake(w, r)
	knockOf(r).heard.Store(true)
	switch r.URL.Path {
	case "/ws":
		d.handshake(w, r)
	case "/health":
		d.health(w)
	default:
		refuse(w, http.StatusNotFound, "not_found", "clients connect to /ws; /health is here too")
	}
}

func (d *doors) health(w http.ResponseWriter) {
	state := shm.State(d.state.Load())
	if state != shm.Ready {
		w.Header().Set("Retry-After", d.retryAfter())
		refuse(w, http.StatusServiceUnavailable, state.String(), cmp.Or(d.reason(), "no new session is taken"))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	status := "healthy"
	if d.reason() != "" {
		status = "degraded"
	}
	// The client may be gone; there is nobody to tell.
	_, _ = w.Write(append(strconv.AppendInt([]byte(`{"status":"`+status+`","sessions":`), d.live.Load(), 10), '}'))
}

// admit counts one more as coming, or tells why no session can be taken now.
// The state is looked at behind the count: a loop that has changed it and finds
// nobody coming meets nobody any more.
func (d *doors) admit() (reason string, c shm.Counter) {
	coming := d.coming.Add(1) // before the live ones: who comes becomes live
	reason, c = d.overloaded(coming + d.live.Load())
	if reason != "" {
		d.coming.Add(-1)
	}
	return reason, c
}

// overloaded tells why there can't be so many sessions now; empty: there can.
func (d *doors) overloaded(sessions int64) (reason string, c shm.Counter) {
	switch shm.State(d.state.Load()) {
	case shm.Ready:
	case shm.Starting:
		return "starting", shm.RefusedStarting
	default:
		return "draining", shm.RefusedDraining
	}
	t := d.terms.Load()
	switch {
	case sessions > int64(t.sessionsMax):
		return "connections", shm.RefusedConnections
	case sessions > int64(t.descriptors):
		return "fds", shm.RefusedFds
	}
	return "", 0
}

func (d *doors) handshake(w http.ResponseWriter, r *http.Request) {
	if !d.allowed(r) {
		d.block.Add(shm.HandshakesFailedOrigin, 1)
		refuse(w, http.StatusForbidden, "forbidden", "origin")
		return
	}
	if reason, c := d.admit(); reason != "" {
		d.block.Add(c, 1)
		w.Header().Set("Retry-After", d.retryAfter())
		refuse(w, http.StatusServiceUnavailable, "overloaded", reason)
		return
	}
	handed := false
	defer func() {
		if !handed {
			d.coming.Add(-1)
		}
	}()
	conn, err := d.upgrade.Upgrade(w, r, nil)
	if err != nil {
		d.block.Add(failure(err), 1)
		d.log.Debug("handshake", "err", err, "remote", r.RemoteAddr)
		return
	}
	fd, err := takeOver(conn.NetConn())
	if err != nil {
		d.block.Add(shm.HandshakesFailedIO, 1)
		d.log.Debug("take over a connection", "err", err)
		return
	}
	remote, _ := netip.ParseAddrPort(r.RemoteAddr)
	handed = true
	d.adopt(arrival{fd: fd, remote: remote, took: time.Since(knockOf(r).began)})
}

// allowed checks the request's origin. A client without one is no browser.
func (d *doors) allowed(r *http.Request) bool {
	origin, allowed := r.Header.Get("Origin"), d.terms.Load().config.Origins
	return len(allowed) == 0 || origin == "" || slices.Contains(allowed, origin)
}

// close ends all that isn't a session.
func (d *doors) close(ctx context.Context) {
	d.mu.Lock()
	server := d.server
	d.mu.Unlock()
	if err := server.Shutdown(ctx); err != nil {
		_ = server.Close()
	}
}
