package main

import (
	"bufio"
	"encoding/json"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/odin-ws/odin/cmd/internal/clitest"
	"github.com/odin-ws/odin/internal/control"
)

// connect is a client that only connects.
func connect(t *testing.T, d *clitest.Demo) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial(d.Ready["ws"], nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, _, err := conn.ReadMessage(); err != nil {
		t.Fatal(err)
	}
	return conn
}

// conns asks in JSON.
func conns(t *testing.T, d *clitest.Demo, args ...string) (list []control.Connection, total connsTotal) {
	t.Helper()
	got := odinctl(t, append([]string{"conns", "--json", "--runtime-dir", d.Ready["runtime"]}, args...)...)
	if got.Code != 0 {
		t.Fatalf("%+v", got)
	}
	lines := bufio.NewScanner(strings.NewReader(got.Stdout))
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), `{"shown":`) {
			if err := json.Unmarshal(lines.Bytes(), &total); err != nil {
				t.Fatal(err)
			}
			continue
		}
		var c control.Connection
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	if total.Shown != len(list) {
		t.Fatalf("%d lines, and %+v", len(list), total)
	}
	return list, total
}

func TestConns(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	subscriber := sub(t, d, "BTC.trade", "*.social")
	other := connect(t, d)
	addr := other.LocalAddr().String()

	list, total := conns(t, d)
	if len(list) != 2 || total.Matching != 2 || total.Looked != 2 || len(total.Missing) != 0 {
		t.Fatalf("%+v of %+v", list, total)
	}
	if list, _ := conns(t, d, "--remote", addr); len(list) != 1 || list[0].Remote.String() != addr || list[0].Channels != 0 {
		t.Errorf("from %s: %+v", addr, list)
	}
	list, total = conns(t, d, "--channel", "ETH.social")
	if len(list) != 1 || list[0].Channels != 2 || total.Looked != 2 {
		t.Fatalf("of ETH.social: %+v of %+v", list, total)
	}
	got := odinctl(t, "conns", list[0].ID.String(), "--runtime-dir", d.Ready["runtime"])
	for _, want := range []string{"session     " + list[0].ID.String() + ", open\n", "\n            BTC.trade\n            *.social\n", "cursor      odin.trades, epoch ", "cursor      odin.social, "} {
		if got.Code != 0 || !strings.Contains(got.Stdout, want) {
			t.Errorf("no %q in %+v", want, got)
		}
	}
	one := odinctl(t, "conns", list[0].ID.String(), "--json", "--runtime-dir", d.Ready["runtime"])
	var all sessionAnswer
	if err := json.Unmarshal([]byte(one.Stdout), &all); err != nil || len(all.Patterns) != 2 || len(all.Cursor["odin.trades"].Offsets) != 12 || all.PingMS == 0 {
		t.Errorf("%+v: %+v, %v", one, all, err)
	}
	if got := odinctl(t, "conns", "--limit", "1", "--runtime-dir", d.Ready["runtime"]); !strings.HasSuffix(got.Stdout, "1 of 2 sessions shown\n") {
		t.Errorf("%+v", got)
	}

	// One client says goodbye with what could move a cursor, the other is killed.
	goodbye := websocket.FormatCloseMessage(3000, "bye\x1b[2J\u009b\u202e")
	if err := other.WriteControl(websocket.CloseMessage, goodbye, time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	other.Close()
	subscriber.Signal(syscall.SIGKILL)
	clitest.Eventually(t, "both are remembered", func() bool {
		list, total = conns(t, d, "--closed")
		return len(list) == 2
	})
	raw := odinctl(t, "conns", "--closed", "--json", "--runtime-dir", d.Ready["runtime"]).Stdout
	table := odinctl(t, "conns", "--closed", "--runtime-dir", d.Ready["runtime"]).Stdout
	if strings.ContainsAny(raw+table, "\x1b\u009b\u202e") {
		t.Errorf("a client moves the cursor: %q %q", raw, table)
	}
	if !strings.Contains(raw, `"detail":"code 3000 \"bye\\x1b[2J\\u009b\\u202e\""`) || !strings.Contains(table, "the client closed") || !strings.Contains(table, "the client vanished") {
		t.Errorf("%s%s", raw, table)
	}
	list, _ = conns(t, d, "--closed", "--reason", "client_gone")
	if len(list) != 1 || list[0].Code != 1006 || list[0].Channels != 2 {
		t.Fatalf("the killed one: %+v", list)
	}
	got = odinctl(t, "conns", list[0].ID.String(), "--runtime-dir", d.Ready["runtime"])
	if !strings.Contains(got.Stdout, ", closed\n") || !strings.Contains(got.Stdout, "1006, the client vanished: without a close frame") {
		t.Errorf("%+v", got)
	}
}

// Which sessions agreed on compression is shown of each, also when it has ended.
func TestConnsTellCompression(t *testing.T) {
	t.Parallel()
	d, _, _ := configured(t, "compression: {enabled: true}\n")
	plain := connect(t, d)
	dialer := websocket.Dialer{EnableCompression: true}
	packed, _, err := dialer.Dial(d.Ready["ws"], nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { packed.Close() })
	for conn, want := range map[*websocket.Conn]struct {
		window uint8
		row    string
		fact   string
	}{
		plain:  {0, " open   no ", "compression none was agreed on\n"},
		packed: {15, " open   yes ", "compression permessage-deflate, with a window of 32.0K\n"},
	} {
		list, _ := conns(t, d, "--remote", conn.LocalAddr().String())
		if len(list) != 1 || list[0].Window != want.window {
			t.Fatalf("%+v, want %+v", list, want)
		}
		got := odinctl(t, "conns", "--remote", conn.LocalAddr().String(), "--runtime-dir", d.Ready["runtime"])
		if !strings.Contains(got.Stdout, want.row) {
			t.Errorf("no %q in %+v", want.row, got)
		}
		got = odinctl(t, "conns", list[0].ID.String(), "--runtime-dir", d.Ready["runtime"])
		if !strings.Contains(got.Stdout, want.fact) {
			t.Errorf("no %q in %+v", want.fact, got)
		}
	}
	packed.Close()
	clitest.Eventually(t, "it is remembered, as it was", func() bool {
		list, _ := conns(t, d, "--closed")
		return len(list) == 1 && list[0].Window == 15
	})
}

func TestConnsRefused(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	for line, c := range map[string]struct {
		code int
		want string
	}{
		"conns x":                             {2, `"x": a session's id is SLOT-GENERATION-NUMBER, like 3-1-12345`},
		"conns 0-1-1 x":                       {2, `"x" is too much, allowed: ID`},
		"conns --remote x":                    {2, `"x" is no address, allowed: IP, IP/BITS or IP:PORT`},
		"conns --reason slow":                 {2, `unknown reason "slow", allowed: client_closed, `},
		"conns --sort x":                      {2, `can't sort by "x", allowed: age, owed, records, bytes`},
		"conns --limit 0":                     {2, "allowed: 1 to 10000"},
		"conns --limit 10001":                 {2, "allowed: 1 to 10000"},
		"conns --older x":                     {2, `--older: "x" is no duration, like 90s or 1h30m`},
		"conns --younger -5s":                 {2, "an age can't be negative"},
		"conns --code 99999":                  {2, "no close code 99999, allowed: 1000 to 4999"},
		"conns --closed --channel A.b":        {2, "the channels of closed sessions are not remembered"},
		"conns --worker 2":                    {1, `no process "2", allowed: supervisor, or a worker from 0 to 1`},
		"conns --worker supervisor":           {1, "ask the workers"},
		"conns 0-1-4711":                      {1, "no session 0-1-4711, neither a live one nor one of the last 5000 that ended here"},
		"conns 0-2-1":                         {1, "this is generation 1"},
		"conns 9-1-1":                         {1, `no process "9"`},
		"conns --runtime-dir /nowhere/at/all": {3, "no running odind found"},
	} {
		args := strings.Fields(line)
		if !strings.Contains(line, "runtime-dir") {
			args = append(args, "--runtime-dir", d.Ready["runtime"])
		}
		if got := odinctl(t, args...); got.Code != c.code || got.Stdout != "" || !strings.Contains(got.Stderr, c.want) {
			t.Errorf("%s: %+v, want %d and %q", line, got, c.code, c.want)
		}
	}
}

// A worker that is stuck is named, and the other one's sessions are shown.
func TestConnsOfStoppedWorker(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	byWorker := map[int]int{}
	for byWorker[0] == 0 || byWorker[1] == 0 {
		connect(t, d)
		clear(byWorker)
		list, _ := conns(t, d)
		for _, c := range list {
			byWorker[c.Worker]++
		}
	}
	pid := statusOf(t, d).Workers[1].PID
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(pid, syscall.SIGCONT)
	got := odinctl(t, "conns", "--json", "--runtime-dir", d.Ready["runtime"])
	if got.Code != 0 || !strings.Contains(got.Stderr, "worker 1 did not answer") || !strings.Contains(got.Stdout, `"missing":[1]`) || !strings.Contains(got.Stdout, `"worker":0`) {
		t.Errorf("%+v", got)
	}
	if got := odinctl(t, "conns", "1-1-1", "--runtime-dir", d.Ready["runtime"]); got.Code != 1 || !strings.Contains(got.Stderr, "worker 1 did not answer") {
		t.Errorf("%+v", got)
	}
}

// Whatever the clients are, the text fits the terminal.
func TestConnsTextFits(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	long := control.Connection{
		ID: control.SessionID{Slot: 127, Generation: 1 << 24, Number: 1 << 60}, Worker: 127,
		Remote: netip.MustParseAddrPort("[2001:db8:1234:5678:9abc:def0:1234:5678%ethernet0]:65535"), State: control.StateBlocked,
		OpenedMS: 1, ClosedMS: 2, Channels: 1_000_000, Records: 1 << 63, Bytes: 1 << 63, OwedBytes: 1 << 40, Code: 4999,
		Reason: control.ProtocolError, Detail: strings.Repeat("\u009bdetail ", 20), Client: strings.Repeat("c", 512),
	}
	short := control.Connection{
		ID: control.SessionID{Number: 1}, Remote: netip.MustParseAddrPort("192.0.2.1:1"), State: control.StateOpen,
		OpenedMS: now.UnixMilli() - 5000, ClosedMS: now.UnixMilli() - 2000, Reason: control.SlowConsumer, Code: 4000,
	}
	for _, list := range [][]control.Connection{nil, {short}, {short, long}, {long}} {
		for _, closed := range []bool{false, true} {
			for _, line := range connsText(list, connsTotal{Shown: len(list), Matching: 12345, Looked: 99999}, closed, now, columns) {
				if len([]rune(line)) > columns || strings.ContainsRune(line, 0x9b) {
					t.Errorf("%d columns: %q", len([]rune(line)), line)
				}
			}
		}
	}
	want := "ID     ADDRESS      ENDED  LASTED  RECORDS  OWED  CODE  REASON\n" +
		"0-0-1  192.0.2.1:1   2.0s    3.0s        0    0B  4000  slow consumer\n" +
		"1 of 12,345 matching shown, of 99,999 closed sessions in all"
	if got := strings.Join(connsText([]control.Connection{short}, connsTotal{Shown: 1, Matching: 12345, Looked: 99999}, true, now, columns), "\n"); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	all := &sessionAnswer{Session: control.Session{Connection: long, PongDueMS: now.UnixMilli() + 4000}, Cursor: map[string]topicCursor{"t": {"e", make([]int64, 500)}}}
	all.ClosedMS = 0
	for range 1000 {
		all.Patterns = append(all.Patterns, strings.Repeat("S", 128)+"."+strings.Repeat("e", 128))
	}
	for _, line := range sessionText(all, now, columns) {
		if len([]rune(line)) > columns {
			t.Errorf("%d columns: %q", len([]rune(line)), line)
		}
	}
}
