package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

const readCommitted = 1

// newFetch is a request for nothing yet.
func newFetch(bytesMax int32) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis = int32(fetchWait.Milliseconds())
	req.MinBytes = 1
	req.MaxBytes = bytesMax
	req.IsolationLevel = readCommitted
	req.SessionEpoch = -1
	return req
}

// want adds a partition to a request. Those of a topic come in a row.
func want(req *kmsg.FetchRequest, a *part, bytesMax int32) {
	n := len(req.Topics)
	if n == 0 || req.Topics[n-1].Topic != a.Topic || req.Topics[n-1].TopicID != a.topic {
		t := kmsg.NewFetchRequestTopic()
		t.Topic, t.TopicID = a.Topic, a.topic
		req.Topics = append(req.Topics, t)
		n++
	}
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition = a.Number
	p.CurrentLeaderEpoch = a.leaderEpoch
	p.FetchOffset = a.next
	p.LastFetchedEpoch = a.epoch
	p.LogStartOffset = -1
	p.PartitionMaxBytes = bytesMax
	req.Topics[n-1].Partitions = append(req.Topics[n-1].Partitions, p)
}

// Versions of a fetch.
const (
	fetchOldest = 4  // tells the last stable offset
	fetchNamed  = 12 // the last one whose topics go by name
)

// fetchNewest is the newest version of a fetch that is settled.
var fetchNewest, _ = kversion.Stable().LookupMaxKeyVersion(kmsg.Fetch.Int16())

// fetchVersion is the newest version that a fetch can be sent as.
func fetchVersion(req *kmsg.FetchRequest) int16 {
	for i := range req.Topics {
		if req.Topics[i].TopicID == [16]byte{} {
			return fetchNamed
		}
	}
	return fetchNewest
}

// named is a fetch whose topics go by name: at least one has no id.
type named struct{ *kmsg.FetchRequest }

// MaxVersion is the last one that has names.
func (named) MaxVersion() int16 { return fetchNamed }

// sendFetch sends a fetch to a broker over franz-go's connections, once.
func sendFetch(ctx context.Context, c *kgo.Client, broker int32, req *kmsg.FetchRequest) (*kmsg.FetchResponse, error) {
	var out kmsg.Request = req
	if fetchVersion(req) == fetchNamed {
		out = named{req}
	}
	in, err := c.Broker(int(broker)).Request(ctx, out)
	if err != nil {
		return nil, err
	}
	resp, ok := in.(*kmsg.FetchResponse)
	if !ok {
		return nil, fmt.Errorf("a fetch was answered by %T", in)
	}
	return resp, nil
}

// topicOf is what a request for these partitions called a response's topic.
func topicOf(parts []*part, resp *kmsg.FetchResponse, t *kmsg.FetchResponseTopic) string {
	if resp.Version < 13 {
		return t.Topic
	}
	for _, a := range parts {
		if a.topic == t.TopicID {
			return a.Topic
		}
	}
	return ""
}
