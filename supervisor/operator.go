package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/journal"
	"github.com/odin-ws/odin/internal/live"
	"github.com/odin-ws/odin/internal/metrics"
	"github.com/odin-ws/odin/internal/page"
	"github.com/odin-ws/odin/internal/status"
	"github.com/odin-ws/odin/shm"
)

// Bounds of the operator's HTTP server.
const (
	operatorHeadTime  = 5 * time.Second  // for a request's head
	operatorReadTime  = 10 * time.Second // for the whole request
	operatorWriteTime = 30 * time.Second // for the answer: a scrape of 128 workers over a slow line
	operatorIdleTime  = 2 * time.Minute  // longer than a scraper's interval
	operatorHeadMax   = 8 << 10
	operatorConnsMax  = 128 // more wait in the kernel
)

// serve starts the operator's HTTP and control.sock. Both end, with every
// handler, before the segment is closed.
func (h *house) serve(c *crew, d *desk, log *slog.Logger) {
	ctx, end := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := control.Serve(ctx, h.socket, d.answer); err != nil {
			log.Error("the control socket ended: odinctl gets no answers", "err", err)
		}
	})
	serving.Go(func() { d.reloads.heed(ctx) })
	var handlers gate
	stream := h.stream(d)
	serving.Go(func() { stream.Run(ctx) })
	server := operatorServer(handlers.guard(contained(h.ownHosts(h.routes(c, stream)), log)), log)
	serving.Go(func() {
		if err := server.Serve(newBounded(h.operator, operatorConnsMax)); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the operator's HTTP ended: no metrics, no health, no page", "err", err)
		}
	})
	h.later(func() error {
		end()
		err := server.Close()
		serving.Wait()
		handlers.close()
		return err
	})
}

func operatorServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: operatorHeadTime,
		ReadTimeout:       operatorReadTime,
		WriteTimeout:      operatorWriteTime,
		IdleTimeout:       operatorIdleTime,
		MaxHeaderBytes:    operatorHeadMax,
		ErrorLog:          journal.Standard(log, "the operator's HTTP complains"),
	}
}

// contained answers 500 to a request that a defect of ours shows at.
func contained(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			switch cause {
			case nil:
				return
			case http.ErrAbortHandler:
				panic(cause) // not a fault: a handler's way to break an answer off
			}
			f := journal.NewFault(cause)
			log.LogAttrs(r.Context(), slog.LevelError, "a defect of Odin broke a request of the operator's HTTP: please report it", f.Attrs(slog.String("path", r.URL.Path))...)
			http.Error(w, "a defect of Odin: please report it; the log has it as "+f.ID, http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}

// gate lets the end wait for the handlers that run, and stops later ones.
type gate struct {
	sync.RWMutex
	closed bool
}

func (g *gate) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.RLock()
		defer g.RUnlock()
		if !g.closed {
			next.ServeHTTP(w, r)
		}
	})
}

func (g *gate) close() {
	g.Lock()
	defer g.Unlock()
	g.closed = true
}

func (h *house) routes(c *crew, stream *live.Stream) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", scraped(h.segment.Process(), metrics.Handler(h.segment)))
	mux.Handle("GET /api/status", document(func() (int, any) {
		return http.StatusOK, status.Read(h.segment, shm.Now())
	}))
	mux.Handle("GET /api/events", stream.Events())
	mux.Handle("GET /api/partitions", stream.Partitions())
	mux.Handle("GET /health", document(func() (int, any) {
		is := h.physician.diagnose(c.readiness.Load(), shm.Now())
		return is.code(), is
	}))
	mux.Handle("GET /livez", text(func() (int, string) { return http.StatusOK, "ok" }))
	mux.Handle("GET /readyz", text(func() (int, string) { return c.readiness.Load().answer() }))
	mux.Handle("/", page.Handler())
	return mux
}

// text is a handler of a plain answer.
func text(answer func() (int, string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		code, body := answer()
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body + "\n"))
	})
}

// document is a handler of a JSON answer.
func document(answer func() (int, any)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		code, value := answer()
		body, err := json.Marshal(value)
		if err != nil { // a number that JSON lacks: a bug
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(code)
		_, _ = w.Write(append(body, '\n'))
	})
}

// answer is what /readyz says.
func (r *readiness) answer() (code int, body string) {
	if r.ready {
		return http.StatusOK, "ready"
	}
	return http.StatusServiceUnavailable, "not ready: " + strings.Join(r.reasons, "; ")
}

// bounded is a listener that has at most so many connections open.
type bounded struct {
	net.Listener
	free chan struct{}
	done chan struct{}
	end  sync.Once
}

func newBounded(l net.Listener, most int) *bounded {
	return &bounded{Listener: l, free: make(chan struct{}, most), done: make(chan struct{})}
}

// Accept waits until one of the connections is free.
func (b *bounded) Accept() (net.Conn, error) {
	select {
	case b.free <- struct{}{}:
	case <-b.done:
		return nil, net.ErrClosed
	}
	conn, err := b.Listener.Accept()
	if err != nil {
		<-b.free
		return nil, err
	}
	return &boundedConn{Conn: conn, release: sync.OnceFunc(func() { <-b.free })}, nil
}

// Close ends Accept too.
func (b *bounded) Close() error {
	b.end.Do(func() { close(b.done) })
	return b.Listener.Close()
}

type boundedConn struct {
	net.Conn
	release func()
}

func (c *boundedConn) Close() error {
	c.release()
	return c.Conn.Close()
}
