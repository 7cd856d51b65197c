package wire

import (
	"bytes"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/event"
)

func TestReadHead(t *testing.T) {
	p := event.Partition{Topic: "odin.trades", Number: 7}
	record := func(value []byte) []byte { return AppendRecord(nil, []byte("BTC.trade"), p, 1042, 1, value) }
	want := Head{Channel: []byte("BTC.trade"), Topic: []byte("odin.trades"), Partition: 7, Offset: 1042}
	for name, frame := range map[string][]byte{
		"short":     record([]byte("1")),
		"of 16 bit": record([]byte(`"` + strings.Repeat("x", 200) + `"`)),
		"of 64 bit": record([]byte(`"` + strings.Repeat("x", 70_000) + `"`)),
		"base64":    record([]byte("\xff")),
		"tombstone": record(nil),
	} {
		got, ok := ReadHead(frame)
		if !ok || !sameHead(got, want) {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
		if size := FrameSize(append(frame, "more"...)); size != len(frame) {
			t.Errorf("%s: size %d, is %d", name, size, len(frame))
		}
	}
	want.Dropped = 3
	if got, ok := ReadHead(AppendGap(nil, []byte("BTC.trade"), 3, p, 1042)); !ok || !sameHead(got, want) {
		t.Errorf("gap: %+v, %v", got, ok)
	}
}

func sameHead(a, b Head) bool {
	return bytes.Equal(a.Channel, b.Channel) && bytes.Equal(a.Topic, b.Topic) &&
		a.Partition == b.Partition && a.Offset == b.Offset && a.Dropped == b.Dropped
}

func TestReadHeadOfOthers(t *testing.T) {
	for name, frame := range map[string][]byte{
		"ping":  AppendFrame(nil, Ping, []byte(`{"type":"message","channel":"a.b","pos":"t:0:1"}`)),
		"close": AppendClose(nil, CloseGoingAway, "draining", 0, 0),
		"pong":  AppendPong(nil, nil, 1, []byte("{}")),
		"reset": AppendReset(nil, ResetEpoch, true, []byte("{}")),
		"empty": AppendFrame(nil, Text, nil),
	} {
		if h, ok := ReadHead(frame); ok {
			t.Errorf("%s has a head: %+v", name, h)
		}
	}
}

func FuzzReadHead(f *testing.F) {
	p := event.Partition{Topic: "odin.trades", Number: 7}
	f.Add(AppendRecord(nil, []byte("BTC.trade"), p, 1042, 1, []byte("1"))[2:])
	f.Add(AppendGap(nil, []byte("BTC.trade"), 3, p, 1042)[2:])
	f.Add([]byte(`{"type":"gap","channel":"a`))
	f.Add([]byte(`{"type":"message","channel":"a","pos":"::"`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		h, ok := ReadHead(AppendFrame(nil, Text, payload))
		if ok && !bytes.Contains(payload, h.Channel) {
			t.Errorf("%q has the channel %q", payload, h.Channel)
		}
	})
}
