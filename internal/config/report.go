package config

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Idle names the keys that somebody has set though they have no effect in this
// version, with where that is.
func Idle(origins Origins) (idle []string) {
	for _, k := range Keys() {
		if origins.idle(k) {
			idle = append(idle, k.Name+" ("+origins[k.Name]+")")
		}
	}
	return idle
}

func (o Origins) idle(k Key) bool { return k.Later && o[k.Name] != OriginDefault && o[k.Name] != "" }

// Report writes the effective configuration: a line for each key with its
// value and where that came from. Secrets are placeholders.
func Report(w io.Writer, c Config, origins Origins) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, k := range Keys() {
		for i, value := range k.lines(&c) {
			name := k.Name
			if i > 0 {
				name = ""
			}
			origin := origins[k.Name]
			if origins.idle(k) {
				origin += " (no effect in this version)"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\n", name, value, origin)
		}
	}
	return table.Flush()
}

// lines is format, with a line for each entry of a list.
func (k Key) lines(c *Config) []string {
	switch f := k.field(c).(type) {
	case *[]Route:
		texts := make([]string, len(*f))
		for i, r := range *f {
			texts[i] = r.Topic + " → " + r.Channel + " (" + r.Slow + ", " + r.Class + ")"
		}
		return texts
	case *[]string:
		if len(*f) > 1 {
			return *f
		}
	}
	return []string{k.shown(c)}
}
