package config

import "strings"

// didYouMean returns `, did you mean "…"?` with the candidate nearest to what
// was written, or nothing when none is near.
func didYouMean(written string, candidates []string) string {
	if best := Nearest(written, candidates); best != "" {
		return `, did you mean "` + best + `"?`
	}
	return ""
}

// Nearest returns the candidate that was probably meant: one that is at most
// a third of its length of edits away, or that is the beginning of what was
// written or the other way round; the nearest first, "" if there is none.
func Nearest(written string, candidates []string) string {
	written = strings.ToLower(written)
	if written == "" || len(written) > nearMax {
		return ""
	}
	best, least := "", 0
	for _, c := range candidates {
		d := distance(written, strings.ToLower(c))
		if (d <= max(1, len(c)/3) || begins(written, strings.ToLower(c))) && (best == "" || d < least) {
			best, least = c, d
		}
	}
	return best
}

// begins tells whether the shorter one, of at least 3 bytes, begins the other.
func begins(a, b string) bool {
	return min(len(a), len(b)) >= 3 && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a))
}

// nearMax bounds what is compared at all: no key is that long.
const nearMax = 64

// distance counts the edits (insert, delete, change, swap of neighbours) from
// a to b: the restricted Damerau-Levenshtein distance.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+differ(a[i-1], b[j-1]))
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

func differ(a, b byte) int {
	if a == b {
		return 0
	}
	return 1
}
