package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"testing/synctest"
	"time"
	"unicode"
)

// page is a writer that keeps whole lines, and can be made to refuse or to
// take nothing.
type page struct {
	mu      sync.Mutex
	lines   []string
	err     error
	blocked chan struct{} // closed: goes on
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	blocked := p.blocked
	p.mu.Unlock()
	if blocked != nil {
		<-blocked
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return 0, p.err
	}
	p.lines = append(p.lines, string(b))
	return len(b), nil
}

func (p *page) set(err error, blocked chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err, p.blocked = err, blocked
}

// all are the lines so far, without their time.
func (p *page) all() (lines []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lines {
		_, l, _ = strings.Cut(strings.TrimSuffix(l, "\n"), " ")
		lines = append(lines, l)
	}
	return lines
}

func open(t testing.TB, w io.Writer, o Options) *Journal {
	t.Helper()
	if o.Level == "" {
		o.Level = "info"
	}
	if o.Format == "" {
		o.Format = Text
	}
	j, err := Open(w, o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func wantLines(t *testing.T, p *page, want ...string) {
	t.Helper()
	if got := p.all(); !slices.Equal(got, want) {
		t.Errorf("lines\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestLinesAreSignedOnce(t *testing.T) {
	var p page
	j := open(t, &p, Options{Sign: []slog.Attr{slog.Int("worker", 2), slog.Int("pid", 7)}})
	j.Info("ours")
	j.Info("about another", "pid", 9)
	j.With("topic", "t").Warn("with a topic", "partition", 3)
	j.With("pid", 8).Error("with a pid", "err", errors.New("broken\nhere"))
	j.WithGroup("g").Info("grouped", "a", 1)
	j.Close()
	wantLines(t, &p,
		"level=INFO msg=ours worker=2 pid=7",
		`level=INFO msg="about another" worker=2 pid=9`,
		`level=WARN msg="with a topic" topic=t worker=2 pid=7 partition=3`,
		`level=ERROR msg="with a pid" pid=8 worker=2 err="broken\nhere"`,
		"level=INFO msg=grouped g.a=1",
	)
}

func TestLevelCanBeChanged(t *testing.T) {
	var p page
	j := open(t, &p, Options{Level: "warn"})
	child := j.With("topic", "t")
	for _, level := range Levels() {
		if err := j.SetLevel(level); err != nil || j.Level() != level {
			t.Errorf("level is %s after %s: %v", j.Level(), level, err)
		}
		child.Debug("d")
		child.Info("i")
		child.Warn("w")
		child.Error("e")
	}
	if err := j.SetLevel("loud"); err == nil || j.Level() != "error" || !strings.Contains(err.Error(), "debug, info, warn, error") {
		t.Errorf("an unknown level: %v, now %s", err, j.Level())
	}
	if _, err := Open(&p, Options{Level: "loud"}); err == nil {
		t.Error("opened with an unknown level")
	}
	j.Close()
	var got []string
	for _, l := range p.all() {
		if !strings.Contains(l, "repeated=") {
			got = append(got, strings.Fields(l)[1][4:])
		}
	}
	if want := "d i w e i w e w e"; strings.Join(got, " ") != want {
		t.Errorf("lines %v, want %s", got, want)
	}
}

// What repeats itself is said a few times, then once a minute with its count,
// and anew after a minute of silence; nothing of another thing is touched.
func TestRepetitionsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p page
		j := open(t, &p, Options{})
		say := func(n int) {
			for range n {
				j.Warn("broker fails", "broker", 1, "err", errors.New("dial tcp 10.0.0.1:40001: refused"))
			}
		}
		say(10)
		j.Warn("broker fails", "broker", 2, "err", errors.New("dial tcp 10.0.0.1:40001: refused"))
		j.Warn("broker fails", "broker", 1, "err", errors.New("EOF"))
		synctest.Wait()
		one, two := `level=WARN msg="broker fails" broker=1 err="dial tcp 10.0.0.1:40001: refused"`, `level=WARN msg="broker fails" broker=2 err="dial tcp 10.0.0.1:40001: refused"`
		want := []string{one, one, one, two, `level=WARN msg="broker fails" broker=1 err=EOF`}
		wantLines(t, &p, want...)
		time.Sleep(time.Minute)
		synctest.Wait()
		want = append(want, one+" repeated=7")
		wantLines(t, &p, want...)
		for range 4 { // it goes on: one line a minute
			say(5)
			time.Sleep(time.Minute)
			synctest.Wait()
			want = append(want, one+" repeated=5")
			wantLines(t, &p, want...)
		}
		time.Sleep(time.Minute) // a minute without: over, and nothing said
		say(1)
		synctest.Wait()
		wantLines(t, &p, append(want, one)...)
		if got := j.Repeated(); got != 27 {
			t.Errorf("%d held back", got)
		}
		j.Close()
	})
}

func TestCloseSaysWhatWasHeldBack(t *testing.T) {
	var p page
	j := open(t, &p, Options{})
	for range 5 {
		j.Error("again")
	}
	j.Close()
	wantLines(t, &p, "level=ERROR msg=again", "level=ERROR msg=again", "level=ERROR msg=again", "level=ERROR msg=again repeated=2")
	j.Error("too late")
	if j.Dropped() != 1 {
		t.Errorf("dropped %d", j.Dropped())
	}
}

func TestDebugLinesAreNotLimited(t *testing.T) {
	var p page
	j := open(t, &p, Options{Level: "debug"})
	for range 100 {
		j.Debug("again")
	}
	j.Close()
	if n := len(p.all()); n != 100 {
		t.Errorf("%d lines", n)
	}
}

// A value that changes after the call doesn't change what is said later.
func TestHeldBackLinesKeepTheirValues(t *testing.T) {
	var p page
	j := open(t, &p, Options{})
	missing := []string{"a"}
	for range 5 {
		j.Warn("missing", "topics", missing)
	}
	missing[0] = "b"
	j.Close()
	if lines := p.all(); lines[len(lines)-1] != "level=WARN msg=missing topics=[a] repeated=2" {
		t.Errorf("%q", lines)
	}
}

func TestStandardBecomesDebugLines(t *testing.T) {
	var p page
	j := open(t, &p, Options{Level: "debug"})
	std := Standard(j.Logger, "the library complains")
	std.Printf("http: bad \x1b[2J from %s\n", "1.2.3.4:5")
	if err := j.SetLevel("info"); err != nil {
		t.Fatal(err)
	}
	std.Print("nobody hears it")
	j.Close()
	wantLines(t, &p, `level=DEBUG msg="the library complains" err="http: bad \x1b[2J from 1.2.3.4:5"`)
}

type broken struct{ io.Writer }

func (b *broken) Error() string { return "broken " + fmt.Sprint(b.Writer) }

func (b *broken) String() string { panic("no text") }

type worse struct{}

func (worse) LogValue() slog.Value { panic("worse") }

func TestValuesThatPanicKillNobody(t *testing.T) {
	for _, format := range []string{Text, JSON} {
		var p page
		j := open(t, &p, Options{Format: format})
		var nothing *broken
		j.Error("nil error", "err", nothing)
		j.Error("panics", "what", worse{})
		j.Close()
		if n := len(p.all()); n != 2 {
			t.Errorf("%s: %d lines: %q", format, n, p.lines)
		}
	}
}

func TestHandlerKeepsSlogsContract(t *testing.T) {
	var p page
	j := open(t, &p, Options{Format: JSON})
	err := slogtest.TestHandler(j.Handler(), func() (results []map[string]any) {
		j.Close()
		for _, line := range p.lines {
			var m map[string]any
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				t.Errorf("%q: %v", line, err)
			}
			results = append(results, m)
		}
		return results
	})
	if err != nil {
		t.Error(err)
	}
}

// Lines come whole and in the order of each who logs, whoever logs meanwhile.
func TestManyLoggers(t *testing.T) {
	var p page
	j := open(t, &p, Options{})
	var logging sync.WaitGroup
	const loggers, each = 8, 500
	for k := range loggers {
		log := j.With("slot", k)
		logging.Go(func() {
			for i := range each {
				log.Info("line", "id", i)
			}
		})
	}
	logging.Wait()
	j.Close()
	next := [loggers]int{}
	for _, line := range p.all() {
		var k, i int
		if _, err := fmt.Sscanf(line, "level=INFO msg=line slot=%d id=%d", &k, &i); err != nil || i != next[k] {
			t.Fatalf("%q: %v", line, err)
		}
		next[k]++
	}
	for k, n := range next {
		if n != each {
			t.Errorf("%d lines of %d", n, k)
		}
	}
}

// FuzzLine: whatever a client, a record or a broker says, it stays one line,
// and JSON stays JSON.
func FuzzLine(f *testing.F) {
	f.Add("msg", "err\nlevel=ERROR msg=forged", []byte("\x1b[2J\x00\xff\u2028"))
	f.Add("\x7f", "a\u009b2J\u202ez\u00ad\u200b\u0085", []byte("\xc2"))
	f.Add(`"},{"`, strings.Repeat("é", 2000), []byte{})
	f.Fuzz(func(t *testing.T, msg, text string, raw []byte) {
		for _, format := range []string{Text, JSON} {
			var out bytes.Buffer
			j := open(t, &out, Options{Format: format})
			j.Error(msg, "err", errors.New(text), "remote", string(raw), "stack", text)
			j.Close()
			line := out.Bytes()
			if bytes.Count(line, []byte("\n")) != 1 || line[len(line)-1] != '\n' || j.Dropped() != 0 {
				t.Fatalf("%s: %q", format, line)
			}
			for _, r := range string(line[:len(line)-1]) {
				if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
					t.Fatalf("%s: %U in %q", format, r, line)
				}
			}
			var m map[string]any
			if format == JSON && json.Unmarshal(line, &m) != nil {
				t.Fatalf("no JSON: %q", line)
			}
			if len(line) > 6*(3*valueMax+stackMax)+1000 {
				t.Fatalf("%s: a line of %d bytes", format, len(line))
			}
		}
	})
}

// A debug line that is off costs a load and a comparison.
func BenchmarkDebugOff(b *testing.B) {
	j := open(b, io.Discard, Options{})
	defer j.Close()
	b.ReportAllocs()
	for i := range b.N {
		j.LogAttrs(b.Context(), slog.LevelDebug, "fetch", slog.String("topic", "odin.trades"), slog.Int("partition", i))
	}
}

// What a line costs the one who logs it.
func BenchmarkLine(b *testing.B) {
	j := open(b, io.Discard, Options{Format: JSON, Sign: []slog.Attr{slog.Int("worker", 1), slog.Int("pid", 2)}})
	defer j.Close()
	b.ReportAllocs()
	for i := range b.N {
		j.LogAttrs(b.Context(), slog.LevelInfo, "fetch", slog.Int("id", i), slog.String("topic", "odin.trades"))
	}
}

// What a repetition costs that is held back.
func BenchmarkRepetition(b *testing.B) {
	j := open(b, io.Discard, Options{Format: JSON})
	defer j.Close()
	b.ReportAllocs()
	for i := range b.N {
		j.LogAttrs(b.Context(), slog.LevelInfo, "fetch", slog.String("topic", "odin.trades"), slog.Int("from", i))
	}
}
