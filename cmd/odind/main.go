// Command odind serves every record of a Kafka stream to every browser that
// subscribed to its channel. See docs/OPERATIONS.md.
package main

import (
	"os"
	"runtime"
	"runtime/debug"

	"github.com/odin-ws/odin/cmd/internal/cli"
)

// version is set by the linker (make build).
var version string

func main() {
	// Workers get TERM when the thread that spawned them ends: it must be one
	// that lives as long as the process.
	runtime.LockOSThread()
	// A crash ends by SIGABRT instead of Go's exit code 2, which is the one of a
	// bad configuration: a service manager must tell the two apart.
	debug.SetTraceback("crash")
	p := program{version: cli.Version(version), stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(p.run(os.Args[1:]))
}
