package control

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestSessionID(t *testing.T) {
	id := SessionID{Slot: 3, Generation: 1, Number: 12345}
	raw, err := json.Marshal(id)
	if err != nil || string(raw) != `"3-1-12345"` {
		t.Fatalf("%s, %v", raw, err)
	}
	var back SessionID
	if err := json.Unmarshal(raw, &back); err != nil || back != id {
		t.Fatalf("%+v, %v", back, err)
	}
	for _, text := range []string{"", "3", "3-1", "3-1-2-3", "a-1-2", "-1-1-2", "3-1-", "3-1-x", "3-99999999999-1", "999999-1-1", "3-1-+2"} {
		if id, err := ParseSessionID(text); err == nil || !strings.Contains(err.Error(), "like 3-1-12345") {
			t.Errorf("%q is %+v, %v", text, id, err)
		}
	}
}

func FuzzSessionID(f *testing.F) {
	f.Add("3-1-12345")
	f.Add("00-01-0")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := ParseSessionID(text)
		if err != nil {
			return
		}
		if back, err := ParseSessionID(id.String()); err != nil || back != id {
			t.Errorf("%q is %v, which is %v, %v", text, id, back, err)
		}
	})
}

func TestRemote(t *testing.T) {
	for _, c := range []struct {
		text, addr string
		want       bool
	}{
		{"", "10.1.2.3:4", true},
		{"10.1.2.3", "10.1.2.3:4", true},
		{"10.1.2.3", "10.1.2.4:4", false},
		{"10.1.2.3:4", "10.1.2.3:4", true},
		{"10.1.2.3:5", "10.1.2.3:4", false},
		{"10.0.0.0/8", "10.1.2.3:4", true},
		{"10.1.2.3/8", "10.200.2.3:4", true},
		{"10.0.0.0/8", "11.1.2.3:4", false},
		{"10.0.0.0/8", "[::ffff:10.1.2.3]:4", true},
		{"::ffff:10.0.0.0/104", "10.1.2.3:4", true},
		{"::ffff:10.1.2.3", "10.1.2.3:4", true},
		{"::1", "[::1]:4", true},
		{"[::1]", "[::1]:4", true},
		{"[::1]:4", "[::1]:4", true},
		{"[::1]:5", "[::1]:4", false},
		{"2001:db8::/32", "[2001:db8:1::1]:4", true},
		{"2001:db8::/32", "10.1.2.3:4", false},
		{"fe80::1", "[fe80::1%eth0]:4", true},
		{"0.0.0.0/0", "[::1]:4", false},
	} {
		r, err := ParseRemote(c.text)
		if got := r.Has(netip.MustParseAddrPort(c.addr)); err != nil || got != c.want {
			t.Errorf("%s has %s: %v, %v", c.text, c.addr, got, err)
		}
	}
	for _, text := range []string{"x", "10.0.0", "10.0.0.0/33", "10.0.0.0:99999", "localhost", "10.1.2.3:", ":80"} {
		if _, err := ParseRemote(text); err == nil || !strings.Contains(err.Error(), "allowed: IP, IP/BITS or IP:PORT") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A condition of any text is an error or decides, for every address.
func FuzzRemote(f *testing.F) {
	f.Add("10.0.0.0/8", []byte{10, 1, 2, 3})
	f.Add("[::1]:4", []byte("0123456789abcdef"))
	f.Fuzz(func(t *testing.T, text string, addr []byte) {
		r, err := ParseRemote(text)
		a, ok := netip.AddrFromSlice(addr)
		if err != nil || !ok {
			return
		}
		ap := netip.AddrPortFrom(a, 4)
		if r.Has(ap) != r.Has(netip.AddrPortFrom(a.Unmap(), 4)) {
			t.Errorf("%q tells %v from its short form", text, ap)
		}
	})
}

func TestConnectionsCheck(t *testing.T) {
	if err := (&Connections{Remote: "10.0.0.0/8", Code: 4000, Reason: SlowConsumer, Sort: ByOwed, Limit: ConnectionsMax, Closed: true}).Check(); err != nil {
		t.Error(err)
	}
	for want, q := range map[string]Connections{
		"is no address":                      {Remote: "x"},
		"no close code 5000":                 {Code: 5000},
		`unknown reason "slow", allowed: cl`: {Reason: "slow"},
		`can't sort by "x", allowed: age,`:   {Sort: "x"},
		"allowed: 1 to 10000":                {Limit: 10001},
		"can't be negative":                  {OlderMS: -1},
		"are not remembered":                 {Closed: true, Channel: "A.b"},
		"ids of closed sessions are not":     {Closed: true, Client: "c-81"},
	} {
		if err := q.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", q, err, want)
		}
	}
	all := Connections{Remote: "x", Code: -1, Sort: "x"}
	if err := all.Check(); strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("not all mistakes are told: %v", err)
	}
}

func TestCondition(t *testing.T) {
	const now = 100_000
	live := Connection{State: StateOpen, OpenedMS: now - 5000, Remote: netip.MustParseAddrPort("10.1.2.3:4"), Client: "c-81"}
	blocked := live
	blocked.State = StateBlocked
	past := Connection{State: StateClosed, OpenedMS: now - 9000, ClosedMS: now - 1000, Code: 4000, Reason: SlowConsumer}
	for _, c := range []struct {
		q    Connections
		of   Connection
		want bool
	}{
		{Connections{}, live, true},
		{Connections{Slow: true}, live, false},
		{Connections{Slow: true}, blocked, true},
		{Connections{OlderMS: 5000}, live, true},
		{Connections{OlderMS: 5001}, live, false},
		{Connections{YoungerMS: 5001}, live, true},
		{Connections{YoungerMS: 5000}, live, false},
		{Connections{Remote: "10.0.0.0/8"}, live, true},
		{Connections{Remote: "11.0.0.0/8"}, live, false},
		{Connections{Code: 4000}, live, false},
		{Connections{Client: "c-81"}, live, true},
		{Connections{Client: "c-8"}, live, false},
		{Connections{Closed: true}, past, true},
		{Connections{Closed: true, Slow: true, Code: 4000, Reason: SlowConsumer}, past, true},
		{Connections{Closed: true, Reason: ClientGone}, past, false},
		{Connections{Closed: true, Code: 1001}, past, false},
		{Connections{Closed: true, YoungerMS: 2000}, past, true}, // since it ended
		{Connections{Closed: true, OlderMS: 2000}, past, false},
	} {
		cond, err := c.q.Condition()
		if got := cond.Meets(&c.of, now); err != nil || got != c.want {
			t.Errorf("%+v of %+v: %v, %v", c.q, c.of, got, err)
		}
	}
	if _, err := (Connections{Sort: "x"}).Condition(); err == nil {
		t.Error("a wrong question has conditions")
	}
}

func TestFirst(t *testing.T) {
	for order, want := range map[Order][]uint64{
		ByAge: {9, 8, 7}, "": {9, 8, 7}, ByRecords: {0, 1, 2}, ByOwed: {5, 6, 4}, ByBytes: {3, 9, 8},
	} {
		f := Connections{Sort: order, Limit: 3}.First()
		for n := range uint64(1000) {
			c := Connection{ID: SessionID{Number: n % 10}, OpenedMS: int64(n % 10)}
			if n < 10 {
				c.Records = 10 - n
				c.OwedBytes = int(map[uint64]int64{5: 9, 6: 8, 4: 7}[n])
				c.Bytes = map[uint64]uint64{3: 1}[n]
			} else {
				c.OpenedMS -= 10
			}
			f.Add(c)
		}
		var got []uint64
		for _, c := range f.List() {
			got = append(got, c.ID.Number)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", order, got, want)
		}
	}
	f := Connections{}.First()
	for range 500 {
		f.Add(Connection{})
	}
	if n := len(f.List()); n != ConnectionsDefault {
		t.Errorf("%d by default", n)
	}
}

func TestEndingsHaveWords(t *testing.T) {
	for _, e := range Endings() {
		if e.Words() == "" || strings.Contains(e.Words(), "_") {
			t.Errorf("%s has no words", e)
		}
	}
}

// Whatever a caller asks, the question is refused or decides about any session.
func FuzzConnections(f *testing.F) {
	for _, q := range []Connections{{}, {Closed: true, Remote: "10.0.0.0/8", Code: 4000, Reason: SlowConsumer, Slow: true, OlderMS: 1, YoungerMS: 2, Sort: ByOwed, Limit: 3}} {
		raw, _ := json.Marshal(q)
		f.Add(raw, int64(5))
	}
	f.Fuzz(func(t *testing.T, raw []byte, now int64) {
		var q Connections
		if json.Unmarshal(raw, &q) != nil {
			return
		}
		condition, err := q.Condition()
		if (err == nil) != (q.Check() == nil) {
			t.Fatalf("%+v: %v, but %v", q, err, q.Check())
		}
		if err != nil {
			return
		}
		first := q.First()
		for _, s := range []Connection{{State: StateOpen}, {State: StateClosed, ClosedMS: now, Code: 4000, Reason: SlowConsumer}} {
			if condition.Meets(&s, now) {
				first.Add(s)
			}
		}
		if n := len(first.List()); n > max(q.Limit, 1)+ConnectionsDefault {
			t.Fatalf("%d of at most %d", n, q.Limit)
		}
	})
}
