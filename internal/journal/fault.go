package journal

import (
	"fmt"
	"hash/fnv"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
)

// Fault is a panic: a defect of Odin's that somebody met.
type Fault struct {
	// ID names the defect, not the occurrence: it is the same for all who meet
	// it, for the life of a build. So the line that an id leads to is always in
	// the log, however often it was repeated. 8 hexadecimal digits.
	ID    string
	Panic string // what it said
	Stack string // from the panic on
}

// NewFault describes the panic that was just recovered. It is to be called,
// directly or not, by the deferred function that did.
func NewFault(cause any) Fault {
	return Fault{ID: faultID(), Panic: fmt.Sprint(cause), Stack: faultStack()}
}

// Attrs are the fault's fields in a line of the log, and others.
func (f Fault) Attrs(more ...slog.Attr) []slog.Attr {
	return append([]slog.Attr{slog.String("id", f.ID), slog.String("panic", f.Panic), slog.String("stack", f.Stack)}, more...)
}

// faultDepth is how many calls above a panic tell one defect from another.
const faultDepth = 8

func faultID() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	h := fnv.New32a()
	depth := -1 // the panic is not found yet
	for more := true; more && depth < faultDepth; {
		var f runtime.Frame
		f, more = frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			depth = 0
		case depth >= 0 && !strings.HasPrefix(f.Function, "runtime."):
			depth++
			fmt.Fprintf(h, "%s:%d\n", f.Function, f.Line)
		}
	}
	return fmt.Sprintf("%08x", h.Sum32())
}

func faultStack() string {
	stack := string(debug.Stack())
	if _, from, ok := strings.Cut(stack, "\npanic("); ok {
		return "panic(" + from
	}
	return stack
}
