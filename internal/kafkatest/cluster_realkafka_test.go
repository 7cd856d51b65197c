//go:build realkafka

package kafkatest

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

func TestOneBrokerServesOnEveryListener(t *testing.T) {
	c := Start(t, Options{})
	login := scram.Auth{User: User, Pass: Password}
	for name, opts := range map[string][]kgo.Opt{
		"plain": {kgo.SeedBrokers(c.Addrs()...)},
		"sasl plain": {
			kgo.SeedBrokers(c.SASLAddrs()...),
			kgo.SASL(plain.Auth{User: User, Pass: Password}.AsMechanism()),
		},
		"scram 256": {kgo.SeedBrokers(c.SASLAddrs()...), kgo.SASL(login.AsSha256Mechanism())},
		"scram 512": {kgo.SeedBrokers(c.SASLAddrs()...), kgo.SASL(login.AsSha512Mechanism())},
		"mtls":      {kgo.SeedBrokers(c.TLSAddrs()...), kgo.DialTLSConfig(c.PKI().Client())},
	} {
		t.Run(name, func(t *testing.T) { ping(t, opts...) })
	}
}

func TestThreeBrokersOutliveAKill(t *testing.T) {
	c := Start(t, Options{Brokers: 3})
	c.Nodes[0].Kill(t)
	ping(t, kgo.SeedBrokers(c.Addrs()...))
	c.Nodes[0].Restart(t)
	ping(t, kgo.SeedBrokers(c.Nodes[0].Addr()))
	c.Nodes[1].Freeze(t)
	c.Nodes[1].Thaw(t)
	c.Nodes[2].Stop(t)
}

func ping(t *testing.T, opts ...kgo.Opt) {
	t.Helper()
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := cl.Ping(ctx); err != nil {
		t.Fatal(err)
	}
}
