package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// tearLink shuts one of the sockets that a worker's siblings hear it by, as if
// it had broken: a link of the bus is a pair of sockets in two workers.
func tearLink(workers []int, pick uint64) error {
	owners := map[uint64]int{} // socket to worker
	for _, pid := range workers {
		for inode := range sockets(pid) {
			owners[inode] = pid
		}
	}
	pairs, err := socketPairs()
	if err != nil {
		return err
	}
	var links []uint64
	for inode, peer := range pairs {
		if a, b := owners[inode], owners[peer]; a != 0 && b != 0 && a != b {
			links = append(links, inode)
		}
	}
	if len(links) == 0 {
		return fmt.Errorf("no link between the workers %v", workers)
	}
	slices.Sort(links)
	inode := links[pick%uint64(len(links))]
	return shut(owners[inode], sockets(owners[inode])[inode])
}

// sockets are a process's, by their inodes, with their descriptors.
func sockets(pid int) map[uint64]int {
	found := map[uint64]int{}
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		target, _ := os.Readlink(dir + "/" + e.Name())
		number, ok := strings.CutPrefix(strings.TrimSuffix(target, "]"), "socket:[")
		inode, err := strconv.ParseUint(number, 10, 64)
		fd, err2 := strconv.Atoi(e.Name())
		if ok && err == nil && err2 == nil {
			found[inode] = fd
		}
	}
	return found
}

// shut shuts another process's socket.
func shut(pid, fd int) error {
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return fmt.Errorf("open process %d: %w", pid, err)
	}
	defer unix.Close(process)
	ours, err := unix.PidfdGetfd(process, fd, 0)
	if err != nil {
		return fmt.Errorf("get descriptor %d of process %d: %w", fd, pid, err)
	}
	defer unix.Close(ours)
	return unix.Shutdown(ours, unix.SHUT_RDWR)
}
