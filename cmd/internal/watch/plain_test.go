package watch

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/odin-ws/odin/internal/status"
	"github.com/odin-ws/odin/internal/top"
)

// odind is something to look at; each look finds one delivery more.
type odind struct {
	looks int
	away  bool
}

func (o *odind) look() top.Look {
	o.looks++
	l := top.Look{At: time.Now()}
	if o.away {
		l.Missing = "it went away"
		return l
	}
	l.Status = status.Status{Version: "v1", State: status.Ready, Sessions: int64(o.looks), Workers: []status.Worker{{PID: 1, State: status.Ready}}}
	for i := range 96 {
		l.Status.Partitions = append(l.Status.Partitions, status.Partition{Topic: "odin.trades", Partition: int32(i)})
	}
	l.Rates = status.Rates{IntervalS: 1, Flow: status.Flow{Deliveries: float64(100 * o.looks)}}
	return l
}

func plain(interval time.Duration) *top.Model {
	m := top.New(top.Workers, "", interval)
	m.Resize(80, 0)
	return m
}

func TestTextIsAFrameAnInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		var o odind
		began := time.Now()
		if err := Text(t.Context(), &out, plain(time.Minute), o.look, 3); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 3*time.Minute || o.looks != 4 {
			t.Errorf("%d looks in %s", o.looks, took)
		}
		frames := strings.Split(out.String(), "\n\nodind v1 ")
		if len(frames) != 3 || !strings.Contains(frames[0], "deliveries  200/s") || !strings.Contains(frames[2], "deliveries  400/s") {
			t.Errorf("%d frames:\n%s", len(frames), out.String())
		}
		if strings.ContainsAny(out.String(), "\x1b\r") {
			t.Error("something for a terminal")
		}
	})
}

func TestJSONIsADocumentALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		var o odind
		look := func() top.Look { o.away = o.looks == 2; return o.look() }
		if err := JSON(t.Context(), &out, look, time.Hour, 3); err != nil {
			t.Fatal(err)
		}
		var running []bool
		for line := range strings.Lines(out.String()) {
			var d top.Document
			if err := json.Unmarshal([]byte(line), &d); err != nil {
				t.Fatal(err)
			}
			if running = append(running, d.Running); d.Running == (d.Status == nil) || d.Running == (d.Error != "") {
				t.Errorf("document %s", line)
			}
		}
		if len(running) != 3 || !running[0] || running[1] || !running[2] {
			t.Errorf("it ran: %v", running)
		}
	})
}

func TestPlainEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
		defer cancel()
		var out strings.Builder
		var o odind
		if err := Text(ctx, &out, plain(time.Minute), o.look, 0); err != nil || strings.Count(out.String(), "odind v1") != 2 {
			t.Errorf("%v after\n%s", err, out.String())
		}
	})
}

var errFull = errors.New("the disk is full")

type full struct{ io.Writer }

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestPlainSaysWhenItCouldNotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o odind
		if err := Text(t.Context(), full{}, plain(time.Minute), o.look, 0); !errors.Is(err, errFull) {
			t.Errorf("text: %v", err)
		}
		if err := JSON(t.Context(), full{}, o.look, time.Minute, 0); !errors.Is(err, errFull) {
			t.Errorf("JSON: %v", err)
		}
	})
}
