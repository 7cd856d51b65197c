package supervisor

import (
	"encoding/json"
	"errors"
	"os"
	"strings"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/shm"
)

// enforce brings a configuration into force: for ourselves, and for the workers
// that are started from now on.
func (c *crew) enforce(cfg config.Config) error {
	encoded, err := json.Marshal(cfg)
	if err != nil {
		return err
	}
	l := cfg.Limits
	c.inForce, c.limits, c.config = cfg, l, encoded
	c.liveness.pace(l.HeartbeatBeat, l.HeartbeatSuspect, l.HeartbeatDead)
	c.lending.after, c.lending.answer = l.LendAfter, l.HeartbeatSuspect
	c.sources.quiet, c.sources.limit = l.HeartbeatSuspect, l.HeartbeatDead
	for _, s := range c.slots {
		s.backoff.pace(l)
		s.level = ""
	}
	p := c.segment.Process()
	p.SetName(shm.Digest, cfg.Digest())
	p.SetName(shm.Node, cfg.Node)
	c.follow(cfg)
	c.refresh()
	return nil
}

// pace sets the waits; how often the slot has failed in a row stays.
func (b *backoff) pace(l config.Limits) {
	b.first, b.max, b.jitter = l.RespawnFirst, l.RespawnMax, l.RespawnJitter
	b.reset, b.attemptsMax = l.RespawnReset, l.RespawnAttemptsMax
}

// reconfigure brings what a reload gave into force everywhere, and returns
// where the workers say that it is, by slot.
func (c *crew) reconfigure(next *config.Reloaded, by string) (map[int]*os.File, error) {
	c.announce(next, by) // before a level is in force that would hide it
	if err := c.enforce(next.Config); err != nil {
		return nil, err
	}
	c.count(shm.Reloads)
	p := c.segment.Process()
	p.Set(shm.ReloadRefused, 0)
	p.Set(shm.PendingRestart, int64(len(next.Pending)))
	p.SetName(shm.Pending, listed(next.Pending))
	return c.spread(), nil
}

func (c *crew) announce(next *config.Reloaded, by string) {
	c.log.Info("configuration reloaded", "by", by, "config_digest", next.Config.Digest(),
		"applied", len(next.Applied), "need_restart", len(next.Pending), "unchanged", next.Unchanged)
	for _, change := range next.Applied {
		c.log.Info("in force now", "key", change.Key, "old", change.Old, "new", change.New, "origin", change.Origin)
	}
	for _, change := range next.Pending {
		c.log.Warn("needs a restart: the old value stays in force", "key", change.Key, "old", change.Old, "new", change.New, "origin", change.Origin)
	}
}

// spread sends every worker the configuration in force. One that can't be given
// a pipe for its answer is told all the same.
func (c *crew) spread() map[int]*os.File {
	ends := map[int]*os.File{}
	for _, s := range c.slots {
		if s.worker == nil {
			continue
		}
		m := control.Message{Type: control.Reconfigure, Config: c.config}
		r, w, err := os.Pipe()
		if err != nil {
			c.log.Warn("worker can't say that it has the configuration", "worker", s.index, "err", err)
			c.tell(s, m)
			continue
		}
		ends[s.index] = r
		c.tell(s, m, w)
	}
	return ends
}

// refuse takes note of a reload that changes nothing.
func (c *crew) refuse(err error, by string) {
	c.count(shm.ReloadsFailed)
	c.segment.Process().Set(shm.ReloadRefused, 1)
	var mistakes config.Problems
	if !errors.As(err, &mistakes) {
		c.log.Warn("configuration not reloaded: nothing has changed", "by", by, "err", err)
		return
	}
	c.log.Warn("configuration not reloaded: nothing has changed", "by", by, "mistakes", len(mistakes))
	for _, m := range mistakes {
		c.log.Warn("mistake in the configuration", "where", m.Place, "key", m.Key, "err", m.What)
	}
}

// listed are the keys, as many as a name in the segment holds.
func listed(changes []config.Change) string {
	var line strings.Builder
	for _, change := range changes {
		if line.Len()+len(change.Key)+2 > shm.NameMax {
			break
		}
		if line.Len() > 0 {
			line.WriteString(" ")
		}
		line.WriteString(change.Key)
	}
	return line.String()
}
