package wire_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/wire"
)

var update = flag.Bool("update", false, "rewrite docs/PROTOCOL.md")

const (
	pagePath     = "../../docs/PROTOCOL.md"
	templatePath = "testdata/PROTOCOL.md.tmpl"
)

// TestProtocolPage makes docs/PROTOCOL.md from the prose in testdata and from
// what the code itself sends and takes, and compares.
func TestProtocolPage(t *testing.T) {
	page := protocolPage(t)
	if *update {
		if err := os.WriteFile(filepath.FromSlash(pagePath), []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(filepath.FromSlash(pagePath))
	if err != nil {
		t.Fatal(err)
	}
	if string(committed) != page {
		t.Errorf("docs/PROTOCOL.md is not what the code says: change %s or the tables, then `go generate ./internal/wire`", templatePath)
	}
}

func protocolPage(t *testing.T) string {
	t.Helper()
	p := page{t: t, used: map[string]bool{}}
	tmpl, err := template.New(filepath.Base(templatePath)).Funcs(template.FuncMap{
		"request": p.request, "answer": p.answer, "refused": p.refused, "closing": p.closing,
		"codes": codes, "closes": closes, "refusals": refusals, "bounds": bounds,
		"channelPartMax": func() int { return event.ChannelPartMax },
		"subprotocol":    func() string { return wire.Subprotocol },
		"drainInput": func() string {
			return fmt.Sprintf("%s s or %d MiB", seconds(wire.DrainInputTime), wire.DrainInputBytes>>20)
		},
	}).ParseFiles(templatePath)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := tmpl.Execute(&out, nil); err != nil {
		t.Fatal(err)
	}
	for name := range answerExamples() {
		if !p.used[name] {
			t.Errorf("the page doesn't show %s", name)
		}
	}
	return out.String()
}

// page fills the template's examples in.
type page struct {
	t    *testing.T
	used map[string]bool
}

// request shows a request, which must be taken.
func (p page) request(text string) string {
	if _, err := wire.ParseRequest([]byte(text), wire.DefaultLimits()); err != nil {
		p.t.Errorf("the page's request %s: %v", text, err)
	}
	return text
}

// refused shows the answer to a request that isn't taken.
func (p page) refused(text string) string {
	_, err := wire.ParseRequest([]byte(text), wire.DefaultLimits())
	if err == nil {
		p.t.Errorf("the page's bad request %s is taken", text)
		return ""
	}
	_, payload := payloadOf(p.t, wire.AppendError(nil, err))
	return string(payload)
}

// answer shows an example of what the server sends.
func (p page) answer(name string) string {
	frame, ok := answerExamples()[name]
	if !ok {
		p.t.Errorf("there is no example %s", name)
		return ""
	}
	p.used[name] = true
	_, payload := payloadOf(p.t, frame)
	return string(payload)
}

// closing shows the reason of a close frame.
func (p page) closing(code int) string {
	_, reason := closeOf(p.t, wire.AppendCloseCode(nil, wire.CloseCode(code)))
	return reason
}

// answerExamples is one example at least of everything that the server sends.
func answerExamples() map[string][]byte {
	const now = 1763800000123
	id := []byte("1")
	key := []byte("BTC.trade")
	record := func(value []byte) []byte { return wire.AppendRecord(nil, key, trades, 1042, now, value) }
	epoch := event.EpochName(event.TopicID{0x5f, 0x0b, 0x9c, 0x1e, 0x7d, 0x22, 0x4a, 0x10, 0x83, 0x3e, 0x9a, 0x61, 0x0c, 0x55, 0xe4, 0x07}, 0)
	cursor := wire.AppendCursor(nil, []wire.TopicCursor{{Topic: "odin.trades", Epoch: epoch, Offsets: []int64{1042, event.None}}})
	return map[string][]byte{
		"hello":              wire.AppendHello(nil, wire.Hello{Node: "edge-1", Worker: 0, Time: now, PingInterval: wire.PingInterval, ChannelsMax: wire.ChannelsMax, RequestBytesMax: wire.RequestBytesMax}),
		"subscription_ack":   wire.AppendSubscriptionAck(nil, wire.SubscriptionAck{ID: id, Subscribed: list("BTC.trade", "ETH.*"), Rejected: []wire.Rejection{{Channel: []byte("BTC"), Code: wire.RejectBadChannel, Message: event.ErrChannelForm.Error()}}, Count: 2, Cursor: cursor}),
		"unsubscription_ack": wire.AppendUnsubscriptionAck(nil, id, list("ETH.*"), 1),
		"pong":               wire.AppendPong(nil, id, now, cursor),
		"reconnect_ack":      wire.AppendReconnectAck(nil, wire.ReconnectAck{ID: id, Replayed: 17, Subscribed: list("BTC.trade"), Cursor: cursor}),
		"reconnect_ack_no":   wire.AppendReconnectAck(nil, wire.ReconnectAck{ID: id, Reason: wire.UnrecoveredTrimmed, Subscribed: list("BTC.trade"), Cursor: cursor}),
		"reconnect_error":    wire.AppendReconnectError(nil, id, wire.ReconnectPartitionNeeded, `odin.trades has 12 partitions: send "odin.trades:PARTITION": n, or the cursor of the last answer`),
		"reset":              wire.AppendReset(nil, wire.ResetEpoch, true, cursor),
		"gap":                wire.AppendGap(nil, key, 12, trades, 1042),
		"message":            record([]byte(`{"price":"64012.55","size":0.0125}`)),
		"message_base64":     record([]byte("\x00\x01binary")),
		"message_tombstone":  record(nil),
	}
}

// table renders a table in Markdown.
func table(head []string, rows [][]string) string {
	line := func(cells []string) string { return "| " + strings.Join(cells, " | ") + " |\n" }
	out := line(head) + "|" + strings.Repeat("---|", len(head)) + "\n"
	for _, row := range rows {
		out += line(row)
	}
	return strings.TrimSuffix(out, "\n")
}

// codes renders one of the tables of codes.
func codes(kind string) (string, error) {
	all := map[string][]wire.Meaning{
		"error": wire.ErrorCodes(), "reject": wire.RejectCodes(), "reset": wire.ResetReasons(),
		"unrecovered": wire.UnrecoveredReasons(), "reconnect": wire.ReconnectCodes(),
	}
	if all[kind] == nil {
		return "", fmt.Errorf("no table of codes %q", kind)
	}
	var rows [][]string
	for _, m := range all[kind] {
		rows = append(rows, []string{"`" + m.Code + "`", m.When})
	}
	return table([]string{"code", "when"}, rows), nil
}

func closes() string {
	var rows [][]string
	for _, m := range wire.CloseMeanings() {
		window := "–"
		if m.RetryMax > 0 {
			window = seconds(m.RetryMin) + "-" + seconds(m.RetryMax)
		}
		rows = append(rows, []string{fmt.Sprint(uint16(m.Code)), ticked(m.Reasons), m.When, m.Reconnect, window})
	}
	return table([]string{"code", "`code` in the reason", "when", "reconnect", "window, by default, s"}, rows)
}

func seconds(d time.Duration) string { return fmt.Sprint(d.Seconds()) }

func refusals() string {
	var rows [][]string
	for _, r := range wire.Refusals() {
		retry := "–"
		if r.Retry {
			retry = fmt.Sprint(wire.RetryAfter.Seconds())
		}
		rows = append(rows, []string{fmt.Sprint(r.Status), "`" + r.Error + "`", ticked(r.Reasons), r.When, retry})
	}
	return table([]string{"status", "`error`", "`reason`", "when", "`Retry-After`, by default, s"}, rows)
}

func bounds() string {
	var rows [][]string
	for _, b := range wire.Bounds() {
		rows = append(rows, []string{b.Name, b.Value, b.Beyond})
	}
	return table([]string{"limit", "value", "beyond"}, rows)
}

func ticked(names []string) string {
	if len(names) == 0 {
		return "–"
	}
	return "`" + strings.Join(names, "`, `") + "`"
}
