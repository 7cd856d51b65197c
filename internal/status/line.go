package status

import (
	"fmt"
	"strings"
)

// lineMax is the length of Line, in characters.
const lineMax = 200

// Line is the status in one line, with what is wrong at its end: the first,
// and how many more there are.
func (s *Status) Line(wrong []string) string {
	ready, lag := 0, int64(0)
	for _, w := range s.Workers {
		if w.State == Ready {
			ready++
		}
	}
	for _, p := range s.Partitions {
		lag += p.Lag
	}
	var line strings.Builder
	fmt.Fprintf(&line, "%s: %d of %s ready, %s %s, %s, lag %s", s.State, ready, plural(len(s.Workers), "worker"),
		grouped(s.Sessions), noun(int(min(s.Sessions, 2)), "session"), plural(len(s.Partitions), "partition"), grouped(lag))
	if len(wrong) > 0 {
		line.WriteString("; " + wrong[0])
	}
	if more := len(wrong) - 1; more > 0 {
		fmt.Fprintf(&line, " (and %d more)", more)
	}
	return fit(plain(line.String()), lineMax)
}
