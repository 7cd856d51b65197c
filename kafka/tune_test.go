package kafka

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

// A Source that was refused goes on with the password that it is told later,
// without being made anew.
func TestANewPasswordIsTakenUp(t *testing.T) {
	for _, mechanism := range []string{Plain, ScramSHA256, ScramSHA512} {
		t.Run(mechanism, func(t *testing.T) {
			c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"), kfake.EnableSASL(), kfake.Superuser(mechanism, "odin", "draupnir"))
			right, err := newLogin(&SASL{Mechanism: mechanism, User: "odin", Password: "draupnir"}).mechanism()
			if err != nil {
				t.Fatal(err)
			}
			produceN(t, client(t, c.ListenAddrs(), kgo.SASL(right)), tee, 0, 3)
			s := open(t, Options{Brokers: c.ListenAddrs(), SASL: &SASL{Mechanism: mechanism, User: "loki", Password: "old"}, Topics: []string{"t"}})
			k := drink(t, s)
			k.assign(tee, Tag{}, 0, event.NoEpoch)
			eventually(t, "the login is refused", func() bool {
				ok, why := s.Health()
				return !ok && strings.Contains(why, "login of loki")
			})
			if err := s.Tune(Tuning{User: "odin", Password: "draupnir"}); err != nil {
				t.Fatal(err)
			}
			numbers(t, k.untilTo(0, 2).values(), 0, 3)
			eventually(t, "all is well", func() bool { ok, _ := s.Health(); return ok })
		})
	}
}

func TestTuneChangesWhatItIsTold(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	var looks atomic.Int64
	c.ControlKey(int16(kmsg.Metadata), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		looks.Add(1)
		return nil, nil, false
	})
	s := open(t, Options{Brokers: c.ListenAddrs(), Topics: []string{"t"}, MetadataRefresh: time.Hour})
	eventually(t, "healthy", func() bool { ok, _ := s.Health(); return ok })
	if err := s.Tune(Tuning{MetadataRefresh: 10 * time.Millisecond, FetchedBytesMax: 2 << 20, User: "nobody", Password: "asks"}); err != nil {
		t.Fatal(err)
	}
	before := looks.Load()
	eventually(t, "metadata is asked for often", func() bool { return looks.Load() > before+10 })
	if s.share() != 2<<20 || s.decompressedMax() != 8<<20 || s.login.Load() != nil {
		t.Errorf("share %d, unpacked %d, login %v", s.share(), s.decompressedMax(), s.login.Load())
	}
	for name, wrong := range map[string]Tuning{"too little": {FetchedBytesMax: 1}, "negative": {MetadataRefresh: -1}} {
		if err := s.Tune(wrong); !errors.Is(err, ErrOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Tune(Tuning{}); err != nil || s.share() != 2<<20 {
		t.Errorf("nothing told: share %d, %v", s.share(), err)
	}
}
