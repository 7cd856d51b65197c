package live

import "github.com/odin-ws/odin/internal/status"

// View is what one look shows: the fields of /api/status, but partitions
// counted and summed up by topic, and rates since the look before.
type View struct {
	status.Status
	// IntervalS is the seconds that the rates are of; 0 at the first look.
	IntervalS float64 `json:"interval_s"`
	// Rates of all workers.
	Rates status.Flow `json:"rates"`
	// Lag is the records behind, of all partitions.
	Lag int64 `json:"lag"`
	// LagS is the longest time that a partition has been behind.
	LagS float64 `json:"lag_s"`
	// Workers by slot, from 0, all of them.
	Workers []Worker `json:"workers"`
	// Partitions is their number; /api/partitions has them.
	Partitions int `json:"partitions"`
	// Topics in the order in which they became known.
	Topics []Topic `json:"topics"`
}

// Worker is one slot and its rates.
type Worker struct {
	status.Worker
	// Rates of this worker.
	Rates status.Flow `json:"rates"`
}

// Topic is the partitions of one name.
type Topic struct {
	// Topic is its name.
	Topic string `json:"topic"`
	// Partitions is their number.
	Partitions int `json:"partitions"`
	// WithoutOwner is how many nobody consumes.
	WithoutOwner int `json:"without_owner"`
	// Owners are the workers that consume it, for people: 0-3, 7.
	Owners string `json:"owners"`
	// Lag is the records behind, of all its partitions.
	Lag int64 `json:"lag"`
	// Worst is the partition that has been behind the longest, null: none is.
	Worst *int32 `json:"worst"`
	// LagS is for how long that one has been.
	LagS float64 `json:"lag_s"`
	// OpenTransaction is the records that open transactions hold back.
	OpenTransaction int64 `json:"open_transaction"`
	// Records is by how much positions rise each second.
	Records float64 `json:"records_per_s"`
}

func viewOf(s status.Status, r status.Rates) View {
	v := View{
		Status: s, IntervalS: r.IntervalS, Rates: r.Flow, Partitions: len(s.Partitions),
		Workers: make([]Worker, len(s.Workers)), Topics: []Topic{},
	}
	for i, w := range s.Workers {
		v.Workers[i] = Worker{w, r.Workers[i].Flow}
	}
	records := map[string]float64{}
	for _, p := range r.Partitions {
		records[p.Topic] += p.Records
	}
	for _, t := range s.Topics() {
		topic := topicOf(t)
		topic.Records = records[t.Name]
		v.Topics = append(v.Topics, topic)
		v.Lag += topic.Lag
		v.LagS = max(v.LagS, topic.LagS)
	}
	return v
}

func topicOf(t *status.Topic) Topic {
	topic := Topic{
		Topic: t.Name, Partitions: len(t.Partitions), WithoutOwner: len(t.Orphans), Owners: t.Owners(),
		Lag: t.Lag, OpenTransaction: t.Open,
	}
	if w := t.Worst; w != nil {
		topic.Worst, topic.LagS = &w.Partition, w.LagS
	}
	return topic
}
