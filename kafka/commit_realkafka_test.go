//go:build realkafka

package kafka

import (
	"testing"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/kafkatest"
)

// realCommits: by every way to log in, and not into a group that is in use.
func realCommits(t *testing.T, c *kafkatest.Cluster) {
	part := topic(t, c.Addrs(), 1, 1)
	ca, cert, key := c.PKI().ClientFiles()
	config, err := TLSFiles{CA: ca, Cert: cert, Key: key}.Config()
	if err != nil {
		t.Fatal(err)
	}
	for group, o := range map[string]Options{
		"by-login": {Brokers: c.SASLAddrs(), SASL: &SASL{Mechanism: ScramSHA256, User: kafkatest.User, Password: kafkatest.Password}},
		"by-tls":   {Brokers: c.TLSAddrs(), TLS: config},
	} {
		s := open(t, o)
		marks := marksOf(t, c.Addrs(), map[event.Partition]int64{part: 6}, 0)
		eventually(t, "committed", func() bool { return s.Commit(t.Context(), group, marks) == nil })
		if o := committed(t, c.Addrs(), group)[part]; o.At != 7 || o.LeaderEpoch != 0 {
			t.Errorf("%s: %+v", group, o)
		}
	}
	sparesAGroupInUse(t, c.Addrs(), part)
}
