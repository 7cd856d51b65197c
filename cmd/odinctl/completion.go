package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/odin-ws/odin/cmd/internal/cli"
	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/status"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// shells are those that can complete our command lines.
func shells() []string { return []string{"bash", "zsh", "fish", "powershell"} }

func (p *program) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print the completion of command lines for a shell",
		Long: `completion prints what makes a shell complete odinctl's commands, flags and
their values. SHELL is ` + strings.Join(shells(), ", ") + `. In bash it needs the package
bash-completion.`,
		Example: `  source <(odinctl completion bash)
  odinctl completion bash >/usr/share/bash-completion/completions/odinctl
  odinctl completion zsh >"${fpath[1]}/_odinctl"
  odinctl completion fish >~/.config/fish/completions/odinctl.fish`,
		ValidArgs: shells(),
		Args:      cli.Exactly("SHELL"),
		RunE:      func(cmd *cobra.Command, args []string) error { return p.completion(cmd, args[0]) },
	}
}

func (p *program) completion(cmd *cobra.Command, shell string) error {
	if err := cli.OneOf(cmd, "SHELL", shell, shells()); err != nil {
		return err
	}
	root := cmd.Root()
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(p.stdout, true)
	case "zsh":
		return root.GenZshCompletion(p.stdout)
	case "fish":
		return root.GenFishCompletion(p.stdout, true)
	default:
		return root.GenPowerShellCompletionWithDesc(p.stdout)
	}
}

// wordsOf gives what may stand at a place, each alone or followed by a tab and
// what it means.
type wordsOf func(cmd *cobra.Command) []string

// offer completes a flag's value.
func offer(cmd *cobra.Command, flag string, words wordsOf) {
	if err := cmd.RegisterFlagCompletionFunc(flag, each(words)); err != nil {
		panic(err) // there is no such flag: a mistake in here
	}
}

// each completes every argument.
func each(words wordsOf) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		return beginning(words(cmd), begun), cobra.ShellCompDirectiveNoFileComp
	}
}

// first completes the first argument alone.
func first(words wordsOf) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return each(words)(cmd, args, begun)
	}
}

// beginning are the words that go on as was begun.
func beginning(words []string, begun string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(word string) bool { return !strings.HasPrefix(word, begun) })
}

// completes says what the arguments and flags may be that say nothing
// themselves: files for those that are files, nothing for all others.
func completes(cmd *cobra.Command) {
	if cmd.ValidArgsFunction == nil && len(cmd.ValidArgs) == 0 {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		switch f.Name {
		case "config", "output":
		case "runtime-dir":
			_ = cobra.MarkFlagDirname(cmd.PersistentFlags(), f.Name)
		default:
			_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.NoFileCompletions) // none, if there is one
		}
	})
	for _, c := range cmd.Commands() {
		completes(c)
	}
}

// shorten makes of the flags' help what has room beside a word that a shell
// offers: no default, and no marks of what a value is called.
func shorten(cmd *cobra.Command) {
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		f.Usage, _, _ = strings.Cut(strings.ReplaceAll(f.Usage, "`", ""), " (")
	})
	for _, c := range cmd.Commands() {
		shorten(c)
	}
}

// running is the status of the odind that the flags name, empty without one.
func running(cmd *cobra.Command) status.Status {
	dir, err := runtimeDir(cli.Input(cmd.Flags()))
	if err != nil {
		return status.Status{}
	}
	s, _ := read(filepath.Join(dir, segmentName))
	return s
}

// topics completes the name of a topic.
func topics(cmd *cobra.Command) (words []string) {
	s := running(cmd)
	for _, t := range s.Topics() {
		words = append(words, fmt.Sprintf("%s\t%d partitions", t.Name, len(t.Partitions)))
	}
	return words
}

// workers completes the number of a worker.
func workers(cmd *cobra.Command) (words []string) {
	for _, w := range running(cmd).Workers {
		words = append(words, fmt.Sprintf("%s\t%s, %d sessions", strconv.Itoa(w.Slot), w.State, w.Sessions))
	}
	return words
}

// processes completes one of odind's processes.
func processes(cmd *cobra.Command) []string { return append(workers(cmd), control.Supervisor) }

// patterns completes a channel by what the routes can make: *.trade and its
// like.
func patterns(cmd *cobra.Command) (words []string) {
	in := cli.Input(cmd.Flags())
	in.Flags = nil
	cfg, _, _ := config.Load(in) // as far as it is right
	for _, r := range cfg.Routes {
		if _, event, ok := strings.Cut(r.Channel, "}."); ok && !slices.Contains(words, "*."+event) {
			words = append(words, "*."+event)
		}
	}
	return words
}
