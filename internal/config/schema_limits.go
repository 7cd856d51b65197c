package config

import "slices"

// limitKeys are the keys under limits: protocol.md section 5 and what the loop needs besides.
func limitKeys() []Key {
	return slices.Concat(sessionLimits(), workerLimits(), turnLimits(), supervisorLimits(), retryLimits(), healthLimits())
}

// sessionLimits are the limits of one session.
func sessionLimits() []Key {
	return []Key{
		{
			Name: "limits.request_bytes_max", Kind: Bytes, Default: "256KiB", Min: 1 << 10, Max: 64 << 20, Reload: Live,
			Help: "one request; a larger one closes with 1009", Why: "10,000 channels in one request are still answered in words",
			field: func(c *Config) any { return &c.Limits.RequestBytesMax },
		},
		{
			Name: "limits.channels_max", Kind: Number, Default: "1000", Min: 1, Max: 1_000_000, Reload: Live,
			Help:  "subscriptions of a session; beyond: too_many_channels",
			field: func(c *Config) any { return &c.Limits.ChannelsMax },
		},
		{
			Name: "limits.errors_max", Kind: Number, Default: "20", Min: 1, Max: 1_000_000, Reload: Live,
			Help: "errors answered to a session within limits.errors_window_ms; beyond: 1008", Why: "a client that only makes mistakes is broken or hostile",
			field: func(c *Config) any { return &c.Limits.ErrorsMax },
		},
		{
			Name: "limits.errors_window_ms", Kind: Milliseconds, Default: "60000", Min: 1000, Max: 3_600_000, Reload: Live,
			Help:  "see limits.errors_max",
			field: func(c *Config) any { return &c.Limits.ErrorsWindow },
		},
		{
			Name: "limits.owed_bytes_max", Kind: Bytes, Default: "1MiB", Min: 64 << 10, Max: 1 << 30, Reload: Live,
			Help: "what a session may be owed, by reference; beyond, its routes' slow policy acts", Why: "a second at 800 KB/s",
			field: func(c *Config) any { return &c.Limits.OwedBytesMax },
		},
		{
			Name: "limits.notsent_lowat_bytes", Kind: Bytes, Default: "64KiB", Min: 4 << 10, Max: 64 << 20, Reload: NewClients,
			Help: "TCP_NOTSENT_LOWAT: unsent bytes in the kernel, beyond which a session is not writable", Why: "a stuck peer swallows 4.1 MB without it, 65 KB with it",
			field: func(c *Config) any { return &c.Limits.NotSentLowatBytes },
		},
		{
			Name: "limits.ping_interval_ms", Kind: Milliseconds, Default: "25000", Min: 1000, Max: 3_600_000, Reload: NewClients,
			Help: "between two pings, from a jittered start", Why: "proxies close what is idle for 30 to 60 s",
			field: func(c *Config) any { return &c.Limits.PingInterval },
		},
		{
			Name: "limits.pong_wait_ms", Kind: Milliseconds, Default: "10000", Min: 100, Max: 3_600_000, Reload: Live,
			Help:  "how late a pong may be; then the session is closed",
			field: func(c *Config) any { return &c.Limits.PongWait },
		},
		{
			Name: "limits.tcp_user_timeout_ms", Kind: Milliseconds, Default: "35000", Min: 1000, Max: 3_600_000, Reload: NewClients,
			Help: "TCP_USER_TIMEOUT: how long data may stay unacknowledged", Why: "a ping interval and a pong wait",
			field: func(c *Config) any { return &c.Limits.TCPUserTimeout },
		},
		{
			Name: "limits.close_linger_ms_max", Kind: Milliseconds, Default: "2000", Min: 0, Max: 60_000, Reload: Live,
			Help: "how long input is discarded after a close frame", Why: "closing with unread input sends RST, and the frame is lost",
			field: func(c *Config) any { return &c.Limits.CloseLinger },
		},
		{
			Name: "limits.close_linger_bytes_max", Kind: Bytes, Default: "4MiB", Min: 0, Max: 1 << 30, Reload: Live,
			Help:  "how much input is discarded after a close frame",
			field: func(c *Config) any { return &c.Limits.CloseLingerBytesMax },
		},
	}
}

// workerLimits are the limits of one worker.
func workerLimits() []Key {
	return []Key{
		{
			Name: "limits.connections_max", Kind: Number, Min: 1, Max: workersMax * filesMax, Reload: Live,
			Aliases: []string{"WS_MAX_CONNECTIONS"},
			Auto:    "workers × (open files allowed to a process − limits.fds_reserve − 2 × handshakes at once)", auto: func(h Host, c *Config) string { return h.connections(c) },
			Help:  "connections of the whole server; beyond: 503",
			field: func(c *Config) any { return &c.Limits.ConnectionsMax },
		},
		{
			Name: "limits.fds_reserve", Kind: Number, Default: "256", Min: 16, Max: 1_000_000, Reload: Live,
			Help: "open files of a worker that no session gets", Why: "503 must still be said, and the brokers, the bus and the listeners need theirs",
			field: func(c *Config) any { return &c.Limits.FDsReserve },
		},
		{
			Name: "limits.input_bytes_max", Kind: Bytes, Default: "64MiB", Min: 1 << 20, Max: 64 << 30, Reload: Live,
			Help: "unparsed input of all sessions; beyond: 1013", Why: "5,000 slow senders can't fill the memory",
			field: func(c *Config) any { return &c.Limits.InputBytesMax },
		},
		{
			Name: "limits.answer_bytes_max", Kind: Bytes, Default: "64MiB", Min: 1 << 20, Max: 64 << 30, Reload: Live,
			Help: "answers that clients asked for and do not read, of all sessions; beyond: 1013", Why: "answers are bytes by value, unlike records",
			field: func(c *Config) any { return &c.Limits.AnswerBytesMax },
		},
		{
			Name: "limits.handshake_ms_max", Kind: Milliseconds, Default: "5000", Min: 100, Max: 600_000, Reload: NewClients,
			Help: "from accept to the whole head of the request", Why: "slow loris",
			field: func(c *Config) any { return &c.Limits.HandshakeMax },
		},
		{
			Name: "limits.head_bytes_max", Kind: Bytes, Default: "8KiB", Min: 1 << 10, Max: 1 << 20, Reload: NewClients,
			Help: "head of the upgrade request", Why: "slow loris",
			field: func(c *Config) any { return &c.Limits.HeadBytesMax },
		},
		{
			Name: "limits.handshakes_pending_max", Kind: Number, Default: "1024", Min: 1, Max: 100_000, Reload: Live,
			Help:  "handshakes under way in one worker; beyond: 503",
			field: func(c *Config) any { return &c.Limits.HandshakesPendingMax },
		},
		{
			Name: "limits.record_bytes_max", Kind: Bytes, Default: "1MiB", Min: 1 << 10, Max: 64 << 20, Reload: Live,
			Help: "one record as a frame; a larger one is skipped and counted", Why: "Kafka's default",
			field: func(c *Config) any { return &c.Limits.RecordBytesMax },
		},
		{
			Name: "limits.fetched_bytes_max", Kind: Bytes, Default: "64MiB", Min: 1 << 20, Max: 64 << 30, Reload: Live,
			Help:  "fetched and not yet applied; beyond, Kafka is paused",
			field: func(c *Config) any { return &c.Limits.FetchedBytesMax },
		},
		{
			Name: "limits.history_bytes_max", Kind: Bytes, Default: "256MiB", Min: 4 << 20, Max: 1 << 40, Reload: Live,
			Help:  "history of all partitions; every worker holds one",
			field: func(c *Config) any { return &c.Limits.HistoryBytesMax },
		},
		{
			Name: "limits.history_ms_max", Kind: Milliseconds, Default: "300000", Min: 1000, Max: 604_800_000, Reload: Live,
			Help:  "age of the history's records, since their arrival; where few come, the oldest are a quarter older",
			field: func(c *Config) any { return &c.Limits.HistoryAgeMax },
		},
		{
			Name: "limits.history_refill_ms", Kind: Milliseconds, Default: "300000", Min: 0, Max: 604_800_000, Reload: Live,
			Help: "how far back a worker that starts reads what was before it; 0: not at all", Why: "who was connected before a restart resumes",
			field: func(c *Config) any { return &c.Limits.HistoryRefill },
		},
		{
			Name: "limits.history_records_max", Kind: Number, Default: "10000", Min: 1, Max: 100_000_000, Reload: Live,
			Help:  "history of a partition",
			field: func(c *Config) any { return &c.Limits.HistoryRecordsMax },
		},
		{
			Name: "limits.backfill_records_max", Kind: Number, Default: "10000", Min: 0, Max: 10_000_000, Reload: Live,
			Help:  "records of one replay from the log; beyond: reason limit",
			field: func(c *Config) any { return &c.Limits.BackfillRecordsMax },
		},
		{
			Name: "limits.backfill_bytes_max", Kind: Bytes, Default: "16MiB", Min: 0, Max: 1 << 30, Reload: Live,
			Help:  "bytes of one replay from the log; beyond: reason limit",
			field: func(c *Config) any { return &c.Limits.BackfillBytesMax },
		},
		{
			Name: "limits.backfill_requests_max", Kind: Number, Default: "4", Min: 1, Max: 1000, Reload: Live,
			Help:  "replays from the log at once",
			field: func(c *Config) any { return &c.Limits.BackfillRequestsMax },
		},
		{
			Name: "limits.backfill_kept_bytes_max", Kind: Bytes, Default: "64MiB", Min: 4 << 20, Max: 1 << 40, Reload: Live,
			Help:  "read from the log for replays, and what leaves history behind it, in one worker: kept as long as history, for who needs the same",
			field: func(c *Config) any { return &c.Limits.BackfillKeptBytesMax },
		},
		{
			Name: "limits.backfill_ms_max", Kind: Milliseconds, Default: "10000", Min: 100, Max: 600_000, Reload: Live,
			Help:  "time of one replay from the log; beyond: reason unavailable",
			field: func(c *Config) any { return &c.Limits.BackfillMax },
		},
		{
			Name: "limits.replay_turn_bytes_max", Kind: Bytes, Default: "2MiB", Min: 64 << 10, Max: 1 << 30, Reload: Live,
			Help: "replayed in one turn of the loop to all who resume", Why: "who stayed never waits longer for it",
			field: func(c *Config) any { return &c.Limits.ReplayTurnBytesMax },
		},
		{
			Name: "limits.replay_state_bytes_max", Kind: Bytes, Default: "64MiB", Min: 1 << 20, Max: 16 << 30, Reload: Live,
			Help:  "remembered in one worker of all who resume; beyond: 1013",
			field: func(c *Config) any { return &c.Limits.ReplayStateBytesMax },
		},
		{
			Name: "limits.commit_ms", Kind: Milliseconds, Default: "5000", Min: 100, Max: 3_600_000, Reload: Live,
			Help: "between two commits to kafka.group; one at a time, of what has moved", Why: "what consumers do by default",
			field: func(c *Config) any { return &c.Limits.CommitInterval },
		},
		{
			Name: "limits.bus_unsent_bytes_max", Kind: Bytes, Default: "32MiB", Min: 1 << 20, Max: 16 << 30, Reload: Live,
			Help:  "unsent to one sibling, beside one record: records wait in the history, questions can't; beyond, the link is made anew",
			field: func(c *Config) any { return &c.Limits.BusUnsentBytesMax },
		},
		{
			Name: "limits.bus_batch_bytes_max", Kind: Bytes, Default: "256KiB", Min: 4 << 10, Max: 16 << 20, Reload: Live,
			Help: "one batch to a sibling", Why: "59 ns a record batched, 1.4 µs with a write each",
			field: func(c *Config) any { return &c.Limits.BusBatchBytesMax },
		},
		{
			Name: "limits.closed_remembered_max", Kind: Number, Default: "10000", Min: 0, Max: 10_000_000, Reload: Live,
			Help: "closed sessions that are remembered with their reason (odinctl conns --closed), shared out to the workers", Why: "160 to 320 bytes each, taken when sessions close",
			field: func(c *Config) any { return &c.Limits.ClosedRememberedMax },
		},
	}
}
