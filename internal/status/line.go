package status

import (
	"fmt"
	"strings"

	"github.com/odin-ws/odin/internal/text"
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
	fmt.Fprintf(&line, "%s: %d of %s ready, %s, %s, lag %s", s.State, ready, text.Plural(len(s.Workers), "worker"),
		text.Plural(s.Sessions, "session"), text.Plural(len(s.Partitions), "partition"), text.Grouped(lag))
	if len(wrong) > 0 {
		line.WriteString("; " + wrong[0])
	}
	if more := len(wrong) - 1; more > 0 {
		fmt.Fprintf(&line, " (and %d more)", more)
	}
	return text.Fit(text.Plain(line.String()), lineMax)
}
