package config

import "github.com/odin-ws/odin/internal/route"

// Config is everything that one odind runs with. It is complete: nothing is
// left to be defaulted by its readers. Its JSON travels whole, secrets
// included, to the workers over the control socket and nowhere else; what is
// shown or logged is Redacted.
type Config struct {
	Listen     string   `json:"listen"`      // HOST:PORT of clients; an empty host is every address
	Workers    int      `json:"workers"`     // worker processes, 1 to event.MaxSlots
	RuntimeDir string   `json:"runtime_dir"` // absolute; holds control.sock and stats.shm
	StateDir   string   `json:"state_dir"`   // absolute; holds what outlives odind
	Node       string   `json:"node"`        // what hello calls this machine
	Origins    []string `json:"origins"`     // allowed Origin headers; empty: any
	Operator   Operator `json:"operator"`
	Kafka      Kafka    `json:"kafka"`
	Routes     []Route  `json:"routes"` // at least one, one per topic
	Ready      Ready    `json:"ready"`
	Log        Log      `json:"log"`
	Limits     Limits   `json:"limits"`

	Compression Compression `json:"compression"`
}

// Compression is what is compressed for clients that can inflate it.
type Compression struct {
	Enabled  bool `json:"enabled"`   // agree on permessage-deflate with clients that offer it
	Level    int  `json:"level"`     // 1 to 9
	MinBytes int  `json:"min_bytes"` // smaller frames stay plain
}

// Operator is the supervisor's own HTTP server.
type Operator struct {
	Listen string `json:"listen"` // HOST:PORT of /metrics, /health and the status page
}

// Kafka says where records come from.
type Kafka struct {
	Brokers  []string `json:"brokers"` // HOST:PORT, at least one
	Start    Start    `json:"start"`   // where a partition is read from that nobody has a position of
	ClientID string   `json:"client_id"`
	Group    string   `json:"group"` // that positions are written into, for lag tools; "": none
	SASL     SASL     `json:"sasl"`
	TLS      TLS      `json:"tls"`
}

// SASL is how Odin proves itself to the brokers; Mechanism "" means not at
// all.
type SASL struct {
	Mechanism    string `json:"mechanism"` // "", PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512
	User         string `json:"user"`
	Password     Secret `json:"password"`      // as read from PasswordFile or the environment
	PasswordFile string `json:"password_file"` // where Password came from, "" if from the environment
}

// TLS is how the connection to the brokers is protected.
type TLS struct {
	Enabled    bool   `json:"enabled"`
	CAFile     string `json:"ca_file"`     // PEM; "": the system's authorities
	CertFile   string `json:"cert_file"`   // PEM of Odin's own certificate, "" for none
	KeyFile    string `json:"key_file"`    // PEM of its key
	ServerName string `json:"server_name"` // name the brokers' certificates must bear; "": the broker's host
}

// Route maps one topic to channels SUBJECT.EVENT, as route.Parse reads it.
type Route struct {
	Topic   string `json:"topic"`
	Channel string `json:"channel"` // template: {key}.EVENT, {header:NAME}.EVENT or {json:PATH}.EVENT
	Slow    string `json:"slow"`    // close, drop or conflate: what happens to a session that is too slow
	Class   string `json:"class"`   // normal, high or critical: what is dropped last, or never
}

// Text is the route for route.Parse.
func (r Route) Text() route.Text {
	return route.Text{Topic: r.Topic, Channel: r.Channel, Slow: r.Slow, Class: r.Class}
}

// Ready says what /readyz waits for.
type Ready struct {
	RequireSource bool `json:"require_source"` // 503 while no broker can be reached
}

// Log says what is logged, and how.
type Log struct {
	Level  string `json:"level"`  // debug, info, warn or error
	Format string `json:"format"` // text or json
}

// Topics returns the topics of all routes, in their order.
func (c Config) Topics() []string {
	topics := make([]string, len(c.Routes))
	for i, r := range c.Routes {
		topics[i] = r.Topic
	}
	return topics
}

// ConnectionsPerWorker is each worker's share of limits.connections_max,
// rounded up.
func (c Config) ConnectionsPerWorker() int { return c.share(c.Limits.ConnectionsMax) }

// ClosedPerWorker is each worker's share of limits.closed_remembered_max,
// rounded up.
func (c Config) ClosedPerWorker() int { return c.share(c.Limits.ClosedRememberedMax) }

func (c Config) share(n int) int {
	workers := max(c.Workers, 1)
	return (n + workers - 1) / workers
}
