package worker

import (
	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/shm"
)

// terms are on what clients are let in. They never change: a reload puts
// others in their place.
type terms struct {
	config        *config.Config
	sessionsMax   int // of this worker: its share of the configured connections
	descriptors   int // sessions for which there are descriptors
	handshakesMax int // at once
}

// terms makes those of the configuration in force, and tells of them.
func (p *process) terms() *terms {
	t := &terms{config: p.config, sessionsMax: p.config.ConnectionsPerWorker()}
	t.descriptors, t.handshakesMax = p.descriptors()
	p.block.Set(shm.SessionsMax, int64(min(t.sessionsMax, t.descriptors)))
	return t
}

// settle takes other terms for who comes from now on. What holds for a whole
// connection needs another server; the old one ends its handshakes.
func (d *doors) settle(t *terms) {
	before, now := &d.terms.Swap(t).config.Limits, &t.config.Limits
	if before.HandshakeMax == now.HandshakeMax && before.HeadBytesMax == now.HeadBytesMax {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.server = d.newServer()
	for slot, old := range d.listeners {
		if d.serveOn(slot); d.listeners[slot] != old {
			old.Close()
		}
	}
}
