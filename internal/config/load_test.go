package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestPrecedence gives every subset of the sources of one key, and expects
// the strongest of them to win.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	sources := []struct {
		level, origin string
		give          func(*Input)
	}{
		{"warn", "", nil}, // the file; its origin is its place
		{"error", "LOG_LEVEL", func(in *Input) { in.Env = append(in.Env, "LOG_LEVEL=error") }},
		{"debug", "ODIN_LOG_LEVEL", func(in *Input) { in.Env = append(in.Env, "ODIN_LOG_LEVEL=debug") }},
		{"info", "--log-level", func(in *Input) { in.Flags = map[string]string{"log-level": "info"} }},
	}
	path := writeFile(t, "odin.yaml", "log:\n  level: warn\n")
	sources[0].origin = path + ":2:10"
	sources[0].give = func(in *Input) { in.File = path }
	for set := range 1 << len(sources) {
		in, level, origin := Input{NoDefaultFile: true, Host: host()}, "info", OriginDefault
		for i, source := range sources {
			if set&(1<<i) != 0 {
				source.give(&in)
				level, origin = source.level, source.origin
			}
		}
		c, origins, err := Load(in)
		if err != nil || c.Log.Level != level || origins["log.level"] != origin {
			t.Errorf("sources %04b: %q from %q, want %q from %q (%v)", set, c.Log.Level, origins["log.level"], level, origin, err)
		}
	}
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, in Input) (*Config, Origins) {
	t.Helper()
	in.Host = host()
	in.NoDefaultFile = true
	c, origins, err := Load(in)
	if err != nil {
		t.Fatal(err)
	}
	return c, origins
}

func TestFileNamedByVariableYieldsToTheFlag(t *testing.T) {
	t.Parallel()
	one, two := writeFile(t, "one.yaml", "node: one\n"), writeFile(t, "two.yaml", "node: two\n")
	env := []string{"ODIN_CONFIG=" + one}
	if c, _ := load(t, Input{Env: env}); c.Node != "one" {
		t.Errorf("node %q, want that of ODIN_CONFIG", c.Node)
	}
	if c, _ := load(t, Input{Env: env, File: two}); c.Node != "two" {
		t.Errorf("node %q, want that of --config", c.Node)
	}
}

func TestAliases(t *testing.T) {
	t.Parallel()
	for env, want := range map[string]struct {
		key, value, origin string
	}{
		"KAFKA_BROKERS=a:1, b:2":                           {"kafka.brokers", "a:1,b:2", "KAFKA_BROKERS"},
		"KAFKA_GROUP_ID=g":                                 {"kafka.group", "g", "KAFKA_GROUP_ID"},
		"KAFKA_CONSUMER_GROUP=g":                           {"kafka.group", "g", "KAFKA_CONSUMER_GROUP"},
		"KAFKA_CONSUMER_GROUP=g\nKAFKA_GROUP_ID=g":         {"kafka.group", "g", "KAFKA_GROUP_ID"},
		"NUM_SHARDS=3":                                     {"workers", "3", "NUM_SHARDS"},
		"LB_ADDR=:1":                                       {"listen", ":1", "LB_ADDR"},
		"WS_ADDR=:1":                                       {"listen", ":1", "WS_ADDR"},
		"WS_ADDR=:1\nLB_ADDR=:1":                           {"listen", ":1", "LB_ADDR"},
		"WS_ADDR=:1\nLB_ADDR=:2\nODIN_LISTEN=:3":           {"listen", ":3", "ODIN_LISTEN"},
		"WS_ADDR=:1\nLB_ADDR=":                             {"listen", ":1", "WS_ADDR"},
		"WS_MAX_CONNECTIONS=12000":                         {"limits.connections_max", "12000", "WS_MAX_CONNECTIONS"},
		"WS_MAX_GOROUTINES=30000":                          {"limits.goroutines_max", "30000", "WS_MAX_GOROUTINES"},
		"WS_CPU_LIMIT=1.5":                                 {"limits.cpus_max", "1.5", "WS_CPU_LIMIT"},
		"WS_MEMORY_LIMIT=536870912":                        {"limits.memory_bytes_max", "512MiB", "WS_MEMORY_LIMIT"},
		"WS_MAX_KAFKA_RATE=25":                             {"limits.fetch_records_per_s_max", "25", "WS_MAX_KAFKA_RATE"},
		"WS_MAX_BROADCAST_RATE=25":                         {"limits.deliver_records_per_s_max", "25", "WS_MAX_BROADCAST_RATE"},
		"LOG_LEVEL=DEBUG":                                  {"log.level", "debug", "LOG_LEVEL"},
		"LOG_FORMAT=pretty":                                {"log.format", "text", "LOG_FORMAT"},
		"NATS_URL=nats://x":                                {"kafka.brokers", "127.0.0.1:9092", OriginDefault},
		"ODIN_PORT_3001_TCP_ADDR=x\nODIN_SERVICE_HOST=x":   {"listen", ":3001", OriginDefault},
		"ODIN_CACHE=/x\nODIN_BIN=/y":                       {"listen", ":3001", OriginDefault},
		"ODIN_LISTEN=":                                     {"listen", ":3001", OriginDefault},
		`ODIN_ROUTES=[{topic: a, channel: "{key}.b"}]`:     {"routes", `[{topic: a, channel: "{key}.b", slow: close, class: normal}]`, "ODIN_ROUTES"},
		"ODIN_LIMITS_REST_US_MAX=1ms":                      {"limits.rest_us_max", "1000", "ODIN_LIMITS_REST_US_MAX"},
		"ODIN_LIMITS_RETRY_AFTER_S=1m":                     {"limits.retry_after_s", "60", "ODIN_LIMITS_RETRY_AFTER_S"},
		"ODIN_ORIGINS=https://A.example, http://b.example": {"origins", "https://a.example,http://b.example", "ODIN_ORIGINS"},
	} {
		c, origins := load(t, Input{Env: strings.Split(env, "\n")})
		k := key(t, want.key)
		if got := k.format(c); got != want.value || origins[k.Name] != want.origin {
			t.Errorf("%s: %s is %q from %q, want %q from %q", env, k.Name, got, origins[k.Name], want.value, want.origin)
		}
	}
}

func key(t *testing.T, name string) Key {
	t.Helper()
	for _, k := range Keys() {
		if k.Name == name {
			return k
		}
	}
	t.Fatalf("no key %s", name)
	return Key{}
}

const wholeFile = `
listen: "127.0.0.1:0"
workers: "4" # a number in quotes is one
runtime_dir: /tmp
node: n2
operator: {listen: "[::1]:9000"}
origins: [https://App.example.com, "http://localhost:3000"]
ready: {require_source: true}
log:
  level: warn
  format: json
kafka:
  brokers:
    - k1:9092
    - "[2001:db8::1]:9093"
  start: 7d
  client_id: 12
  tls: {enabled: true, ca_file: &null /dev/null, cert_file: *null, key_file: *null, server_name: k}
routes:
  - {topic: t1, channel: "{json:a.b}.e1", slow: close}
  - topic: t2
    channel: "{key}.e2"
    slow: conflate
    class: high
limits:
  history_bytes_max: 1GiB
  history_ms_max: 10m
  owed_bytes_max: 2097152
`

func TestWholeFile(t *testing.T) {
	c, origins, err := inFile(t, wholeFile, Input{})
	if err != nil {
		t.Fatal(err)
	}
	want := Default(host())
	want.Listen, want.Workers, want.RuntimeDir, want.StateDir, want.Node = "127.0.0.1:0", 4, "/tmp", "/tmp", "n2"
	want.Operator.Listen, want.Ready.RequireSource, want.Log = "[::1]:9000", true, Log{Level: "warn", Format: "json"}
	want.Origins = []string{"https://app.example.com", "http://localhost:3000"}
	want.Kafka.Brokers, want.Kafka.Start, want.Kafka.ClientID = []string{"k1:9092", "[2001:db8::1]:9093"}, Start{Ago: 7 * 24 * time.Hour}, "12"
	want.Kafka.TLS = TLS{Enabled: true, CAFile: "/dev/null", CertFile: "/dev/null", KeyFile: "/dev/null", ServerName: "k"}
	want.Routes = []Route{{"t1", "{json:a.b}.e1", "close", "normal"}, {"t2", "{key}.e2", "conflate", "high"}}
	want.Limits.HistoryBytesMax, want.Limits.HistoryAgeMax, want.Limits.OwedBytesMax = 1<<30, 10*time.Minute, 2<<20
	want.Limits.ConnectionsMax = 4 * (20_000 - 256 - 2*1024)
	if !reflect.DeepEqual(*c, want) {
		t.Errorf("got  %v\nwant %v", *c, want)
	}
	for name, place := range map[string]string{
		"listen": "odin.yaml:2:9", "kafka.brokers": "odin.yaml:14:5", "limits.owed_bytes_max": "odin.yaml:28:19", "limits.drain_ms": OriginDefault,
	} {
		if origins[name] != place {
			t.Errorf("%s comes from %s, want %s", name, origins[name], place)
		}
	}
}

func TestEmptyFilesAreGoodOnes(t *testing.T) {
	for _, text := range []string{"", "\n# nothing\n", "---\n", "kafka:\n", "{}\n", "limits: ~\n"} {
		c, _, err := inFile(t, text, Input{})
		if err != nil || !reflect.DeepEqual(*c, Default(host())) {
			t.Errorf("%q: %v, %v", text, c, err)
		}
	}
}

func TestIgnoredKeysKeepTheirDefaults(t *testing.T) {
	in := Input{
		Ignore: []string{"kafka.brokers", "kafka.sasl.", "kafka.tls."},
		Env:    []string{"KAFKA_BROKERS=what", "ODIN_KAFKA_SASL_PASSWORD=x", "ODIN_KAFKA_CLIENT_ID=c"},
	}
	c, _, err := inFile(t, "kafka: {brokers: [], tls: {enabled: maybe}, start: start}\n", in)
	if err != nil {
		t.Fatal(err)
	}
	want := Default(host()).Kafka
	want.Start, want.ClientID = Start{Beginning: true}, "c"
	if !reflect.DeepEqual(c.Kafka, want) {
		t.Errorf("kafka is %+v, want %+v", c.Kafka, want)
	}
}

func TestRelativePathsAreMadeAbsolute(t *testing.T) {
	t.Chdir("/")
	c, _ := load(t, Input{Flags: map[string]string{"runtime-dir": "run/x"}})
	if c.RuntimeDir != "/run/x" {
		t.Errorf("runtime_dir is %q", c.RuntimeDir)
	}
}

func TestDerivedValues(t *testing.T) {
	t.Parallel()
	c := Default(host())
	if got, want := c.Topics(), []string{"odin.trades", "odin.liquidity", "odin.metadata", "odin.social", "odin.community", "odin.creation", "odin.analytics", "odin.balances"}; !reflect.DeepEqual(got, want) {
		t.Errorf("topics %v", got)
	}
	c.Workers, c.Limits.ConnectionsMax, c.Limits.ClosedRememberedMax = 3, 10, 7
	if got := c.ConnectionsPerWorker(); got != 4 {
		t.Errorf("a worker's share of 10 among 3 is %d", got)
	}
	if got := c.ClosedPerWorker(); got != 3 {
		t.Errorf("a worker's share of 7 among 3 is %d", got)
	}
}
