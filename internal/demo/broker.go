package demo

import (
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// What the broker keeps of each partition; it lives in memory.
const (
	retentionBytes = 1 << 20
	segmentBytes   = 256 << 10
	trimInterval   = 10 * time.Second
)

// Broker is an embedded Kafka broker. Any Kafka tool can produce to it.
type Broker struct {
	cluster *kfake.Cluster
	address string
	stop    chan struct{}
	trims   sync.WaitGroup
}

// StartBroker starts a broker on HOST:PORT (port 0 picks one) with the eight
// topics. The error is the listener's.
func StartBroker(listen string) (*Broker, error) {
	var bound net.Listener
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		// The port is the listener's business: 0 keeps kfake from choosing.
		kfake.Ports(0),
		kfake.ListenFn(func(network, _ string) (_ net.Listener, err error) {
			bound, err = net.Listen(network, listen)
			return bound, err
		}),
		kfake.SeedTopics(partitions, names()...),
		kfake.BrokerConfigs(map[string]string{
			"log.retention.bytes": strconv.Itoa(retentionBytes),
			"log.segment.bytes":   strconv.Itoa(segmentBytes),
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("demo: start the broker on %s: %w", listen, err)
	}
	b := &Broker{cluster: cluster, address: dialable(bound.Addr()), stop: make(chan struct{})}
	b.trims.Go(b.trim)
	return b, nil
}

func names() (all []string) {
	for _, t := range Topics() {
		all = append(all, string(t))
	}
	return all
}

// dialable is an address with 127.0.0.1 in the place of a wildcard.
func dialable(bound net.Addr) string {
	host, port, err := net.SplitHostPort(bound.String())
	if ip := net.ParseIP(host); err == nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return bound.String()
}

// trim keeps the broker's memory bounded: kfake trims when it is told to.
func (b *Broker) trim() {
	ticker := time.NewTicker(trimInterval)
	defer ticker.Stop()
	for {
		select {
		case <-b.stop:
			return
		case <-ticker.C:
			b.cluster.ApplyRetention()
		}
	}
}

// Address is the HOST:PORT to connect to.
func (b *Broker) Address() string { return b.address }

// Close ends the broker; what it holds is gone.
func (b *Broker) Close() {
	close(b.stop)
	b.trims.Wait()
	b.cluster.Close()
}
