//go:build k6

package k6

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// lie makes of the server's nth message of a kind what the client gets instead:
// none, one or more; false: the connection is closed for going away.
type lie func(kind string, n int, message string) (instead []string, goOn bool)

// liar stands between k6 and the demo, and gives its address.
func liar(t *testing.T, tell lie) string {
	t.Helper()
	upgrader := websocket.Upgrader{Subprotocols: []string{"odin.v1"}, CheckOrigin: func(*http.Request) bool { return true }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer client.Close()
		odin, _, err := websocket.DefaultDialer.Dial(demo(t), nil)
		if err != nil {
			return
		}
		defer odin.Close()
		go pass(client, odin)
		deceive(odin, client, tell)
	}))
	t.Cleanup(server.Close)
	return "ws" + strings.TrimPrefix(server.URL, "http") + "/ws"
}

func demo(t *testing.T) string {
	t.Helper()
	address := os.Getenv("ODIN_DEMO_WS")
	if address == "" {
		t.Error("ODIN_DEMO_WS is not set: this is run by scripts/k6/smoke.sh")
	}
	return address
}

// pass hands on requests, and the client's close.
func pass(client, odin *websocket.Conn) {
	for {
		kind, message, err := client.ReadMessage()
		if err != nil {
			_ = odin.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
			return
		}
		if odin.WriteMessage(kind, message) != nil {
			return
		}
	}
}

// deceive hands on what the server says, or a lie.
func deceive(odin, client *websocket.Conn, tell lie) {
	said := map[string]int{}
	for {
		_, message, err := odin.ReadMessage()
		if err != nil {
			return
		}
		kind := kindOf(string(message))
		said[kind]++
		instead, goOn := tell(kind, said[kind], string(message))
		for _, m := range instead {
			if client.WriteMessage(websocket.TextMessage, []byte(m)) != nil {
				return
			}
		}
		if !goOn {
			_ = client.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, ""))
			return
		}
	}
}

// kindOf gives a message's type, which stands first.
func kindOf(message string) string {
	kind, _, _ := strings.Cut(strings.TrimPrefix(message, `{"type":"`), `"`)
	return kind
}
