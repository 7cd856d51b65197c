package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

func frames(rs []event.Record) []string {
	vs := make([]string, len(rs))
	for i, r := range rs {
		vs[i] = string(r.Frame[1 : len(r.Frame)-1])
	}
	return vs
}

func TestRangeIsExact(t *testing.T) {
	c, s, k := rig(t, 0)
	p := client(t, c.ListenAddrs())
	for i := range 10 {
		produceN(t, p, tee, i*10, 10)
	}
	k.assign(tee, Tag{}, 90, event.NoEpoch)
	k.untilTo(0, 99)
	for _, r := range [][2]int64{{0, 99}, {0, 0}, {99, 99}, {15, 34}, {9, 10}, {-5, 3}} {
		rs, to, err := s.Range(t.Context(), tee, anything, r[0], r[1], RangeLimit{})
		from := max(r[0], 0)
		if err != nil || to != r[1] {
			t.Fatalf("%v: to %d, %v", r, to, err)
		}
		numbers(t, frames(rs), int(from), int(r[1]-from+1))
		if rs[0].Offset != from || string(rs[0].Channel) != "k" {
			t.Errorf("%v: begins with %+v", r, rs[0])
		}
	}
	if rs, to, err := s.Range(t.Context(), tee, anything, 5, 4, RangeLimit{}); len(rs) != 0 || to != 4 || err != nil {
		t.Errorf("nothing: %v, %d, %v", rs, to, err)
	}
}

func TestRangeStopsBeforeItsLimit(t *testing.T) {
	_, s, _ := rig(t, 100)
	rs, to, err := s.Range(t.Context(), tee, anything, 10, 99, RangeLimit{Records: 25})
	if err != nil || to != 34 {
		t.Errorf("to %d, %v", to, err)
	}
	numbers(t, frames(rs), 10, 25)
	rs, to, err = s.Range(t.Context(), tee, anything, 10, 99, RangeLimit{Bytes: 5*5 + 3}) // "k<10>"
	if err != nil || to != 14 {
		t.Errorf("to %d, %v", to, err)
	}
	numbers(t, frames(rs), 10, 5)
	rs, to, err = s.Range(t.Context(), tee, anything, 10, 99, RangeLimit{Bytes: 1})
	if err != nil || to != 10 || len(rs) != 1 { // one is always taken
		t.Errorf("%d records to %d, %v", len(rs), to, err)
	}
	// exactly enough
	rs, to, err = s.Range(t.Context(), tee, anything, 10, 14, RangeLimit{Records: 5, Bytes: 25})
	if err != nil || to != 14 || len(rs) != 5 {
		t.Errorf("%d records to %d, %v", len(rs), to, err)
	}
}

func TestRangeLeavesOutWhatNobodySees(t *testing.T) {
	c, s, _ := rig(t, 3)
	tx := begin(t, c.ListenAddrs(), "tx")
	produceN(t, tx, tee, 100, 3) // 3 to 5, aborted at 6
	end(t, tx, false)
	p := client(t, c.ListenAddrs())
	produce(t, p, tee, "k", "3", skipKey, "x", "k", "4") // 7 to 9
	rs, to, err := s.Range(t.Context(), tee, anything, 0, 9, RangeLimit{})
	if err != nil || to != 9 {
		t.Fatal(to, err)
	}
	numbers(t, frames(rs), 0, 5)
	rs, to, err = s.Range(t.Context(), tee, anything, 4, 6, RangeLimit{})
	if err != nil || to != 6 || len(rs) != 0 {
		t.Errorf("aborted ones: %d records to %d, %v", len(rs), to, err)
	}
}

func TestRangeIsTheCallers(t *testing.T) {
	_, s, _ := rig(t, 50)
	first, _, err := s.Range(t.Context(), tee, anything, 0, 49, RangeLimit{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Range(t.Context(), tee, anything, 0, 49, RangeLimit{}); err != nil {
		t.Fatal(err)
	}
	numbers(t, frames(first), 0, 50)
	_ = append(first[0].Channel, "overwritten"...)
	numbers(t, frames(first), 0, 50)
}

func TestRangesBesideServe(t *testing.T) {
	c, s, k := rig(t, 2000)
	k.assign(tee, Tag{}, 0, event.NoEpoch)
	p := client(t, c.ListenAddrs())
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			rs, to, err := s.Range(t.Context(), tee, anything, 0, 1999, RangeLimit{})
			if err != nil || to != 1999 || len(rs) != 2000 {
				t.Errorf("%d records to %d, %v", len(rs), to, err)
			}
		})
	}
	produceN(t, p, tee, 2000, 500)
	numbers(t, k.untilTo(0, 2499).values(), 0, 2500)
	all.Wait()
}

func TestRangeSaysWhyNot(t *testing.T) {
	c, s, k := rig(t, 10)
	k.assign(tee, Tag{}, 0, event.NoEpoch)
	k.untilTo(0, 9)
	if err := c.DeleteRecords("t", 0, 5); err != nil {
		t.Fatal(err)
	}
	if _, to, err := s.Range(t.Context(), tee, anything, 3, 9, RangeLimit{}); !errors.Is(err, ErrTrimmed) || to != 2 {
		t.Errorf("trimmed: to %d, %v", to, err)
	}
	if _, _, err := s.Range(t.Context(), tee, anything, 50, 60, RangeLimit{}); !errors.Is(err, ErrTruncated) {
		t.Errorf("above the end: %v", err)
	}
	// not there yet: waits as long as it may
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	rs, to, err := s.Range(ctx, tee, anything, 8, 12, RangeLimit{})
	if !errors.Is(err, context.DeadlineExceeded) || to != 9 || len(rs) != 2 {
		t.Errorf("%d records to %d, %v", len(rs), to, err)
	}
	if want := "kafka: read t:0 from 8 to 12: "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %q…", err, want)
	}
	s.Close()
	if _, _, err := s.Range(t.Context(), tee, anything, 6, 9, RangeLimit{}); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// Nobody has assigned the partition at that moment, or met the topic that took
// the place of the one that is meant.
func TestNothingIsReadOfATopicMadeAnew(t *testing.T) {
	c, s, _ := rig(t, 10)
	old, err := s.Topology(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	held := Mark{Topic: old.Topics[0].ID, Offset: 9, Epoch: event.NoEpoch}
	if rs, _, err := s.Range(t.Context(), tee, held, 6, 9, RangeLimit{}); err != nil || len(rs) != 4 {
		t.Errorf("before: %d records, %v", len(rs), err)
	}
	if ends, err := s.Ends(t.Context(), tee, held.Topic); err != nil || ends != (Ends{0, 10, 10}) {
		t.Errorf("before: %+v, %v", ends, err)
	}
	if err := c.DeleteTopic("t"); err != nil {
		t.Fatal(err)
	}
	if err := c.CreateTopic("t", 1, nil); err != nil {
		t.Fatal(err)
	}
	produceN(t, client(t, c.ListenAddrs()), tee, 100, 20)
	for _, from := range []int64{6, 30} { // within, and beyond its end
		if rs, reached, err := s.Range(t.Context(), tee, held, from, from+3, RangeLimit{}); !errors.Is(err, ErrRecreated) || len(rs) != 0 || reached != from-1 {
			t.Errorf("from %d: %d records to %d, %v", from, len(rs), reached, err)
		}
	}
	if ends, err := s.Ends(t.Context(), tee, held.Topic); !errors.Is(err, ErrRecreated) || ends != (Ends{}) {
		t.Errorf("%+v, %v", ends, err)
	}
	if ends, err := s.Ends(t.Context(), tee, event.TopicID{}); err != nil || ends != (Ends{0, 20, 20}) {
		t.Errorf("of any: %+v, %v", ends, err)
	}
}

// What was appended after what is held is not of its past: the log was cut
// below it and grew again.
func TestRangeOfALogThatGrewAgain(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(2), kfake.SeedTopics(1, "t"))
	p := client(t, c.ListenAddrs())
	produceN(t, p, tee, 0, 10)
	s := open(t, Options{Brokers: c.ListenAddrs(), Topics: []string{"t"}})
	all, _, err := s.Range(t.Context(), tee, anything, 0, 9, RangeLimit{})
	if err != nil || len(all) != 10 {
		t.Fatal(len(all), err)
	}
	before := Mark{Offset: 9, Epoch: all[9].Epoch}
	if err := c.MoveTopicPartition("t", 0, 1-c.LeaderFor("t", 0)); err != nil {
		t.Fatal(err)
	}
	produceN(t, p, tee, 10, 10)
	rs, reached, err := s.Range(t.Context(), tee, before, 5, 14, RangeLimit{})
	if !errors.Is(err, ErrRegrown) || reached != 9 {
		t.Errorf("to %d, %v", reached, err)
	}
	numbers(t, frames(rs), 5, 5)
	rs, reached, err = s.Range(t.Context(), tee, before, 5, 9, RangeLimit{})
	if err != nil || reached != 9 || len(rs) != 5 {
		t.Errorf("what is of it: %d records to %d, %v", len(rs), reached, err)
	}
	rs, _, err = s.Range(t.Context(), tee, anything, 0, 19, RangeLimit{})
	if err != nil || len(rs) != 20 {
		t.Fatal(len(rs), err)
	}
	now := Mark{Offset: 19, Epoch: rs[19].Epoch}
	if rs, reached, err = s.Range(t.Context(), tee, now, 5, 14, RangeLimit{}); err != nil || reached != 14 || len(rs) != 10 {
		t.Errorf("of both: %d records to %d, %v", len(rs), reached, err)
	}
}

func TestRangeGetsOverPassingErrors(t *testing.T) {
	c := cluster(t, kfake.NumBrokers(3), kfake.SeedTopics(1, "t"))
	produceN(t, client(t, c.ListenAddrs()), tee, 0, 10)
	s := open(t, Options{Brokers: c.ListenAddrs()})
	for _, err := range []*kerr.Error{kerr.NotLeaderForPartition, kerr.FencedLeaderEpoch, kerr.UnknownServerError, kerr.UnknownTopicID, kerr.OffsetOutOfRange} {
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "t", Err: err})
		rs, to, e := s.Range(t.Context(), tee, anything, 0, 9, RangeLimit{})
		if e != nil || to != 9 || len(rs) != 10 {
			t.Errorf("%v: %d records to %d, %v", err, len(rs), to, e)
		}
	}
	c.ShufflePartitionLeaders()
	if _, to, err := s.Range(t.Context(), tee, anything, 0, 9, RangeLimit{}); err != nil || to != 9 {
		t.Errorf("moved: to %d, %v", to, err)
	}
}

func TestRangeRefusesABrokenBatch(t *testing.T) {
	c, s, _ := rig(t, 10)
	for name, change := range map[string]func([]byte){
		"checksum": func(b []byte) { b[len(b)-1]++ },
		"head":     func(b []byte) { b[batchMagicAt] = 9 },
	} {
		breakBatches(c, 1, change)
		if _, to, err := s.Range(t.Context(), tee, anything, 3, 9, RangeLimit{}); !errors.Is(err, errUndecodable) || to != 2 {
			t.Errorf("%s: to %d, %v", name, to, err)
		}
	}
}

func TestLargeRecordsInARange(t *testing.T) {
	c, s, _ := rig(t, 0)
	p := client(t, c.ListenAddrs())
	big := strings.Repeat("x", 700_000)
	for i := range 5 {
		produce(t, p, tee, "k", fmt.Sprint(i, big))
	}
	rs, to, err := s.Range(t.Context(), tee, anything, 0, 4, RangeLimit{})
	if err != nil || to != 4 || len(rs) != 5 {
		t.Fatal(len(rs), to, err)
	}
	for i, v := range frames(rs) {
		if v != fmt.Sprint(i, big) {
			t.Errorf("record %d: %d bytes", i, len(v))
		}
	}
}
