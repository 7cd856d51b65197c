package main

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"

	"github.com/odin-ws/odin/cmd/internal/clitest"
	"github.com/odin-ws/odin/internal/control"
)

// channelsOf asks in JSON.
func channelsOf(t *testing.T, d *clitest.Demo, args ...string) (rows map[string]channelRow, total channelsTotal) {
	t.Helper()
	got := odinctl(t, append([]string{"channels", "--json", "--runtime-dir", d.Ready["runtime"]}, args...)...)
	if got.Code != 0 {
		t.Fatalf("%+v", got)
	}
	rows = map[string]channelRow{}
	for line := range strings.Lines(got.Stdout) {
		var row channelRow
		to := any(&row)
		if strings.HasPrefix(line, `{"shown":`) {
			to = &total
		}
		if err := json.Unmarshal([]byte(line), to); err != nil {
			t.Fatal(err)
		}
		if row.Channel != "" {
			rows[row.Channel] = row
		}
	}
	return rows, total
}

func TestChannels(t *testing.T) {
	t.Parallel()
	d := bin.StartDemo(t, "--rate", "400")
	p := sub(t, d, "BTC.trade", "ETH.*")
	p.Line()
	second := sub(t, d, "BTC.trade")
	second.Line()
	rows, total := channelsOf(t, d, "--seconds", "0")
	if len(rows) != 2 || rows["BTC.trade"] != (channelRow{Channel: "BTC.trade", Sessions: 2}) || rows["ETH.*"].Sessions != 1 || total.Subscriptions != 3 || total.Unsure != 0 {
		t.Errorf("%+v of %+v", rows, total)
	}
	rows, total = channelsOf(t, d, "--seconds", "1", "--sort", "rate", "--top", "1000")
	if rows["BTC.trade"].Records == 0 || rows["ETH.*"].Records < rows["ETH.trade"].Records || total.Records < rows["BTC.trade"].Records+rows["ETH.*"].Records || total.Seconds < 1 {
		t.Errorf("%+v of %+v", rows, total)
	}
	if rows["ETH.trade"].Sessions != 0 || rows["ETH.trade"].Bytes < 50*rows["ETH.trade"].Records {
		t.Errorf("ETH.trade, which nobody subscribes to: %+v", rows["ETH.trade"])
	}
	got := odinctl(t, "channels", "BTC.*", "--seconds", "1", "--runtime-dir", d.Ready["runtime"])
	if got.Code != 0 || !strings.Contains(got.Stdout, "\nBTC.trade ") || strings.Contains(got.Stdout, "ETH") || !strings.Contains(got.Stdout, "counted by worker 0 for 1.") {
		t.Errorf("%+v", got)
	}
}

// A stuck worker is named; the other one counts.
func TestChannelsOfStoppedWorker(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	pid := statusOf(t, d).Workers[0].PID
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(pid, syscall.SIGCONT)
	got := odinctl(t, "channels", "--seconds", "1", "--runtime-dir", d.Ready["runtime"])
	if got.Code != 0 || !strings.Contains(got.Stderr, "worker 0 did not answer") || !strings.Contains(got.Stdout, "counted by worker 1 for") {
		t.Errorf("%+v", got)
	}
}

func TestChannelsRefused(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"channels BTC":                       `"BTC": a channel is SUBJECT.EVENT, like BTC.trade`,
		"channels --top 0":                   "the first 0 can't be shown, allowed: 1 to 100000",
		"channels --sort x":                  `can't sort by "x", allowed: sessions, rate, bytes`,
		"channels --seconds 61":              "61 seconds are out of range, allowed: 0 to 60",
		"channels --seconds 0 --sort rate":   "nothing is counted in 0 seconds",
		"channels --seconds x":               `--seconds: "x" is no whole number`,
		"channels --top 0 --sort x --json x": "; can't sort by",
	} {
		if got := odinctl(t, strings.Fields(line)...); got.Code != 2 || got.Stdout != "" || !strings.Contains(got.Stderr, want) {
			t.Errorf("%s: %+v, want %q", line, got, want)
		}
	}
}

func TestChannelsText(t *testing.T) {
	c := &catalogue{
		sessions: map[string]int{"BTC.trade": 1200, "*.trade": 1, strings.Repeat("S", 128) + "." + strings.Repeat("e", 128): 7},
		traffic:  map[string]control.ChannelTraffic{"BTC.trade": {Records: 300, Bytes: 3000}, "ETH.trade": {Records: 30, Bytes: 300}},
		counted:  control.TrafficTotal{Seconds: 3, Records: 360, Bytes: 3600, OtherRecords: 30, OtherBytes: 300},
		total:    channelsTotal{Subscriptions: 1208, Unsure: 2},
	}
	rows := c.rows(&channelsQuestion{top: 10, sort: byRate, seconds: 3})
	want := `CHANNEL                                       SESSIONS  RECORDS/s  BYTES/s
*.trade                                              1        110     1.1K
BTC.trade                                        1,200        100     1.0K
ETH.trade                                            0         10     100B
` + strings.Repeat("S", 43) + `…         7          0       0B
4 of 4 channels shown, 1,208 subscriptions
counted by worker 0 for 3.0s: 120 records/s, 1.2K/s in all
there was no room for the channels of 10 records/s: name PATTERNs
too many patterns to tell all: one may have up to 2 sessions more than shown`
	if got := strings.Join(channelsText(rows, &c.total, columns), "\n"); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	for _, order := range []string{bySessions, byBytes} {
		if rows := c.rows(&channelsQuestion{top: 1, sort: order}); len(rows) != 1 || order == bySessions && rows[0].Channel != "BTC.trade" || order == byBytes && rows[0].Channel != "*.trade" {
			t.Errorf("by %s: %+v", order, rows)
		}
	}
}
