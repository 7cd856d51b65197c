package supervisor

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/shm"
)

// position publishes a worker's position in every partition.
func (s *stage) position(slot int) {
	for i := range s.segment.Partitions() {
		s.segment.Slot(slot).PublishPosition(i, shm.Position{Positioned: true, Generation: s.live[slot].generation})
	}
}

func (s *stage) wantReady(code int, words ...string) {
	s.t.Helper()
	got, body := s.readiness.Load().answer()
	if got != code {
		s.t.Fatalf("/readyz is %d (%s), want %d", got, body, code)
	}
	for _, w := range words {
		if !strings.Contains(body, w) {
			s.t.Fatalf("/readyz says %q, want %q in it", body, w)
		}
	}
}

func TestReadinessSaysWhyNot(t *testing.T) {
	s := newStage(t, 2)
	s.wantReady(503, "no worker accepts")
	s.begin()
	s.wantReady(503, "no worker accepts", "not known yet")
	for slot := range s.live {
		s.says(slot, control.Message{Type: control.Source, Reason: "127.0.0.1:9092: connection refused"})
	}
	s.wantReady(503, "connection refused")
	for slot := range s.live {
		s.says(slot, control.Message{Type: control.Source, Healthy: true})
	}
	s.says(0, control.Message{Type: control.Topology, Missing: []string{"odin.trades", "odin.social"}})
	s.wantReady(503, "missing topics: odin.trades, odin.social")
	s.reports(4)
	s.ready(1)
	s.wantReady(503, "4 of 4 partitions have no position yet")
	s.position(1)
	s.pass(beat)
	s.wantReady(200)
	if got := s.segment.Process().State(); got != shm.Ready {
		t.Errorf("state %v", got)
	}
}

// TestMissingTopicBesideOthers: the start waits for it; later it is no reason.
func TestMissingTopicBesideOthers(t *testing.T) {
	s := newStage(t, 1)
	s.begin()
	s.says(0, control.Message{Type: control.Topology, Missing: []string{"odin.social"}, Topics: []control.Topic{{
		Name: "odin.trades", Partitions: []control.Partition{{Number: 0}},
	}}})
	s.wantReady(503, "missing topics: odin.social")
	s.ready(0)
	s.position(0)
	s.pass(beat)
	s.wantReady(503, "missing topics: odin.social")
	s.reports(1)
	s.wantReady(200)
	s.says(0, control.Message{Type: control.Topology, Missing: []string{"odin.trades"}})
	s.wantReady(200)
}

// readied is a stage that has been ready.
func readied(t *testing.T, require bool) *stage {
	t.Helper()
	cfg := settings(2)
	cfg.Ready.RequireSource = require
	s := newStageOf(t, cfg)
	s.begin()
	s.reports(4)
	s.ready(0, 1)
	s.position(0)
	s.pass(beat)
	s.wantReady(200)
	return s
}

func TestBrokerGoneIsNoReason(t *testing.T) {
	for _, require := range []bool{false, true} {
		s := readied(t, require)
		for slot := range s.live {
			s.says(slot, control.Message{Type: control.Source, Reason: "connection refused"})
		}
		if require {
			s.wantReady(503, "connection refused")
		} else {
			s.wantReady(200)
		}
	}
}

func TestReadinessEndsWhenNobodyAccepts(t *testing.T) {
	s := readied(t, false)
	s.dies(0)
	s.wantReady(200)
	s.dies(1)
	s.wantReady(503, "no worker accepts")
	s.ready(0) // without any position yet: it says that it accepts
	s.wantReady(200)
	s.live[0].frozen = true
	s.pass(3 * time.Second)
	s.wantReady(503)
}

func TestReadinessEndsWithStopping(t *testing.T) {
	s := readied(t, false)
	s.stop("terminated")
	s.wantReady(http.StatusServiceUnavailable, "stopping")
	if got := s.segment.Process().State(); got != shm.Draining {
		t.Errorf("state %v", got)
	}
}

// TestPositionsOfThePast: what a dead worker knew makes nobody ready.
func TestPositionsOfThePast(t *testing.T) {
	s := newStage(t, 1)
	s.begin()
	s.reports(1)
	s.position(0)
	s.dies(0)
	s.ready(0)
	s.wantReady(503, "no position")
}
