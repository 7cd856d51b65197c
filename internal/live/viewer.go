package live

import (
	"fmt"
	"net/http"
	"time"
)

const (
	heartbeat = 15 * time.Second // without news: proxies and the page see that we live
	writeTime = 10 * time.Second // for a viewer to take what is written
	retry     = "retry: 1000\n\n"
)

// Events streams history once, then status and sessions as they come, to at
// most ViewersMax at once; others get 503 and are told so.
func (s *Stream) Events() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		stale, ok := s.enter()
		if !ok {
			w.Header().Set("Retry-After", "5")
			http.Error(w, fmt.Sprintf("%d pages are watching already, which is the most: close one, or ask /api/status", ViewersMax), http.StatusServiceUnavailable)
			return
		}
		defer s.leave()
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Accel-Buffering", "no") // a proxy that collects would hold the events back
		if r.Method == http.MethodHead {
			return
		}
		out := &viewer{ResponseWriter: w, control: http.NewResponseController(w)}
		// The server's deadline for a request would end the stream.
		_ = out.control.SetReadDeadline(time.Time{})
		if out.send([]byte(retry), s.pastFrame()) == nil {
			s.follow(out, r.Context().Done(), stale)
		}
	})
}

// follow writes what is newer than what was sent, until one of both ends.
func (s *Stream) follow(out *viewer, gone <-chan struct{}, sent [kindCount]uint64) {
	for {
		frames, news, ended := s.since(&sent)
		if ended || out.send(frames...) != nil {
			return
		}
		quiet := time.NewTimer(heartbeat)
		select {
		case <-gone:
			quiet.Stop()
			return
		case <-news:
			quiet.Stop()
		case <-quiet.C:
			if out.send(comment("still here")) != nil {
				return
			}
		}
	}
}

// since are the frames that a viewer has not, and what tells of newer ones.
func (s *Stream) since(sent *[kindCount]uint64) (frames [][]byte, news <-chan struct{}, ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, f := range s.frames {
		if f.seq > sent[k] {
			sent[k] = f.seq
			frames = append(frames, f.bytes)
		}
	}
	return frames, s.news, s.ended
}

// pastFrame is the past minutes, encoded once for all who come between two looks.
func (s *Stream) pastFrame() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := uint64(s.past.count); s.history.seq != now {
		s.history = frame{now, encode("history", s.past.history())}
	}
	return s.history.bytes
}

// enter takes a place. The first one wakes the looking goroutine, and waits for
// what it finds: stale is what needn't be sent. If there is something fresh it
// gets that, so who comes and goes often makes no more looks.
func (s *Stream) enter() (stale [kindCount]uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.viewers == ViewersMax {
		s.told.Refused()
		return stale, false
	}
	s.viewers++
	s.told.Viewers(s.viewers)
	now := s.now().Monotonic
	if time.Duration(now-s.whole.at) >= interval && !s.ended {
		stale[statusKind] = s.frames[statusKind].seq
		ring(s.wake)
	}
	if time.Duration(now-s.askedAt) >= askEvery {
		ring(s.curious)
	}
	return stale, true
}

// ring is heard once, however often it is rung before.
func ring(bell chan<- struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

func (s *Stream) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.viewers--
	s.told.Viewers(s.viewers)
}

// viewer is one stream.
type viewer struct {
	http.ResponseWriter
	control *http.ResponseController
}

// send writes and flushes, within writeTime. The server's own deadline for an
// answer, which would end the stream, is moved on by it.
func (v *viewer) send(frames ...[]byte) error {
	if len(frames) == 0 {
		return nil
	}
	_ = v.control.SetWriteDeadline(time.Now().Add(writeTime))
	for _, f := range frames {
		if _, err := v.Write(f); err != nil {
			return err
		}
	}
	return v.control.Flush()
}
