package main

import (
	"encoding/binary"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// What is asked of sock_diag(7), which has no constants in x/sys.
const (
	diagByFamily  = 20
	udiagShowPeer = 4
	unixDiagPeer  = 2
	allStates     = 0xffffffff
	diagHead      = 16 // bytes of an answer before its attributes
)

// socketPairs gives the peer's inode for each connected Unix socket.
func socketPairs() (map[uint64]uint64, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, fmt.Errorf("sock_diag: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, diagRequest(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, fmt.Errorf("sock_diag: %w", err)
	}
	pairs := map[uint64]uint64{}
	for buf := make([]byte, 64<<10); ; {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err != nil {
			return nil, fmt.Errorf("sock_diag: %w", err)
		}
		messages, err := syscall.ParseNetlinkMessage(buf[:n])
		if err != nil {
			return nil, fmt.Errorf("sock_diag: %w", err)
		}
		for _, m := range messages {
			switch m.Header.Type {
			case unix.NLMSG_DONE:
				return pairs, nil
			case unix.NLMSG_ERROR:
				return nil, fmt.Errorf("sock_diag: refused: %x", m.Data)
			}
			enterPair(pairs, m.Data)
		}
	}
}

func diagRequest() []byte {
	b := make([]byte, unix.NLMSG_HDRLEN+24)
	e := binary.NativeEndian
	e.PutUint32(b[0:], uint32(len(b)))
	e.PutUint16(b[4:], diagByFamily)
	e.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	b[unix.NLMSG_HDRLEN] = unix.AF_UNIX
	e.PutUint32(b[unix.NLMSG_HDRLEN+4:], allStates)
	e.PutUint32(b[unix.NLMSG_HDRLEN+12:], udiagShowPeer)
	return b
}

// enterPair reads one answer: its inode, and the peer's among its attributes.
func enterPair(pairs map[uint64]uint64, data []byte) {
	e := binary.NativeEndian
	if len(data) < diagHead {
		return
	}
	inode := uint64(e.Uint32(data[4:]))
	for rest := data[diagHead:]; len(rest) >= unix.NLA_HDRLEN; {
		size := int(e.Uint16(rest))
		if size < unix.NLA_HDRLEN || size > len(rest) {
			return
		}
		if e.Uint16(rest[2:]) == unixDiagPeer && size >= unix.NLA_HDRLEN+4 {
			pairs[inode] = uint64(e.Uint32(rest[unix.NLA_HDRLEN:]))
		}
		rest = rest[min(len(rest), (size+3)&^3):]
	}
}
