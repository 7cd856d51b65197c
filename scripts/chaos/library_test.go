package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	odin "github.com/odin-ws/odin/clients/go"
	"github.com/odin-ws/odin/scripts/chaos/check"
)

// acts are what a server sends on each connection, behind the request that
// begins it.
type acts [][]string

// play serves them, each connection the next.
func (a acts) play(t *testing.T) (host string) {
	t.Helper()
	connections := make(chan []string, len(a))
	for _, act := range a {
		connections <- act
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		say := func(text string) { _ = conn.WriteMessage(websocket.TextMessage, []byte(text)) }
		say(`{"type":"hello","protocol":"odin.v1","ping_interval_ms":5000}`)
		_, _, _ = conn.ReadMessage()
		act := <-connections
		for _, text := range act {
			say(text)
		}
		if len(connections) > 0 { // else it stays until the client has had enough
			_ = conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, `{"code":"draining","retry_min_ms":100,"retry_max_ms":100}`))
		}
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// tx is a record of chaos.tx, cursorTx an entry of it.
func tx(offset int) string {
	return fmt.Sprintf(`{"type":"message","channel":"K3.tx","pos":"chaos.tx:0:%d","ts":1,"data":%d}`, offset, offset)
}

func cursorTx(offset int) string {
	return fmt.Sprintf(`"cursor":{"chaos.tx":{"epoch":"abcdefghij.0","offsets":[%d]}}`, offset)
}

// What a client of the library hears is held to the log like what any other
// does.
func TestTheLibraryIsChecked(t *testing.T) {
	t.Parallel()
	ack := `{"type":"subscription_ack","id":"1","subscribed":["K3.tx"],` + cursorTx(-1) + `}`
	resumed := func(replayed int, offset int) string {
		return fmt.Sprintf(`{"type":"reconnect_ack","id":"1","recovered":true,"messages_replayed":%d,%s}`, replayed, cursorTx(offset))
	}
	for name, c := range map[string]struct {
		acts acts
		want []check.Class
	}{
		"all of it":         {acts{{ack, tx(0), tx(1)}, {tx(2), tx(3), resumed(2, 3), tx(4)}}, nil},
		"announced":         {acts{{ack, tx(0), `{"type":"gap","channel":"K3.tx","dropped":2,"pos":"chaos.tx:0:2"}`}, {resumed(0, 2), tx(3), tx(4)}}, nil},
		"not recovered":     {acts{{ack, tx(0)}, {`{"type":"reconnect_ack","id":"1","recovered":false,"reason":"limit",` + cursorTx(3) + `}`, tx(4)}}, nil},
		"a step back":       {acts{{ack, tx(0), tx(1)}, {`{"type":"reconnect_ack","id":"1","recovered":false,"reason":"limit",` + cursorTx(0) + `}`, tx(1), tx(2), tx(3), tx(4)}}, nil},
		"one is missing":    {acts{{ack, tx(0)}, {resumed(0, 0), tx(1), tx(3), tx(4)}}, []check.Class{check.Missing}},
		"a false recovered": {acts{{ack, tx(0)}, {tx(2), resumed(1, 2), tx(3), tx(4)}}, []check.Class{check.Missing, check.FalselyRecovered}},
		"an unfounded loss": {acts{{ack, tx(0)}, {`{"type":"reconnect_ack","id":"1","recovered":false,"reason":"trimmed",` + cursorTx(3) + `}`, tx(4)}}, []check.Class{check.Unfounded}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var classes []check.Class
			for _, f := range heardByLibrary(t, c.acts) {
				classes = append(classes, f.Class)
			}
			if !reflect.DeepEqual(classes, c.want) {
				t.Errorf("%v, want %v", classes, c.want)
			}
		})
	}
}

// heardByLibrary has a client hear five records, and checks its stream.
func heardByLibrary(t *testing.T, a acts) []check.Fault {
	t.Helper()
	w := &world{topics: newTopics(1), finish: make(chan struct{})}
	w.ledger = newLedger(w.topics)
	w.odind = &odind{world: w, ws: a.play(t)}
	close(w.finish)
	word := lastWord{}
	end := word["chaos.tx"]
	end.incarnation, end.ends = "abcdefghij", []int64{4}
	word["chaos.tx"] = end
	w.last.Store(&word)
	log := w.ledger.begin("abcdefghij", w.topics[4])
	for i := range 5 {
		log.Append(0, check.Entry{Offset: int64(i), Channel: w.ledger.channels["K3.tx"], Sum: sum(fmt.Append(nil, i))})
	}
	c := &client{world: w, manner: manner{library: true}, random: rand.New(rand.NewPCG(1, 2)), stop: make(chan struct{})}
	c.stream = check.Stream{Name: "it", Channels: []string{"K3.tx"}}
	c.run(context.Background())
	return check.Check(w.ledger.log, w.ledger.names, &c.stream)
}

// What handlers have had comes no second time, unless offsets may be others'.
func TestPlacesOfTheLibrary(t *testing.T) {
	t.Parallel()
	at := func(epoch string, offsets ...odin.Offset) odin.Cursor {
		return odin.Cursor{"t": {Epoch: epoch, Offsets: offsets}}
	}
	for name, c := range map[string]struct {
		reason    string
		had, told odin.Cursor
		want      odin.Cursor
	}{
		"beyond":         {"limit", at("a", 5), at("a", 9), at("a", 9)},
		"back":           {"limit", at("a", 5), at("a", 3), at("a", 5)},
		"unproven":       {"unavailable", at("a", 5), at("a", odin.Unproven), at("a", odin.Unproven)},
		"truncated":      {"epoch", at("a", 5), at("a", 3), at("a", 3)},
		"another epoch":  {"unavailable", at("a", 5), at("b", 3), at("b", 3)},
		"a new one":      {"topology", at("a", 5), at("a", 4, -1), at("a", 5, -1)},
		"one it knew of": {"trimmed", at("a", 5, 7), at("a", 9), at("a", 9, 7)},
	} {
		l := &library{client: &client{}, had: c.had}
		if got := l.places(c.told, c.reason); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
