//go:build realkafka

package kafka

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/kafkatest"
)

// TestRealBroker runs against one Apache Kafka broker.
func TestRealBroker(t *testing.T) {
	c := kafkatest.Start(t, kafkatest.Options{})
	for _, test := range []struct {
		name string
		run  func(*testing.T, *kafkatest.Cluster)
	}{
		{"any log from any offset", realAnyLog},
		{"compaction", realCompaction},
		{"codecs", realCodecs},
		{"logins", realLogins},
		{"mutual TLS", realMutualTLS},
		{"bounds and starts", realBounds},
		{"epochs with each fetch", realEpochs},
		{"commits", realCommits},
		{"many partitions", realManyPartitions},
		{"delete records", realDeleteRecords},
		{"a topic made anew", realRecreated},
		{"killed and back", realKilled},
		{"an older copy of its log", realRestored},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, c) })
	}
}

func admin(t *testing.T, addrs []string) *kadm.Client {
	return kadm.NewClient(client(t, addrs))
}

// topic makes a topic; its name is the test's.
func topic(t *testing.T, addrs []string, partitions int32, replicas int16, configs ...string) event.Partition {
	t.Helper()
	name := strings.NewReplacer("/", ".", " ", "-", "_", "-").Replace(t.Name())
	makeTopic(t, addrs, name, partitions, replicas, configs...)
	return event.Partition{Topic: name}
}

func makeTopic(t *testing.T, addrs []string, name string, partitions int32, replicas int16, configs ...string) {
	t.Helper()
	cs := make(map[string]*string)
	for i := 0; i < len(configs); i += 2 {
		cs[configs[i]] = &configs[i+1]
	}
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if _, err := admin(t, addrs).CreateTopic(ctx, partitions, replicas, cs, name); err != nil {
		t.Fatal(err)
	}
	eventually(t, "leaders of "+name, func() bool {
		topics, err := admin(t, addrs).ListTopics(ctx, name)
		if err != nil || topics[name].Err != nil || len(topics[name].Partitions) != int(partitions) {
			return false
		}
		for _, p := range topics[name].Partitions {
			if p.Err != nil || p.Leader < 0 {
				return false
			}
		}
		return true
	})
}

func realAnyLog(t *testing.T, c *kafkatest.Cluster) {
	part := topic(t, c.Addrs(), 1, 1)
	r := rand.New(rand.NewPCG(1, 2))
	s := open(t, Options{Brokers: c.Addrs(), FetchedBytesMax: FetchedBytesLeast, Topics: []string{part.Topic}})
	k := drink(t, s)
	k.assign(part, Tag{Index: 0}, 0, event.NoEpoch)
	n := writeAnything(t, r, c.Addrs(), part, func() {})
	checkAnyLog(t, r, s, k, c.Addrs(), part, n)
}

func realCompaction(t *testing.T, c *kafkatest.Cluster) {
	part := topic(t, c.Addrs(), 1, 1, "cleanup.policy", "compact", "segment.ms", "200", "min.cleanable.dirty.ratio", "0.01", "delete.retention.ms", "0")
	p := client(t, c.Addrs())
	const n = 300
	write := func(from int) {
		for i := from; i < from+n; i += 3 {
			// the last record of most batches is one that goes
			produce(t, p, part, "a"+strconv.Itoa(i%50), strconv.Itoa(i), "b", strconv.Itoa(i+1), "b", strconv.Itoa(i+2))
		}
	}
	write(0)
	s := open(t, Options{Brokers: c.Addrs(), Topics: []string{part.Topic}})
	k := drink(t, s)
	at := int64(n)
	left := n
	for end := time.Now().Add(2 * time.Minute); left > n/2; {
		if time.Now().After(end) {
			t.Fatalf("%d of %d records are left: nothing was compacted", left, n)
		}
		time.Sleep(300 * time.Millisecond) // segments are cut by time
		produce(t, p, part, "tick", "x")
		at++
		rs, to, err := s.Range(t.Context(), part, anything, 0, n-1, RangeLimit{})
		if err != nil || to != n-1 {
			t.Fatal(to, err)
		}
		left = len(rs)
	}
	before := oracle(t, c.Addrs(), part, at-1)
	var came []*got
	for term, from := range []int64{0, 1, 2, 100, 151, n - 1} {
		k.assign(part, Tag{Term: uint32(term)}, from, event.NoEpoch)
		came = append(came, k.untilTo(0, at-1))
	}
	after := oracle(t, c.Addrs(), part, at-1)
	t.Logf("%d offsets, %d left before, %d after", at, len(before), len(after))
	for _, g := range came { // meanwhile, the broker may have compacted on
		seen := make(map[int64]string)
		for i, v := range g.values() {
			at := g.records[i].Offset
			if seen[at] = v; before[at] != v {
				t.Errorf("from %d: offset %d is %q, was %q", g.from, at, v, before[at])
			}
		}
		for at, v := range after {
			if at >= g.from && seen[at] != v {
				t.Errorf("from %d: offset %d is missing", g.from, at)
			}
		}
	}
}

func realCodecs(t *testing.T, c *kafkatest.Cluster) {
	part := topic(t, c.Addrs(), 1, 1)
	s := open(t, Options{Brokers: c.Addrs()})
	k := drink(t, s)
	k.assign(part, Tag{}, 0, event.NoEpoch)
	n := 0
	for _, codec := range codecs() {
		produceN(t, client(t, c.Addrs(), kgo.ProducerBatchCompression(codec)), part, n, 1000)
		n += 1000
	}
	numbers(t, k.untilTo(0, int64(n-1)).values(), 0, n)
	// the broker's own, which are Java's
	for _, codec := range []string{"gzip", "snappy", "lz4", "zstd"} {
		part := event.Partition{Topic: part.Topic + "-" + codec}
		makeTopic(t, c.Addrs(), part.Topic, 1, 1, "compression.type", codec)
		p := client(t, c.Addrs(), kgo.ProducerBatchCompression(kgo.NoCompression()))
		produceN(t, p, part, 0, 2000)
		produce(t, p, part, "k", string(payload(900_000)))
		k.assign(part, Tag{Index: 1}, 0, event.NoEpoch)
		g := k.untilTo(1, 2000)
		numbers(t, g.values()[:2000], 0, 2000)
		if g.values()[2000] != string(payload(900_000)) {
			t.Errorf("%s: the large record differs", codec)
		}
		s.Revoke(part)
	}
}

func realLogins(t *testing.T, c *kafkatest.Cluster) {
	part := topic(t, c.Addrs(), 1, 1)
	produceN(t, client(t, c.Addrs()), part, 0, 10)
	for _, mechanism := range []string{Plain, ScramSHA256, ScramSHA512} {
		login := SASL{Mechanism: mechanism, User: kafkatest.User, Password: kafkatest.Password}
		s := open(t, Options{Brokers: c.SASLAddrs(), SASL: &login, Topics: []string{part.Topic}})
		k := drink(t, s)
		k.assign(part, Tag{}, 0, event.NoEpoch)
		numbers(t, k.untilTo(0, 9).values(), 0, 10)
		login.Password = "ratatoskr"
		s = open(t, Options{Brokers: c.SASLAddrs(), SASL: &login, Topics: []string{part.Topic}})
		eventually(t, "told that the login fails", func() bool {
			ok, why := s.Health()
			if strings.Contains(why, "ratatoskr") {
				t.Fatal("the password is told")
			}
			return !ok && strings.Contains(why, "SASL_AUTHENTICATION_FAILED")
		})
	}
}

func realMutualTLS(t *testing.T, c *kafkatest.Cluster) {
	part := topic(t, c.Addrs(), 1, 1)
	produceN(t, client(t, c.Addrs()), part, 0, 10)
	ca, cert, key := c.PKI().ClientFiles()
	config, err := TLSFiles{CA: ca, Cert: cert, Key: key}.Config()
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, Options{Brokers: c.TLSAddrs(), TLS: config, Topics: []string{part.Topic}})
	k := drink(t, s)
	k.assign(part, Tag{}, 0, event.NoEpoch)
	numbers(t, k.untilTo(0, 9).values(), 0, 10)
	anonymous, err := TLSFiles{CA: ca}.Config()
	if err != nil {
		t.Fatal(err)
	}
	s = open(t, Options{Brokers: c.TLSAddrs(), TLS: anonymous, Topics: []string{part.Topic}})
	eventually(t, "told", func() bool {
		ok, why := s.Health()
		return !ok && !strings.Contains(why, errNotYet.Error())
	})
	t.Log(reason(s))
}

func realBounds(t *testing.T, c *kafkatest.Cluster) {
	part := topic(t, c.Addrs(), 2, 1)
	p := client(t, c.Addrs())
	produceN(t, p, part, 0, 5)
	tx := begin(t, c.Addrs(), t.Name())
	produceN(t, tx, part, 5, 3)
	s := open(t, Options{Brokers: c.Addrs(), Topics: []string{part.Topic, "none"}})
	ends, err := s.Ends(t.Context(), part, event.TopicID{})
	if err != nil || ends != (Ends{0, 5, 8}) {
		t.Errorf("%+v, %v", ends, err)
	}
	resolved := func(at Start) int64 {
		t.Helper()
		b, err := s.Resolve(t.Context(), []event.Partition{part}, at)
		if err != nil {
			t.Fatal(err)
		}
		return b[part]
	}
	if b := resolved(Beginning()); b != 0 {
		t.Errorf("begins at %d", b)
	}
	if b := resolved(Ago(time.Hour)); b != 0 {
		t.Errorf("an hour ago: %d", b)
	}
	if b := resolved(Ago(time.Nanosecond)); b != 5 {
		t.Errorf("just now: %d", b)
	}
	k := drink(t, s)
	k.assign(part, Tag{}, resolved(End()), event.NoEpoch)
	k.until(0, "open transaction", func(g *got) bool { return g.last.Stable == 5 && g.last.High == 8 })
	end(t, tx, true)
	numbers(t, k.untilTo(0, 8).values(), 5, 3)
	top, err := s.Topology(t.Context())
	if err != nil || len(top.Topics) != 1 || top.Topics[0].Partitions != 2 || !slices.Equal(top.Missing, []string{"none"}) {
		t.Errorf("%+v, %v", top, err)
	}
	last := k.until(0, "", func(*got) bool { return true }).last
	if f, err := s.Compare(t.Context(), part, Mark{Offset: last.To, Epoch: last.ToEpoch}, 0); err != nil || f.Kind != NoFault {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := s.Compare(t.Context(), part, Mark{Offset: 20, Epoch: last.ToEpoch}, 0); err != nil || f.Kind != Truncated || f.Offset != 9 {
		t.Errorf("%+v, %v", f, err)
	}
}

// realEpochs shows that a broker compares the epoch of the last record with its
// log at each fetch, a consumer's too: the check before the first fetch isn't
// all that stands between a truncation and the sessions.
func realEpochs(t *testing.T, c *kafkatest.Cluster) {
	part := topic(t, c.Addrs(), 1, 1)
	produceN(t, client(t, c.Addrs()), part, 0, 10)
	s := open(t, Options{Brokers: c.Addrs(), Topics: []string{part.Topic}})
	r := reader{s: s, part: *newPart(part, Tag{}, 10, event.NoEpoch)}
	if err := r.locate(t.Context()); err != nil {
		t.Fatal(err)
	}
	ask := func(from int64, epoch int32) *kmsg.FetchResponseTopicPartition {
		r.part.next, r.part.epoch = from, epoch
		req := newFetch(shareMin)
		want(req, &r.part, shareMin)
		resp, err := r.send(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		return only(resp, 0)
	}
	if p := ask(10, 0); p.ErrorCode != 0 || p.DivergingEpoch.EndOffset >= 0 {
		t.Errorf("at the end: %+v", p)
	}
	if p := ask(15, 0); p.ErrorCode != 0 || p.DivergingEpoch.Epoch != 0 || p.DivergingEpoch.EndOffset != 10 {
		t.Errorf("above the end: %+v", p)
	}
	if p := ask(5, 7); kerr.ErrorForCode(p.ErrorCode) != kerr.OffsetOutOfRange {
		t.Errorf("of an unknown epoch: %+v", p)
	}
}

func realManyPartitions(t *testing.T, c *kafkatest.Cluster) {
	const parts = 300
	part := topic(t, c.Addrs(), parts, 1)
	s := open(t, Options{Brokers: c.Addrs(), Topics: []string{part.Topic}, FetchedBytesMax: FetchedBytesLeast})
	k := drink(t, s)
	p := client(t, c.Addrs())
	for n := range int32(parts) {
		k.assign(event.Partition{Topic: part.Topic, Number: n}, Tag{Index: int(n)}, 0, event.NoEpoch)
	}
	for round := range 3 {
		for n := range int32(parts) {
			produceN(t, p, event.Partition{Topic: part.Topic, Number: n}, round*2, 2)
		}
	}
	for n := range parts {
		numbers(t, k.untilTo(n, 5).values(), 0, 6)
	}
	if n := s.Stats(); n.Stale != 0 {
		t.Errorf("%+v", n)
	}
	eventually(t, "well", func() bool { ok, _ := s.Health(); return ok })
}

func realDeleteRecords(t *testing.T, c *kafkatest.Cluster) {
	part := topic(t, c.Addrs(), 1, 1)
	produceN(t, client(t, c.Addrs()), part, 0, 20)
	s := open(t, Options{Brokers: c.Addrs(), Topics: []string{part.Topic}})
	k := drink(t, s)
	to := make(kadm.Offsets)
	to.Add(kadm.Offset{Topic: part.Topic, At: 12})
	if _, err := admin(t, c.Addrs()).DeleteRecords(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	k.assign(part, Tag{Term: 1}, 5, 0)
	if f := k.untilFault(0); f.Kind != Trimmed || f.Offset != 12 {
		t.Errorf("%+v", f)
	}
	if _, reached, err := s.Range(t.Context(), part, anything, 5, 19, RangeLimit{}); err == nil || reached != 4 {
		t.Errorf("range to %d, %v", reached, err)
	}
	k.assign(part, Tag{Term: 2}, 12, event.NoEpoch)
	numbers(t, k.untilTo(0, 19).values(), 12, 8)
}

func realRecreated(t *testing.T, c *kafkatest.Cluster) {
	part := topic(t, c.Addrs(), 1, 1)
	produceN(t, client(t, c.Addrs()), part, 0, 10)
	s := open(t, Options{Brokers: c.Addrs(), Topics: []string{part.Topic}})
	k := drink(t, s)
	k.assign(part, Tag{Term: 1}, 0, event.NoEpoch)
	k.untilTo(0, 9)
	for round := uint32(1); round < 4; round++ {
		before := k.until(0, "", func(*got) bool { return true }).last.To
		if _, err := admin(t, c.Addrs()).DeleteTopic(t.Context(), part.Topic); err != nil {
			t.Fatal(err)
		}
		if round == 2 {
			eventually(t, "told", func() bool { ok, _ := s.Health(); return !ok })
		}
		eventually(t, "made anew", func() bool {
			_, err := admin(t, c.Addrs()).CreateTopic(t.Context(), 1, 1, nil, part.Topic)
			return err == nil
		})
		produceN(t, client(t, c.Addrs()), part, 1000, 30) // more than before
		f := k.untilFault(0)
		if f.Kind != Recreated || f.Topic == (event.TopicID{}) {
			t.Errorf("%+v", f)
		}
		if g := k.until(0, "", func(*got) bool { return true }); g.last.To != before {
			t.Errorf("went on to %+v", g.last)
		}
		k.assign(part, Tag{Term: round + 1, Topic: f.Topic}, 0, event.NoEpoch)
		numbers(t, k.untilTo(0, 29).values(), 1000, 30)
	}
}

func realKilled(t *testing.T, c *kafkatest.Cluster) {
	part := topic(t, c.Addrs(), 1, 1)
	s := open(t, Options{Brokers: c.Addrs(), Topics: []string{part.Topic}})
	k := drink(t, s)
	k.assign(part, Tag{}, 0, event.NoEpoch)
	produceN(t, client(t, c.Addrs()), part, 0, 100)
	k.untilTo(0, 99)
	c.Nodes[0].Kill(t)
	eventually(t, "sick", func() bool { ok, _ := s.Health(); return !ok })
	t.Log(reason(s))
	c.Nodes[0].Restart(t)
	produceN(t, client(t, c.Addrs()), part, 100, 100)
	numbers(t, k.untilTo(0, 199).values(), 0, 200)
	eventually(t, "well", func() bool { ok, _ := s.Health(); return ok })
}
