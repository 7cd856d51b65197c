package text

import (
	"strings"
	"testing"
)

func TestFormats(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Grouped(0), "0"},
		{Grouped(int64(-1234)), "-1,234"},
		{Grouped(uint64(1234567)), "1,234,567"},
		{Grouped(123456), "123,456"},
		{Short(999999), "999,999"},
		{Short(1e6), "1.00M"},
		{Short(12345678901), "12.35G"},
		{Short(1.8e19), "18000.00P"},
		{PerSecond(0), "0"},
		{PerSecond(0.001), "0.1"},
		{PerSecond(9.94), "9.9"},
		{PerSecond(9.96), "10"},
		{PerSecond(1234.6), "1,235"},
		{PerSecond(2.5e6), "2.50M"},
		{Size(-5), "0B"},
		{Size(999), "999B"},
		{Size(1000), "1.0K"},
		{Size(410 << 20), "410M"},
		{Size(1 << 62), "4096P"},
		{Throughput(0.4), "0B/s"},
		{Throughput(2048), "2.0KB/s"},
		{Duration(0), "0ms"},
		{Duration(0.9994), "999ms"},
		{Duration(0.9996), "1.0s"},
		{Duration(9.94), "9.9s"},
		{Duration(59.9), "59s"},
		{Duration(61), "1m01s"},
		{Duration(3600 + 120), "1h02m"},
		{Duration(86400*3 + 3600*4), "3d04h"},
		{Millis(0), "0.00ms"},
		{Millis(0.085), "0.09ms"},
		{Millis(0.994), "0.99ms"},
		{Millis(0.996), "1.0ms"},
		{Millis(9.94), "9.9ms"},
		{Millis(9.96), "10ms"},
		{Millis(2500), "2.5s"},
		{Decimals(1.005), "1.00"},
		{Plain("a\tb\x1bc\u202e"), "a?b?c?"},
		{Fit("abc", 3), "abc"},
		{Fit("äöüß", 3), "äö…"},
		{Fit("abc", 1), "…"},
		{Fit("abc", 0), ""},
		{strings.Join(Wrap("one two three fourfive", 7), "|"), "one two|three|fourfi…"},
		{strings.Join(Wrap("", 7), "|"), ""},
		{Plural(1, "worker"), "1 worker"},
		{Plural(uint64(2000), "worker"), "2,000 workers"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func FuzzPlainAndFit(f *testing.F) {
	f.Add("a\x1b[2J\u009b\xff", 3)
	f.Fuzz(func(t *testing.T, name string, width int) {
		got := Fit(Plain(name), width%1000)
		if columns(got) > max(0, width%1000) || strings.ContainsAny(got, "\x1b\n\r\t\x00\u009b\u2028") {
			t.Errorf("%q in %d columns is %q", name, width, got)
		}
	})
}
