package control

// Bounds of what a worker tells of a channel.
const (
	SearchedMax = 2_000_000 // records of the history that are looked at one by one
	FoundMax    = 16        // records that are told, the newest of their partitions
	SimilarMax  = 5
	RoutesMax   = 16 // in one item
)

// ExplainItem is what an answer about a channel consists of: the worker's
// routes, in pieces, and at last the Explanation. An empty one says that it is
// worked on.
type ExplainItem struct {
	Routes      []RouteText  `json:"routes,omitempty"`
	Explanation *Explanation `json:"explanation,omitempty"`
}

// RouteText is a route as the configuration has it.
type RouteText struct {
	Topic   string `json:"topic"`   // whose records it places
	Channel string `json:"channel"` // the template, like {key}.trade
	Event   string `json:"event"`   // of its channels
	Keyed   bool   `json:"keyed"`   // the subject is the record's key
	Slow    string `json:"slow"`    // policy: close, drop or conflate
	Class   string `json:"class"`   // normal, high or critical
}

// Explanation is what one worker knows of a channel, or of all channels that a
// pattern matches.
type Explanation struct {
	Sessions int            `json:"sessions"`  // that get all of its records, each counted once
	Behind   int            `json:"behind"`    // of them: whose sockets are full
	Resuming int            `json:"resuming"`  // that will, once they have been given what they missed; not among the sessions
	Patterns []PatternCount `json:"patterns"`  // by which they do
	Found    []FoundRecord  `json:"found"`     // the newest record of each partition, the newest first
	Similar  []string       `json:"similar"`   // channels in the history that differ only in upper and lower case
	Searched int            `json:"searched"`  // records of the history that were looked at
	Complete bool           `json:"complete"`  // they were all of the topics that can feed the channel
	OldestMS int64          `json:"oldest_ms"` // the earliest producer's time of them, Unix milliseconds
}

// FoundRecord is a record of the history.
type FoundRecord struct {
	Channel   string `json:"channel"`   // that it was placed in
	Topic     string `json:"topic"`     // that it came from
	Partition int32  `json:"partition"` // of the topic
	Offset    int64  `json:"offset"`    // in the partition
	TimeMS    int64  `json:"time_ms"`   // the producer's, Unix milliseconds
	Bytes     int    `json:"bytes"`     // of its frame
}
