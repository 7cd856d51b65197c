package cli

import (
	"os"
	"slices"
	"strings"

	"github.com/odin-ws/odin/internal/config"
	"github.com/spf13/pflag"
)

// ConfigFlags adds --config and the flags of the configuration's table, but
// for those left out. Their values are judged by config.Load, together with
// everything else.
func ConfigFlags(set *pflag.FlagSet, without ...string) {
	FileFlag(set)
	for _, k := range config.Keys() {
		if k.Flag != "" && !slices.Contains(without, k.Flag) {
			addKey(set, k)
		}
	}
}

// KeyFlag adds the flag of one key.
func KeyFlag(set *pflag.FlagSet, flag string) {
	for _, k := range config.Keys() {
		if k.Flag == flag {
			addKey(set, k)
		}
	}
}

// FileFlag adds --config.
func FileFlag(set *pflag.FlagSet) {
	Text(set, config.FileFlag, "FILE", "", "configuration file (default "+config.DefaultFile+" when it exists)")
}

// text is a flag that takes any text: what is wrong with it is said together
// with all other mistakes.
type text struct{ value, kind string }

// Text adds a flag that takes any text; kind stands for its value in the help.
func Text(set *pflag.FlagSet, name, kind, value, help string) *string {
	t := &text{value, kind}
	set.Var(t, name, help)
	return &t.value
}

func (t *text) String() string { return t.value }

func (t *text) Set(value string) error {
	t.value = value
	return nil
}

func (t *text) Type() string { return t.kind }

func addKey(set *pflag.FlagSet, k config.Key) {
	fallback := k.Default
	if k.Auto != "" {
		fallback = k.Auto
	}
	help := k.Help
	if len(k.Choices) > 0 {
		help += ": " + strings.Join(k.Choices, ", ")
	}
	Text(set, k.Flag, placeholder(k), "", help+" (default "+fallback+")")
}

func placeholder(k config.Key) string {
	switch k.Kind {
	case config.Address:
		return "HOST:PORT"
	case config.AddressList:
		return "HOST:PORT,..."
	case config.Number:
		return "N"
	case config.Path:
		return "DIR"
	default: // start, level, format
		return strings.ToUpper(k.Name[strings.LastIndexByte(k.Name, '.')+1:])
	}
}

// Input is what config.Load needs, from the flags that were given, the
// environment and the machine.
func Input(set *pflag.FlagSet) config.Input {
	in := config.Input{Env: os.Environ(), Host: config.Detect(), Flags: map[string]string{}}
	set.Visit(func(f *pflag.Flag) {
		in.Flags[f.Name] = f.Value.String()
	})
	in.File = in.Flags[config.FileFlag]
	return in
}
