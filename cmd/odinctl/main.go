// Command odinctl asks a running odind, listens to its channels and publishes
// records for it. See docs/OPERATIONS.md.
package main

import (
	"os"

	"github.com/odin-ws/odin/cmd/internal/cli"
)

// version is set by the linker (make build).
var version string

func main() {
	p := program{version: cli.Version(version), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(p.run(os.Args[1:]))
}
