package shm

// The one table of everything that is measured. Names are published with the
// prefix odin_, in base units; rows of one name stand together. It is never
// changed at run time.
var counterTable = [CounterCount]Metric{
	ConnectionsAccepted: counter("connections_accepted_total", "Connections accepted from clients."),
	AcceptErrors: counter("accept_errors_total", "Calls of accept that failed: no descriptors, no memory.").
		when("clients can't connect and nothing is refused"),
	Handshakes:                 counter("handshakes_total", "WebSocket handshakes completed: sessions begun."),
	HandshakesFailedBadRequest: handshakeFailed("bad_request"),
	HandshakesFailedOrigin:     handshakeFailed("origin"),
	HandshakesFailedDeadline:   handshakeFailed("deadline"),
	HandshakesFailedTooLarge:   handshakeFailed("too_large"),
	HandshakesFailedEarlyBytes: handshakeFailed("early_bytes"),
	HandshakesFailedIO:         handshakeFailed("io"),
	RefusedConnections:         refused("connections"),
	RefusedFds:                 refused("fds"),
	RefusedDraining:            refused("draining"),
	RefusedStarting:            refused("starting"),
	RefusedHandshakes:          refused("handshakes"),

	SessionsClosed1000: closed("1000"),
	SessionsClosed1001: closed("1001"),
	SessionsClosed1002: closed("1002"),
	SessionsClosed1003: closed("1003"),
	SessionsClosed1006: closed("1006"),
	SessionsClosed1007: closed("1007"),
	SessionsClosed1008: closed("1008"),
	SessionsClosed1009: closed("1009"),
	SessionsClosed1011: closed("1011"),
	SessionsClosed1012: closed("1012"),
	SessionsClosed1013: closed("1013"),
	SessionsClosed4000: closed("4000"),
	SlowCloses: counter("slow_closes_total", "Sessions closed with 4000 because their queue was full.").
		when("clients complain of disconnects"),
	SlowAborts:      counter("slow_aborts_total", "Sessions cut off because they could not even take the close frame."),
	SlowDrops:       counter("slow_dropped_records_total", "Records dropped for slow sessions, each announced by a gap."),
	SlowConflations: counter("slow_conflated_records_total", "Records replaced by a newer one of their channel for slow sessions."),
	Gaps:            counter("gaps_announced_total", "Gap notices made for slow sessions; some are joined before they are sent."),

	Deliveries: counter("deliveries_total", "Records written to sessions, once for each session; counted when all that the session was owed is written.").
		when("always: it is what Odin is for"),
	BytesSent:     bytesCounter("sent_bytes_total", "Bytes written to sessions: records, answers and pings, frame headers included."),
	Writes:        counter("writes_total", "System calls that wrote to sessions. Deliveries divided by writes is how many records share a call."),
	WritesBlocked: counter("writes_blocked_total", "Times that a session's socket was full, so that it had to wait."),
	WriteErrors:   counter("write_errors_total", "Writes that failed because the client had gone."),
	Answers:       counter("answers_total", "Answers to requests, notices and pings queued for sessions."),
	PingsSent:     counter("pings_sent_total", "Pings sent to clients."),
	PingTimeouts: counter("ping_timeouts_total", "Sessions cut off because a pong was late.").
		when("sessions end with 1006: clients, or the network to them, vanish"),
	DeflatedRecords:   counter("deflated_records_total", "Records compressed, once for all sessions that want them so."),
	DeflateFutile:     counter("deflate_futile_total", "Records that compression would not have made smaller, so that they stayed plain."),
	DeflateTime:       nanosCounter("deflate_seconds_total", "Time spent on compressing records."),
	DeflateSavedBytes: bytesCounter("deflate_saved_bytes_total", "Bytes that compression has spared: of a record, once for each session that was given its compressed form."),

	InflatedMessages:                counter("inflated_messages_total", "Compressed messages of clients that were inflated."),
	FramesReceived:                  counter("frames_received_total", "WebSocket messages and control frames received from clients."),
	BytesReceived:                   bytesCounter("received_bytes_total", "Bytes received from clients after the upgrade."),
	PongsReceived:                   counter("pongs_received_total", "Pongs received from clients."),
	SubscribeRequests:               counter("subscribe_requests_total", "Requests of type subscribe."),
	UnsubscribeRequests:             counter("unsubscribe_requests_total", "Requests of type unsubscribe."),
	HeartbeatRequests:               counter("heartbeat_requests_total", "Requests of type heartbeat."),
	ReconnectRequests:               counter("reconnect_requests_total", "Requests of type reconnect."),
	RequestErrorsBadJSON:            requestError("bad_json"),
	RequestErrorsUnknownType:        requestError("unknown_type"),
	RequestErrorsBadRequest:         requestError("bad_request"),
	RequestErrorsRateLimited:        requestError("rate_limited").laterValue(),
	SubscriptionsRejectedBadChannel: rejected("bad_channel"),
	SubscriptionsRejectedTooMany:    rejected("too_many_channels"),
	SubscriptionsRejectedForbidden:  rejected("forbidden").laterValue(),
	ProtocolErrors:                  counter("protocol_errors_total", "Frames that broke RFC 6455 or RFC 7692; the session is closed with 1002."),
	UTF8Errors:                      counter("utf8_errors_total", "Text messages and close reasons that were not valid UTF-8; the session is closed with 1007."),
	InputBudgetReached:              counter("input_budget_reached_total", "Times that a session had sent as much as a turn reads from it, or more."),
	InputLimitReached: counter("input_limit_reached_total", "Sessions closed with 1013 because the worker held too many bytes of unfinished requests.").
		when("sessions are closed with 1013"),
	InputRoundReached: counter("input_round_reached_total", "Times that serving input was cut short for everything else to have its turn."),
	AnswerLimitReached: counter("answer_limit_reached_total", "Sessions closed with 1013 because the worker held too many bytes of unread answers.").
		when("sessions are closed with 1013"),

	Resumes:                  counter("resumes_total", "Reconnects answered with recovered:true."),
	ResumesFailedEpoch:       resumeFailed("epoch"),
	ResumesFailedTrimmed:     resumeFailed("trimmed"),
	ResumesFailedLimit:       resumeFailed("limit"),
	ResumesFailedUnavailable: resumeFailed("unavailable"),
	ReplayedRecords:          counter("replayed_records_total", "Records replayed to sessions that reconnected."),
	ReplaysBroken: counter("replays_broken_total", "Replays ended by a retryable close: what was missed left the history, or its topic changed, while it was sent.").
		when("clients come back again and again"),
	PastsAsked:  counter("pasts_asked_total", "Ranges below the history that sessions which resume needed: read by the owner, asked of it by others."),
	PastReads:   counter("past_reads_total", "Ranges below the history that were read from the log for sessions that resume, on all workers."),
	PastRecords: counter("past_records_total", "Records of these ranges."),
	ReplayLimitReached: counter("replay_limit_reached_total", "Reconnects closed with 1013 because too much of others' was to be remembered.").
		when("sessions are closed with 1013"),
	ResetsEpoch:    reset("epoch"),
	ResetsTrimmed:  reset("trimmed"),
	ResetsTopology: reset("topology"),

	Turns:     counter("turns_total", "Turns of the loop."),
	TurnRests: counter("turn_rests_total", "Turns after which the loop rested to let a batch form: it is under load."),
	DeliverRateReached: counter("deliver_rate_reached_total", "Turns in which records had to wait by limits.deliver_records_per_s_max.").
		when("latency grows though no core is busy"),
	ApplyBudgetReached: counter("apply_budget_reached_total", "Turns that left records for the next one.").
		when("latency grows: records come faster than they are handed out"),

	RecordsFetched:           counter("records_fetched_total", "Records fetched from the source by the partitions' owners."),
	FetchedBytes:             bytesCounter("fetched_bytes_total", "Bytes of the batches that brokers answered with, as they came over the wire."),
	RecordsSkippedNoKey:      skipped("no_key"),
	RecordsSkippedBadSubject: skipped("bad_subject"),
	RecordsSkippedTooLarge:   skipped("too_large"),
	RecordsSkippedNoRoute:    skipped("no_route"),
	RecordsSkippedBadPath:    skipped("bad_path"),
	RecordsSkippedFault:      skipped("fault"),
	RecordsBase64:            counter("records_base64_total", "Records whose value was not JSON and was encoded as base64."),
	RecordsTombstone:         counter("records_tombstone_total", "Records without a value."),
	Fetches:                  counter("fetches_total", "Fetches that brokers answered."),
	FetchErrors: counter("fetch_errors_total", "Fetches, or partitions in them, that failed, by the network or by the broker's word.").
		when("a source is not healthy, or lag grows"),
	FetchesStale:           counter("fetches_stale_total", "Partitions in answers that came after their ownership had ended, and were thrown away."),
	SourceFaultsTruncated:  sourceFault("truncated"),
	SourceFaultsRecreated:  sourceFault("recreated"),
	SourceFaultsTrimmed:    sourceFault("trimmed"),
	SourceFaultsUnreadable: sourceFault("unreadable"),
	SourcePauses: counter("source_pauses_total", "Times that the source was paused because fetched records waited for the loop.").
		when("lag grows while the source is healthy: the worker can't keep up"),
	FetchRateReached: counter("fetch_rate_reached_total", "Turns in which fetched records had to wait by limits.fetch_records_per_s_max.").
		when("lag grows while the source is healthy"),
	Backfills:       counter("backfills_total", "Ranges read anew from the source for siblings that had fallen behind the history."),
	BackfillRecords: counter("backfill_records_total", "Records read anew from the source."),
	BackfillsFailed: counter("backfills_failed_total", "Attempts to read a range anew that failed; they are repeated until the log has lost it."),
	GroupCommits:    counter("group_commits_total", "Commits of positions that the group of kafka.group took."),
	GroupCommitsFailed: counter("group_commits_failed_total", "Commits of positions that the group of kafka.group did not take whole; they are repeated.").
		when("tools for lag show old positions: the log says why"),

	BusRecordsSent:      counter("bus_records_sent_total", "Records relayed to siblings, once for each sibling."),
	BusRecordsReceived:  counter("bus_records_received_total", "Records received from siblings."),
	BusBytesSent:        bytesCounter("bus_sent_bytes_total", "Bytes sent to siblings."),
	BusBytesReceived:    bytesCounter("bus_received_bytes_total", "Bytes received from siblings."),
	BusBatchesSent:      counter("bus_batches_sent_total", "Batches relayed to siblings."),
	BusBatchesReceived:  counter("bus_batches_received_total", "Batches received from siblings."),
	BusWrites:           counter("bus_writes_total", "System calls that wrote to siblings."),
	BusReads:            counter("bus_reads_total", "System calls that read from siblings."),
	BusDroppedStaleTerm: busDropped("stale_term"),
	BusDroppedOtherEra:  busDropped("other_era"),
	BusDroppedDuplicate: busDropped("duplicate"),
	BusDroppedUnsought:  busDropped("unsought"),
	BusDroppedMissed:    busDropped("missed"),
	BusDroppedMalformed: busDropped("malformed"),
	BusGaps: counter("bus_gaps_total", "Batches that began behind a hole: a defect of Odin, mended by asking the owner anew.").
		when("always: it stays 0"),
	BusLinksMade:     counter("bus_links_made_total", "Links to siblings set up."),
	BusLinksOverfull: counter("bus_links_overfull_total", "Links given up because limits.bus_unsent_bytes_max was reached: the sibling took nothing."),
	BusLinksBroken:   counter("bus_links_broken_total", "Links to siblings that ended or were replaced."),
	BusWritesBlocked: counter("bus_writes_blocked_total", "Times that a link's socket was full, so that relaying to the sibling had to wait."),
	SeeksSent:        counter("seeks_sent_total", "Times that a partition's owner was asked to relay it."),
	SeeksReceived:    counter("seeks_received_total", "Times that a sibling asked for a partition to be relayed."),
	SeeksIgnored:     counter("seeks_ignored_total", "Such questions that came too late: of another term or era."),
	LostRanges:       counter("lost_ranges_total", "Ranges of offsets that could not be had any more; the sessions were told by a reset."),
	LostRecords: counter("lost_offsets_total", "Offsets in lost ranges: at most so many records.").
		when("always: it stays 0 unless Kafka deletes records that nobody has read yet"),
	EraChanges: counter("era_changes_total", "Eras of partitions that began: topics made anew, truncations."),

	HistoryEvictions:      counter("history_chunks_evicted_total", "Chunks of history freed."),
	HistoryRecordsEvicted: counter("history_records_evicted_total", "Records that left the history."),
	CPUUser: nanosCounter("cpu_user_seconds_total", "CPU time spent in user mode by the worker.").
		when("always: a worker can fill about one core"),
	CPUSystem: nanosCounter("cpu_system_seconds_total", "CPU time spent in the kernel by the worker."),
	GCCPU:     nanosCounter("gc_cpu_seconds_total", "CPU time spent on collecting garbage, as the Go runtime estimates it."),
	GCRuns:    counter("gc_runs_total", "Garbage collections completed."),
	LogDropped: counter("log_lines_dropped_total", "Lines of the log that were lost because standard error took none.").
		when("the log has holes"),
	LogRepeated: counter("log_lines_repeated_total", "Lines of the log that said the same again within a minute and were counted instead."),
	Faults: counter("faults_total", "Internal faults: defects of Odin that were caught and logged.").
		when("always: it stays 0"),
}

func counter(name, help string) Metric { return Metric{Name: name, Kind: KindCounter, Help: help} }

func bytesCounter(name, help string) Metric {
	return Metric{Name: name, Kind: KindCounter, Unit: Bytes, Help: help}
}

func nanosCounter(name, help string) Metric {
	return Metric{Name: name, Kind: KindCounter, Unit: Nanoseconds, Help: help}
}

func byReason(name, help, reason string) Metric {
	return Metric{Name: name, Kind: KindCounter, Help: help, Label: "reason", Value: reason}
}

func byCode(name, help, code string) Metric {
	return Metric{Name: name, Kind: KindCounter, Help: help, Label: "code", Value: code}
}

func handshakeFailed(reason string) Metric {
	return byReason("handshakes_failed_total", "Connections that ended before their handshake was complete; io: the client left, or the connection broke.", reason).
		when("clients can't connect")
}

func refused(reason string) Metric {
	return byReason("connections_refused_total", "Connections refused with 503 before the upgrade.", reason).
		when("clients can't connect: the reason is the limit that was met")
}

func closed(code string) Metric {
	return byCode("sessions_closed_total", "Sessions ended, by close code; 1006: without a close frame.", code).
		when("sessions fall: the code says who ended them, and why")
}

func requestError(code string) Metric {
	return byCode("request_errors_total", "Requests answered with an error.", code).
		when("a new version of a client is out")
}

func rejected(code string) Metric {
	return byCode("subscriptions_rejected_total", "Channels in requests that were rejected.", code)
}

func resumeFailed(reason string) Metric {
	return byReason("resumes_failed_total", "Reconnects answered with recovered:false.", reason).
		when("clients say that they were told of lost records")
}

func reset(reason string) Metric {
	return byReason("resets_total", "Reset notices sent to sessions.", reason).
		when("clients say that they were told of lost records")
}

func skipped(reason string) Metric {
	return byReason("records_skipped_total", "Records that no route could place, and that nobody gets.", reason).
		when("records of a channel are missing")
}

func sourceFault(reason string) Metric {
	return byReason("source_faults_total", "Breaks that the owner met in a partition's log.", reason).
		when("somebody deletes, truncates or loses a topic")
}

func busDropped(reason string) Metric {
	return byReason("bus_dropped_total", "Batches of siblings not taken; a few at each change of owner are normal, malformed is a defect of Odin.", reason)
}
