package status

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/odin-ws/odin/internal/text"
	"github.com/odin-ws/odin/shm"
)

// lagPatience is how long a partition may lag before that is a warning: a
// burst is none, and neither is an election.
const lagPatience = 10 * time.Second

// judge fills State and Warnings.
func (s *Status) judge(seg *shm.Segment, now shm.Clock) {
	state := seg.Process().State()
	if silent(seg, now) {
		s.warn("no process of odind has shown a sign of life for %s: stopped, or the machine hangs", age(s.HeartbeatAgeMS))
	} else {
		s.judgeProcesses(seg, now)
		if seg.Process().Gauge(shm.StateUnwritten) != 0 {
			s.warn("state_dir can't be written: what outlives odind is not kept; the log says why")
		}
		if state != shm.Starting && state != shm.Empty {
			s.judgePartitions(seg)
		}
	}
	switch {
	case state == shm.Draining || state == shm.Gone:
		s.State = Draining
	case state != shm.Ready:
		s.State = Starting
	case len(s.Warnings) > 0:
		s.State = Degraded
	default:
		s.State = Ready
	}
}

func (s *Status) warn(format string, args ...any) {
	s.Warnings = append(s.Warnings, fmt.Sprintf(format, args...))
}

// warnOfConfiguration says what of the configuration is not in force. It comes
// behind the state: nothing is worse for it.
func (s *Status) warnOfConfiguration(pending int) {
	if s.ReloadRefused {
		s.warn("the configuration was refused by the last reload: what was in force stays; the log names the mistakes")
	}
	if pending > 0 {
		keys := strings.Join(s.PendingRestart, ", ")
		if more := pending - len(s.PendingRestart); more > 0 {
			keys += fmt.Sprintf(" and %d more", more)
		}
		s.warn("restart needed for %s", keys)
	}
}

// silent tells whether everybody that should live is stale, which has another
// cause than one that is.
func silent(seg *shm.Segment, now shm.Clock) bool {
	if !seg.Process().Stale(now) {
		return false
	}
	for i := range seg.Layout().Slots {
		if slot := seg.Slot(i); lives(slot) && !slot.Stale(now) {
			return false
		}
	}
	return true
}

func lives(slot *shm.Slot) bool {
	state := slot.State()
	return state == shm.Starting || state == shm.Ready || state == shm.Draining
}

func (s *Status) judgeProcesses(seg *shm.Segment, now shm.Clock) {
	if seg.Process().Stale(now) {
		s.warn("supervisor (pid %d): no heartbeat for %s: nothing is watched", s.PID, age(s.HeartbeatAgeMS))
	}
	up := seg.Process().State() == shm.Ready || s.Drain != nil
	for i := range s.Workers {
		s.judgeWorker(&s.Workers[i], seg.Slot(i), now, up)
	}
}

func (s *Status) judgeWorker(w *Worker, slot *shm.Slot, now shm.Clock, up bool) {
	switch {
	case lives(slot) && slot.Stale(now):
		s.warn("worker %d (pid %d): no heartbeat for %s", w.Slot, w.PID, age(w.HeartbeatAgeMS))
	case w.State == Gone && up:
		s.warn("worker %d: gone (%s so far)", w.Slot, text.Plural(w.Respawns, "respawn"))
	case w.State == Starting && up:
		s.warn("worker %d: not ready yet", w.Slot)
	}
	if w.Reason != "" && lives(slot) {
		s.warn("worker %d: %s", w.Slot, w.Reason)
	} else if w.State == Ready && slot.Gauge(shm.SourceHealthy) == 0 {
		s.warn("worker %d: its source does not answer", w.Slot)
	}
}

// judgePartitions makes one warning of each kind a topic.
func (s *Status) judgePartitions(seg *shm.Segment) {
	if seg.TopologyVersion() > 0 && len(s.Partitions) == 0 {
		s.warn("no partition is known")
	}
	for _, t := range s.Topics() {
		if len(t.Orphans) > 0 {
			s.warn("%s: no owner for %s %s", t.Name, text.Noun(len(t.Orphans), "partition"), list(t.Orphans))
		}
		if t.Worst != nil && t.Worst.LagS > lagPatience.Seconds() && t.Worst.Owner != nil {
			s.warn("%s: partition %d is %s", t.Name, t.Worst.Partition, lagWords(t.Worst))
		}
	}
}

func age(ms int64) string { return text.Duration(float64(ms) / 1000) }

func lagWords(p *Partition) string {
	if p.Lag == 0 {
		return "unheard of for " + text.Duration(p.LagS)
	}
	return text.Grouped(p.Lag) + " " + text.Noun(p.Lag, "record") + " behind, for " + text.Duration(p.LagS)
}

// listMax is how many numbers a list names.
const listMax = 6

func list(numbers []int32) string {
	var words []string
	for _, n := range numbers[:min(len(numbers), listMax)] {
		words = append(words, strconv.Itoa(int(n)))
	}
	text := strings.Join(words, ", ")
	if more := len(numbers) - listMax; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
