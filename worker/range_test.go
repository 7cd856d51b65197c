package worker

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/kafka"
)

// TestRangeOfASlowLog: each time only one fetch is answered before a read's time
// is up. What that brought is kept, or a sibling that fell behind would wait for
// ever.
func TestRangeOfASlowLog(t *testing.T) {
	st := newTheatre(t, 1, nil)
	const n = 3
	for range n { // a fetch is full with one of them, which producers can't compress
		noise := make([]byte, 600<<10)
		_, _ = rand.Read(noise)
		st.produce("odin.trades", 0, "BTC", `"`+base64.StdEncoding.EncodeToString(noise)+`"`)
	}
	st.settled()
	var answers atomic.Int32
	st.broker.ControlKey(int16(kmsg.Fetch), func(in kmsg.Request) (kmsg.Response, error, bool) {
		st.broker.KeepControl()
		req := in.(*kmsg.FetchRequest)
		if req.SessionEpoch != -1 || answers.Add(-1) >= 0 {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.FetchResponse)
		resp.ErrorCode = kerr.UnknownServerError.Code
		return resp, nil, true
	})
	p := st.workers[0].process
	pt := &partition{name: event.Partition{Topic: "odin.trades"}}
	next, reads := int64(0), 0
	st.await("all is read", func() bool {
		answers.Store(1)
		a, err := p.readOnce(pt, kafka.Mark{Epoch: event.NoEpoch}, replica.Effect{From: next, To: n - 1}, 500*time.Millisecond, kafka.RangeLimit{})
		if err == nil {
			if a.From != next || a.To < next || a.Err != nil || a.LogStart != 0 || len(a.Records) != int(a.To+1-next) {
				t.Fatalf("from %d: to %d, %d records, log start %d, %v", next, a.To, len(a.Records), a.LogStart, a.Err)
			}
			next = a.To + 1
			reads++
		}
		return next == n
	})
	if reads < 2 {
		t.Errorf("all was had at once")
	}
}

func TestWorthGiving(t *testing.T) {
	for name, c := range map[string]struct {
		to   int64
		err  error
		late bool
		want bool
	}{
		"late, with some":                    {12, errors.New("any"), true, true},
		"late, with what no route can place": {10, errors.New("any"), true, true},
		"late, with nothing":                 {9, errors.New("any"), true, false},
		"trimmed behind some":                {12, kafka.ErrTrimmed, false, true},
		"trimmed at once":                    {9, kafka.ErrTrimmed, false, false},
		"made anew":                          {12, kafka.ErrRecreated, false, false},
		"grown again":                        {12, kafka.ErrRegrown, false, false},
		"made anew, late":                    {12, kafka.ErrRecreated, true, true},
		"truncated behind some":              {12, kafka.ErrTruncated, false, false},
		"truncated at once":                  {9, kafka.ErrTruncated, false, false},
		"broken behind some":                 {12, errors.New("any"), false, true},
		"broken at once":                     {9, errors.New("any"), false, false},
	} {
		if got := worthGiving(&replica.Range{From: 10, To: c.to}, c.err, c.late); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// However many partitions a sibling lags in, what is read for it is bounded.
func TestRangesForASiblingAreBoundedTogether(t *testing.T) {
	lim := config.Limits{BackfillRecordsMax: 7, BackfillBytesMax: 16 << 20, BackfillRequestsMax: 4}
	for partitions, want := range map[int]int{0: 16 << 20, 1: 16 << 20, 4: 16 << 20, 8: 8 << 20, 64: 1 << 20, 4096: siblingRangeLeast} {
		if got := siblingRange(&lim, partitions); got.Bytes != want || got.Records != 7 {
			t.Errorf("%d partitions: %+v", partitions, got)
		}
	}
	lim.BackfillBytesMax = 1000
	if got := siblingRange(&lim, 4096); got.Bytes != 1000 {
		t.Errorf("%+v", got)
	}
}
