package config

// turnLimits are the limits of one turn of a worker's loop.
func turnLimits() []Key {
	return []Key{
		{
			Name: "limits.turn_read_bytes_max", Kind: Bytes, Default: "16KiB", Min: 4 << 10, Max: 64 << 20, Reload: Live,
			Help:  "input of one session",
			field: func(c *Config) any { return &c.Limits.TurnReadBytesMax },
		},
		{
			Name: "limits.turn_records_max", Kind: Number, Default: "4096", Min: 1, Max: 1_000_000, Reload: Live,
			Help:  "records applied",
			field: func(c *Config) any { return &c.Limits.TurnRecordsMax },
		},
		{
			Name: "limits.turn_bytes_max", Kind: Bytes, Default: "4MiB", Min: 64 << 10, Max: 1 << 30, Reload: Live,
			Help:  "bytes of records applied",
			field: func(c *Config) any { return &c.Limits.TurnBytesMax },
		},
		{
			Name: "limits.turn_deflated_bytes_max", Kind: Bytes, Default: "512KiB", Min: 64 << 10, Max: 1 << 30, Reload: Live,
			Help: "the same, while there are sessions that want them compressed", Why: "2 to 15 ms at level 1, by the size of the records",
			field: func(c *Config) any { return &c.Limits.TurnDeflatedBytesMax },
		},
		{
			Name: "limits.rest_percent", Kind: Number, Default: "25", Min: 0, Max: 100, Reload: Live,
			Help: "rest after a turn under load, of the turn's time", Why: "fewer, fuller writes: 0.76 instead of 0.95 µs a delivery",
			field: func(c *Config) any { return &c.Limits.RestPercent },
		},
		{
			Name: "limits.rest_us_min", Kind: Microseconds, Default: "500", Min: 0, Max: 10_000, Reload: Live,
			Help:  "a shorter rest is none",
			field: func(c *Config) any { return &c.Limits.RestMin },
		},
		{
			Name: "limits.rest_us_max", Kind: Microseconds, Default: "10000", Min: 0, Max: 1_000_000, Reload: Live,
			Help:  "a longer rest is cut",
			field: func(c *Config) any { return &c.Limits.RestMax },
		},
		{
			Name: "limits.input_poll_sessions", Kind: Number, Default: "256", Min: 1, Max: 1_000_000, Reload: Live,
			Help: "sessions written between two looks at the input", Why: "a pong or a subscribe never waits for a whole round",
			field: func(c *Config) any { return &c.Limits.InputPollSessions },
		},
		{
			Name: "limits.input_poll_us", Kind: Microseconds, Default: "2000", Min: 10, Max: 1_000_000, Reload: Live,
			Help:  "time between two looks at the input",
			field: func(c *Config) any { return &c.Limits.InputPollInterval },
		},
	}
}

// supervisorLimits are the limits of the supervisor.
func supervisorLimits() []Key {
	return []Key{
		{
			Name: "limits.heartbeat_beat_ms", Kind: Milliseconds, Default: "100", Min: 10, Max: 10_000, Reload: Live,
			Help:  "between two beats of a worker",
			field: func(c *Config) any { return &c.Limits.HeartbeatBeat },
		},
		{
			Name: "limits.heartbeat_suspect_ms", Kind: Milliseconds, Default: "2000", Min: 50, Max: 600_000, Reload: Live,
			Help: "without a beat: its partitions get new owners", Why: "a busy machine of 2 cores must not misfire",
			field: func(c *Config) any { return &c.Limits.HeartbeatSuspect },
		},
		{
			Name: "limits.heartbeat_dead_ms", Kind: Milliseconds, Default: "10000", Min: 100, Max: 3_600_000, Reload: Live,
			Help: "without a beat: its goroutines are dumped, it is killed", Why: "a busy machine of 2 cores must not misfire",
			field: func(c *Config) any { return &c.Limits.HeartbeatDead },
		},
		{
			Name: "limits.lend_ms", Kind: Milliseconds, Default: "500", Min: 10, Max: 60_000, Reload: Live,
			Help: "not ready for so long: a sibling accepts on its listener", Why: "the kernel goes on giving it its share of the connects",
			field: func(c *Config) any { return &c.Limits.LendAfter },
		},
		{
			Name: "limits.respawn_ms_first", Kind: Milliseconds, Default: "100", Min: 1, Max: 60_000, Reload: Live,
			Help:  "wait before the second respawn in a row (the first is at once); then it doubles",
			field: func(c *Config) any { return &c.Limits.RespawnFirst },
		},
		{
			Name: "limits.respawn_ms_max", Kind: Milliseconds, Default: "30000", Min: 1, Max: 3_600_000, Reload: Live,
			Help:  "longest wait before a respawn",
			field: func(c *Config) any { return &c.Limits.RespawnMax },
		},
		{
			Name: "limits.respawn_jitter_percent", Kind: Number, Default: "20", Min: 0, Max: 100, Reload: Live,
			Help:  "jitter of that wait, either way",
			field: func(c *Config) any { return &c.Limits.RespawnJitter },
		},
		{
			Name: "limits.respawn_reset_ms", Kind: Milliseconds, Default: "60000", Min: 100, Max: 86_400_000, Reload: Live,
			Help:  "up for so long: the count starts again",
			field: func(c *Config) any { return &c.Limits.RespawnReset },
		},
		{
			Name: "limits.respawn_attempts_max", Kind: Number, Default: "10", Min: 1, Max: 1_000_000, Reload: Live,
			Help:  "respawns in a row; then the slot is given up",
			field: func(c *Config) any { return &c.Limits.RespawnAttemptsMax },
		},
		{
			Name: "limits.orphan_stop_ms_max", Kind: Milliseconds, Default: "10000", Min: 100, Max: 600_000, Reload: Live,
			Help:  "without supervisor, workers have closed with 1001 and ended by then",
			field: func(c *Config) any { return &c.Limits.OrphanStopMax },
		},
		{
			Name: "limits.stop_ms", Kind: Milliseconds, Default: "5000", Min: 0, Max: 600_000, Reload: Live,
			Help:  "closes of a stop are spread over this",
			field: func(c *Config) any { return &c.Limits.StopOver },
		},
		{
			Name: "limits.stop_ms_max", Kind: Milliseconds, Default: "10000", Min: 100, Max: 600_000, Reload: Live,
			Help:  "by then a stopping odind is gone",
			field: func(c *Config) any { return &c.Limits.StopMax },
		},
		{
			Name: "limits.drain_ms", Kind: Milliseconds, Default: "60000", Min: 0, Max: DrainOverMax.Milliseconds(), Reload: Live,
			Help: "closes of a drain are spread over this, unless it says otherwise", Why: "one random instant in each of N equal slices: smooth by construction",
			field: func(c *Config) any { return &c.Limits.DrainOver },
		},
		{
			Name: "limits.topology_refresh_ms", Kind: Milliseconds, Default: "5000", Min: 100, Max: 3_600_000, Reload: Live,
			Help:  "between two looks at topics and partitions",
			field: func(c *Config) any { return &c.Limits.TopologyRefresh },
		},
		{
			Name: "limits.topics_max", Kind: Number, Default: "64", Min: 1, Max: 64,
			Help: "topics", Why: "the shared segment has a fixed size",
			field: func(c *Config) any { return &c.Limits.TopicsMax },
		},
		{
			Name: "limits.partitions_max", Kind: Number, Default: "4096", Min: 1, Max: 4096,
			Help: "partitions of all topics", Why: "the shared segment has a fixed size",
			field: func(c *Config) any { return &c.Limits.PartitionsMax },
		},
	}
}

// retryLimits are the limits of what clients are told about coming back.
func retryLimits() []Key {
	return []Key{
		{
			Name: "limits.retry_ms_min", Kind: Milliseconds, Default: "500", Min: 0, Max: 3_600_000, Reload: Live,
			Help: "earliest reconnect after a retryable close", Why: "spreads the return",
			field: func(c *Config) any { return &c.Limits.RetryMin },
		},
		{
			Name: "limits.retry_ms_max", Kind: Milliseconds, Default: "5000", Min: 1, Max: 3_600_000, Reload: Live,
			Help: "latest reconnect after a retryable close", Why: "spreads the return",
			field: func(c *Config) any { return &c.Limits.RetryMax },
		},
		{
			Name: "limits.retry_overload_ms_min", Kind: Milliseconds, Default: "5000", Min: 0, Max: 3_600_000, Reload: Live,
			Help: "earliest reconnect after 1013", Why: "spreads the return",
			field: func(c *Config) any { return &c.Limits.RetryOverloadMin },
		},
		{
			Name: "limits.retry_overload_ms_max", Kind: Milliseconds, Default: "30000", Min: 1, Max: 3_600_000, Reload: Live,
			Help: "latest reconnect after 1013", Why: "spreads the return",
			field: func(c *Config) any { return &c.Limits.RetryOverloadMax },
		},
		{
			Name: "limits.retry_after_s", Kind: Seconds, Default: "5", Min: 1, Max: 3600, Reload: Live,
			Help:  "Retry-After of a 503",
			field: func(c *Config) any { return &c.Limits.RetryAfter },
		},
	}
}

// healthLimits are the limits of what /health calls too much.
func healthLimits() []Key {
	return []Key{
		{
			Name: "limits.cpus_max", Kind: Decimal, Default: "0", Min: 0, Max: 4096, Reload: Live,
			Aliases: []string{"WS_CPU_LIMIT"},
			Help:    "cores that odind may use; 0: the CPU quota",
			field:   func(c *Config) any { return &c.Limits.CPUsMax },
		},
		{
			Name: "limits.memory_bytes_max", Kind: Bytes, Default: "0", Min: 0, Max: 1 << 46, Reload: Live,
			Aliases: []string{"WS_MEMORY_LIMIT"},
			Help:    "memory of all processes; 0: the cgroup's limit",
			field:   func(c *Config) any { return &c.Limits.MemoryBytesMax },
		},
		{
			Name: "limits.goroutines_max", Kind: Number, Default: "0", Min: 0, Max: 100_000_000, Reload: Live,
			Aliases: []string{"WS_MAX_GOROUTINES"},
			Help:    "goroutines of all processes; 0: no limit",
			field:   func(c *Config) any { return &c.Limits.GoroutinesMax },
		},
		{
			Name: "limits.fetch_records_per_s_max", Kind: Number, Default: "0", Min: 0, Max: 1_000_000_000, Reload: Live,
			Aliases: []string{"WS_MAX_KAFKA_RATE"},
			Help:    "records that each worker takes a second from its partitions; 0: no limit. What comes faster waits at the broker", Why: "a fetch is taken whole, so it is held on the average. Odin needs none: Kafka is paused by what is not yet applied",
			field: func(c *Config) any { return &c.Limits.FetchRecordsMax },
		},
		{
			Name: "limits.deliver_records_per_s_max", Kind: Number, Default: "0", Min: 0, Max: 1_000_000_000, Reload: Live,
			Aliases: []string{"WS_MAX_BROADCAST_RATE"},
			Help:    "records that each worker gives to its sessions a second, to however many of them; 0: no limit. What comes faster waits at the broker, and nothing is lost", Why: "every worker gives every record. A slow session is helped by its route's slow policy, not by a rate",
			field: func(c *Config) any { return &c.Limits.DeliverRecordsMax },
		},
	}
}
