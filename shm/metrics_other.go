package shm

var gaugeTable = [GaugeCount]Metric{
	Sessions: gauge("sessions", Count, "Sessions connected now.").
		when("always"),
	SessionsMax: gauge("sessions_max", Count, "Sessions that the worker takes at most: its share of limits.connections_max, or what its descriptors allow.").
		when("connections are refused"),
	Subscriptions: gauge("subscriptions", Count, "Channels and patterns that sessions are subscribed to now, once for each session."),
	Channels:      gauge("channels", Count, "Different channels that somebody is subscribed to now."),
	Patterns:      gauge("patterns", Count, "Different patterns (with a *) that somebody is subscribed to now."),
	OwedBytes: gauge("owed_bytes", Bytes, "Bytes that waiting sessions are owed and the kernel has not taken.").
		when("sessions are closed with 4000"),
	DeflatingSessions: gauge("sessions_deflating", Count, "Sessions connected now that agreed on permessage-deflate."),
	AnswerBytes:       gauge("answers_owed_bytes", Bytes, "Bytes of answers that clients have not read, bounded by limits.answer_bytes_max."),
	ReplayingSessions: gauge("sessions_replaying", Count, "Sessions that are being replayed what they missed."),
	BlockedSessions: gauge("sessions_blocked", Count, "Sessions that wait for the kernel to take more.").
		when("sessions are closed with 4000"),
	ClosingSessions:   gauge("sessions_closing", Count, "Sessions that were sent a close frame and whose connection has not ended."),
	PendingHandshakes: gauge("handshakes_pending", Count, "Connections whose handshake is not complete."),
	InputBytes:        gauge("input_buffered_bytes", Bytes, "Bytes of requests that are not complete, bounded by limits.input_bytes_max."),
	SourceHealthy: gauge("source_healthy", Flag, "1 while the worker's source answers, else 0.").
		when("lag grows, or nothing comes"),
	SourcePaused:    gauge("source_paused", Flag, "1 while fetching waits because the worker can't keep up, else 0."),
	PartitionsOwned: gauge("partitions_owned", Count, "Partitions that the worker consumes."),
	UnappliedBytes:  gauge("unapplied_bytes", Bytes, "Bytes fetched that the loop has not taken over, bounded by limits.fetched_bytes_max."),
	BusLinks: gauge("bus_links", Count, "Siblings that the worker is linked to: all others, in health.").
		when("lag grows on some workers only"),
	BusLinksBlocked:      gauge("bus_links_blocked", Count, "Siblings that don't take what is relayed to them as fast as it comes."),
	BusOwedBytes:         gauge("bus_owed_bytes", Bytes, "Bytes encoded for siblings that the kernel has not taken."),
	HistoryBytes:         gauge("history_bytes", Bytes, "Memory of the history, bounded by limits.history_bytes_max."),
	HistoryBytesMax:      gauge("history_max_bytes", Bytes, "What the history may take: limits.history_bytes_max, and at least 4 MiB."),
	HistoryDeflatedBytes: gauge("history_deflated_bytes", Bytes, "Bytes of the history that are compressed forms of its records."),
	HistoryRecords:       gauge("history_records", Count, "Records that the history holds."),
	HistoryAge: gauge("history_age_seconds", Microseconds, "Since the oldest record that the history holds arrived here; 0: it holds none.").
		when("sessions resume with reason trimmed or limit"),
	HistoryChunks: gauge("history_chunks", Count, "Chunks of 1 MiB that the history holds."),
	HeapBytes:     gauge("heap_bytes", Bytes, "Bytes of live and unswept objects in the Go heap."),
	ResidentBytes: gauge("resident_memory_bytes", Bytes, "Bytes of the worker that are in memory.").
		when("always"),
	Goroutines: gauge("goroutines", Count, "Goroutines of the worker: a few dozen and one for each handshake."),
	OpenFds: gauge("open_fds", Count, "File descriptors that the worker has open.").
		when("connections are refused with reason fds"),
	FdLimit: gauge("fds_max", Count, "File descriptors that the worker may have open."),
}

func gauge(name string, unit Unit, help string) Metric {
	return Metric{Name: name, Kind: KindGauge, Unit: unit, Help: help}
}

var histogramTable = [HistogramCount]Metric{
	DeliveryLatency: histogramOf("delivery_latency_seconds", Microseconds,
		"From a record's timestamp, in whole milliseconds, to the write to a session; right as far as the producer's clock is.",
		250, 500, 1e3, 1500, 2e3, 3e3, 5e3, 7500, 10e3, 15e3, 20e3, 30e3, 50e3, 75e3, 100e3, 150e3, 250e3, 500e3, 1e6, 2500e3, 5e6, 10e6, 60e6).
		when("always"),
	TurnLength: histogramOf("turn_seconds", Microseconds, "How long a turn of the loop took, waiting aside; the rate of its sum is how busy the loop is.",
		10, 25, 50, 100, 250, 500, 1e3, 2500, 5e3, 10e3, 25e3, 50e3, 100e3, 250e3, 500e3, 1e6, 2500e3).
		when("latency grows"),
	BlockedOwedBytes: histogramOf("blocked_owed_bytes", Bytes, "What a session was owed when a write to it blocked.",
		1<<10, 4<<10, 16<<10, 64<<10, 128<<10, 256<<10, 512<<10, 1<<20, 2<<20, 4<<20),
	HandshakeTime: histogramOf("handshake_seconds", Microseconds, "From accept to the end of the handshake.",
		50, 100, 250, 500, 1e3, 2500, 5e3, 10e3, 25e3, 50e3, 100e3, 250e3, 500e3, 1e6, 5e6),
}

func histogramOf(name string, unit Unit, help string, bounds ...uint64) Metric {
	return Metric{Name: name, Kind: KindHistogram, Unit: unit, Help: help, Bounds: bounds}
}

var supervisorCounterTable = [SupervisorCounterCount]Metric{
	Respawns: counter("respawns_total", "Workers started in the place of one that ended.").
		when("sessions fall, or partitions change their owner"),
	Kills:         counter("kills_total", "Workers killed by the supervisor."),
	WorkersExited: counter("worker_exits_total", "Workers that ended, for whatever cause."),
	WorkersGivenUp: counter("workers_given_up_total", "Slots given up after too many failures in a row; only a restart of odind brings them back.").
		when("always: it stays 0"),
	Suspects: counter("suspects_total", "Workers whose heartbeat was missing long enough for their partitions to be moved.").
		when("latency has peaks of seconds"),
	Deaths:          counter("deaths_total", "Workers whose heartbeat was missing long enough to kill them."),
	Elections:       counter("elections_total", "Elections that changed an owner."),
	OwnerChanges:    counter("owner_changes_total", "Partitions that got another owner, or none."),
	TopologyChanges: counter("topology_changes_total", "Changes of the set of topics and partitions."),
	Lends:           counter("lends_total", "Listeners lent to a sibling of the worker that they belong to."),
	Reloads:         counter("reloads_total", "Configurations reloaded."),
	ReloadsFailed: counter("reloads_failed_total", "Reloads refused, for mistakes in the configuration or because it can't be read.").
		when("a change of the configuration has no effect"),
	Drains: counter("drains_total", "Drains begun.").
		when("sessions fall at an even rate"),
	Undrains:              counter("undrains_total", "Drains taken back."),
	ControlRequests:       counter("control_requests_total", "Requests on the control socket."),
	ControlRequestsFailed: counter("control_requests_failed_total", "Requests on the control socket that were refused or failed."),
	Scrapes:               counter("scrapes_total", "Scrapes of /metrics answered, this one aside."),
	ScrapesRefused:        counter("scrapes_refused_total", "Scrapes refused with 503 because too many were under way."),
	ScrapeTime:            nanosCounter("scrape_seconds_total", "Time spent on answering scrapes, this one aside."),
	SupervisorLogDropped:  counter("supervisor_log_lines_dropped_total", "Lines of the supervisor's log that were lost because standard error took none."),
	SupervisorLogRepeated: counter("supervisor_log_lines_repeated_total", "Lines of the supervisor's log that said the same again within a minute and were counted instead."),
	PageViewersRefused:    counter("page_viewers_refused_total", "Status pages that got no stream because the most there may be were watching."),
	RequestsOfOtherHosts:  counter("operator_hosts_refused_total", "Requests to the operator's address that were refused because of their Host header."),
	SupervisorCPUUser:     nanosCounter("supervisor_cpu_user_seconds_total", "CPU time spent in user mode by the supervisor."),
	SupervisorCPUSystem:   nanosCounter("supervisor_cpu_system_seconds_total", "CPU time spent in the kernel by the supervisor."),
}

var supervisorGaugeTable = [SupervisorGaugeCount]Metric{
	Readiness: gauge("ready", Flag, "1 while /readyz says 200, else 0.").
		when("always"),
	WorkersWanted: gauge("workers_wanted", Count, "Workers that the configuration asks for."),
	TopicsMissing: gauge("topics_missing", Count, "Topics of routes that the brokers don't have.").
		when("a whole topic is silent"),
	PageViewers: gauge("page_viewers", Count, "Status pages that are being watched."),
	MemoryLimitBytes: gauge("memory_limit_bytes", Bytes, "Bytes that all processes together may use, by limits.memory_bytes_max or the control group; 0: no limit.").
		when("memory grows"),
	ReloadRefused: gauge("reload_refused", Flag, "1 since a reload was refused, for mistakes in the configuration or because it can't be read, until one succeeds: a restart would fail.").
		when("always: it stays 0"),
	PendingRestart: gauge("pending_restart_keys", Count, "Keys of the configuration whose new value, seen by a reload, needs a restart.").
		when("a change of the configuration has no effect"),
	SupervisorHeapBytes:     gauge("supervisor_heap_bytes", Bytes, "Bytes of live and unswept objects in the supervisor's Go heap."),
	SupervisorResidentBytes: gauge("supervisor_resident_memory_bytes", Bytes, "Bytes of the supervisor that are in memory."),
	SupervisorGoroutines:    gauge("supervisor_goroutines", Count, "Goroutines of the supervisor."),
	SupervisorOpenFds:       gauge("supervisor_open_fds", Count, "File descriptors that the supervisor has open."),
	DrainStart:              gauge("drain_start_time_seconds", Nanoseconds, "When the drain that goes on was begun, since 1970; 0: none goes on."),
	DrainEnd: gauge("drain_end_time_seconds", Nanoseconds, "When the last session is to be closed by it, since 1970; 0: none goes on.").
		when("odind drains"),
	DrainSessions: gauge("drain_start_sessions", Count, "Sessions that there were at its beginning; what odin_sessions has left of them is its progress."),
	StateUnwritten: gauge("state_unwritten", Flag, "1 while state_dir takes no writes, so that what outlives odind isn't kept; tried again every 5 s.").
		when("always: it stays 0"),
}
