package text

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Grouped writes 1234567 as 1,234,567.
func Grouped[N int | int64 | uint64](n N) string {
	digits := fmt.Sprint(n)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// Short writes large numbers with a letter, so that a column stays narrow.
func Short(n float64) string {
	for _, step := range []struct {
		size float64
		name string
	}{{1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}} {
		if n >= step.size {
			return strconv.FormatFloat(n/step.size, 'f', 2, 64) + step.name
		}
	}
	return Grouped(int64(n))
}

// PerSecond is Short, but keeps a decimal of what happens rarely.
func PerSecond(n float64) string {
	if n > 0 && n < 9.95 {
		return strconv.FormatFloat(max(n, 0.1), 'f', 1, 64)
	}
	return Short(n + 0.5)
}

// Size writes bytes.
func Size(n int64) string {
	units := []string{"B", "K", "M", "G", "T", "P"}
	v, i := float64(max(0, n)), 0
	for v >= 1000 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	if i == 0 || v >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64) + units[i]
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + units[i]
}

// Throughput writes bytes a second.
func Throughput(perSecond float64) string {
	return strings.TrimSuffix(Size(int64(perSecond)), "B") + "B/s"
}

// Duration writes seconds with the two largest units that matter.
func Duration(seconds float64) string {
	s := int64(seconds)
	switch {
	case seconds < 0.9995:
		return strconv.FormatFloat(seconds*1000, 'f', 0, 64) + "ms"
	case seconds < 10:
		return strconv.FormatFloat(seconds, 'f', 1, 64) + "s"
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 86400:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	}
	return fmt.Sprintf("%dd%02dh", s/86400, s/3600%24)
}

// Millis is Duration of milliseconds, with decimals below ten of them.
func Millis(ms float64) string {
	switch {
	case ms < 0.995:
		return strconv.FormatFloat(ms, 'f', 2, 64) + "ms"
	case ms < 9.95:
		return strconv.FormatFloat(ms, 'f', 1, 64) + "ms"
	}
	return Duration(ms / 1000)
}

// Decimals writes a number with two of them.
func Decimals(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }

// Noun is the plural of a regular noun, unless n is 1.
func Noun[N int | int64 | uint64](n N, one string) string {
	if n == 1 {
		return one
	}
	return one + "s"
}

// Plural counts things: 1 worker, 2 workers.
func Plural[N int | int64 | uint64](n N, one string) string { return Grouped(n) + " " + Noun(n, one) }

// Plain keeps what names contain from moving a terminal's cursor.
func Plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}

// Fit cuts text to width columns, with a sign that something is missing.
func Fit(text string, width int) string {
	if columns(text) <= width {
		return text
	}
	if width <= 0 {
		return ""
	}
	return string([]rune(text)[:width-1]) + "…"
}

// Wrap breaks text between words into lines of at most width columns.
func Wrap(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		word = Fit(word, width)
		if line != "" && columns(line)+1+columns(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

// columns is how wide a text is: what Odin shows is ASCII but for the names
// of others, and of those a wide letter only moves the rest of its line.
func columns(text string) int { return utf8.RuneCountInString(text) }
