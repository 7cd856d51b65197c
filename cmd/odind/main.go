// Command odind serves every record of a Kafka stream to every browser that
// subscribed to its channel. See docs/OPERATIONS.md.
package main

import (
	"os"
	"runtime"

	"github.com/odin-ws/odin/cmd/internal/cli"
)

// version is set by the linker (make build).
var version string

func main() {
	// Workers get TERM when the thread that spawned them ends: it must be one
	// that lives as long as the process.
	runtime.LockOSThread()
	p := program{version: cli.Version(version), stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(p.run(os.Args[1:]))
}
