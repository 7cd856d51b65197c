package kafkatest

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// The listeners of a broker.
const (
	onPlain = iota
	onSASL
	onMTLS
	onController
	onBehind // has no TLS and login either
	listeners
)

// ports are one per listener. They lie below those that the kernel hands out
// for connections, so that a broker that is started again finds its own free.
type ports [listeners]int

const (
	portMin = 15_000
	portMax = 32_000
)

func freePorts(t TB) (p ports) {
	t.Helper()
	for i := range p {
		p[i] = freePort(t)
	}
	return p
}

func freePort(t TB) int {
	t.Helper()
	for range 1000 {
		port := portMin + rand.IntN(portMax-portMin)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("kafkatest: no free port")
	return 0
}

func (p ports) addr(listener int) string { return fmt.Sprintf("127.0.0.1:%d", p[listener]) }
