package supervisor

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/journal"
	"github.com/odin-ws/odin/shm"
)

// segmentName is the segment's file in the runtime directory.
const segmentName = "stats.shm"

// socketMode lets the group of the runtime directory use odinctl.
const socketMode = 0o660

// house is what Run holds from start to end: the lock, sockets, the segment.
type house struct {
	listeners []listener
	operator  net.Listener
	socket    net.Listener
	segment   *shm.Segment
	physician *physician
	info      ReadyInfo
	files     int // that a process may open
	archive   *archive
	found     archived // the eras of before this start

	closing []func() error // in reverse
}

// open takes everything, or nothing and says why.
func open(cfg config.Config, version string, log *journal.Journal) (_ *house, err error) {
	h := &house{}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	for _, d := range directories(cfg) {
		lock, err := takeDirectory(d)
		if err != nil {
			return nil, err
		}
		h.later(lock.Release)
	}
	bound, err := h.bind(cfg)
	if err != nil {
		return nil, err
	}
	h.archive = &archive{path: filepath.Join(cfg.StateDir, archiveName), log: log}
	h.found = h.archive.read(filepath.Join(cfg.RuntimeDir, segmentName))
	if err := h.create(cfg, version); err != nil {
		return nil, err
	}
	h.physician = newPhysician(h.segment, cfg.Limits, config.Detect().CPUs, memoryLimit(os.DirFS("/")))
	h.info = ReadyInfo{
		WS:         "ws://" + dialable(bound) + "/ws",
		Operator:   "http://" + dialable(h.operator.Addr().(*net.TCPAddr)),
		RuntimeDir: cfg.RuntimeDir,
	}
	names := h.segment.Process()
	names.SetName(shm.Listen, exactly(cfg.Listen, bound))
	names.SetName(shm.Operator, exactly(cfg.Operator.Listen, h.operator.Addr().(*net.TCPAddr)))
	return h, nil
}

func (h *house) bind(cfg config.Config) (bound *net.TCPAddr, err error) {
	if h.listeners, bound, err = bind(cfg.Listen, cfg.Workers); err != nil {
		return nil, err
	}
	for _, l := range h.listeners {
		h.later(l.close)
	}
	if h.operator, err = listenOperator(cfg.Operator.Listen); err != nil {
		return nil, err
	}
	h.later(h.operator.Close)
	if h.socket, err = listenControl(cfg.RuntimeDir); err != nil {
		return nil, err
	}
	h.later(h.socket.Close)
	return bound, nil
}

// listenControl makes control.sock. One that lies there is a dead odind's: we
// hold the lock.
func listenControl(dir string) (net.Listener, error) {
	path := filepath.Join(dir, control.SocketName)
	_ = os.Remove(path)
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, &StartError{"listen on " + path, reason(err), "check the directory's permissions; if its path is longer than 90 bytes, name a shorter one with --runtime-dir"}
	}
	if err := os.Chmod(path, socketMode); err != nil {
		l.Close()
		return nil, &StartError{"listen on " + path, err, "check the directory's permissions"}
	}
	return l, nil
}

// create makes the segment, in place of one that was left behind, and says in it
// who we are.
func (h *house) create(cfg config.Config, version string) (err error) {
	path := filepath.Join(cfg.RuntimeDir, segmentName)
	h.segment, err = shm.Create(path, shm.Layout{Slots: cfg.Workers, Partitions: cfg.Limits.PartitionsMax})
	if err != nil {
		return &StartError{"create " + path, err, "check the directory's permissions and free space (a tmpfs needs about 1 MiB a worker)"}
	}
	h.later(h.segment.Close)
	h.later(func() error { return os.Remove(path) })
	p := h.segment.Process()
	p.SetName(shm.Version, version)
	p.Set(shm.WorkersWanted, int64(cfg.Workers))
	p.SetStarted(os.Getpid(), shm.Wall())
	p.SetRun(rand.Uint64())
	return nil
}

func (h *house) later(do func() error) { h.closing = append(h.closing, do) }

// close gives everything back, last taken first.
func (h *house) close() {
	for i := range h.closing {
		_ = h.closing[len(h.closing)-1-i]()
	}
}

// dialable is an address that can be connected to from here.
func dialable(a *net.TCPAddr) string {
	if a.IP == nil || a.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(a.Port))
	}
	host := a.IP.String()
	if a.Zone != "" {
		host = fmt.Sprintf("%s%%%s", host, a.Zone)
	}
	return net.JoinHostPort(host, strconv.Itoa(a.Port))
}
