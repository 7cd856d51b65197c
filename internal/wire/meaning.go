package wire

// Meaning documents one code or reason of an answer.
type Meaning struct {
	Code string
	When string
}

// ErrorCodes is every code of an error answer.
func ErrorCodes() []Meaning {
	return []Meaning{
		{string(ErrorBadJSON), "the request is not JSON"},
		{string(ErrorUnknownType), "`type` is none that Odin knows"},
		{string(ErrorBadRequest), "a member is missing, there twice, of a wrong type or out of bounds"},
		{string(ErrorRateLimited), "too many requests in too short a time; the request was not carried out"},
	}
}

// RejectCodes is every code of a rejected channel.
func RejectCodes() []Meaning {
	return []Meaning{
		{string(RejectBadChannel), "it is no channel and no pattern"},
		{string(RejectTooMany), "the session has `max_channels` already"},
		{string(RejectForbidden), "the client's rights don't cover it *(later)*"},
	}
}

// ResetReasons is every reason of a reset.
func ResetReasons() []Meaning {
	return []Meaning{
		{string(ResetEpoch), "a topic was made anew or truncated"},
		{string(ResetTrimmed), "records were gone before this session could have them"},
		{string(ResetTopology), "partitions were added; nothing is lost"},
	}
}

// UnrecoveredReasons is every reason of recovered:false.
func UnrecoveredReasons() []Meaning {
	return []Meaning{
		{string(UnrecoveredEpoch), "the cursor belongs to another incarnation of a topic, lies beyond its end, or may cover what a truncation took"},
		{string(UnrecoveredTrimmed), "records behind the cursor are gone, or compaction may have taken some"},
		{string(UnrecoveredLimit), "more is missing than is replayed in one piece"},
		{string(UnrecoveredUnavailable), "what is missing can't be proven or had just now"},
	}
}

// ReconnectCodes is every code of a reconnect_error.
func ReconnectCodes() []Meaning {
	return []Meaning{
		{string(ReconnectPartitionNeeded), "`last_offset` names a topic of several partitions without saying which: send `\"topic:partition\": n`, or the cursor"},
	}
}
