package shm

// directory lists every number of a segment.
func directory(p plan) []entry {
	d := metricEntries(p)
	d = append(d, processEntries(p)...)
	d = append(d, partitionEntries()...)
	d = append(d, slotEntries()...)
	d = append(d, positionEntries()...)
	return append(d, eraEntries()...)
}

func metricEntries(p plan) (d []entry) {
	off := 0
	put := func(metrics []Metric, area int) {
		for i, m := range metrics {
			d = append(d, entry{Metric: m, kind: m.Kind.String(), area: area, offset: off + i*word, words: 1})
		}
		off += roundUp(len(metrics)*word, line)
	}
	put(counterTable[:], areaBlock)
	put(gaugeTable[:], areaBlock)
	for h, m := range histogramTable {
		words := histogramWords(Histogram(h))
		d = append(d, entry{Metric: m, kind: m.Kind.String(), area: areaBlock, offset: off, words: words})
		off += roundUp(words*word, line)
	}
	off = processCounters
	put(supervisorCounterTable[:], areaProcess)
	off = p.processGauges
	put(supervisorGaugeTable[:], areaProcess)
	return d
}

func wordEntry(area, offset int, name string, unit Unit, help string) entry {
	return entry{Metric: Metric{Name: name, Unit: unit, Help: help}, kind: "word", area: area, offset: offset, words: 1}
}

func twinEntry(area, offset, words int, name, help string) entry {
	return entry{Metric: Metric{Name: name, Help: help}, kind: "twin", area: area, offset: offset, words: twinWords(words)}
}

const nameHelp = " Length in bytes, then the bytes."

func processEntries(p plan) []entry {
	d := []entry{
		wordEntry(areaProcess, processIdentity, "pid", Count, "Of the supervisor."),
		wordEntry(areaProcess, processIdentity+word, "started", Nanoseconds, "When the supervisor started, since 1970."),
		wordEntry(areaProcess, processIdentity+2*word, "state", Count, stateHelp),
		wordEntry(areaProcess, processRun, "run", Count, "A number of this start's own."),
		wordEntry(areaProcess, processBeat, "beats", Count, "Heartbeats of the supervisor."),
		wordEntry(areaProcess, processBeat+word, "beat", Nanoseconds, "The supervisor's last heartbeat, CLOCK_MONOTONIC."),
		wordEntry(areaProcess, processTopology, "topology_version", Count, "Version of the topology that the table holds, 0 before the first."),
		wordEntry(areaProcess, processTopology+word, "partitions", Count, "Partitions in the table."),
	}
	for n, text := range [NameCount]string{"version", "config_digest", "listen", "operator_listen", "node", "pending_restart"} {
		d = append(d, twinEntry(areaProcess, p.processNames+n*nameBytes(), nameWords, text, "A name."+nameHelp))
	}
	return d
}

const stateHelp = "0 empty, 1 starting, 2 ready, 3 draining, 4 gone."

func partitionEntries() []entry {
	return []entry{
		wordEntry(areaPartition, partitionOwner, "owner", Count, "term (32 bits) | slot (8, 255 nobody) | generation (24)."),
		wordEntry(areaPartition, partitionEra, "era", Count, "number (32 bits) | 1<<8 once set | slot whose staging area holds the rest (8, 255: first_era)."),
		wordEntry(areaPartition, partitionBase, "base", Count, "Next offset to read when the partition was added."),
		wordEntry(areaPartition, partitionNumber, "number", Count, "Number of the partition in its topic."),
		wordEntry(areaPartition, partitionFirst, "base_era", Count, "Number of the era in which base was resolved."),
		wordEntry(areaPartition, partitionMark, "furthest_era", Count, "era (32 bits) | leader epoch (32) of the furthest position of workers that are gone, 0 if there is none."),
		wordEntry(areaPartition, partitionMark+word, "furthest_held", Count, "Its offset."),
		wordEntry(areaPartition, partitionKept, "kept_era", Count, "era (32 bits) | leader epoch (32) of the furthest position of before this start, 0 if none is known."),
		wordEntry(areaPartition, partitionKept+word, "kept_held", Count, "Its offset."),
		{Metric: Metric{Name: "first_era", Help: "from, topic id (2 words), leader epoch of from-1."}, kind: "word", area: areaPartition, offset: partitionStage, words: stageWords},
		twinEntry(areaPartition, partitionTopic, topicWords, "topic", "Name of the topic."+nameHelp),
	}
}

func slotEntries() []entry {
	return []entry{
		wordEntry(areaSlot, spawnWord, "spawn", Count, "pid (32 bits) | generation (32)."),
		wordEntry(areaSlot, spawnTime, "spawned", Nanoseconds, "When the worker was started, since 1970."),
		wordEntry(areaSlot, spawnRespawns, "respawns", Count, "How often the slot's worker was replaced."),
		wordEntry(areaSlot, spawnLent, "lent", Count, "1 + the slot that serves this one's listener, 0: itself."),
		wordEntry(areaSlot, spawnSuspect, "suspect", Flag, "1 while the supervisor misses the heartbeat."),
		wordEntry(areaSlot, slotState, "state", Count, stateHelp),
		wordEntry(areaSlot, slotBeat, "beats", Count, "Heartbeats of the slot's workers."),
		wordEntry(areaSlot, slotBeat+word, "beat", Nanoseconds, "The last heartbeat, or the spawn, CLOCK_MONOTONIC."),
		twinEntry(areaSlot, slotReason, nameWords, "reason", "Why the worker is not well."+nameHelp),
	}
}

func positionEntries() []entry {
	return []entry{twinEntry(areaPosition, 0, posWords, "position",
		"era|leader epoch, held, applied, from, stable, high, log start, caught up ns, term|flags (2 owned, 1 positioned)|generation (24).")}
}

func eraEntries() []entry {
	help := "from, topic id (2 words), leader epoch of from-1; for even and for odd numbers of eras."
	return []entry{{Metric: Metric{Name: "staged_era", Help: help}, kind: "word", area: areaEra, words: stagesBytes / word}}
}
