package worker

import (
	"os"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/control"
)

// inquire asks a worker as the supervisor does; the answer's reading end is
// the caller's.
func (st *theatre) inquire(worker int, q control.Query) *os.File {
	st.t.Helper()
	r, w, err := os.Pipe()
	st.must(err)
	st.t.Cleanup(func() { r.Close() })
	st.workers[worker].send(st.t, control.Message{Type: control.Inquiry, Query: &q}, w)
	w.Close()
	return r
}

func (st *theatre) answer(from *os.File) (items int, end control.Response) {
	st.t.Helper()
	end, err := control.ReadAnswer(from, func(control.Response) error { items++; return nil })
	st.must(err)
	return items, end
}

func TestInquiries(t *testing.T) {
	st := newTheatre(t, 1, nil)
	if items, end := st.answer(st.inquire(0, control.Query{Kind: control.Profile, Profile: "heap"})); !end.OK || items == 0 {
		t.Errorf("%d items, then %+v", items, end)
	}
	for want, q := range map[string]control.Query{
		`no question "x"`: {Kind: "x"}, "unknown profile": {Kind: control.Profile},
	} {
		if _, end := st.answer(st.inquire(0, q)); end.OK || !strings.Contains(end.Error, want) {
			t.Errorf("%+v, want %q", end, want)
		}
	}
}

// Answers that nobody reads don't pile up, and the loop goes on beside them.
func TestInquiriesAreBounded(t *testing.T) {
	st := newTheatre(t, 1, nil)
	p := st.workers[0].process
	long := control.Query{Kind: control.Profile, Profile: "goroutine"}
	for range inquiriesMax { // as if they were being answered
		p.inquiries <- struct{}{}
	}
	if _, end := st.answer(st.inquire(0, long)); end.OK || !strings.Contains(end.Error, "try again") {
		t.Errorf("beyond the bound: %+v", end)
	}
	<-p.inquiries
	unread := st.inquire(0, long)
	unread.Close()
	st.await("one whose asker is gone makes room", func() bool { return len(p.inquiries) == inquiriesMax-1 })
	if !p.inLoop(func(*process) {}) {
		t.Error("the loop does nothing more")
	}
	for range inquiriesMax - 1 {
		<-p.inquiries
	}
}
