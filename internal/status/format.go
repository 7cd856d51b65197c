package status

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// grouped writes 1234567 as 1,234,567.
func grouped[N int64 | uint64](n N) string {
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

// short writes large numbers with a letter, so that a column stays narrow.
func short(n float64) string {
	for _, step := range []struct {
		size float64
		name string
	}{{1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}} {
		if n >= step.size {
			return strconv.FormatFloat(n/step.size, 'f', 2, 64) + step.name
		}
	}
	return grouped(int64(n))
}

// size writes bytes.
func size(n int64) string {
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

// duration writes seconds with the two largest units that matter.
func duration(seconds float64) string {
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

func brief(ms int64) string { return duration(float64(ms) / 1000) }

func noun(n int, one string) string {
	if n == 1 {
		return one
	}
	return one + "s"
}

func plural(n int, one string) string { return strconv.Itoa(n) + " " + noun(n, one) }

// plain keeps what names contain from moving a terminal's cursor.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}

// fit cuts text to width columns, with a sign that something is missing.
func fit(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	runes := []rune(text)
	return string(runes[:max(0, width-1)]) + "…"
}
