package journal

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// The limit hides no first line, counts every line once, and stays bounded,
// whatever comes when.
func TestRepeatsAgainstAModel(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		h := &handler{}
		r := newRepeats()
		now := time.Unix(0, 0)
		said, lines, told := map[uint64]time.Time{}, 0, 0
		sum := func(over []held) {
			for _, o := range over {
				told += o.n
			}
		}
		passed, things := 0, 1+rng.IntN(2*repeatThings)
		for range 20_000 {
			now = now.Add(time.Duration(rng.Int64N(int64(repeatInterval) / 50)))
			sum(r.due(now))
			id := uint64(rng.IntN(things))
			over, again := r.note(id, now, h, slog.Record{})
			sum(over)
			lines++
			last, ok := said[id]
			if again && (!ok || now.Sub(last) > 2*repeatInterval) {
				t.Fatalf("seed %d: a line was hidden whose like was not there since %v", seed, now.Sub(last))
			}
			if !again {
				passed++
			}
			said[id] = now
			if len(r.things) > repeatThings || len(r.order) != len(r.things) {
				t.Fatalf("seed %d: remembers %d things, %d in order", seed, len(r.things), len(r.order))
			}
		}
		sum(r.all())
		if passed+told != lines || len(r.things) != 0 {
			t.Errorf("seed %d: %d passed and %d told of %d lines", seed, passed, told, lines)
		}
	}
}

func TestWhatIsForgottenIsTold(t *testing.T) {
	h, r, now := &handler{}, newRepeats(), time.Unix(0, 0)
	for range 5 {
		r.note(0, now, h, slog.Record{})
	}
	var told []held
	for id := range uint64(repeatThings) {
		over, again := r.note(1+id, now, h, slog.Record{})
		if again {
			t.Fatal("a first line was hidden")
		}
		told = append(told, over...)
	}
	if len(told) != 1 || told[0].n != 2 {
		t.Errorf("told %+v", told)
	}
}

func TestIdentity(t *testing.T) {
	id := newIdentity()
	of := func(level slog.Level, msg string, args ...any) uint64 {
		r := slog.NewRecord(time.Now(), level, msg, 0)
		r.Add(args...)
		return id.of(&r)
	}
	plain := of(slog.LevelWarn, "m", "topic", "t1234", "partition", 1, "err", errors.New("read 10.0.0.1:43210: EOF"), "from", 5, "remote", "a:1")
	for name, c := range map[string]struct {
		sum  uint64
		same bool
	}{
		"numbers and ports":   {of(slog.LevelWarn, "m", "topic", "t1234", "partition", 1, "err", errors.New("read 10.0.0.1:5000: EOF"), "from", 6, "remote", "b:2"), true},
		"another level":       {of(slog.LevelError, "m", "topic", "t1234", "partition", 1, "err", errors.New("read 10.0.0.1:43210: EOF")), false},
		"another message":     {of(slog.LevelWarn, "n", "topic", "t1234", "partition", 1, "err", errors.New("read 10.0.0.1:43210: EOF")), false},
		"another topic":       {of(slog.LevelWarn, "m", "topic", "t1235", "partition", 1, "err", errors.New("read 10.0.0.1:43210: EOF")), false},
		"another partition":   {of(slog.LevelWarn, "m", "topic", "t1234", "partition", 2, "err", errors.New("read 10.0.0.1:43210: EOF")), false},
		"another error":       {of(slog.LevelWarn, "m", "topic", "t1234", "partition", 1, "err", errors.New("read 10.0.0.1:43210: refused")), false},
		"another host":        {of(slog.LevelWarn, "m", "topic", "t1234", "partition", 1, "err", errors.New("read 10.0.0.2:43210: EOF")), false},
		"one more field":      {of(slog.LevelWarn, "m", "topic", "t1234", "partition", 1, "err", errors.New("read 10.0.0.1:43210: EOF"), "reason", "r"), false},
		"a bool":              {of(slog.LevelWarn, "m", "topic", "t1234", "partition", 1, "err", errors.New("read 10.0.0.1:43210: EOF"), "on", true), false},
		"the fields elsewise": {of(slog.LevelWarn, "m", "topic", "t12341", "partition", "", "err", errors.New("read 10.0.0.1:43210: EOF")), false},
	} {
		if (c.sum == plain) != c.same {
			t.Errorf("%s: the same %v, want %v", name, c.sum == plain, c.same)
		}
	}
	if of(slog.LevelError, "end", "how", "exit status 1") == of(slog.LevelError, "end", "how", "exit status 2") {
		t.Error("exit codes are the same")
	}
	if id.with([]slog.Attr{slog.String("topic", "a")}).sum == id.with([]slog.Attr{slog.String("topic", "b")}).sum {
		t.Error("loggers of two topics are the same")
	}
	if id.group("g").with([]slog.Attr{slog.Group("h", "err", "x")}).sum == id.group("g").with([]slog.Attr{slog.Group("h", "err", "y")}).sum {
		t.Error("groups are the same")
	}
	if of(slog.LevelError, "x", "err", (*broken)(nil)) == 0 {
		t.Error("no identity")
	}
}

func TestSqueezed(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "123": "123", "1234": "#", "12345": "#", "a1234b": "a#b", "123 1234": "123 #", "127.0.0.1:9092": "127.0.0.1:#",
		"9999x9999": "#x#", "99 99": "99 99", "offset 1000000 of 2": "offset # of 2",
	} {
		if got := squeezed(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func FuzzSqueezed(f *testing.F) {
	f.Add("a12345")
	f.Fuzz(func(t *testing.T, in string) {
		out := squeezed(in)
		if squeezed(out) != out || len(out) > len(in) {
			t.Fatalf("%q, %q", in, out)
		}
		keep := func(s string) string { return strings.Trim(s, "0123456789#") }
		if keep(in) == "" != (keep(out) == "") {
			t.Fatalf("%q lost its text: %q", in, out)
		}
	})
}

func TestCut(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"short", "short"}, {"exactly10!", "exactly10!"}, {"more than ten", "more than … (3 bytes more)"}, {"ééééééé", "ééééé… (4 bytes more)"}, {"aééééééé", "aéééé… (6 bytes more)"},
	} {
		if got := cut(c.in, 10); got != c.want {
			t.Errorf("%q becomes %q", c.in, got)
		}
	}
}
