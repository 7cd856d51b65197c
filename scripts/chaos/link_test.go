package main

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSocketsAreFoundAndShut(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[0])
	defer unix.Close(fds[1])
	inodes := map[int]uint64{}
	for inode, fd := range sockets(os.Getpid()) {
		inodes[fd] = inode
	}
	pairs, err := socketPairs()
	if err != nil {
		t.Fatal(err)
	}
	if a, b := inodes[fds[0]], inodes[fds[1]]; a == 0 || pairs[a] != b || pairs[b] != a {
		t.Fatalf("sockets %d and %d are a pair, but %v", a, b, pairs)
	}
	if err := shut(os.Getpid(), fds[0]); err != nil {
		t.Fatal(err)
	}
	if n, err := unix.Read(fds[1], make([]byte, 1)); n != 0 || err != nil {
		t.Errorf("the other end reads %d bytes (%v), not its end", n, err)
	}
}

func TestLinksAreBetweenTwo(t *testing.T) {
	if err := tearLink([]int{os.Getpid()}, 0); err == nil {
		t.Error("one process alone has a link")
	}
}
