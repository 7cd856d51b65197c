package loop

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAccept(t *testing.T) {
	for _, network := range []string{"127.0.0.1:0", "[::1]:0", "[::]:0"} {
		l, err := net.Listen("tcp", network)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		fd := fileOf(t, l)
		if conn, _, status, err := Accept(fd); status != Again || err != nil {
			t.Fatalf("%s, nobody there: %d, %v, %v", network, conn, status, err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		to := net.TCPAddr{IP: l.Addr().(*net.TCPAddr).IP, Port: port}
		if to.IP.IsUnspecified() {
			to.IP = net.IPv4(127, 0, 0, 1) // arrives as an address of IPv6
		}
		client, err := net.DialTCP("tcp", nil, &to)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		conn, from, status, err := Accept(fd)
		if err != nil || status != OK {
			t.Fatalf("%s: %v, %v", network, status, err)
		}
		defer unix.Close(conn)
		if from.String() != client.LocalAddr().String() {
			t.Errorf("%s: from %v, is %v", network, from, client.LocalAddr())
		}
		flags, err := unix.FcntlInt(uintptr(conn), unix.F_GETFL, 0)
		if err != nil || flags&unix.O_NONBLOCK == 0 {
			t.Errorf("flags %x, %v", flags, err)
		}
	}
	if _, _, status, err := Accept(-1); status != Failed || err == nil {
		t.Errorf("of no descriptor: %v, %v", status, err)
	}
}

// fileOf is a copy of the listener's descriptor.
func fileOf(t *testing.T, l net.Listener) int {
	t.Helper()
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	fd := -1
	if err := raw.Control(func(from uintptr) { fd, err = unix.FcntlInt(from, unix.F_DUPFD_CLOEXEC, 0) }); err != nil || fd < 0 {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}
