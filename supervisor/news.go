package supervisor

import (
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/odin-ws/odin/internal/control"
)

// news is what other goroutines tell the crew: those around a worker of it,
// and the desk what is to be done.
type news struct {
	slot       int
	generation uint32
	kind       newsKind
	message    control.Message // said
	how        string          // ended
	err        error           // broke
	do         func(*crew)     // ordered
}

type newsKind int

const (
	said    newsKind = iota
	broke            // the control socket: no more can be said
	ended            // waitpid has reported the worker's end
	ordered          // by the desk, about no worker in particular
)

// handle takes one piece of news; one of a worker that has ended since is nothing.
func (c *crew) handle(n news) {
	if n.kind == ordered {
		n.do(c)
		return
	}
	w := c.find(n.slot, n.generation)
	if w == nil {
		return
	}
	s := c.slots[n.slot]
	switch n.kind {
	case said:
		c.message(s, n.message)
	case broke:
		c.log.Debug("worker has closed its control socket", "worker", s.index, "pid", w.pid, "err", n.err)
		c.killLater(w)
	case ended:
		c.exited(s, n.how)
	}
}

// signals that the supervisor takes.
func signals() []os.Signal {
	return []os.Signal{
		syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGUSR2,
		syscall.SIGTTIN, syscall.SIGTTOU,
	}
}

// heedAbort lets ABRT end us as Go does, with the stacks of all goroutines. For
// that Go hands QUIT from thread to thread, and waits 10 s for those that do not
// get it: it must not be ours any more. This is no work for the crew, which may
// be what is stuck.
func heedAbort(aborted <-chan os.Signal) {
	<-aborted
	signal.Reset(syscall.SIGABRT, syscall.SIGQUIT)
	_ = syscall.Kill(os.Getpid(), syscall.SIGABRT)
}

// signal acts on one.
func (c *crew) signal(s os.Signal) {
	switch s {
	case syscall.SIGTERM, syscall.SIGINT:
		c.stop(s.String())
	case syscall.SIGQUIT:
		c.log.Info("goroutines of all processes follow")
		c.log.Block(stacks())
		c.dump()
	case syscall.SIGHUP:
		c.hangup()
	default:
		c.log.Info("a signal that means nothing to odind", "signal", s.String())
	}
}

// stacksMax is the most bytes of one dump.
const stacksMax = 4 << 20

func stacks() []byte {
	buf := make([]byte, stacksMax)
	return buf[:runtime.Stack(buf, true)]
}
