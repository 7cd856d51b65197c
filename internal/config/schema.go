package config

import (
	"slices"
	"strings"
)

// Kind is what a key's value may look like; its text says so to people.
type Kind string

// The kinds of values.
const (
	Text         Kind = "text"
	Address      Kind = "address"      // HOST:PORT or :PORT
	Path         Kind = "path"         // made absolute
	Number       Kind = "number"       // a whole one
	Decimal      Kind = "decimal"      // a number, not necessarily whole
	Bytes        Kind = "bytes"        // a number, or with KiB, MiB, GiB
	Milliseconds Kind = "milliseconds" // a number, or with a unit, like 5s
	Microseconds Kind = "microseconds" // a number, or with a unit, like 2ms
	Seconds      Kind = "seconds"      // a number, or with a unit, like 1m
	Switch       Kind = "switch"       // true or false
	Choice       Kind = "choice"       // one of Key.Choices
	StartAt      Kind = "start"        // end, start, or a duration
	Hidden       Kind = "secret"       // from the environment alone
	AddressList  Kind = "addresses"    // list of HOST:PORT
	OriginList   Kind = "origins"      // list of SCHEME://HOST[:PORT]
	RouteList    Kind = "routes"       // list of mappings
)

// Key describes one key of the configuration.
type Key struct {
	Name     string   // dotted, as in the file
	Flag     string   // without dashes; "" for none
	Aliases  []string // variables of the replaced system
	Kind     Kind
	Default  string   // as one would write it; "" with Auto: computed
	Auto     string   // how the default is computed, in words
	Min, Max int64    // of numbers, in the key's unit
	Choices  []string // of a Choice; "" among them: may be empty
	Help     string   // what it is
	Why      string   // why this default
	Reload   When     // a new value is in force in a running odind
	With     string   // key that must have kept its value for a reload to apply this one; "": none

	field func(*Config) any          // pointer to the field that the key fills
	auto  func(Host, *Config) string // computes the default, after all else is set
}

// When says when a new value of a key is in force in a running odind.
type When int

// The kinds of When.
const (
	Restart    When = iota // after a restart; until then the old one stays
	Live                   // at once, after a reload
	NewClients             // after a reload, for connections that come then
)

// Env is the key's variable: ODIN_ and its name in capitals.
func (k Key) Env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(k.Name, ".", "_"))
}

// Keys returns the whole table, in the order in which people should read it.
func Keys() []Key { return slices.Concat(serverKeys(), kafkaKeys(), compressionKeys(), limitKeys()) }

func serverKeys() []Key {
	return []Key{
		{
			Name: "listen", Flag: "listen", Aliases: []string{"LB_ADDR", "WS_ADDR"}, Kind: Address, Default: ":3001",
			Help:  "address that clients connect to; every worker listens on it",
			field: func(c *Config) any { return &c.Listen },
		},
		{
			Name: "workers", Flag: "workers", Aliases: []string{"NUM_SHARDS"}, Kind: Number, Min: 1, Max: workersMax,
			Auto: "max(1, ⌊CPU quota⌋)", auto: func(h Host, _ *Config) string { return h.workers() },
			Help: "worker processes", Why: "a worker fills one core",
			field: func(c *Config) any { return &c.Workers },
		},
		{
			Name: "runtime_dir", Flag: "runtime-dir", Kind: Path,
			Auto: "/run/odin; for a normal user $XDG_RUNTIME_DIR/odin; odind demo: a temporary one", auto: func(h Host, _ *Config) string { return h.RuntimeDir },
			Help:  "holds control.sock and stats.shm; made if missing, else it must be ours and not writable by others",
			field: func(c *Config) any { return &c.RuntimeDir },
		},
		{
			Name: "state_dir", Flag: "state-dir", Kind: Path,
			Auto: "/var/lib/odin where runtime_dir is /run/odin, else runtime_dir", auto: func(_ Host, c *Config) string { return stateDir(c.RuntimeDir) },
			Help: "holds what outlives odind, the numbers of the partitions' eras; as runtime_dir", Why: "/run is forgotten when the machine starts anew",
			field: func(c *Config) any { return &c.StateDir },
		},
		{
			Name: "node", Kind: Text, Reload: NewClients,
			Auto: "the host's name", auto: func(h Host, _ *Config) string { return h.Name },
			Help:  "name of this machine in `hello`",
			field: func(c *Config) any { return &c.Node },
		},
		{
			Name: "operator.listen", Flag: "operator-listen", Kind: Address, Default: "127.0.0.1:9464",
			Help: "address of /metrics, /health and the status page", Why: "the operator's pages have no login: this machine only",
			field: func(c *Config) any { return &c.Operator.Listen },
		},
		{
			Name: "origins", Kind: OriginList, Reload: Live,
			Help: "Origin headers that browsers may come from; empty: any", Why: "clients of the replaced system send what they like",
			field: func(c *Config) any { return &c.Origins },
		},
		{
			Name: "ready.require_source", Kind: Switch, Default: "false", Reload: Live,
			Help: "/readyz is 503 while no broker can be reached", Why: "taking every server out of service because the brokers are away helps nobody",
			field: func(c *Config) any { return &c.Ready.RequireSource },
		},
		{
			Name: "log.level", Flag: "log-level", Aliases: []string{"LOG_LEVEL"}, Kind: Choice, Default: "info", Reload: Live,
			Choices: []string{"debug", "info", "warn", "error"},
			Help:    "least level that is logged",
			field:   func(c *Config) any { return &c.Log.Level },
		},
		{
			Name: "log.format", Flag: "log-format", Aliases: []string{"LOG_FORMAT"}, Kind: Choice, Choices: []string{"text", "json"},
			Auto: "text when standard error is a terminal, else json", auto: func(h Host, _ *Config) string { return h.logFormat() },
			Help:  "form of the log",
			field: func(c *Config) any { return &c.Log.Format },
		},
	}
}
