package supervisor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"

	"github.com/libp2p/go-reuseport"
	"golang.org/x/sys/unix"

	"github.com/odin-ws/odin/internal/control"
)

// listener is one slot's listening socket: a plain descriptor that Go's
// poller does not know, so that connects do not wake the supervisor.
type listener struct{ fd int }

// file gives a copy to send; the receiver of the call closes it.
func (l listener) file() (*os.File, error) {
	fd, err := unix.FcntlInt(uintptr(l.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("supervisor: copy a listener: %w", err)
	}
	return os.NewFile(uintptr(fd), "listener"), nil
}

func (l listener) close() error { return unix.Close(l.fd) }

// bind listens on address once per slot, with SO_REUSEPORT, so that the kernel
// spreads the connects. The address given back has the port that port 0
// picked.
func bind(address string, slots int) (listeners []listener, bound *net.TCPAddr, err error) {
	defer func() {
		if err != nil {
			for _, l := range listeners {
				_ = l.close()
			}
		}
	}()
	bound, err = probe(address)
	if err != nil {
		return nil, nil, bindError("listen on "+address+" for clients", "--listen", err)
	}
	exact := exactly(address, bound)
	for range slots {
		l, err := listenShared(exact)
		if err != nil {
			return listeners, nil, bindError("listen on "+exact+" for clients", "--listen", err)
		}
		listeners = append(listeners, l)
	}
	return listeners, bound, nil
}

// probe binds once without SO_REUSEPORT: another odind of the same user would
// otherwise share its port with us without either noticing.
func probe(address string) (*net.TCPAddr, error) {
	config := net.ListenConfig{KeepAlive: -1}
	config.SetMultipathTCP(false)
	l, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	return l.Addr().(*net.TCPAddr), l.Close()
}

// exactly is address with the port that was picked for it.
func exactly(address string, bound *net.TCPAddr) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return net.JoinHostPort(host, strconv.Itoa(bound.Port))
}

func listenShared(address string) (listener, error) {
	config := net.ListenConfig{Control: reuseport.Control, KeepAlive: -1}
	config.SetMultipathTCP(false)
	l, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return listener{}, err
	}
	defer l.Close() // the copy keeps the socket listening
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		return listener{}, err
	}
	fd, err := control.Detach(f)
	return listener{fd}, err
}

// listenOperator binds the operator's HTTP.
func listenOperator(address string) (net.Listener, error) {
	config := net.ListenConfig{}
	config.SetMultipathTCP(false)
	l, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, bindError("listen on "+address+" for the operator", "--operator-listen", err)
	}
	return l, nil
}

// bindError says what to do about a listener that can't be.
func bindError(doing, flag string, err error) error {
	try := "check the address, or name another one with " + flag
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		try = "another process has the port (ss -ltnp shows which): stop it, or name another one with " + flag
	case errors.Is(err, syscall.EACCES):
		try = "ports below 1024 need CAP_NET_BIND_SERVICE: grant it, or name another one with " + flag
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		try = "no interface of this machine has the address: name another one with " + flag
	}
	return &StartError{doing, reason(err), try}
}

// reason drops what the net package repeats of the address.
func reason(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}
