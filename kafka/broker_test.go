package kafka

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/odin-ws/odin/internal/event"
)

// switchboard can cut a cluster off: connections end and none is taken.
type switchboard struct {
	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

func (b *switchboard) listen(network, address string) (net.Listener, error) {
	l, err := net.Listen(network, address)
	return &gate{l, b}, err
}

func (b *switchboard) turn(off bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = off
	for _, c := range b.conns {
		_ = c.Close()
	}
	b.conns = nil
}

type gate struct {
	net.Listener
	board *switchboard
}

func (g *gate) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		g.board.mu.Lock()
		down := g.board.down
		if down {
			_ = c.Close()
		} else {
			g.board.conns = append(g.board.conns, c)
		}
		g.board.mu.Unlock()
		if !down {
			return c, nil
		}
	}
}

func TestBrokerGoneAndBack(t *testing.T) {
	var board switchboard
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(2, "t"), kfake.ListenFn(board.listen))
	s := open(t, Options{Brokers: c.ListenAddrs(), Topics: []string{"t"}})
	k := drink(t, s)
	p := client(t, c.ListenAddrs())
	parts := []event.Partition{{Topic: "t"}, {Topic: "t", Number: 1}}
	for i, part := range parts {
		produceN(t, p, part, 0, 10)
		k.assign(part, Tag{Index: i}, 0, event.NoEpoch)
		k.untilTo(i, 9)
	}
	for round := 1; round < 4; round++ {
		board.turn(true)
		eventually(t, "sick", func() bool {
			ok, why := s.Health()
			return !ok && strings.Contains(why, "broker 0: ")
		})
		board.turn(false)
		for i, part := range parts {
			produceN(t, p, part, round*10, 10)
			numbers(t, k.untilTo(i, int64(round*10+9)).values(), 0, round*10+10)
		}
		eventually(t, "healthy", func() bool { ok, _ := s.Health(); return ok })
	}
}

func TestNoBrokerAtFirst(t *testing.T) {
	var board switchboard
	board.turn(true)
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"), kfake.ListenFn(board.listen))
	s := open(t, Options{Brokers: c.ListenAddrs(), Topics: []string{"t"}})
	if ok, why := s.Health(); ok || !strings.HasPrefix(why, "metadata: ") {
		t.Errorf("before anything: %v, %q", ok, why)
	}
	k := drink(t, s)
	k.assign(event.Partition{Topic: "t"}, Tag{}, 0, event.NoEpoch)
	eventually(t, "a try", func() bool { _, why := s.Health(); return !strings.Contains(why, errNotYet.Error()) })
	board.turn(false)
	produceN(t, client(t, c.ListenAddrs()), event.Partition{Topic: "t"}, 0, 3)
	numbers(t, k.untilTo(0, 2).values(), 0, 3)
	eventually(t, "healthy", func() bool { ok, _ := s.Health(); return ok })
}

func TestLeadersMove(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(3), kfake.SeedTopics(6, "t"))
	s := open(t, Options{Brokers: c.ListenAddrs(), Topics: []string{"t"}})
	k := drink(t, s)
	p := client(t, c.ListenAddrs())
	for n := range int32(6) {
		k.assign(event.Partition{Topic: "t", Number: n}, Tag{Index: int(n)}, 0, event.NoEpoch)
	}
	for round := range 12 {
		for n := range int32(6) {
			produceN(t, p, event.Partition{Topic: "t", Number: n}, round*4, 4)
		}
		switch round % 3 {
		case 0:
			c.ShufflePartitionLeaders()
		case 1:
			if err := c.MoveTopicPartition("t", 2, int32(round/3%3)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := range 6 {
		numbers(t, k.untilTo(n, 47).values(), 0, 48)
	}
	eventually(t, "healthy", func() bool { ok, _ := s.Health(); return ok })
}

func TestBrokersComeAndGo(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(2), kfake.SeedTopics(4, "t"))
	s := open(t, Options{Brokers: c.ListenAddrs(), Topics: []string{"t"}})
	k := drink(t, s)
	for n := range int32(4) {
		k.assign(event.Partition{Topic: "t", Number: n}, Tag{Index: int(n)}, 0, event.NoEpoch)
	}
	p := client(t, c.ListenAddrs())
	write := func(round int) {
		for n := range int32(4) {
			produceN(t, p, event.Partition{Topic: "t", Number: n}, round*5, 5)
		}
		for n := range 4 {
			numbers(t, k.untilTo(n, int64(round*5+4)).values(), 0, round*5+5)
		}
	}
	write(0)
	for round := 1; round < 5; round++ {
		if _, _, err := c.AddNode(int32(round+1), 0); err != nil {
			t.Fatal(err)
		}
		write(2*round - 1)
		if err := c.RemoveNode(int32(round - 1)); err != nil { // the ones it was told of, first
			t.Fatal(err)
		}
		write(2 * round)
	}
	eventually(t, "no fetcher for brokers that are gone", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.fetchers) <= 2
	})
}

// TestPassingErrorsPass answers with every error that a broker may send while
// it sorts itself out, once each; nothing may be lost or told twice.
func TestPassingErrorsPass(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(2, "t"))
	s := open(t, Options{Brokers: c.ListenAddrs(), Topics: []string{"t"}})
	k := drink(t, s)
	p := client(t, c.ListenAddrs())
	a, b := event.Partition{Topic: "t"}, event.Partition{Topic: "t", Number: 1}
	k.assign(a, Tag{Index: 0}, 0, event.NoEpoch)
	k.assign(b, Tag{Index: 1}, 0, event.NoEpoch)
	n := 0
	check := func(f kfake.Fault) {
		t.Helper()
		h := c.Fault(f)
		produceN(t, p, a, n, 3)
		produceN(t, p, b, n, 3)
		n += 3
		if err := h.Wait(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		numbers(t, k.untilTo(0, int64(n-1)).values(), 0, n)
		numbers(t, k.untilTo(1, int64(n-1)).values(), 0, n)
	}
	for _, err := range []*kerr.Error{
		kerr.NotLeaderForPartition, kerr.LeaderNotAvailable, kerr.ReplicaNotAvailable, kerr.FencedLeaderEpoch, kerr.UnknownLeaderEpoch,
		kerr.KafkaStorageError, kerr.OffsetNotAvailable, kerr.UnknownTopicOrPartition, kerr.UnknownTopicID, kerr.InconsistentTopicID,
		kerr.UnknownServerError, kerr.TopicAuthorizationFailed, kerr.OffsetOutOfRange, kerr.CorruptMessage,
	} {
		check(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "t", Partitions: []int32{0}, Err: err})
	}
	for _, err := range []*kerr.Error{kerr.FetchSessionIDNotFound, kerr.InvalidFetchSessionEpoch, kerr.FetchSessionTopicIDError, kerr.UnknownServerError} {
		check(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, TopLevel: true, Err: err, Count: 2})
	}
	eventually(t, "healthy", func() bool { ok, _ := s.Health(); return ok })
}

func TestBrokersWithoutRoomForSessions(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(3, "t"))
	var full atomic.Int64
	c.ControlKey(int16(kmsg.Fetch), func(in kmsg.Request) (kmsg.Response, error, bool) {
		req := in.(*kmsg.FetchRequest)
		if req.SessionEpoch != 0 {
			t.Errorf("epoch %d of a session that there isn't", req.SessionEpoch)
		}
		req.SessionID, req.SessionEpoch = 0, -1 // kfake answers with session 0
		full.Add(1)
		return nil, nil, false
	})
	s := open(t, Options{Brokers: c.ListenAddrs()})
	k := drink(t, s)
	p := client(t, c.ListenAddrs())
	for n := range int32(3) {
		k.assign(event.Partition{Topic: "t", Number: n}, Tag{Index: int(n)}, 0, event.NoEpoch)
	}
	for i := range 10 {
		for n := range int32(3) {
			produceN(t, p, event.Partition{Topic: "t", Number: n}, i, 1)
			numbers(t, k.untilTo(int(n), int64(i)).values(), 0, i+1)
		}
	}
	if full.Load() < 10 {
		t.Errorf("%d fetches", full.Load())
	}
}

// TestOldBrokers: no topic ids before Kafka 2.8, so fetches go by name.
func TestOldBrokers(t *testing.T) {
	for name, v := range map[string]*kversion.Versions{"2.5": kversion.V2_5_0(), "2.7": kversion.V2_7_0(), "2.8": kversion.V2_8_0(), "3.9": kversion.V3_9_0()} {
		t.Run(name, func(t *testing.T) {
			c := cluster(t, kfake.NumBrokers(2), kfake.SeedTopics(4, "t"), kfake.MaxVersions(v))
			p := client(t, c.ListenAddrs())
			s := open(t, Options{Brokers: c.ListenAddrs(), Topics: []string{"t"}})
			k := drink(t, s)
			for n := range int32(4) {
				produceN(t, p, event.Partition{Topic: "t", Number: n}, 0, 5)
				k.assign(event.Partition{Topic: "t", Number: n}, Tag{Index: int(n)}, 0, event.NoEpoch)
				k.untilTo(int(n), 4)
			}
			c.ShufflePartitionLeaders()
			for n := range int32(4) {
				produceN(t, p, event.Partition{Topic: "t", Number: n}, 5, 5)
				numbers(t, k.untilTo(int(n), 9).values(), 0, 10)
				rs, to, err := s.Range(t.Context(), event.Partition{Topic: "t", Number: n}, anything, 0, 9, RangeLimit{})
				if err != nil || to != 9 || len(rs) != 10 {
					t.Errorf("range: %d records to %d, %v", len(rs), to, err)
				}
			}
			top, err := s.Topology(t.Context())
			if err != nil || len(top.Topics) != 1 || (top.Topics[0].ID == event.TopicID{}) != (name < "2.8") {
				t.Errorf("%+v, %v", top, err)
			}
		})
	}
}
