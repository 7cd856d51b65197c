package live

import (
	"encoding/json"
	"net/http"
	"sync"

	"github.com/odin-ws/odin/internal/status"
)

// Partitions is one topic's: entry i of each list is of Partition[i].
type Partitions struct {
	// TS is when they were looked at, in milliseconds since 1970.
	TS int64 `json:"ts"`
	// Topic is the name.
	Topic string `json:"topic"`
	// Partition is the number in the topic.
	Partition []int32 `json:"partition"`
	// Owner is the slot that consumes it, null: nobody.
	Owner []*int `json:"owner"`
	// Term counts the changes of owner.
	Term []uint32 `json:"term"`
	// Position is the last offset held; -1: none.
	Position []int64 `json:"position"`
	// Lag is the records behind.
	Lag []int64 `json:"lag"`
	// LagS is for how many seconds it has been behind.
	LagS []float64 `json:"lag_s"`
	// Records is by how much the position rises each second.
	Records []float64 `json:"records_per_s"`
}

// looked is one whole look, with the answers made of it so far.
type looked struct {
	at     int64 // monotonic nanoseconds
	status status.Status
	rates  status.Rates

	mu      sync.Mutex
	answers map[string][]byte // by topic
}

// partitions is the answer for one topic, nil if there is none of that name.
// It is encoded once for all who ask.
func (l *looked) partitions(topic string) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if answer := l.answers[topic]; answer != nil {
		return answer
	}
	p := Partitions{TS: l.status.TS, Topic: topic}
	for i, one := range l.status.Partitions {
		if one.Topic == topic {
			p.add(one, l.rates.Partitions[i].Records)
		}
	}
	if p.Partition == nil {
		return nil
	}
	answer, err := json.Marshal(p)
	if err != nil { // a number that JSON lacks: a bug
		answer = []byte("{}")
	}
	l.answers[topic] = append(answer, '\n')
	return l.answers[topic]
}

func (p *Partitions) add(one status.Partition, records float64) {
	p.Partition = append(p.Partition, one.Partition)
	p.Owner = append(p.Owner, one.Owner)
	p.Term = append(p.Term, one.Term)
	p.Position = append(p.Position, one.Position)
	p.Lag = append(p.Lag, one.Lag)
	p.LagS = append(p.LagS, one.LagS)
	p.Records = append(p.Records, records)
}

// Partitions answers ?topic=NAME with the partitions of that topic, as old as
// the newest look at them: a second while somebody watches.
func (s *Stream) Partitions() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := s.lastLook().partitions(r.URL.Query().Get("topic"))
		w.Header().Set("Cache-Control", "no-store")
		if answer == nil {
			http.Error(w, "no such topic: ask for ?topic=NAME with a name of /api/status", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	})
}
