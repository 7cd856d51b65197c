package status

import "github.com/odin-ws/odin/shm"

// Status is odind at one moment. Numbers of different workers are read one
// after the other, so sums are as good as the moment is long.
type Status struct {
	// TS is when it was read, in milliseconds since 1970.
	TS int64 `json:"ts"`
	// Version of odind that wrote the segment.
	Version string `json:"version"`
	// PID of the supervisor.
	PID int `json:"pid"`
	// State: starting, ready, degraded (it serves, and Warnings say what is
	// wrong) or draining (also while it stops).
	State string `json:"state"`
	// Drain is the drain that goes on, null: none, also while odind stops.
	Drain *Drain `json:"drain"`
	// Warnings are for people: what is wrong, the worst first, and at the end
	// what is not in force of the configuration, which degrades nothing.
	Warnings []string `json:"warnings"`
	// UptimeS is seconds since the supervisor started.
	UptimeS float64 `json:"uptime_s"`
	// ConfigDigest is what tells one effective configuration from another.
	ConfigDigest string `json:"config_digest"`
	// PendingRestart are keys of the configuration whose new value, seen by a
	// reload, needs a restart; as many as there is room for.
	PendingRestart []string `json:"pending_restart"`
	// ReloadRefused: the last reload was, since the configuration has mistakes.
	ReloadRefused bool `json:"reload_refused"`
	// Listen is where clients connect.
	Listen string `json:"listen"`
	// Operator is where /metrics and /health are.
	Operator string `json:"operator"`
	// Node is the machine's name, as clients see it in hello.
	Node string `json:"node"`
	// HeartbeatAgeMS is how long the supervisor has been silent.
	HeartbeatAgeMS int64 `json:"heartbeat_age_ms"`
	// Workers by slot, from 0, all of them.
	Workers []Worker `json:"workers"`
	// Sessions connected now, of all workers.
	Sessions int64 `json:"sessions"`
	// Deliveries since start, those of workers that have died included.
	Deliveries uint64 `json:"deliveries"`
	// Partitions in the order in which they became known.
	Partitions []Partition `json:"partitions"`
	// Balance is the largest number of sessions of a worker divided by the
	// mean; 1 is even, also without sessions.
	Balance float64 `json:"balance"`
	// SinceStart is what happened each second, on the average since the
	// supervisor started.
	SinceStart Flow `json:"since_start"`
	// ClosedByCode is the sessions that ended since start by close code; 1006:
	// without a close frame.
	ClosedByCode map[string]uint64 `json:"closed_by_code"`

	reading reading
}

// Worker is one slot.
type Worker struct {
	// Slot is the worker's stable index.
	Slot int `json:"slot"`
	// PID of the worker that runs, or last ran, here; 0 if none did.
	PID int `json:"pid"`
	// Generation counts the workers that ran here.
	Generation uint32 `json:"generation"`
	// State: starting, ready, draining or gone.
	State string `json:"state"`
	// Reason says why it is not well, as the worker itself sees it; "" if it is.
	Reason string `json:"reason"`
	// UptimeS is seconds since the worker started, 0 if it is gone.
	UptimeS float64 `json:"uptime_s"`
	// Sessions connected now.
	Sessions int64 `json:"sessions"`
	// Subscriptions to channels and patterns that its sessions hold now.
	Subscriptions int64 `json:"subscriptions"`
	// Deliveries since start, of all generations.
	Deliveries uint64 `json:"deliveries"`
	// DeliveryBytes is what was written for them, frame headers included.
	DeliveryBytes uint64 `json:"delivery_bytes"`
	// RecordsFetched is how many the source gave since start, of the partitions
	// that it owned.
	RecordsFetched uint64 `json:"records_fetched"`
	// CPUS is CPU seconds used by all generations.
	CPUS float64 `json:"cpu_s"`
	// ResidentBytes is memory in use.
	ResidentBytes int64 `json:"resident_bytes"`
	// HistoryBytes is what its history takes, of all partitions.
	HistoryBytes int64 `json:"history_bytes"`
	// HistoryBytesMax is what it may take (limits.history_bytes_max); 0: not
	// known yet.
	HistoryBytesMax int64 `json:"history_bytes_max"`
	// HistoryRecords is how many the history holds.
	HistoryRecords int64 `json:"history_records"`
	// HistoryAgeS is the seconds since the oldest of them arrived here.
	HistoryAgeS float64 `json:"history_age_s"`
	// OwedBytes is what sessions are owed and the kernel has not taken.
	OwedBytes int64 `json:"owed_bytes"`
	// BlockedSessions is how many wait for the kernel to take more.
	BlockedSessions int64 `json:"blocked_sessions"`
	// Handshakes completed since start.
	Handshakes uint64 `json:"handshakes"`
	// Refused is the connections refused with 503 since start.
	Refused uint64 `json:"refused"`
	// Closed is the sessions that ended since start, in whatever way.
	Closed uint64 `json:"closed"`
	// SlowCloses is those of them that were closed because they were too slow.
	SlowCloses uint64 `json:"slow_closes"`
	// SlowDrops is the records dropped, or replaced by newer ones, for slow
	// sessions since start.
	SlowDrops uint64 `json:"slow_drops"`
	// Gaps is the notices sent of them.
	Gaps uint64 `json:"gaps"`
	// Partitions that it owns.
	Partitions int `json:"partitions"`
	// HeartbeatAgeMS is how long it has been silent, or since its start.
	HeartbeatAgeMS int64 `json:"heartbeat_age_ms"`
	// Respawns is how often the slot's worker was replaced.
	Respawns uint64 `json:"respawns"`
	// LentTo is the slot that serves this one's listener meanwhile, null: itself.
	LentTo *int `json:"lent_to"`
}

// Lives tells whether a process runs in the slot, as far as is known.
func (w Worker) Lives() bool { return w.PID != 0 && w.State != Gone }

// Stale tells whether it has been silent for longer than a living one should.
func (w Worker) Stale() bool { return w.HeartbeatAgeMS > shm.StaleAfter.Milliseconds() }

// Partition is one partition of one topic.
type Partition struct {
	// Topic is its name.
	Topic string `json:"topic"`
	// Partition is its number in the topic.
	Partition int32 `json:"partition"`
	// Owner is the slot that consumes it, null: nobody.
	Owner *int `json:"owner"`
	// Term counts the changes of owner.
	Term uint32 `json:"term"`
	// Era counts the truncations and incarnations seen.
	Era uint32 `json:"era"`
	// Position is the last offset held by the owner (by any worker, while
	// there is no owner that has published one); -1: none.
	Position int64 `json:"position"`
	// Lag is the records that the broker could give beyond it, as far as is
	// known; never negative.
	Lag int64 `json:"lag"`
	// LagS is 0 while the lag is known to be 0: an owner that is alive, with a
	// healthy source, has caught up. Otherwise it is the seconds since that
	// was last so, or since the start.
	LagS float64 `json:"lag_s"`
	// OpenTransaction is the records that an open transaction holds back.
	OpenTransaction int64 `json:"open_transaction"`
}

// The values of Status.State and Worker.State.
const (
	Starting = "starting"
	Ready    = "ready"
	Degraded = "degraded"
	Draining = "draining"
	Gone     = "gone"
)
