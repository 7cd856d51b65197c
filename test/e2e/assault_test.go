package e2e

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// assaultMemory is how much more memory, in bytes of PSS, all workers together
// may have while they are assaulted, and behind it. 10,000 callers that say
// nothing cost some 2 MiB; the rest is what Go's heap takes between two
// collections.
const assaultMemory = 16 << 20

// bombMemory is the same for what is inflated: the 256 KiB that a bomb may come
// to are garbage soon, 100 MiB for all of them, of which some wait for the next
// collection. Without a bound it would be 64 MiB for each of 200.
const bombMemory = 48 << 20

// assault is what a hostile client does with plain TCP.
type assault struct {
	connections int
	// attack does it, and gives back what is to be closed when it is over.
	attack func(t *testing.T, s *server) []net.Conn
	// counted are the reasons of odin_handshakes_failed_total, and with "503 "
	// before it of odin_connections_refused_total, under which the connections
	// must be found, and with "closed " the codes of odin_sessions_closed_total.
	counted []string
	memory  int // how much more the workers may have; 0: assaultMemory
}

// TestAssaults has hostile clients do what plain TCP allows, and far more of it
// than a mistake would. Who is connected gets every record meanwhile, memory
// stays within its bound, the counters tell what it was, and every descriptor
// comes back.
func TestAssaults(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 2)
	s := startOdind(t, options{
		brokers: b.addr, limits: map[string]string{"handshake_ms_max": "3000", "close_linger_ms_max": "1000"},
		env: []string{"ODIN_COMPRESSION_ENABLED=true"},
	})
	witnesses := clientsOnEach(t, s, 2)
	for _, c := range witnesses {
		c.subscribe(t, "WITNESS.*")
	}
	stop := b.produceOn(t, 50, "WITNESS.trade", "WITNESS.social")
	for _, c := range witnesses {
		b.settle(t, c)
	}
	resident := residentMemory(t, s)
	for name, a := range assaults() {
		t.Run(name, func(t *testing.T) { a.try(t, b, s, witnesses) })
	}
	stop()
	for _, c := range witnesses {
		b.settle(t, c)
	}
	eventually(t, soon, "the workers say that they have their memory back", func() (bool, string) {
		more := residentMemory(t, s) - resident
		return more <= bombMemory, fmt.Sprintf("%.0f bytes more", more)
	})
	s.stop(t)
}

func assaults() map[string]assault {
	return map[string]assault{
		"slow loris":            {connections: 500, attack: trickling(200*time.Millisecond, "X-More: more\r\n"), counted: []string{"deadline"}},
		"a byte a second":       {connections: 500, attack: trickling(time.Second, "x"), counted: []string{"deadline"}},
		"10,000 silent":         {connections: 10000, attack: silence, counted: []string{"deadline", "503 handshakes"}},
		"resets at once":        {connections: 5000, attack: resets(""), counted: []string{"io", "503 handshakes"}},
		"resets in the head":    {connections: 5000, attack: resets(handshake), counted: []string{"io", "503 handshakes"}},
		"resets of sessions":    {connections: 500, attack: resetSessions, counted: []string{"closed 1006"}},
		"huge heads":            {connections: 200, attack: hugeHeads, counted: []string{"too_large"}},
		"closed in the head":    {connections: 500, attack: halfHeads, counted: []string{"io"}},
		"half-open sessions":    {connections: 500, attack: halfOpen, counted: []string{"closed 1006"}},
		"closes nobody answers": {connections: 200, attack: unanswered, counted: []string{"closed 1002"}},
		"promises of much":      {connections: 500, attack: promises, counted: []string{"closed 1006"}},
		"compressed bombs":      {connections: 200, attack: bombs, counted: []string{"closed 1009"}, memory: bombMemory},
	}
}

// stock is what an assault may not change for good.
type stock struct {
	files   int
	memory  int
	counted float64
}

func (a *assault) takeStock(t *testing.T, s *server) stock {
	t.Helper()
	n, m := 0.0, s.metrics(t)
	for _, what := range a.counted {
		kind, name, _ := strings.Cut(what, " ")
		switch kind {
		case "503":
			n += m.sum(t, "odin_connections_refused_total", "reason", name)
		case "closed":
			n += m.sum(t, "odin_sessions_closed_total", "code", name)
		default:
			n += m.sum(t, "odin_handshakes_failed_total", "reason", kind)
		}
	}
	return stock{files: workerFiles(t, s), memory: workerMemory(t, s), counted: n}
}

func (a *assault) try(t *testing.T, b *broker, s *server, witnesses []*client) {
	before := a.takeStock(t, s)
	peak := watchMemory(t, s)
	held := a.attack(t, s)
	for _, c := range witnesses { // while it lasts
		b.settle(t, c)
	}
	eventually(t, soon, "all are counted, and their descriptors are back", func() (bool, string) {
		now := a.takeStock(t, s)
		pending := s.metrics(t).sum(t, "odin_handshakes_pending")
		return int(now.counted-before.counted) == a.connections && now.files <= before.files+fdSlack && pending == 0,
			fmt.Sprintf("%v of %d counted as %v; %d files, before %d; %v pending", now.counted-before.counted, a.connections, a.counted, now.files, before.files, pending)
	})
	for _, c := range held {
		c.Close()
	}
	if most := peak(); most > before.memory+cmp.Or(a.memory, assaultMemory) {
		t.Errorf("the workers' memory grew by %d KiB", (most-before.memory)>>10)
	} else {
		t.Logf("the workers' memory grew by %d KiB at most", (most-before.memory)>>10)
	}
	for _, c := range witnesses {
		b.settle(t, c)
	}
}

// workerMemory is the PSS of all workers.
func workerMemory(t testing.TB, s *server) int {
	n := 0
	for slot := range s.options.workers {
		n += pss(s.worker(t, slot))
	}
	return n
}

// residentMemory is what the workers say of themselves, once all have.
func residentMemory(t testing.TB, s *server) (sum float64) {
	t.Helper()
	eventually(t, soon, "every worker has said how much memory it has", func() (bool, string) {
		sum = 0
		m := s.metrics(t)
		for slot := range s.options.workers {
			of := m.sum(t, "odin_resident_memory_bytes", "worker", fmt.Sprint(slot))
			if of == 0 {
				return false, fmt.Sprintf("worker %d has not", slot)
			}
			sum += of
		}
		return true, ""
	})
	return sum
}

// pss is how much memory a process has, in bytes, its share of what it shares
// included.
func pss(pid int) int {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	_, rest, _ := strings.Cut(string(b), "\nPss:")
	kib := 0
	_, _ = fmt.Sscan(rest, &kib)
	return kib << 10
}

// watchMemory looks at the workers' memory until the function is called that it
// returns, which tells the most that was seen.
func watchMemory(t *testing.T, s *server) (peak func() int) {
	pids := make([]int, s.options.workers)
	for slot := range pids {
		pids[slot] = s.worker(t, slot)
	}
	over, most := make(chan struct{}), make(chan int)
	go func() {
		highest := 0
		for {
			now := 0
			for _, pid := range pids {
				now += pss(pid)
			}
			highest = max(highest, now)
			select {
			case <-over:
				most <- highest
				return
			case <-time.After(5 * pollEvery):
			}
		}
	}()
	peak = sync.OnceValue(func() int { close(over); return <-most })
	t.Cleanup(func() { peak() })
	return peak
}

// dialers is how many connects are under way at once.
const dialers = 64

// many does something with n connections, side by side, and gives back those
// that it wants to be held.
func many(t *testing.T, s *server, n int, with func(*raw) error) []net.Conn {
	t.Helper()
	var mu sync.Mutex
	var held []net.Conn
	places := make(chan struct{}, n)
	for range n {
		places <- struct{}{}
	}
	close(places)
	failed := atOnce(dialers, func() error {
		for range places {
			r, err := rawDial(s, 0)
			if err != nil {
				return err
			}
			t.Cleanup(func() { r.Close() })
			mu.Lock()
			held = append(held, r)
			mu.Unlock()
			if err := with(r); err != nil {
				return err
			}
		}
		return nil
	})
	if len(failed) > 0 {
		t.Fatal(failed[0])
	}
	return held
}
