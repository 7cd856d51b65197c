package status

import (
	"fmt"
	"strings"

	"github.com/odin-ws/odin/internal/text"
)

// lineMax is the length of Line, in characters.
const lineMax = 300

// Line is the status in one line, with what is wrong at its end.
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
	line := fmt.Sprintf("%s: %d of %s ready, %s, %s, lag %s", s.State, ready, text.Plural(len(s.Workers), "worker"),
		text.Plural(s.Sessions, "session"), text.Plural(len(s.Partitions), "partition"), text.Grouped(lag))
	return text.Fit(text.Plain(strings.Join(append([]string{line}, wrong...), "; ")), lineMax)
}
