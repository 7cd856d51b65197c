package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/odin-ws/odin/internal/config"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// ExitUsage is the exit code of bad usage and of bad configuration.
const ExitUsage = 2

// UsageError is a command line that can't be understood.
type UsageError struct {
	What string // what is wrong, and what may be meant
	Help string // the command line that explains more
}

// Error gives both.
func (e *UsageError) Error() string { return e.What + "; see " + e.Help }

// Usage is a *UsageError of a command.
func Usage(cmd *cobra.Command, format string, args ...any) error {
	return &UsageError{fmt.Sprintf(format, args...), cmd.CommandPath() + " --help"}
}

// Root prepares a program's root command: errors are returned, not printed,
// those of usage as *UsageError, and cobra adds no commands of its own but
// help.
func Root(root *cobra.Command) *cobra.Command {
	root.SilenceErrors, root.SilenceUsage = true, true
	root.Args = known
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(help(root))
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages ", ".FlagUsagesWrapped "+columns+" "))
	return root
}

// columns is how wide the help is.
const columns = "80"

// known refuses what is no command: the root itself takes no arguments.
func known(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return Usage(cmd, "unknown command %q%s", args[0], meant(args[0], commands(cmd)))
}

// Exactly wants as many arguments as names, which say what they are.
func Exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) > len(names):
			return Usage(cmd, "%q is too much%s", args[len(names)], wanted(names))
		case len(args) < len(names):
			return Usage(cmd, "%s is missing%s", names[len(args)], wanted(names))
		}
		return nil
	}
}

// AtMost wants no more arguments than names, which say what they are.
func AtMost(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > len(names) {
			return Usage(cmd, "%q is too much%s", args[len(names)], wanted(names))
		}
		return nil
	}
}

// OneOf wants a value to be one of those allowed; what names its flag or
// argument.
func OneOf(cmd *cobra.Command, what, value string, allowed []string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return Usage(cmd, "%s: %q is unknown, allowed: %s%s", what, value, strings.Join(allowed, ", "), meant(value, allowed))
}

// AtLeast wants one argument or more, of the kind named.
func AtLeast(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return Usage(cmd, "%s is missing", name)
		}
		return nil
	}
}

func wanted(names []string) string {
	if len(names) == 0 {
		return ", allowed: no arguments"
	}
	return ", allowed: " + strings.Join(names, " ")
}

// flagError says in one form what is wrong with a flag.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "":
		name := unknown.GetSpecifiedName()
		return Usage(cmd, "unknown flag --%s%s", name, cmp.Or(meant("--"+name, flags(cmd)), meantCommand(cmd.Root(), name)))
	case errors.As(err, &unknown):
		return Usage(cmd, "unknown flag -%s", unknown.GetSpecifiedName())
	case errors.As(err, &bare):
		return Usage(cmd, "--%s needs a value", bare.GetSpecifiedName())
	case errors.As(err, &invalid):
		return Usage(cmd, "--%s: %q is no %s", invalid.GetFlag().Name, invalid.GetValue(), noun(invalid.GetFlag().Value.Type()))
	}
	return Usage(cmd, "%s", err)
}

// noun is what people call a type of flag.
func noun(kind string) string {
	switch kind {
	case "float64":
		return "number"
	case "uint64", "int":
		return "whole number"
	case "duration":
		return "duration, like 90s or 1h30m"
	case "bool":
		return "true or false"
	}
	return kind
}

func meant(written string, candidates []string) string {
	if near := config.Nearest(strings.TrimLeft(written, "-"), candidates); near != "" {
		if strings.HasPrefix(written, "-") {
			near = "--" + near
		}
		return fmt.Sprintf(", did you mean %q?", near)
	}
	return ""
}

// meantCommand is for who gives a command the form of a flag: --version.
func meantCommand(root *cobra.Command, written string) string {
	if near := config.Nearest(written, commands(root)); near != "" {
		return fmt.Sprintf(", did you mean %q?", root.Name()+" "+near)
	}
	return ""
}

func commands(cmd *cobra.Command) (names []string) {
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	return names
}

func flags(cmd *cobra.Command) (names []string) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	return names
}

// help is cobra's, but for an unknown command's exit code.
func help(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Explain a command",
		RunE: func(_ *cobra.Command, args []string) error {
			target, rest, err := root.Find(args)
			if err != nil || target == nil || target == root && len(rest) > 0 {
				return known(root, args)
			}
			return target.Help()
		},
	}
}
