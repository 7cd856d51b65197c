package kafka

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/odin-ws/odin/internal/event"
)

// describe tells what a request says: +topic/partition@offset, -topic/partition.
func describe(req *kmsg.FetchRequest) string {
	var s []string
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			s = append(s, fmt.Sprintf("+%s/%d@%d", t.Topic, p.Partition, p.FetchOffset))
		}
	}
	for _, t := range req.ForgottenTopics {
		for _, p := range t.Partitions {
			s = append(s, fmt.Sprintf("-%s/%d", t.Topic, p))
		}
	}
	slices.Sort(s)
	return fmt.Sprintf("%d.%d %s", req.SessionID, req.SessionEpoch, strings.Join(s, " "))
}

func TestSessionSaysWhatDiffers(t *testing.T) {
	f := &fetcher{s: &Source{}}
	a := newPart(event.Partition{Topic: "t", Number: 0}, Tag{Topic: event.TopicID{1}}, 5, 0)
	b := newPart(event.Partition{Topic: "t", Number: 1}, Tag{Topic: event.TopicID{1}}, 7, 0)
	ask := func(want string, parts ...*part) *kmsg.FetchRequest {
		t.Helper()
		req := f.request(plan{fetch: parts, bytes: shareMin})
		if got := describe(req); got != want {
			t.Errorf("asked %q, want %q", got, want)
		}
		return req
	}
	answer := func(req *kmsg.FetchRequest, id int32, err *kerr.Error) {
		resp := &kmsg.FetchResponse{SessionID: id}
		if err != nil {
			resp.ErrorCode = err.Code
		}
		f.session.done(req, resp)
	}
	answer(ask("0.0 +t/0@5 +t/1@7", a, b), 9, nil)
	answer(ask("9.1 ", a, b), 9, nil)
	a.next = 6
	answer(ask("9.2 +t/0@6", a, b), 9, nil)
	answer(ask("9.3 -t/1", a), 9, nil)
	b.leaderEpoch = 4
	answer(ask("9.4 +t/1@7", a, b), 9, nil)
	// another incarnation is another member
	c := newPart(b.Partition, Tag{Topic: event.TopicID{2}}, 0, 0)
	answer(ask("9.5 +t/1@0 -t/1", a, c), 9, nil)
	// lost: all anew, and the broker may drop what it has of the old one
	answer(ask("9.6 ", a, c), 9, kerr.FetchSessionIDNotFound)
	answer(ask("9.0 +t/0@6 +t/1@0", a, c), 10, nil)
	answer(ask("10.1 ", a, c), 10, nil)
	// not answered at all
	ask("10.2 -t/0", c)
	f.session.reset()
	// no room for a session: each request is a full one
	for range 2 {
		answer(ask(map[bool]string{true: "10.0 +t/1@0", false: "0.0 +t/1@0"}[f.session.id == 10], c), 0, nil)
	}
	// the number wraps to 1
	answer(ask("0.0 +t/1@0", c), 3, nil)
	f.session.epoch = 1<<31 - 1
	answer(ask("3.2147483647 ", c), 3, nil)
	answer(ask("3.1 ", c), 3, nil)
	// one that comes stands before one that is there
	answer(ask("3.2 +t/0@6", a, c), 3, nil)
	ask("3.3 -t/0", c)
}

func TestEveryPartitionIsFirstOnce(t *testing.T) {
	f := &fetcher{s: &Source{}}
	var parts []*part
	for n := range int32(5) {
		parts = append(parts, newPart(event.Partition{Topic: "t", Number: n}, Tag{}, 0, 0))
	}
	seen := make(map[int32]bool)
	for range parts {
		req := f.request(plan{fetch: parts, bytes: shareMin})
		seen[req.Topics[0].Partitions[0].Partition] = true
	}
	if len(seen) != len(parts) {
		t.Errorf("first were only %v", seen)
	}
}

func TestTopicsWithoutIdsGoByName(t *testing.T) {
	req := newFetch(1)
	want(req, &part{Partition: event.Partition{Topic: "a"}}, 1)
	var k kmsg.Request = named{req}
	if k.MaxVersion() != 12 || k.Key() != 1 {
		t.Errorf("version %d of request %d", k.MaxVersion(), k.Key())
	}
	k.SetVersion(12)
	if req.Version != 12 {
		t.Error("the version isn't passed on")
	}
	if k.ResponseKind().GetVersion() != 12 {
		t.Error("the answer is of another version")
	}
}
