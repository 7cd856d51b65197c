package status

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/odin-ws/odin/shm"
)

func TestBetween(t *testing.T) {
	b := standard(t, 2)
	before := b.read()
	b.Slot(1).Block(1).Add(shm.Deliveries, 5000)
	b.Slot(1).Block(1).Add(shm.DeliveryBytes, 1e6)
	b.Slot(0).Block(1).Add(shm.CPUUser, 3e9)
	after := b.read()

	r := Between(before, after, 2*time.Second)
	equal(t, "deliveries", r.Deliveries, 2500)
	equal(t, "bytes", r.Bytes, 500e3)
	equal(t, "cores", r.Cores, 1.5)
	equal(t, "worker 0", r.Workers[0], WorkerRates{Slot: 0, Cores: 1.5})
	equal(t, "worker 1", r.Workers[1], WorkerRates{Slot: 1, Deliveries: 2500, Bytes: 500e3})

	for what, nothing := range map[string]Rates{
		"no time":             Between(before, after, 0),
		"nothing before":      Between(Status{}, after, time.Second),
		"the order is wrong":  Between(after, before, time.Second),
		"it was restarted":    Between(Status{PID: 1, Workers: before.Workers}, after, time.Second),
		"nothing has changed": Between(after, after, time.Second),
	} {
		if nothing.Deliveries != 0 || nothing.Bytes != 0 || nothing.Cores != 0 || len(nothing.Workers) != 2 {
			t.Errorf("%s: %+v", what, nothing)
		}
	}
}

func TestTopLooksAsItDid(t *testing.T) {
	for name := range scenes {
		b := staged(t, name)
		before := b.read()
		for i := range b.Layout().Slots {
			b.Slot(i).Block(1).Add(shm.Deliveries, 123456)
			b.Slot(i).Block(1).Add(shm.DeliveryBytes, 123456*200)
			b.Slot(i).Block(1).Add(shm.CPUSystem, 760e6)
		}
		after := b.read()
		for _, width := range []int{80, 50} {
			var out strings.Builder
			if err := after.TopText(&out, width, Between(before, after, time.Second)); err != nil {
				t.Fatal(err)
			}
			checkLines(t, out.String(), width)
			checkGolden(t, fmt.Sprintf("top-%s-%d.golden", name, width), out.String())
		}
	}
	if err := (Status{}).TopText(full{}, 80, Rates{}); err == nil {
		t.Error("no error")
	}
}

// Rates of another status don't fit; nothing breaks.
func TestTopWithoutRates(t *testing.T) {
	var out strings.Builder
	if err := standard(t, 2).read().TopText(&out, 80, Rates{}); err != nil {
		t.Fatal(err)
	}
	checkLines(t, out.String(), 80)
}
