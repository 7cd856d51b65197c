package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// committed are a group's positions, as tools see them.
func (b *broker) committed(t *testing.T, group string) map[string]kadm.Offset {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longer)
	defer cancel()
	found := map[string]kadm.Offset{}
	all, err := kadm.NewClient(b.producer).FetchOffsets(ctx, group)
	if !errors.Is(err, kerr.GroupIDNotFound) { // nobody has committed yet
		must(t, err)
	}
	all.Each(func(r kadm.OffsetResponse) { found[fmt.Sprint(r.Topic, ":", r.Partition)] = r.Offset })
	return found
}

// logEnds are where all logs end.
func (b *broker) logEnds(t *testing.T) map[string]int64 {
	t.Helper()
	ends := map[string]int64{}
	all := mustDo[kadm.ListedOffsets](t)(kadm.NewClient(b.producer).ListEndOffsets(t.Context(), allTopics()...))
	all.Each(func(o kadm.ListedOffset) { ends[fmt.Sprint(o.Topic, ":", o.Partition)] = o.Offset })
	return ends
}

// awaitCommitted waits until the group has all that is in the logs.
func (b *broker) awaitCommitted(t *testing.T, s *server, group string) {
	t.Helper()
	ends := b.logEnds(t)
	eventually(t, longer, "all is committed to "+group, func() (bool, string) {
		found := b.committed(t, group)
		for p, end := range ends {
			if o, ok := found[p]; !ok || o.At != end {
				return false, fmt.Sprint(p, " ends at ", end, ", committed: ", found)
			}
		}
		return true, ""
	})
}

// groupShowsLag: the group's lag is odind's own, partition by partition, while
// there is some. describe is another tool's view of the group.
func groupShowsLag(t *testing.T, b *broker, describe func(group string) map[string]int64) {
	// What is fetched at once is taken whole, and nothing for minutes after that.
	s := startOdind(t, options{brokers: b.addr, env: []string{"ODIN_KAFKA_GROUP=odin-lag"}, limits: map[string]string{"commit_ms": "200", "fetch_records_per_s_max": "1"}})
	for _, subject := range []string{"FIRST", "LATER"} {
		b.trade(t, subject, 50)
	}
	eventually(t, longer, "both show the same lag", func() (bool, string) {
		own, theirs, sum := map[string]int64{}, describe("odin-lag"), int64(0)
		for _, p := range s.status(t).Partitions {
			own[fmt.Sprint(p.Topic, ":", p.Partition)] = p.Lag
			sum += p.Lag
		}
		return sum > 0 && maps.Equal(own, theirs), fmt.Sprint("odind: ", own, " group: ", theirs)
	})
	s.stop(t)
}

func TestGroupShowsOdinsLag(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 2)
	groupShowsLag(t, b, func(group string) map[string]int64 {
		lags := map[string]int64{}
		described := mustDo[kadm.DescribedGroupLags](t)(kadm.NewClient(b.producer).Lag(t.Context(), group))
		for _, l := range described[group].Lag.Sorted() {
			lags[fmt.Sprint(l.Topic, ":", l.Partition)] = l.Lag
		}
		return lags
	})
}

func TestGroupHasTheLastPositions(t *testing.T) {
	t.Parallel()
	groupHasTheLast(t, startBroker(t, 2))
}

// groupHasTheLast: at an orderly stop each owner commits once more, so that the
// group has all that clients got.
func groupHasTheLast(t *testing.T, b *broker) {
	s := startOdind(t, options{brokers: b.addr, workers: 3, limits: map[string]string{"commit_ms": "3600000"}, env: []string{"KAFKA_GROUP_ID=odin"}})
	c := connect(t, s)
	c.subscribe(t, "*.*")
	b.produce(t, batch(20, everyChannel("LAST")...)...)
	b.settle(t, c)
	s.stop(t)
	ends, found := b.logEnds(t), b.committed(t, "odin")
	for p, end := range ends {
		if found[p].At != end {
			t.Errorf("%s: %d is committed, the log ends at %d", p, found[p].At, end)
		}
	}
}

// groupInUse: a group with consumers is left alone, the log and a counter tell so,
// records go on, and once the consumers are gone the positions are taken.
func groupInUse(t *testing.T, b *broker) {
	const refused, taken = "the group doesn't take the positions", "the group takes the positions"
	file, change := configuration(t, "limits: {commit_ms: 100}\n")
	s := startOdind(t, options{brokers: b.addr, args: []string{"--config", file}})
	c := connect(t, s)
	c.subscribe(t, "*.trade")
	b.trade(t, "BEFORE", 5)
	b.settle(t, c)
	consumer := newProducer(t, b.addr, kgo.ConsumerGroup("busy"), kgo.ConsumeTopics(trades), kgo.DisableAutoCommit())
	eventually(t, longer, "the consumer has joined", func() (bool, string) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		consumer.PollFetches(ctx)
		_, generation := consumer.GroupMetadata()
		return generation >= 0, ""
	})
	change("limits: {commit_ms: 100}\nkafka: {group: busy}\n")
	if r, _ := s.reload(t, 0); changedKeys(r.Applied) != "kafka.group" {
		t.Errorf("applied %+v", r.Applied)
	}
	eventually(t, longer, "the log says so", func() (bool, string) {
		log := s.err.String()
		return strings.Contains(log, refused) && strings.Contains(log, "give Odin a group that nobody else uses"), log
	})
	eventually(t, longer, "refusals are counted", func() (bool, string) {
		n := s.metrics(t).sum(t, "odin_group_commits_failed_total")
		return n >= 3, fmt.Sprint(n)
	})
	if n := s.metrics(t).sum(t, "odin_group_commits_total"); n != 0 {
		t.Errorf("%v commits among consumers", n)
	}
	if found := b.committed(t, "busy"); len(found) > 0 {
		t.Errorf("the consumers' group has %v", found)
	}
	b.trade(t, "MEANWHILE", 5)
	b.settle(t, c)
	consumer.Close()
	b.awaitCommitted(t, s, "busy")
	eventually(t, longer, "the log says that too", func() (bool, string) { return strings.Contains(s.err.String(), taken), s.err.String() })
	if log := s.err.String(); strings.Count(log, refused) > 3 {
		t.Errorf("the log:\n%s", log)
	}
	change("limits: {commit_ms: 100}\n")
	s.reload(t, 0)
	before := b.committed(t, "busy")
	b.trade(t, "AFTER", 5)
	b.settle(t, c)
	s.stop(t)
	if now := b.committed(t, "busy"); !maps.Equal(before, now) {
		t.Errorf("committed without a group: %v, was %v", now, before)
	}
}

func TestGroupInUseIsSpared(t *testing.T) {
	t.Parallel()
	groupInUse(t, startBroker(t, 2))
}

// groupGoesBack: of a topic that was made anew the group gets the new positions.
func groupGoesBack(t *testing.T, b *broker) {
	s := startOdind(t, options{brokers: b.addr, limits: map[string]string{"commit_ms": "100", "topology_refresh_ms": "100"}, env: []string{"ODIN_KAFKA_GROUP=odin"}})
	b.trade(t, "OLD", 20)
	b.awaitCommitted(t, s, "odin")
	b.anew(t, 2)
	b.trade(t, "NEW", 2)
	b.awaitCommitted(t, s, "odin")
	s.stop(t)
}

func TestGroupGoesBackWithATopicMadeAnew(t *testing.T) {
	t.Parallel()
	groupGoesBack(t, startBroker(t, 2))
}
