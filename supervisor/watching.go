package supervisor

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/live"
	"github.com/odin-ws/odin/shm"
)

// stream is what the page hears.
func (h *house) stream(d *desk) *live.Stream {
	p := h.segment.Process()
	ask := func(ctx context.Context, q control.Query, item func(control.Response) error) ([]int, error) {
		return d.inquire(ctx, q, nobody, item)
	}
	return live.New(h.segment, ask, live.Hooks{
		Viewers: func(now int) { p.Set(shm.PageViewers, int64(now)) },
		Refused: func() { p.Add(shm.PageViewersRefused, 1) },
	})
}

// ownHosts refuses, at an address of this machine alone, what a browser asks
// under a name that may be anybody's: a page from elsewhere whose name was
// turned to 127.0.0.1 meanwhile would read everything (DNS rebinding). At any
// other address our names can't be known.
func (h *house) ownHosts(next http.Handler) http.Handler {
	alone := h.operator.Addr().(*net.TCPAddr).IP.IsLoopback()
	p := h.segment.Process()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
		if alone && !ownHost(r.Host, p.Name(shm.Node)) {
			p.Add(shm.RequestsOfOtherHosts, 1)
			http.Error(w, fmt.Sprintf("this address answers to its IP, to localhost and to names without a dot, not to %.100q; "+
				"a proxy in front of it has to send Host: localhost", r.Host), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ownHost tells whether a Host header names this machine in a way that nobody
// else can make a name of theirs: an address, localhost, a name that no public
// zone has, or the node's.
func ownHost(header, node string) bool {
	host := strings.ToLower(header)
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(host, ".")
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return !strings.Contains(host, ".") || strings.HasSuffix(host, ".localhost") || host == strings.ToLower(node)
}
