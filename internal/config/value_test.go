package config

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	candidates := []string{"listen", "workers", "runtime_dir", "log", "limits"}
	for written, want := range map[string]string{
		"listen": "listen", "lisen": "listen", "LISTEN": "listen", "lsiten": "listen", "worker": "workers", "wrokers": "workers",
		"runtimedir": "runtime_dir", "runtime": "runtime_dir", "lo": "log", "logs": "log", "limit": "limits",
		"": "", "zzz": "", "li": "", "listener": "listen", strings.Repeat("listen", 11): "",
	} {
		if got := Nearest(written, candidates); got != want {
			t.Errorf("%q: %q, want %q", written, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for pair, want := range map[[2]string]int{
		{"", ""}: 0, {"a", ""}: 1, {"", "ab"}: 2, {"ab", "ba"}: 1, {"abc", "abd"}: 1, {"kitten", "sitting"}: 3, {"ca", "abc"}: 3,
	} {
		if got := distance(pair[0], pair[1]); got != want {
			t.Errorf("%v: %d, want %d", pair, got, want)
		}
		if got := distance(pair[1], pair[0]); got != want {
			t.Errorf("%v the other way: %d, want %d", pair, got, want)
		}
	}
}

func TestParseBytes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"0": 0, "1": 1, "1KiB": 1 << 10, "1 MiB": 1 << 20, "3GiB": 3 << 30, "2TiB": 2 << 40, "-1KiB": -1 << 10, "1048577": 1<<20 + 1,
		"8388607TiB": 8388607 << 40,
	} {
		if got, err := parseBytes(text); err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "KiB", "1KB", "1.5MiB", "1kib", "8388608TiB", "9223372036854775808", "1MiBMiB", "0x10"} {
		if got, err := parseBytes(text); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
}

func FuzzBytes(f *testing.F) {
	for _, n := range []int64{0, 1, 1023, 1 << 10, 1 << 40, math.MaxInt64, math.MinInt64} {
		f.Add(formatBytes(n))
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := parseBytes(text)
		if err != nil {
			return
		}
		if again, err := parseBytes(formatBytes(n)); err != nil || again != n {
			t.Errorf("%q is %d, printed %q, read back %d (%v)", text, n, formatBytes(n), again, err)
		}
	})
}

func TestDuration(t *testing.T) {
	t.Parallel()
	k := Key{Kind: Milliseconds, Min: 0, Max: math.MaxInt64 / int64(time.Millisecond)}
	for text, want := range map[string]time.Duration{
		"0": 0, "5": 5 * time.Millisecond, "5s": 5 * time.Second, "1m30s": 90 * time.Second, "250ms": 250 * time.Millisecond, "0s": 0,
	} {
		if got, err := k.duration(text); err != nil || got != want {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-1", "5 s", "1us", "9223372036855", "1e3", "s"} {
		if got, err := k.duration(text); err == nil {
			t.Errorf("%q is %s", text, got)
		}
	}
}

func TestStart(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Start{
		"end": {}, "start": {Beginning: true}, "15m": {Ago: 15 * time.Minute}, "7d": {Ago: 168 * time.Hour}, "1h30m": {Ago: 90 * time.Minute},
	} {
		got, err := ParseStart(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
		if again, err := ParseStart(got.String()); err != nil || again != got {
			t.Errorf("%q is not read back: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "End", "beginning", "0s", "-5m", "d", "-1d", "1.5d", "4000d", "87601h", "15"} {
		if got, err := ParseStart(text); err == nil {
			t.Errorf("%q is %+v", text, got)
		}
	}
	s := Start{Beginning: true}
	if err := s.UnmarshalText([]byte("nonsense")); err == nil || !s.Beginning {
		t.Errorf("nonsense gave %+v, %v", s, err)
	}
}

func FuzzStart(f *testing.F) {
	for _, text := range []string{"end", "start", "15m", "7d", "-1h", "99999d"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseStart(text)
		if err != nil {
			return
		}
		if again, err := ParseStart(s.String()); err != nil || again != s || s.Ago < 0 || s.Ago > agoMax {
			t.Errorf("%q: %+v, read back %+v, %v", text, s, again, err)
		}
	})
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://App.Example.com": "https://app.example.com", "http://localhost:3000": "http://localhost:3000",
		"chrome-extension://abc": "chrome-extension://abc", "http://[::1]:8080": "http://[::1]:8080",
	} {
		if got, err := parseOrigin(text); err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "*", "null", "example.com", "https://", "https://u@h", "https://h/", "https://h?x", "https://h#x", "http://h:x"} {
		if got, err := parseOrigin(text); err == nil {
			t.Errorf("%q is %q", text, got)
		}
	}
}
