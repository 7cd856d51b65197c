package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/journal"
)

// levels serves odinctl: it sets the level of the log, if one is named, for all
// processes or one, and answers with those that are in force.
func (d *desk) levels(ctx context.Context, r control.Request, items *control.Answer) control.Response {
	only, refused := d.process(r.Process)
	if refused != nil {
		return *refused
	}
	if r.Level != "" {
		if _, err := journal.ParseLevel(r.Level); err != nil {
			return control.Refused("%v", err)
		}
		if err := d.order(func(c *crew) { c.setLevel(r.Level, only) }); err != nil {
			return control.Refused("%v", err)
		}
	}
	return d.tellLevels(ctx, only, items)
}

// everybody and ourselves are who a request may mean besides a worker.
const (
	everybody = nobody
	ourselves = -2
)

// process says which one a request means.
func (d *desk) process(name string) (who int, refused *control.Response) {
	switch name {
	case "":
		return everybody, nil
	case control.Supervisor:
		return ourselves, nil
	}
	slot, err := strconv.Atoi(name)
	if slots := d.segment.Layout().Slots; err != nil || slot < 0 || slot >= slots {
		answer := control.Refused("no process %q, allowed: %s, or a worker from 0 to %d", name, control.Supervisor, slots-1)
		return nobody, &answer
	}
	return slot, nil
}

// setLevel sets the level of the log until the next reload or restart, for a
// worker, ourselves or everybody.
func (c *crew) setLevel(level string, who int) {
	process := "all"
	switch who {
	case everybody:
	case ourselves:
		process = control.Supervisor
	default:
		process = strconv.Itoa(who)
	}
	say := func() { c.log.Info("the level of the log is set", "process", process, "new", level) }
	said := c.log.Enabled(context.Background(), slog.LevelInfo)
	if said { // before a level is in force that would hide it
		say()
	}
	if who == everybody || who == ourselves {
		_ = c.log.SetLevel(level) // the desk has checked it
	}
	for _, s := range c.slots {
		if who == everybody || who == s.index {
			s.level = level
			c.tellLevel(s)
		}
	}
	if !said {
		say()
	}
}

// tellLevel gives a worker the level that was set for it since the last
// configuration.
func (c *crew) tellLevel(s *slot) {
	if s.level != "" && s.worker != nil {
		c.tell(s, control.Message{Type: control.LogLevel, Level: s.level})
	}
}

// tellLevels answers with the levels as the processes themselves have them.
func (d *desk) tellLevels(ctx context.Context, who int, items *control.Answer) control.Response {
	if who == everybody || who == ourselves {
		if err := items.Item(control.LevelItem{Process: control.Supervisor, Level: d.log.Level()}); err != nil {
			return control.Refused("%v", err)
		}
	}
	if who == ourselves {
		return control.Response{OK: true}
	}
	missing, err := d.inquire(ctx, control.Query{Kind: control.Level}, who, func(r control.Response) error {
		var level string
		if err := json.Unmarshal(r.Item, &level); err != nil {
			return err
		}
		return items.Item(control.LevelItem{Process: strconv.Itoa(r.Slot), Level: level})
	})
	if err != nil && !(who == everybody && errors.Is(err, errNoWorker)) {
		return control.Refused("%v", err)
	}
	return control.Response{OK: true, Missing: missing}
}
