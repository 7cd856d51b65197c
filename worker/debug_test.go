package worker

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/event"
)

// debugLines are the forms of debug lines of what happens often.
func debugLines(p *process) map[string]func() {
	s := p.sessions.at(0)
	pt := &partition{name: event.Partition{Topic: "odin.trades", Number: 300}}
	err := errors.New("broken")
	n := int64(1 << 40) // too large to be boxed for nothing
	return map[string]func(){
		"session": func() { p.debugOf(s, "closing: no pong in time") },
		"protocol": func() {
			p.debugOf(s, "closing: the client broke the protocol", slog.Int("code", int(n)), slog.String("err", "text"))
		},
		"partition": func() { p.debugOn(pt, "fetch", slog.Int64("from", n), slog.Uint64("term", uint64(n))) },
		"error":     func() { p.debugOn(pt, "a range can't be read now", slog.Any("err", err)) },
	}
}

// Debug lines that are off take no memory; those that are on say whom they are
// about.
func TestDebugLines(t *testing.T) {
	p := bare(t, 1)
	for name, line := range debugLines(p) {
		if n := testing.AllocsPerRun(100, line); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	var out logged
	out.t = t
	p.log = openTestLog(t, &out, "debug")
	for _, line := range debugLines(p) {
		line()
	}
	p.log.Close()
	for _, want := range []string{
		`"msg":"closing: no pong in time","session":"0-1-0","remote":"invalid AddrPort"}`,
		`"msg":"closing: the client broke the protocol","code":1099511627776,"err":"text","session":"0-1-0"`,
		`"msg":"fetch","from":1099511627776,"term":1099511627776,"topic":"odin.trades","partition":300}`,
		`"err":"broken","topic":"odin.trades","partition":300}`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
}

// What debug lines cost while they are off.
func BenchmarkDebugOff(b *testing.B) {
	p := bare(b, 1)
	for name, line := range debugLines(p) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				line()
			}
		})
	}
}
