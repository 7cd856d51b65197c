package bus

import (
	"math/rand/v2"
	"testing"

	"github.com/odin-ws/odin/internal/event"
)

func TestSizeIsWhatIsAppended(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for n := range 50 {
		a := someAdvance(r, n)
		if got := len(AppendAdvance(nil, &a)); got != Size(&a) {
			t.Fatalf("%d records: %d bytes, Size says %d", n, got, Size(&a))
		}
	}
}

func TestCutPartsJoinToTheWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for range 300 {
		whole := someAdvance(r, r.IntN(60))
		bytesMax := 1 + r.IntN(4000)
		prev, joined, rest, more := whole.Prev, []event.Record(nil), whole, true
		for more {
			var head event.Advance
			head, rest, more = Cut(rest, bytesMax)
			if head.Prev != prev || head.Era != whole.Era || head.Term != whole.Term || head.Partition != whole.Partition {
				t.Fatalf("a part %+v behind %d of %+v", head, prev, whole)
			}
			if size := Size(&head); size > bytesMax && len(head.Records) > 1 {
				t.Fatalf("a part of %d records and %d bytes for %d", len(head.Records), size, bytesMax)
			}
			if more && (head.To != head.Records[len(head.Records)-1].Offset || head.ToEpoch != head.Records[len(head.Records)-1].Epoch) {
				t.Fatalf("cut at %d, not at a record", head.To)
			}
			if checkOffsets(&head) != nil {
				t.Fatalf("a part breaks rule 8: %+v", head)
			}
			prev, joined = head.To, append(joined, head.Records...)
			if !more && (head.To != whole.To || head.ToEpoch != whole.ToEpoch) {
				t.Fatalf("the last part ends at %d instead of %d", head.To, whole.To)
			}
		}
		if len(joined) != len(whole.Records) {
			t.Fatalf("%d of %d records", len(joined), len(whole.Records))
		}
	}
}

func TestCutTakesOneRecordHoweverLarge(t *testing.T) {
	a := event.Advance{Prev: -1, To: 1, Records: []event.Record{
		{Offset: 0, Channel: []byte("a.b"), Frame: make([]byte, 3*MaxBatchBytes)},
		{Offset: 1, Channel: []byte("a.b"), Frame: make([]byte, 10)},
	}}
	head, rest, more := Cut(a, MaxBatchBytes)
	if !more || len(head.Records) != 1 || head.To != 0 || rest.Prev != 0 || len(rest.Records) != 1 {
		t.Errorf("got %d and %d records, %v", len(head.Records), len(rest.Records), more)
	}
}
