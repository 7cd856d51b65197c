package config

import "time"

// DrainOverMax is the longest window of a drain, wherever it is named.
const DrainOverMax = time.Hour

// Limits are the named bounds of everything that could grow. The comments say
// the unit; defaults, bounds and reasons stand in the table (schema_limits.go)
// and in docs/CONFIGURATION.md.
type Limits struct {
	// One session.
	RequestBytesMax     int           `json:"request_bytes_max"`      // one request; beyond: 1009
	ChannelsMax         int           `json:"channels_max"`           // subscriptions of a session
	ErrorsMax           int           `json:"errors_max"`             // errors within ErrorsWindow; beyond: 1008
	ErrorsWindow        time.Duration `json:"errors_window"`          // see ErrorsMax
	OwedBytesMax        int           `json:"owed_bytes_max"`         // queue by reference; beyond: the route's slow policy
	NotSentLowatBytes   int           `json:"notsent_lowat_bytes"`    // TCP_NOTSENT_LOWAT
	PingInterval        time.Duration `json:"ping_interval"`          // between pings
	PongWait            time.Duration `json:"pong_wait"`              // how late a pong may be
	TCPUserTimeout      time.Duration `json:"tcp_user_timeout"`       // unacknowledged data, then the kernel gives up
	CloseLinger         time.Duration `json:"close_linger"`           // input discarded after a close frame, at most so long
	CloseLingerBytesMax int           `json:"close_linger_bytes_max"` // and so much

	// One worker.
	ConnectionsMax       int           `json:"connections_max"`         // of the whole server; ConnectionsPerWorker is the share
	FDsReserve           int           `json:"fds_reserve"`             // kept free, so that 503 can be said
	InputBytesMax        int           `json:"input_bytes_max"`         // unparsed input of all sessions; beyond: 1013
	AnswerBytesMax       int           `json:"answer_bytes_max"`        // unread answers of all sessions; beyond: 1013
	HandshakeMax         time.Duration `json:"handshake_max"`           // from accept to the whole head
	HeadBytesMax         int           `json:"head_bytes_max"`          // head of the upgrade request
	HandshakesPendingMax int           `json:"handshakes_pending_max"`  // beyond: accept waits
	RecordBytesMax       int           `json:"record_bytes_max"`        // one encoded frame; beyond: skipped and counted
	FetchedBytesMax      int           `json:"fetched_bytes_max"`       // fetched and not yet applied; then Kafka pauses
	HistoryBytesMax      int           `json:"history_bytes_max"`       // all partitions together
	HistoryAgeMax        time.Duration `json:"history_age_max"`         // since arrival
	HistoryRefill        time.Duration `json:"history_refill"`          // how far back a worker that starts reads
	HistoryRecordsMax    int           `json:"history_records_max"`     // per partition
	BackfillRecordsMax   int           `json:"backfill_records_max"`    // of one replay from the log; beyond: `limit`
	BackfillBytesMax     int           `json:"backfill_bytes_max"`      // of one replay from the log; beyond: `limit`
	BackfillRequestsMax  int           `json:"backfill_requests_max"`   // at once
	BackfillKeptBytesMax int           `json:"backfill_kept_bytes_max"` // of all replays from the log, kept for others who need them
	BackfillMax          time.Duration `json:"backfill_max"`            // of one replay; beyond: `unavailable`
	CommitInterval       time.Duration `json:"commit_interval"`         // between commits to Kafka.Group
	BusUnsentBytesMax    int           `json:"bus_unsent_bytes_max"`    // to one sibling
	BusBatchBytesMax     int           `json:"bus_batch_bytes_max"`     // one write to a sibling
	ReplayTurnBytesMax   int           `json:"replay_turn_bytes_max"`   // replayed in one turn
	ReplayStateBytesMax  int           `json:"replay_state_bytes_max"`  // what is remembered of sessions that resume; beyond: 1013
	ClosedRememberedMax  int           `json:"closed_remembered_max"`   // closed sessions kept for `odinctl conns`

	// One turn of the loop.
	TurnReadBytesMax     int           `json:"turn_read_bytes_max"`     // input of one session
	TurnRecordsMax       int           `json:"turn_records_max"`        // records applied
	TurnBytesMax         int           `json:"turn_bytes_max"`          // bytes of records applied
	TurnDeflatedBytesMax int           `json:"turn_deflated_bytes_max"` // the same, while sessions want them compressed
	RestPercent          int           `json:"rest_percent"`            // of the last turn's time
	RestMin              time.Duration `json:"rest_min"`                // a shorter rest is none
	RestMax              time.Duration `json:"rest_max"`                // a longer rest is cut
	InputPollSessions    int           `json:"input_poll_sessions"`     // written sessions between two looks at the input
	InputPollInterval    time.Duration `json:"input_poll_interval"`     // time between two looks at the input

	// The supervisor.
	HeartbeatBeat      time.Duration `json:"heartbeat_beat"`       // between beats
	HeartbeatSuspect   time.Duration `json:"heartbeat_suspect"`    // without a beat: elect anew
	HeartbeatDead      time.Duration `json:"heartbeat_dead"`       // without a beat: dump and kill
	LendAfter          time.Duration `json:"lend_after"`           // not ready: its listener is lent to a sibling
	RespawnFirst       time.Duration `json:"respawn_first"`        // wait before the second respawn (the first is at once)
	RespawnMax         time.Duration `json:"respawn_max"`          // the wait doubles up to this
	RespawnJitter      int           `json:"respawn_jitter"`       // percent, either way
	RespawnReset       time.Duration `json:"respawn_reset"`        // up so long: counted from the start again
	RespawnAttemptsMax int           `json:"respawn_attempts_max"` // in a row; then the slot is given up
	OrphanStopMax      time.Duration `json:"orphan_stop_max"`      // a worker without supervisor has ended by then
	StopOver           time.Duration `json:"stop_over"`            // closes of a stop are spread over this
	StopMax            time.Duration `json:"stop_max"`             // by then a stopping odind is gone
	DrainOver          time.Duration `json:"drain_over"`           // closes of a drain are spread over this
	TopologyRefresh    time.Duration `json:"topology_refresh"`     // between looks at topics and partitions
	TopicsMax          int           `json:"topics_max"`
	PartitionsMax      int           `json:"partitions_max"`

	// What clients are told about coming back.
	RetryMin         time.Duration `json:"retry_min"`          // retryable closes but 1013
	RetryMax         time.Duration `json:"retry_max"`          // see RetryMin
	RetryOverloadMin time.Duration `json:"retry_overload_min"` // 1013
	RetryOverloadMax time.Duration `json:"retry_overload_max"` // 1013
	RetryAfter       time.Duration `json:"retry_after"`        // Retry-After of a 503, whole seconds

	// What /health calls too much; 0: no limit of Odin's own.
	CPUsMax           float64 `json:"cpus_max"`            // cores that Odin may use; 0: the CPU quota
	MemoryBytesMax    int     `json:"memory_bytes_max"`    // of all processes; 0: the cgroup's limit
	GoroutinesMax     int     `json:"goroutines_max"`      // of all processes
	FetchRecordsMax   int     `json:"fetch_records_max"`   // records that a worker takes a second; 0: no limit
	DeliverRecordsMax int     `json:"deliver_records_max"` // records that a worker gives to sessions a second; 0: no limit
}

// Descriptors is for how many sessions, and for how many handshakes at once, a
// process has descriptors that may open so many files: a reserve is kept for
// all else, and as many who were refused may still have to read their answer as
// there are handshakes.
func (l Limits) Descriptors(files int) (sessions, handshakes int) {
	handshakes = max(min(l.HandshakesPendingMax, files/16), 1)
	return max(files-l.FDsReserve-2*handshakes, 1), handshakes
}
