package config

import (
	"strconv"
	"strings"
	"time"
)

// format writes a key's value as it could stand in the file, in one line; a
// secret is its placeholder.
func (k Key) format(c *Config) string {
	switch f := k.field(c).(type) {
	case *string:
		return *f
	case *bool:
		return strconv.FormatBool(*f)
	case *int:
		return k.formatNumber(int64(*f))
	case *float64:
		return strconv.FormatFloat(*f, 'g', -1, 64)
	case *time.Duration:
		return strconv.FormatInt(int64(*f/k.unit()), 10)
	case *Start:
		return f.String()
	case *Secret:
		return f.String()
	case *[]string:
		return strings.Join(*f, ",")
	case *[]Route:
		return formatRoutes(*f)
	}
	return ""
}

func (k Key) formatNumber(n int64) string {
	if k.Kind == Bytes {
		return formatBytes(n)
	}
	return strconv.FormatInt(n, 10)
}

func formatRoutes(routes []Route) string {
	texts := make([]string, len(routes))
	for i, r := range routes {
		texts[i] = "{topic: " + r.Topic + ", channel: " + strconv.Quote(r.Channel) + ", slow: " + r.Slow + ", class: " + r.Class + "}"
	}
	return "[" + strings.Join(texts, ", ") + "]"
}
