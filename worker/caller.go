package worker

import (
	"cmp"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/odin-ws/odin/internal/handshake"
	"github.com/odin-ws/odin/internal/loop"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
)

// caller is a connection that has not become a session yet, or never will.
type caller struct {
	index uint32
	use   uint32 // how often this place was used: half of the token
	fd    int    // -1: the place is free

	head     []byte // of the request, as far as it has come
	answered bool   // refused, or given a document: what it sends is discarded
	began    int64  // monotonic ns
	deadline int64  // monotonic ns
	remote   netip.AddrPort
}

func (c *caller) token() uint64 { return uint64(c.use&0x7fffffff)<<32 | uint64(c.index) }

// callers holds them by index.
type callers struct {
	all     []*caller
	free    []uint32
	calling int // whose request is awaited
}

func (t *callers) add() *caller {
	if len(t.free) == 0 {
		c := &caller{index: uint32(len(t.all)), fd: -1}
		t.all = append(t.all, c)
		return c
	}
	last := len(t.free) - 1
	c := t.all[t.free[last]]
	t.free = t.free[:last]
	return c
}

// find gives the caller of a token, nil if that use of its place is over.
func (t *callers) find(token uint64) *caller {
	index := uint32(token)
	if int(index) >= len(t.all) {
		return nil
	}
	if c := t.all[index]; c.fd >= 0 && c.token() == token {
		return c
	}
	return nil
}

func (t *callers) remove(c *caller) {
	*c = caller{index: c.index, use: c.use + 1, fd: -1}
	t.free = append(t.free, c.index)
}

func (t *callers) each(f func(*caller)) {
	for _, c := range t.all {
		if c.fd >= 0 {
			f(c)
		}
	}
}

// connected is how many descriptors the callers have.
func (t *callers) connected() int { return len(t.all) - len(t.free) }

// hearCaller reads what a caller says.
func (p *process) hearCaller(c *caller) {
	defer p.containCaller(c)
	most := p.config.Limits.HeadBytesMax
	if len(p.doors.input) != most+1 { // one more tells a head that is too large
		p.doors.input = make([]byte, most+1)
	}
	in := p.doors.input
	held := copy(in[:most], c.head)
	n, status := loop.Read(c.fd, in[held:])
	switch {
	case status == loop.Again:
	case c.answered:
		if status != loop.OK {
			p.hangUp(c)
		}
	case status != loop.OK:
		p.lose(c, shm.HandshakesFailedIO)
	default:
		p.serveCaller(c, in[:held+n], most)
	}
}

// serveCaller serves a request once its head is whole.
func (p *process) serveCaller(c *caller, in []byte, most int) {
	p.provoke(inCall, nil)
	r, n, err := handshake.Parse(in)
	switch {
	case err != nil:
		p.refuseCaller(c, http.StatusBadRequest, "bad_handshake", err.Error(), shm.HandshakesFailedBadRequest)
	case n > most || n == 0 && len(in) > most:
		p.refuseCaller(c, http.StatusRequestHeaderFieldsTooLarge, "too_large",
			"the request's head is larger than "+strconv.Itoa(most)+" bytes", shm.HandshakesFailedTooLarge)
	case n == 0:
		c.head = append(c.head[:0:0], in...)
	case r.Path == "/ws":
		p.shakeHands(c, &r, n < len(in))
	case r.Path == "/health":
		p.answerHealth(c, r.Method == http.MethodHead)
	default:
		p.give(c, refusal(http.StatusNotFound, "not_found", "clients connect to /ws; /health is here too"))
	}
}

// shakeHands makes a session of a caller. early: it has sent more than its
// request, though nobody can know yet that it may.
func (p *process) shakeHands(c *caller, r *handshake.Request, early bool) {
	if err := r.Check(); err != nil {
		p.refuseCaller(c, http.StatusBadRequest, "bad_handshake", err.Error(), shm.HandshakesFailedBadRequest)
		return
	}
	if !p.allowed(r.Origin) {
		p.refuseCaller(c, http.StatusForbidden, "forbidden", "origin", shm.HandshakesFailedOrigin)
		return
	}
	if reason, counter := p.overloaded(); reason != "" {
		p.turnAway(c, reason, counter)
		return
	}
	if early {
		p.lose(c, shm.HandshakesFailedEarlyBytes)
		return
	}
	protocol := ""
	if slices.Contains(r.Protocols, wire.Subprotocol) {
		protocol = wire.Subprotocol
	}
	extension, window := p.agree(r.Extensions)
	out := handshake.AppendAccept(p.doors.output[:0], r.Key, protocol, extension)
	out = p.appendHello(out)
	p.doors.output = out
	// The socket's buffer is empty: what doesn't fit into it belongs to a peer
	// that is gone.
	if n, _ := loop.Write(c.fd, out); n < len(out) {
		p.lose(c, shm.HandshakesFailedIO)
		return
	}
	p.adopt(c, len(out), window)
}

// allowed checks a request's origin. A client without one is no browser.
func (p *process) allowed(origin string) bool {
	allowed := p.config.Origins
	return len(allowed) == 0 || origin == "" || slices.Contains(allowed, origin)
}

// overloaded tells why no session can be taken now; empty: one can.
func (p *process) overloaded() (reason string, c shm.Counter) {
	switch {
	case p.state == shm.Starting:
		return "starting", shm.RefusedStarting
	case p.state != shm.Ready:
		return "draining", shm.RefusedDraining
	case p.sessions.live >= p.terms.sessionsMax:
		return "connections", shm.RefusedConnections
	case p.sessions.live >= p.terms.descriptors:
		return "fds", shm.RefusedFds
	}
	return "", 0
}

// answerHealth is for balancers that know this port alone.
func (p *process) answerHealth(c *caller, head bool) {
	d := handshake.Document{Status: http.StatusOK, Head: head}
	switch {
	case p.state != shm.Ready:
		d.Status, d.RetryAfter = http.StatusServiceUnavailable, p.retryAfter()
		d.Body = wire.AppendRefusalBody(nil, p.state.String(), cmp.Or(p.unwell, "no new session is taken"))
	case p.unwell != "":
		d.Body = p.healthBody("degraded")
	default:
		d.Body = p.healthBody("healthy")
	}
	p.give(c, d)
}

func (p *process) healthBody(status string) []byte {
	return append(strconv.AppendInt([]byte(`{"status":"`+status+`","sessions":`), int64(p.sessions.live), 10), '}')
}

func (p *process) retryAfter() int { return int(p.config.Limits.RetryAfter / time.Second) }

// turnAway refuses a caller for now.
func (p *process) turnAway(c *caller, reason string, counter shm.Counter) {
	p.block.Add(counter, 1)
	d := refusal(http.StatusServiceUnavailable, "overloaded", reason)
	d.RetryAfter = p.retryAfter()
	p.give(c, d)
}

// refuseCaller refuses a caller for good.
func (p *process) refuseCaller(c *caller, status int, what, reason string, counter shm.Counter) {
	p.block.Add(counter, 1)
	if p.log.Enabled(p.ctx, slog.LevelDebug) {
		p.log.Debug("a handshake is refused", "remote", c.remote.String(), "status", status, "reason", reason)
	}
	p.give(c, refusal(status, what, reason))
}

func refusal(status int, what, reason string) handshake.Document {
	return handshake.Document{Status: status, Body: wire.AppendRefusalBody(nil, what, reason)}
}

// give sends a document and half-closes. Then what the caller sends is
// discarded until it has read that, or for a moment: closing with unread input
// would send RST, and the answer might never be seen.
func (p *process) give(c *caller, d handshake.Document) {
	p.doors.output = d.Append(p.doors.output[:0])
	n, _ := loop.Write(c.fd, p.doors.output)
	p.settleCaller(c)
	crowded := p.doors.callers.connected()-p.doors.callers.calling > p.terms.handshakesMax
	if n < len(p.doors.output) || crowded || unix.Shutdown(c.fd, unix.SHUT_WR) != nil {
		p.hangUp(c)
		return
	}
	c.head, c.deadline = nil, p.now+int64(p.config.Limits.CloseLinger)
}

// settleCaller counts a caller as one whose handshake is over.
func (p *process) settleCaller(c *caller) {
	if !c.answered {
		c.answered = true
		p.doors.callers.calling--
		p.countCallers()
	}
}

// lose ends a caller without an answer.
func (p *process) lose(c *caller, why shm.Counter) {
	p.block.Add(why, 1)
	p.hangUp(c)
}

// hangUp closes a caller's connection.
func (p *process) hangUp(c *caller) {
	p.settleCaller(c)
	if err := unix.Close(c.fd); err != nil {
		p.log.Error("a connection's descriptor can't be closed", "err", err)
	}
	p.doors.callers.remove(c)
}

// hurryCallers ends those whose time is up.
func (p *process) hurryCallers(now int64) {
	p.doors.callers.each(func(c *caller) {
		switch {
		case now < c.deadline:
		case c.answered:
			p.hangUp(c)
		default:
			p.lose(c, shm.HandshakesFailedDeadline)
		}
	})
}
