package top

import (
	"math"
	"strings"
	"time"

	"github.com/odin-ws/odin/internal/text"
)

// historyMax is how many looks a chart remembers: more than any terminal has
// columns.
const historyMax = 512

// series is what a chart shows, the newest last.
type series []point

type point struct {
	at    time.Time
	value float64
}

func (s series) with(at time.Time, value float64) series {
	s = append(s, point{at, value})
	return s[max(0, len(s)-historyMax):]
}

// Heights of a chart, in lines with its title.
const (
	chartMin = 3
	chartMax = 25
)

// chart draws the last values, one a column and the newest at the right, in
// height lines of which the first is the title. Below its least height, and
// without any value, it is nothing.
func (s series) chart(title string, width, height int) []text.Line {
	if height = min(height, chartMax); height < chartMin || len(s) == 0 {
		return nil
	}
	shown := s[max(0, len(s)-width):]
	most := 0.0
	for _, p := range shown {
		most = max(most, p.value)
	}
	span := text.Duration(shown[len(shown)-1].at.Sub(shown[0].at).Seconds())
	lines := []text.Line{bar(title+", the last "+span, "at most "+text.PerSecond(most), width)}
	for row := height - 2; row >= 0; row-- {
		lines = append(lines, text.Line{{Text: strings.Repeat(" ", width-len(shown)) + level(shown, most, row, height-1), Style: text.Good}})
	}
	return lines
}

// level is one row of a chart of so many, the lowest being row 0.
func level(points series, most float64, row, rows int) string {
	eighths := []rune(" ▁▂▃▄▅▆▇█")
	var out strings.Builder
	for _, p := range points {
		n := 0
		if most > 0 {
			n = int(math.Ceil(p.value / most * float64(rows*8)))
		}
		out.WriteRune(eighths[max(0, min(n-row*8, 8))])
	}
	return out.String()
}
