package supervisor

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/control"
)

// A request of odinctl's that meets a defect is refused with the id under which
// the log has it, and the crew goes on.
func TestDefectInARequestIsRefused(t *testing.T) {
	b := newBureau(t, 1)
	query := b.ask
	w := b.stage.slots[0].worker
	b.segment = nil // what every command counts in
	refused := b.contained(context.Background(), control.Request{Command: control.Ask, Query: question, Process: "0"}, nil)
	if refused.OK || !strings.Contains(refused.Error, "a defect of Odin") {
		t.Fatalf("%+v", refused)
	}
	id := refused.Error[len(refused.Error)-8:]
	eventually(t, "the line with the id "+id, func() bool {
		log := b.stage.logged.String()
		return strings.Contains(log, "id="+id) && strings.Contains(log, "command=ask") && strings.Contains(log, "(*desk).ask")
	})
	b.segment = b.stage.segment
	b.answers(0, two)
	if _, end := query(t, control.Request{Command: control.Ask, Query: question}); !end.OK || b.stage.slots[0].worker != w {
		t.Errorf("afterwards: %+v", end)
	}
}

func TestDefectInTheOperatorsHTTP(t *testing.T) {
	s := newStage(t, 1)
	handler := contained(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
		panic("no metrics today")
	}), s.log.Logger)
	out := httptest.NewRecorder()
	handler.ServeHTTP(out, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	body := strings.TrimSpace(out.Body.String())
	if out.Code != http.StatusInternalServerError || !strings.Contains(body, "a defect of Odin") {
		t.Fatalf("%d %s", out.Code, body)
	}
	eventually(t, "its line", func() bool {
		log := s.logged.String()
		return strings.Contains(log, "id="+body[len(body)-8:]) && strings.Contains(log, "path=/metrics") && strings.Contains(log, `panic="no metrics today"`)
	})
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("net/http isn't told that the answer is broken off")
		}
	}()
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/abort", nil))
}
