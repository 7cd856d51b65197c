package kafkatest

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os/exec"
	"path/filepath"
)

// User and Password are the login that the SASL listeners take, by PLAIN and
// both SCRAMs.
const (
	User     = "odin"
	Password = "valhalla"
)

// Options says what runs. The zero value is one broker.
type Options struct {
	Brokers    int               // 1 if 0
	Properties map[string]string // server.properties to add or to change
	// Advertise gives what clients of one more listener are told as its address:
	// that of something which stands before it. Nil: there is no such listener.
	Advertise func(listener string) string
}

// Cluster is one or several brokers, each of which is a controller, too.
type Cluster struct {
	Nodes []*Node // ids from 1
	id    string
	pki   *PKI

	advertise func(listener string) string
}

// Start runs brokers and returns once all of them serve.
func Start(t TB, o Options) *Cluster {
	t.Helper()
	install(t)
	c := &Cluster{id: clusterID(), pki: NewPKI(t), advertise: o.Advertise}
	dir := t.TempDir()
	for i := range max(o.Brokers, 1) {
		n := &Node{ID: int32(i + 1), cluster: c, dir: filepath.Join(dir, fmt.Sprint(i+1)), ports: freePorts(t)}
		c.Nodes = append(c.Nodes, n)
	}
	for _, n := range c.Nodes {
		n.configure(t, o.Properties)
		n.launch(t)
	}
	t.Cleanup(func() {
		for _, n := range c.Nodes {
			n.end(t)
		}
	})
	for _, n := range c.Nodes {
		n.await(t)
	}
	return c
}

// Addrs are the listeners without TLS and login.
func (c *Cluster) Addrs() []string { return c.addrs(onPlain) }

// SASLAddrs are the listeners that want a login.
func (c *Cluster) SASLAddrs() []string { return c.addrs(onSASL) }

// TLSAddrs are the listeners with TLS that want a certificate of the client
// (mTLS).
func (c *Cluster) TLSAddrs() []string { return c.addrs(onMTLS) }

// BehindAddrs are the listeners that Options.Advertise is for, as they are told.
func (c *Cluster) BehindAddrs() []string {
	addrs := c.addrs(onBehind)
	for i := range addrs {
		addrs[i] = c.advertise(addrs[i])
	}
	return addrs
}

// PKI signed what the TLS listeners show, and has what they want to see.
func (c *Cluster) PKI() *PKI { return c.pki }

func (c *Cluster) addrs(listener int) []string {
	addrs := make([]string, len(c.Nodes))
	for i, n := range c.Nodes {
		addrs[i] = n.ports.addr(listener)
	}
	return addrs
}

// install gets Kafka, which takes long once.
func install(t TB) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), script("install.sh")).CombinedOutput(); err != nil {
		t.Fatalf("kafkatest: get Kafka: %v\n%s", err, out)
	}
}

func clusterID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	b[0] &= 0x7f        // a leading '-' would be an option
	return base64.RawURLEncoding.EncodeToString(b)
}
