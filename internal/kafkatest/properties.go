package kafkatest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// configure writes the broker's server.properties.
func (n *Node) configure(t TB, more map[string]string) {
	t.Helper()
	p := n.properties()
	maps.Copy(p, more)
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(p)) {
		fmt.Fprintf(&b, "%s=%s\n", k, p[k])
	}
	if err := os.MkdirAll(n.dir, 0o755); err != nil {
		t.Fatalf("kafkatest: %v", err)
	}
	if err := os.WriteFile(filepath.Join(n.dir, "server.properties"), []byte(b.String()), 0o644); err != nil {
		t.Fatalf("kafkatest: %v", err)
	}
}

func (n *Node) properties() map[string]string {
	p := map[string]string{
		"process.roles":                  "broker,controller",
		"node.id":                        fmt.Sprint(n.ID),
		"controller.quorum.voters":       n.cluster.voters(),
		"controller.listener.names":      "CONTROLLER",
		"inter.broker.listener.name":     "PLAIN",
		"listeners":                      n.listeners(),
		"listener.security.protocol.map": "PLAIN:PLAINTEXT,SASL:SASL_PLAINTEXT,MTLS:SSL,CONTROLLER:PLAINTEXT",
		"log.dirs":                       n.LogDir(),

		// quick to start, to elect and to notice a death
		"num.partitions":                               "1",
		"offsets.topic.num.partitions":                 "1",
		"transaction.state.log.num.partitions":         "1",
		"share.coordinator.state.topic.num.partitions": "1",
		"group.initial.rebalance.delay.ms":             "0",
		"broker.session.timeout.ms":                    "3000",
		"broker.heartbeat.interval.ms":                 "500",
		"auto.create.topics.enable":                    "false",
		"file.delete.delay.ms":                         "100",
		"log.cleaner.backoff.ms":                       "100",
		"log.cleaner.dedupe.buffer.size":               "4194304",
		"num.network.threads":                          "2",
		"num.io.threads":                               "4",
	}
	replicas := fmt.Sprint(len(n.cluster.Nodes))
	for _, topic := range []string{"offsets.topic", "transaction.state.log", "share.coordinator.state.topic", "default"} {
		p[topic+".replication.factor"] = replicas
	}
	p["transaction.state.log.min.isr"] = "1"
	p["share.coordinator.state.topic.min.isr"] = "1"
	n.security(p)
	n.behind(p)
	return p
}

// behind adds the listener that something stands before.
func (n *Node) behind(p map[string]string) {
	if n.cluster.advertise == nil {
		return
	}
	at := n.ports.addr(onBehind)
	p["advertised.listeners"] = n.clientListeners() + ",BEHIND://" + n.cluster.advertise(at)
	p["listeners"] += ",BEHIND://" + at
	p["listener.security.protocol.map"] += ",BEHIND:PLAINTEXT"
}

func (n *Node) security(p map[string]string) {
	p["sasl.enabled.mechanisms"] = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"
	p["listener.name.sasl.plain.sasl.jaas.config"] = fmt.Sprintf(
		`org.apache.kafka.common.security.plain.PlainLoginModule required user_%s="%s";`, User, Password)
	for _, m := range []string{"scram-sha-256", "scram-sha-512"} {
		p["listener.name.sasl."+m+".sasl.jaas.config"] = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
	}
	const l = "listener.name.mtls.ssl."
	p[l+"client.auth"] = "required"
	p[l+"keystore.type"] = "PEM"
	p[l+"keystore.location"] = n.cluster.pki.file("broker.pem")
	p[l+"truststore.type"] = "PEM"
	p[l+"truststore.location"] = n.cluster.pki.file("ca.pem")
}

func (n *Node) listeners() string {
	return n.clientListeners() + ",CONTROLLER://" + n.ports.addr(onController)
}

func (n *Node) clientListeners() string {
	return fmt.Sprintf("PLAIN://%s,SASL://%s,MTLS://%s", n.ports.addr(onPlain), n.ports.addr(onSASL), n.ports.addr(onMTLS))
}

func (c *Cluster) voters() string {
	vs := make([]string, len(c.Nodes))
	for i, n := range c.Nodes {
		vs[i] = fmt.Sprintf("%d@%s", n.ID, n.ports.addr(onController))
	}
	return strings.Join(vs, ",")
}
