package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/live"
	"github.com/odin-ws/odin/internal/page"
	"github.com/odin-ws/odin/internal/status"
	"github.com/odin-ws/odin/shm"
)

const (
	workers    = 16
	partitions = 4096
	markup     = `<img src=x onerror="globalThis.pwned=1">`
	turned     = "\u202egnp.exe"
)

// names of topics: each has partitions/8.
func names() []string {
	return []string{
		"odin.trades", markup, "</script><script>globalThis.pwned=2</script>", turned, "nul\x00esc\x1b[2Jbell\x07\nnew line",
		"عربى.trades", "a-topic-of-two-hundred-and-forty-nine-bytes-" + string(make249()), `"'&lt;${globalThis.pwned=3}`,
	}
}

func make249() []byte {
	long := make([]byte, 205)
	for i := range long {
		long[i] = 'x'
	}
	return long
}

// crowd is the segment, and how far its partitions are.
type crowd struct {
	*shm.Segment
	held [partitions]int64
}

func newCrowd() (*crowd, error) {
	dir, err := os.MkdirTemp("", "odin-crowd-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) // the mapping stays
	seg, err := shm.Create(filepath.Join(dir, "stats.shm"), shm.Layout{Slots: workers, Partitions: partitions})
	if err != nil {
		return nil, err
	}
	c := &crowd{Segment: seg}
	p := seg.Process()
	p.SetStarted(os.Getpid(), shm.Wall()-3725e9)
	p.SetState(shm.Ready)
	for name, text := range map[shm.Name]string{
		shm.Version: "v1.4.0" + markup, shm.Digest: "9f3ab12c5e07", shm.Listen: "127.0.0.1:1", shm.Node: turned + markup,
	} {
		p.SetName(name, text)
	}
	for i := range workers {
		c.spawn(i)
	}
	if err := c.addPartitions(); err != nil {
		return nil, err
	}
	seg.SetTopologyVersion(1)
	c.step(0)
	return c, nil
}

func (c *crowd) spawn(i int) {
	slot := c.Slot(i)
	slot.SetSpawn(4000+i, 1, shm.Wall()-3725e9)
	slot.SetState(shm.Ready)
	slot.Block(1).Set(shm.SourceHealthy, 1)
	switch i {
	case 3:
		slot.SetState(shm.Draining)
	case 5:
		slot.SetReason("no broker answers: " + markup + turned)
	case 7:
		slot.SetState(shm.Gone)
		slot.SetLent(8)
		slot.CountRespawn()
	}
}

func (c *crowd) addPartitions() error {
	all := names()
	for i := range partitions {
		at, err := c.AddPartition(event.Partition{Topic: all[i%len(all)], Number: int32(i / len(all))}, 0)
		if err != nil {
			return err
		}
		owner := event.Owner{Term: 3, Slot: i % workers, Generation: 1}
		if i/len(all)%100 == 7 {
			owner.Slot = event.Nobody
		}
		c.SetOwner(at, owner)
	}
	return nil
}

// move changes all numbers five times a second.
func (c *crowd) move(ctx context.Context) {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for n := int64(1); ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			c.step(n)
		}
	}
}

func (c *crowd) step(n int64) {
	now := shm.Now()
	c.Process().Beat(now.Monotonic)
	for i := range int64(workers) {
		slot := c.Slot(int(i))
		if i != 9 { // it is silent
			slot.Beat(now.Monotonic)
		}
		b := slot.Block(1)
		b.Set(shm.Sessions, 10_000+100*i+n%50)
		b.Set(shm.ResidentBytes, (400+i)<<20)
		b.Set(shm.BlockedSessions, i%3)
		b.Set(shm.OwedBytes, i<<20)
		b.Add(shm.Deliveries, uint64(20_000+500*i+n%7*1000))
		b.Add(shm.BytesSent, uint64(4_000_000+n%7*200_000))
		b.Add(shm.RecordsFetched, uint64(100+n%9))
		b.Add(shm.CPUUser, uint64(100e6+4e6*i))
		b.Observe(shm.DeliveryLatency, uint64(900+n%11*100), 900)
		b.Observe(shm.DeliveryLatency, uint64(9000+n%5*3000), 20)
		b.Observe(shm.TurnLength, uint64(80+10*i), 200)
	}
	for i := range partitions {
		c.held[i] += int64(1 + i%7)
		behind := int64(0)
		if i/8%13 == 3 {
			behind = int64(i) + n%10
		}
		c.Slot(i%workers).PublishPosition(i, shm.Position{
			Held: c.held[i], Applied: c.held[i], Stable: c.held[i] + 1 + behind, High: c.held[i] + 1 + behind, Term: 3, Generation: 1,
			CaughtUpNS: now.Wall - behind*1e6, Positioned: true, Owned: true,
		})
	}
}

func (c *crowd) routes(ctx context.Context) http.Handler {
	stream := live.New(c.Segment, ask, live.Hooks{Viewers: func(int) {}, Refused: func() {}})
	go stream.Run(ctx)
	mux := http.NewServeMux()
	mux.Handle("GET /api/events", stream.Events())
	mux.Handle("GET /api/partitions", stream.Partitions())
	mux.HandleFunc("GET /api/status", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(status.Read(c.Segment, shm.Now()))
	})
	mux.Handle("/", page.Handler())
	return mux
}

// ask answers as workers do whose sessions mean harm.
func ask(_ context.Context, q control.Query, item func(control.Response) error) ([]int, error) {
	for i := range 60 {
		now := time.Now().UnixMilli()
		s := control.Connection{
			ID: control.SessionID{Slot: i % workers, Generation: 1, Number: uint64(i + 1)}, State: control.StateBlocked,
			Remote:   netip.AddrPortFrom(netip.MustParseAddr("2001:db8:85a3:1111:2222:8a2e:370:7334"), 65535),
			OpenedMS: now - int64(i)*977_000, Channels: i, Records: uint64(i) * 1e6, OwedBytes: i << 14,
		}
		if q.Connections.Closed {
			endings := control.Endings()
			s.ClosedMS, s.Code, s.Reason, s.Detail = now-int64(i)*7000, 4000, endings[i%len(endings)], markup+turned
		}
		raw, err := json.Marshal(control.ConnectionItem{Connection: &s, Count: &control.ConnectionCount{Matching: 60}})
		if err != nil {
			return nil, err
		}
		if err := item(control.Response{Slot: 0, Item: raw}); err != nil {
			return nil, err
		}
	}
	return []int{9}, nil
}
