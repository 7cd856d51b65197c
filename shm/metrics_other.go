package shm

var gaugeTable = [GaugeCount]Metric{
	Sessions:          gauge("sessions", Count, "Sessions connected now."),
	Subscriptions:     gauge("subscriptions", Count, "Channels and patterns that sessions are subscribed to now."),
	Channels:          gauge("channels", Count, "Different channels that somebody is subscribed to now."),
	Patterns:          gauge("patterns", Count, "Different patterns that somebody is subscribed to now."),
	OwedBytes:         gauge("owed_bytes", Bytes, "Bytes that sessions are owed and the kernel has not taken."),
	ReplayingSessions: gauge("sessions_replaying", Count, "Sessions that are being replayed what they missed."),
	BlockedSessions:   gauge("sessions_blocked", Count, "Sessions that wait for the kernel to take more."),
	ClosingSessions:   gauge("sessions_closing", Count, "Sessions whose close frame is on its way."),
	PendingHandshakes: gauge("handshakes_pending", Count, "Connections whose handshake is not complete."),
	InputBytes:        gauge("input_buffered_bytes", Bytes, "Bytes of requests that are not complete."),
	SourceHealthy:     gauge("source_healthy", Flag, "1 while the worker's source answers, else 0."),
	SourcePaused:      gauge("source_paused", Flag, "1 while fetching is paused because records wait, else 0."),
	PartitionsOwned:   gauge("partitions_owned", Count, "Partitions that the worker consumes."),
	UnappliedBytes:    gauge("unapplied_bytes", Bytes, "Bytes fetched and not yet applied to sessions."),
	BusOwedBytes:      gauge("bus_owed_bytes", Bytes, "Bytes that siblings are owed and the kernel has not taken."),
	HistoryBytes:      gauge("history_bytes", Bytes, "Bytes of frames that the history holds."),
	HistoryRecords:    gauge("history_records", Count, "Records that the history holds."),
	HistoryChunks:     gauge("history_chunks", Count, "Chunks of 1 MiB that the history holds."),
	HeapBytes:         gauge("heap_bytes", Bytes, "Bytes of live and unswept objects in the Go heap."),
	ResidentBytes:     gauge("resident_memory_bytes", Bytes, "Bytes of the process that are in memory."),
	Goroutines:        gauge("goroutines", Count, "Goroutines of the worker."),
	OpenFds:           gauge("open_fds", Count, "File descriptors open."),
	FdLimit:           gauge("fds_max", Count, "File descriptors that may be open."),
}

func gauge(name string, unit Unit, help string) Metric {
	return Metric{Name: name, Kind: KindGauge, Unit: unit, Help: help}
}

var histogramTable = [HistogramCount]Metric{
	DeliveryLatency: histogramOf("delivery_latency_seconds", Microseconds,
		"From a record's timestamp to the write to a session; right only as far as the producer's clock is.",
		250, 500, 1e3, 2500, 5e3, 10e3, 25e3, 50e3, 100e3, 250e3, 500e3, 1e6, 2500e3, 5e6, 10e6, 60e6),
	TurnLength: histogramOf("turn_seconds", Microseconds, "How long a turn of the loop took, waiting aside.",
		10, 25, 50, 100, 250, 500, 1e3, 2500, 5e3, 10e3, 25e3, 50e3, 100e3, 250e3, 1e6),
	BlockedOwedBytes: histogramOf("blocked_owed_bytes", Bytes, "What a session was owed when a write to it blocked.",
		1<<10, 4<<10, 16<<10, 64<<10, 128<<10, 256<<10, 512<<10, 1<<20, 2<<20, 4<<20),
	HandshakeTime: histogramOf("handshake_seconds", Microseconds, "From accept to the end of the handshake.",
		50, 100, 250, 500, 1e3, 2500, 5e3, 10e3, 25e3, 50e3, 100e3, 250e3, 500e3, 1e6, 5e6),
}

func histogramOf(name string, unit Unit, help string, bounds ...uint64) Metric {
	return Metric{Name: name, Kind: KindHistogram, Unit: unit, Help: help, Bounds: bounds}
}

var supervisorCounterTable = [SupervisorCounterCount]Metric{
	Respawns:              counter("respawns_total", "Workers started in the place of one that ended."),
	Kills:                 counter("kills_total", "Workers killed by the supervisor."),
	WorkersExited:         counter("worker_exits_total", "Workers that ended, for whatever cause."),
	WorkersGivenUp:        counter("workers_given_up_total", "Slots given up after too many failures in a row."),
	Suspects:              counter("suspects_total", "Workers whose heartbeat was missing long enough for their partitions to be moved."),
	Deaths:                counter("deaths_total", "Workers whose heartbeat was missing long enough to kill them."),
	Elections:             counter("elections_total", "Elections of partitions' owners."),
	OwnerChanges:          counter("owner_changes_total", "Partitions that got another owner, or none."),
	TopologyChanges:       counter("topology_changes_total", "Changes of the set of topics and partitions."),
	Lends:                 counter("lends_total", "Listeners lent to a sibling of the worker that they belong to."),
	Reloads:               counter("reloads_total", "Configurations reloaded."),
	ReloadsFailed:         counter("reloads_failed_total", "Reloads refused because of what the configuration said."),
	Drains:                counter("drains_total", "Drains begun."),
	ControlRequests:       counter("control_requests_total", "Requests on the control socket."),
	ControlRequestsFailed: counter("control_requests_failed_total", "Requests on the control socket that were refused or failed."),
	SupervisorCPUUser:     nanosCounter("supervisor_cpu_user_seconds_total", "CPU time spent in user mode by the supervisor."),
	SupervisorCPUSystem:   nanosCounter("supervisor_cpu_system_seconds_total", "CPU time spent in the kernel by the supervisor."),
}

var supervisorGaugeTable = [SupervisorGaugeCount]Metric{
	WorkersWanted:        gauge("workers_wanted", Count, "Workers that the configuration asks for."),
	SupervisorHeapBytes:  gauge("supervisor_heap_bytes", Bytes, "Bytes of live and unswept objects in the supervisor's Go heap."),
	SupervisorGoroutines: gauge("supervisor_goroutines", Count, "Goroutines of the supervisor."),
	SupervisorOpenFds:    gauge("supervisor_open_fds", Count, "File descriptors that the supervisor has open."),
}
