// Command echo is the server that Autobahn's cases run against: gorilla's
// handshake, then internal/wire alone, sending every message back. It listens
// on a free port of 127.0.0.1 and prints its address.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	server := http.Server{Handler: http.HandlerFunc(upgrade), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.Serve(listener))
}

func upgrade(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		log.Print(err)
		return
	}
	echo(conn.NetConn())
}
