package shm

// A worker's counters, grouped by what writes them together.
const (
	// Connections, up to the upgrade.
	ConnectionsAccepted Counter = iota
	AcceptErrors
	Handshakes
	HandshakesFailedBadRequest
	HandshakesFailedOrigin
	HandshakesFailedDeadline
	HandshakesFailedTooLarge
	HandshakesFailedEarlyBytes
	HandshakesFailedIO
	RefusedConnections
	RefusedFds
	RefusedDraining
	RefusedStarting
	RefusedHandshakes

	// Sessions and their ends. The order of the codes is closeCodes'.
	SessionsClosed1000
	SessionsClosed1001
	SessionsClosed1002
	SessionsClosed1003
	SessionsClosed1006
	SessionsClosed1007
	SessionsClosed1008
	SessionsClosed1009
	SessionsClosed1011
	SessionsClosed1012
	SessionsClosed1013
	SessionsClosed4000
	SlowCloses
	SlowAborts
	SlowDrops
	SlowConflations
	Gaps

	// What goes out to sessions.
	Deliveries
	BytesSent
	Writes
	WritesBlocked
	WriteErrors
	Answers
	PingsSent
	PingTimeouts
	DeflatedRecords
	DeflateFutile
	DeflateTime
	DeflateSavedBytes

	// What comes in from sessions.
	FramesReceived
	InflatedMessages
	BytesReceived
	PongsReceived
	SubscribeRequests
	UnsubscribeRequests
	HeartbeatRequests
	ReconnectRequests
	RequestErrorsBadJSON
	RequestErrorsUnknownType
	RequestErrorsBadRequest
	RequestErrorsRateLimited
	SubscriptionsRejectedBadChannel
	SubscriptionsRejectedTooMany
	SubscriptionsRejectedForbidden
	ProtocolErrors
	UTF8Errors
	InputBudgetReached
	InputLimitReached
	InputRoundReached
	AnswerLimitReached

	// Resume.
	Resumes
	ResumesFailedEpoch
	ResumesFailedTrimmed
	ResumesFailedLimit
	ResumesFailedUnavailable
	ReplayedRecords
	ReplaysBroken
	ReplayLimitReached
	PastsAsked
	PastReads
	PastRecords
	ResetsEpoch
	ResetsTrimmed
	ResetsTopology

	// The loop.
	Turns
	TurnRests
	ApplyBudgetReached
	DeliverRateReached

	// The source.
	RecordsFetched
	FetchedBytes
	RecordsSkippedNoKey
	RecordsSkippedBadSubject
	RecordsSkippedTooLarge
	RecordsSkippedNoRoute
	RecordsSkippedBadPath
	RecordsSkippedFault
	RecordsBase64
	RecordsTombstone
	Fetches
	FetchErrors
	FetchesStale
	SourceFaultsTruncated
	SourceFaultsRecreated
	SourceFaultsTrimmed
	SourceFaultsUnreadable
	SourcePauses
	FetchRateReached
	Backfills
	BackfillRecords
	BackfillsFailed
	GroupCommits
	GroupCommitsFailed

	// The bus.
	BusRecordsSent
	BusRecordsReceived
	BusBytesSent
	BusBytesReceived
	BusBatchesSent
	BusBatchesReceived
	BusWrites
	BusReads
	BusDroppedStaleTerm
	BusDroppedOtherEra
	BusDroppedDuplicate
	BusDroppedUnsought
	BusDroppedMissed
	BusDroppedMalformed
	BusGaps
	BusLinksMade
	BusLinksBroken
	BusLinksOverfull
	BusWritesBlocked
	SeeksSent
	SeeksReceived
	SeeksIgnored
	LostRanges
	LostRecords
	EraChanges

	// The history and the process.
	HistoryEvictions
	HistoryRecordsEvicted
	CPUUser
	CPUSystem
	GCCPU
	GCRuns
	LogDropped
	LogRepeated
	Faults
	CounterCount
)

// closeCodes are the codes of SessionsClosed…, in order.
var closeCodes = [...]uint16{1000, 1001, 1002, 1003, 1006, 1007, 1008, 1009, 1011, 1012, 1013, 4000}

// A worker's gauges.
const (
	Sessions Gauge = iota
	SessionsMax
	Subscriptions
	Channels
	Patterns
	OwedBytes
	AnswerBytes
	ReplayingSessions
	BlockedSessions
	ClosingSessions
	DeflatingSessions
	PendingHandshakes
	InputBytes
	SourceHealthy
	SourcePaused
	PartitionsOwned
	UnappliedBytes
	BusLinks
	BusLinksBlocked
	BusOwedBytes
	HistoryBytes
	HistoryBytesMax
	HistoryDeflatedBytes
	HistoryRecords
	HistoryAge
	HistoryChunks
	HeapBytes
	ResidentBytes
	Goroutines
	OpenFds
	FdLimit
	GaugeCount
)

// A worker's histograms.
const (
	DeliveryLatency Histogram = iota
	TurnLength
	BlockedOwedBytes
	HandshakeTime
	HistogramCount
)

// The supervisor's counters.
const (
	Respawns SupervisorCounter = iota
	Kills
	WorkersExited
	WorkersGivenUp
	Suspects
	Deaths
	Elections
	OwnerChanges
	TopologyChanges
	Lends
	Reloads
	ReloadsFailed
	Drains
	Undrains
	ControlRequests
	ControlRequestsFailed
	Scrapes
	ScrapesRefused
	ScrapeTime
	SupervisorLogDropped
	SupervisorLogRepeated
	PageViewersRefused
	RequestsOfOtherHosts
	SupervisorCPUUser
	SupervisorCPUSystem
	SupervisorCounterCount
)

// The supervisor's gauges.
const (
	Readiness SupervisorGauge = iota
	WorkersWanted
	TopicsMissing
	PageViewers
	MemoryLimitBytes
	ReloadRefused
	PendingRestart
	SupervisorHeapBytes
	SupervisorResidentBytes
	SupervisorGoroutines
	SupervisorOpenFds
	DrainStart
	DrainEnd
	DrainSessions
	StateUnwritten
	SupervisorGaugeCount
)
