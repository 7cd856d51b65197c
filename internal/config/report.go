package config

import (
	"fmt"
	"io"
	"text/tabwriter"
)

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
			fmt.Fprintf(table, "%s\t%s\t%s\n", name, value, origins[k.Name])
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
