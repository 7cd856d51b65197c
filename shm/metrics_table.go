package shm

// The one table of everything that is measured. Names are published with the
// prefix odin_, in base units; rows of one name stand together. It is never
// changed at run time.
var counterTable = [CounterCount]Metric{
	ConnectionsAccepted:        counter("connections_accepted_total", "Connections accepted from clients."),
	AcceptErrors:               counter("accept_errors_total", "Calls of accept that failed, EAGAIN aside."),
	Handshakes:                 counter("handshakes_total", "WebSocket handshakes completed."),
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
	HandshakeLimitReached:      counter("handshake_limit_reached_total", "Times that accepting paused because too many handshakes were pending."),

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
	SlowCloses:         counter("slow_closes_total", "Sessions closed because their queue was full."),
	SlowAborts:         counter("slow_aborts_total", "Slow sessions aborted because they could not even take the close frame."),
	SlowDrops:          counter("slow_dropped_records_total", "Records dropped for slow sessions by the policy drop, each announced by a gap."),
	SlowConflations:    counter("slow_conflated_records_total", "Records replaced by a newer one of their channel for slow sessions by the policy conflate."),
	Gaps:               counter("gaps_announced_total", "Gap notices sent to slow sessions."),

	Deliveries:    counter("deliveries_total", "Records delivered: one for each session that a record was written to."),
	DeliveryBytes: bytesCounter("delivery_bytes_total", "Bytes of records written to sessions, frame headers included."),
	Writes:        counter("writes_total", "System calls that wrote to sessions."),
	WritesBlocked: counter("writes_blocked_total", "Writes that the kernel took only in part or not at all (EAGAIN)."),
	WriteErrors:   counter("write_errors_total", "Writes that failed because the client had gone."),
	Answers:       counter("answers_total", "Answers to requests, and notices, queued for sessions."),
	PingsSent:     counter("pings_sent_total", "Pings sent to clients."),
	PingTimeouts:  counter("ping_timeouts_total", "Sessions closed because a pong was late."),

	FramesReceived:                  counter("frames_received_total", "WebSocket frames received from clients."),
	BytesReceived:                   bytesCounter("received_bytes_total", "Bytes received from clients after the upgrade."),
	PongsReceived:                   counter("pongs_received_total", "Pongs received from clients."),
	SubscribeRequests:               counter("subscribe_requests_total", "Requests of type subscribe."),
	UnsubscribeRequests:             counter("unsubscribe_requests_total", "Requests of type unsubscribe."),
	HeartbeatRequests:               counter("heartbeat_requests_total", "Requests of type heartbeat."),
	ReconnectRequests:               counter("reconnect_requests_total", "Requests of type reconnect."),
	OtherRequests:                   counter("other_requests_total", "Requests of any other type, or of none."),
	RequestErrorsBadJSON:            requestError("bad_json"),
	RequestErrorsUnknownType:        requestError("unknown_type"),
	RequestErrorsBadRequest:         requestError("bad_request"),
	RequestErrorsRateLimited:        requestError("rate_limited"),
	SubscriptionsRejectedBadChannel: rejected("bad_channel"),
	SubscriptionsRejectedTooMany:    rejected("too_many_channels"),
	SubscriptionsRejectedForbidden:  rejected("forbidden"),
	ProtocolErrors:                  counter("protocol_errors_total", "Frames that broke RFC 6455."),
	UTF8Errors:                      counter("utf8_errors_total", "Text messages and close reasons that were not valid UTF-8."),
	InputBudgetReached:              counter("input_budget_reached_total", "Times that a session had sent more than a turn reads from it."),
	InputLimitReached:               counter("input_limit_reached_total", "Sessions closed because the worker held too much unparsed input."),
	InputRoundReached:               counter("input_round_reached_total", "Times that serving input was cut short for everything else to have its turn."),
	AnswerLimitReached:              counter("answer_limit_reached_total", "Sessions closed because the worker held too many bytes of unread answers."),

	Resumes:                  counter("resumes_total", "Reconnects answered with recovered:true."),
	ResumesFailedEpoch:       resumeFailed("epoch"),
	ResumesFailedTrimmed:     resumeFailed("trimmed"),
	ResumesFailedLimit:       resumeFailed("limit"),
	ResumesFailedUnavailable: resumeFailed("unavailable"),
	ReplayedRecords:          counter("replayed_records_total", "Records replayed to sessions that reconnected."),
	ReplaysBroken:            counter("replays_broken_total", "Replays ended by a retryable close."),
	ResetsEpoch:              reset("epoch"),
	ResetsTrimmed:            reset("trimmed"),
	ResetsTopology:           reset("topology"),

	Turns:              counter("turns_total", "Turns of the loop."),
	TurnRests:          counter("turn_rests_total", "Turns after which the loop rested to let a batch form."),
	ApplyBudgetReached: counter("apply_budget_reached_total", "Turns that left records for the next one."),
	Wakeups:            counter("wakeups_total", "Times that the loop was woken from waiting."),

	RecordsFetched:           counter("records_fetched_total", "Records fetched from the source by the partitions' owner."),
	FetchedBytes:             bytesCounter("fetched_bytes_total", "Bytes of the values fetched from the source."),
	RecordsSkippedNoKey:      skipped("no_key"),
	RecordsSkippedBadSubject: skipped("bad_subject"),
	RecordsSkippedTooLarge:   skipped("too_large"),
	RecordsSkippedNoRoute:    skipped("no_route"),
	RecordsSkippedBadPath:    skipped("bad_path"),
	RecordsBase64:            counter("records_base64_total", "Records whose value was not JSON and was encoded as base64."),
	RecordsTombstone:         counter("records_tombstone_total", "Records without a value."),
	FetchPolls:               counter("fetch_polls_total", "Polls of the source that returned."),
	FetchErrors:              counter("fetch_errors_total", "Errors that polls of the source returned."),
	SourceFaultsTruncated:    sourceFault("truncated"),
	SourceFaultsRecreated:    sourceFault("recreated"),
	SourceFaultsTrimmed:      sourceFault("trimmed"),
	SourceFaultsUnreadable:   sourceFault("unreadable"),
	SourcePauses:             counter("source_pauses_total", "Times that the source was paused because fetched records waited."),
	Backfills:                counter("backfills_total", "Ranges read anew from the source for replays and siblings."),
	BackfillRecords:          counter("backfill_records_total", "Records read anew from the source."),
	BackfillsFailed:          counter("backfills_failed_total", "Ranges that could not be read anew."),

	BusRecordsSent:      counter("bus_records_sent_total", "Records relayed to siblings."),
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
	BusGaps:             counter("bus_gaps_total", "Batches that left a hole behind what was held: a bug, mended by a new seek."),
	BusLinksMade:        counter("bus_links_made_total", "Links to siblings set up."),
	BusLinksBroken:      counter("bus_links_broken_total", "Links to siblings that ended or broke the protocol."),
	BusPeerLimitReached: counter("bus_peer_limit_reached_total", "Times that relaying to a sibling paused because too much was unsent."),
	SeeksSent:           counter("seeks_sent_total", "Seeks sent to owners."),
	SeeksReceived:       counter("seeks_received_total", "Seeks received from siblings."),
	SeeksIgnored:        counter("seeks_ignored_total", "Seeks received that were of another term or era."),
	LostRanges:          counter("lost_ranges_total", "Ranges of offsets that no source could give any more."),
	LostRecords:         counter("lost_offsets_total", "Offsets in ranges that were lost; records at most."),
	EraChanges:          counter("era_changes_total", "Eras of partitions that began: topics made anew, truncations."),

	HistoryEvictions:      counter("history_chunks_evicted_total", "Chunks of history freed."),
	HistoryRecordsEvicted: counter("history_records_evicted_total", "Records of history freed."),
	CPUUser:               nanosCounter("cpu_user_seconds_total", "CPU time spent in user mode by the worker's processes."),
	CPUSystem:             nanosCounter("cpu_system_seconds_total", "CPU time spent in the kernel by the worker's processes."),
	GCRuns:                counter("gc_runs_total", "Garbage collections completed."),
	Faults:                counter("faults_total", "Internal faults: bugs that were caught and logged."),
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
	return byReason("handshakes_failed_total", "WebSocket handshakes that were not completed.", reason)
}

func refused(reason string) Metric {
	return byReason("connections_refused_total", "Connections refused with 503 before the upgrade.", reason)
}

func closed(code string) Metric {
	return byCode("sessions_closed_total", "Sessions ended, by close code (1006: without a close frame).", code)
}

func requestError(code string) Metric {
	return byCode("request_errors_total", "Requests answered with an error.", code)
}

func rejected(code string) Metric {
	return byCode("subscriptions_rejected_total", "Channels of requests that were rejected.", code)
}

func resumeFailed(reason string) Metric {
	return byReason("resumes_failed_total", "Reconnects answered with recovered:false.", reason)
}

func reset(reason string) Metric {
	return byReason("resets_total", "Reset notices sent to sessions.", reason)
}

func skipped(reason string) Metric {
	return byReason("records_skipped_total", "Records that no route could place.", reason)
}

func sourceFault(reason string) Metric {
	return byReason("source_faults_total", "Breaks that the owner met in a partition's log.", reason)
}

func busDropped(reason string) Metric {
	return byReason("bus_dropped_total", "Batches of siblings dropped by rule 8.", reason)
}
