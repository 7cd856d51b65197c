package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// diagRequest asks the kernel for one TCP socket (sock_diag(7)): an nlmsghdr, an
// inet_diag_req_v2 and the inet_diag_sockid in it.
type diagRequest struct {
	unix.NlMsghdr
	Family, Protocol, Ext, _ uint8
	States                   uint32
	SourcePort, DestPort     [2]byte // big endian
	Source, Dest             [16]byte
	Interface                uint32
	Cookie                   [2]uint32
}

// diagInode is where an inet_diag_msg, behind its nlmsghdr, has the inode.
const diagInode = unix.SizeofNlMsghdr + 68

func newDiagRequest(local, remote netip.AddrPort) *diagRequest {
	r := &diagRequest{Family: unix.AF_INET, Protocol: unix.IPPROTO_TCP, States: ^uint32(0), Cookie: [2]uint32{^uint32(0), ^uint32(0)}}
	r.NlMsghdr = unix.NlMsghdr{Len: uint32(binary.Size(r)), Type: unix.SOCK_DIAG_BY_FAMILY, Flags: unix.NLM_F_REQUEST}
	binary.BigEndian.PutUint16(r.SourcePort[:], local.Port())
	binary.BigEndian.PutUint16(r.DestPort[:], remote.Port())
	copy(r.Source[:], local.Addr().AsSlice())
	copy(r.Dest[:], remote.Addr().AsSlice())
	return r
}

// inode is that of the socket that stands between the two addresses, 0 if no
// process has it any more. The kernel looks up this one alone, however many there
// are, which no reader of /proc/net/tcp can say.
func inode(local, remote netip.AddrPort) (uint32, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return 0, fmt.Errorf("a socket of NETLINK_SOCK_DIAG: %w", err)
	}
	defer unix.Close(fd)
	var request bytes.Buffer
	_ = binary.Write(&request, binary.NativeEndian, newDiagRequest(local, remote))
	if err := unix.Sendto(fd, request.Bytes(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, fmt.Errorf("ask NETLINK_SOCK_DIAG: %w", err)
	}
	answer := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil {
		return 0, fmt.Errorf("answer of NETLINK_SOCK_DIAG: %w", err)
	}
	return parseDiag(answer[:n])
}

// parseDiag takes the inode out of an answer; that there is no such socket is one.
func parseDiag(answer []byte) (uint32, error) {
	if len(answer) < unix.SizeofNlMsghdr+4 {
		return 0, fmt.Errorf("NETLINK_SOCK_DIAG answers with %d bytes", len(answer))
	}
	kind, body := binary.NativeEndian.Uint16(answer[4:]), answer[unix.SizeofNlMsghdr:]
	if kind == unix.NLMSG_ERROR {
		errno := unix.Errno(-int32(binary.NativeEndian.Uint32(body)))
		if errno == unix.ENOENT {
			return 0, nil
		}
		return 0, fmt.Errorf("NETLINK_SOCK_DIAG: %w", errno)
	}
	if kind != unix.SOCK_DIAG_BY_FAMILY || len(answer) < diagInode+4 {
		return 0, fmt.Errorf("NETLINK_SOCK_DIAG answers with type %d, %d bytes", kind, len(answer))
	}
	return binary.NativeEndian.Uint32(answer[diagInode:]), nil
}

// holds tells whether a process has the socket.
func holds(pid int, inode uint32) (bool, error) {
	dir := fmt.Sprintf("/proc/%d/fd/", pid)
	list, err := os.ReadDir(dir)
	if err != nil {
		return false, err
	}
	want := fmt.Sprintf("socket:[%d]", inode)
	for _, fd := range list {
		if to, err := os.Readlink(dir + fd.Name()); err == nil && to == want { // others are closed meanwhile
			return true, nil
		}
	}
	return false, nil
}

// inodeOfPeer is that of the socket at a connection's other end.
func inodeOfPeer(c net.Conn) (uint32, error) {
	plain := func(a net.Addr) netip.AddrPort {
		ap := a.(*net.TCPAddr).AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return inode(plain(c.RemoteAddr()), plain(c.LocalAddr()))
}

func TestInodeOfPeer(t *testing.T) {
	t.Parallel()
	l := mustDo[net.Listener](t)(net.Listen("tcp4", "127.0.0.1:0"))
	defer l.Close()
	near := mustDo[net.Conn](t)(net.Dial("tcp4", l.Addr().String()))
	defer near.Close()
	far := mustDo[net.Conn](t)(l.Accept())
	defer far.Close()
	n := mustDo[uint32](t)(inodeOfPeer(far))
	if n == 0 || n == mustDo[uint32](t)(inodeOfPeer(near)) {
		t.Errorf("inode %d", n)
	}
	if !mustDo[bool](t)(holds(os.Getpid(), n)) {
		t.Errorf("this process doesn't hold socket %d", n)
	}
	if mustDo[bool](t)(holds(os.Getppid(), n)) {
		t.Errorf("the parent holds socket %d", n)
	}
	near.Close() // what is just being spawned may have it a moment longer
	eventually(t, soon, "what is closed has no inode", func() (bool, string) {
		n := mustDo[uint32](t)(inodeOfPeer(far))
		return n == 0, fmt.Sprint(n)
	})
	if n := mustDo[uint32](t)(inode(netip.MustParseAddrPort("127.0.0.1:1"), netip.MustParseAddrPort("127.0.0.2:1"))); n != 0 {
		t.Errorf("inode %d of what never was", n)
	}
}
