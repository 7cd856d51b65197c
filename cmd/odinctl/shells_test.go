//go:build shells

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odin-ws/odin/cmd/internal/clitest"
)

// The shells complete what is typed into them. scripts/apt.sh bash-completion
// zsh fish gets them.
func TestShellsComplete(t *testing.T) {
	d := quiet(t)
	runtime := "ODIN_RUNTIME_DIR=" + d.Ready["runtime"]
	for name, shell := range map[string]struct {
		command []string
		ready   string // is typed once it is there
	}{
		"bash": {[]string{"bash", "--norc", "-i"}, "source /usr/share/bash-completion/bash_completion; source <(odinctl completion bash)"},
		"zsh":  {[]string{"zsh", "-f", "-i"}, "unsetopt prompt_sp; autoload -U compinit; compinit -u -d $HOME/dump; source <(odinctl completion zsh)"},
		"fish": {[]string{"fish", "--private"}, "odinctl completion fish | source"},
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			config := filepath.Join(home, ".config", "fish")
			if err := os.MkdirAll(config, 0o700); err != nil {
				t.Fatal(err)
			}
			prompt := "function fish_prompt; echo 'ready> '; end\nfunction fish_greeting; end\nset -g fish_autosuggestion_enabled 0\n"
			if err := os.WriteFile(filepath.Join(config, "config.fish"), []byte(prompt), 0o600); err != nil {
				t.Fatal(err)
			}
			env := []string{"PS1=ready> ", "PROMPT=ready> ", "HOME=" + home, "XDG_CONFIG_HOME=" + filepath.Dir(config), runtime}
			x := bin.StartTerminal(t, 200, 50, env, shell.command...)
			x.Shows("ready>")
			x.Type(shell.ready + "; clear; printf 'load%s\\n' ed\n")
			clitest.Eventually(t, "the completion is loaded", func() bool {
				_, after, ok := strings.Cut(x.Screen(), "loaded")
				return ok && strings.Contains(after, "ready>")
			})
			for _, c := range []struct{ typed, shows string }{
				{"odinctl sta\t", "odinctl status"},
				{"odinctl top --vi\t", "odinctl top --view"},
				{"odinctl top --view part\t", "odinctl top --view partitions"},
				{"odinctl completion po\t", "odinctl completion powershell"},
				{"odinctl publish odin.tr\t", "odinctl publish odin.trades"}, // asked of the odind that runs
				{"odinctl conns --reason slow\t", "odinctl conns --reason slow_consumer"},
			} {
				x.Type(c.typed)
				x.Shows(c.shows)
				x.Type("\x15") // the line is emptied
				clitest.Eventually(t, "an empty line", func() bool { return !strings.Contains(x.Screen(), c.shows) })
			}
		})
	}
}
