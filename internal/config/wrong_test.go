package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func host() Host {
	return Host{CPUs: 2, Files: 20_000, RuntimeDir: "/run/odin", Name: "n1", Terminal: false}
}

// inFile loads a text as odin.yaml of the working directory.
func inFile(t *testing.T, text string, in Input) (*Config, Origins, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("odin.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	in.File, in.Host = "odin.yaml", host()
	return Load(in)
}

func wantProblems(t *testing.T, err error, want ...string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
	}
	if got != strings.Join(want, "\n") {
		t.Errorf("problems:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}

const sizeRight = " (a number, or with KiB, MiB, GiB)"

func TestWrongFiles(t *testing.T) {
	for name, c := range wrongFiles {
		t.Run(name, func(t *testing.T) {
			_, _, err := inFile(t, c.text, Input{})
			wantProblems(t, err, c.want...)
		})
	}
}

type wrongFile struct {
	text string
	want []string
}

var wrongFiles = map[string]wrongFile{
	"unknown key": {"lisen: :1\n", []string{
		`odin.yaml:1:1: lisen: unknown key, allowed: listen, workers, runtime_dir, state_dir, node, operator, origins, ready, log, kafka, routes, compression, limits, did you mean "listen"?`,
	}},
	"unknown nested key": {"kafka:\n  strat: end\n", []string{
		`odin.yaml:2:3: kafka.strat: unknown key, allowed: brokers, start, client_id, group, sasl, tls, did you mean "start"?`,
	}},
	"a key of another section": {"brokers: a:1\n", []string{
		`odin.yaml:1:1: brokers: unknown key, allowed: listen, workers, runtime_dir, state_dir, node, operator, origins, ready, log, kafka, routes, compression, limits, did you mean "brokers" below "kafka"?`,
	}},
	"a dotted key": {"log.level: info\n", []string{
		`odin.yaml:1:1: log.level: unknown key, allowed: listen, workers, runtime_dir, state_dir, node, operator, origins, ready, log, kafka, routes, compression, limits, did you mean "level" below "log"?`,
	}},
	"an unknown limit": {"limits:\n  channel_max: 3\n", []string{
		`odin.yaml:2:3: limits.channel_max: unknown key, allowed: the keys of docs/CONFIGURATION.md, did you mean "channels_max"?`,
	}},
	"nothing near": {"zzz: 1\n", []string{
		`odin.yaml:1:1: zzz: unknown key, allowed: listen, workers, runtime_dir, state_dir, node, operator, origins, ready, log, kafka, routes, compression, limits`,
	}},
	"key given twice": {"log:\n  level: info\n  level: warn\n", []string{
		`odin.yaml:3:3: log.level: given twice, first in line 2, allowed: once`,
	}},
	"section given twice": {"log: {level: info}\nlog: {format: json}\n", []string{
		`odin.yaml:2:1: log: given twice, first in line 1, allowed: once`,
	}},
	"merge": {"log: &l {level: info}\nready:\n  <<: *l\n", []string{
		`odin.yaml:3:3: ready.<<: merges are not supported, allowed: write the keys out`,
	}},
	"key that is a list": {"[a]: 1\n", []string{
		`odin.yaml:1:1: a key is no text, allowed: a key's name`,
	}},
	"section that is a text": {"kafka: yes please\n", []string{
		`odin.yaml:1:8: kafka: is no mapping, allowed: brokers, start, client_id, group, sasl, tls`,
	}},
	"file that is a list": {"- a\n", []string{
		`odin.yaml:1:1: is no mapping, allowed: listen, workers, runtime_dir, state_dir, node, operator, origins, ready, log, kafka, routes, compression, limits`,
	}},
	"no number": {"workers: many\n", []string{`odin.yaml:1:10: workers: "many" is no whole number, allowed: 1 to 128`}},
	"fraction":  {"workers: 2.5\n", []string{`odin.yaml:1:10: workers: "2.5" is no whole number, allowed: 1 to 128`}},
	"too small": {"workers: 0\n", []string{`odin.yaml:1:10: workers: 0 is out of range, allowed: 1 to 128`}},
	"too large": {"workers: 129\n", []string{`odin.yaml:1:10: workers: 129 is out of range, allowed: 1 to 128`}},
	"list for a number": {"workers: [1]\n", []string{
		`odin.yaml:1:10: workers: is a list, allowed: one value`,
	}},
	"mapping for a number": {"workers: {a: 1}\n", []string{
		`odin.yaml:1:10: workers: is a mapping, allowed: one value`,
	}},
	"no value": {"workers:\n", []string{
		`odin.yaml:1:9: workers: has no value, allowed: one value; leave the key out for its default`,
	}},
	"null in a list": {"origins: [~]\n", []string{
		`odin.yaml:1:11: origins: has no value, allowed: one value; leave the key out for its default`,
	}},
	"unit of 1000": {"limits: {request_bytes_max: 1MB}\n", []string{
		`odin.yaml:1:29: limits.request_bytes_max: "1MB" is no amount of bytes, allowed: 1KiB to 64MiB` + sizeRight,
	}},
	"bytes beyond 63 bits": {"limits: {request_bytes_max: 99999999999GiB}\n", []string{
		`odin.yaml:1:29: limits.request_bytes_max: "99999999999GiB" is no amount of bytes, allowed: 1KiB to 64MiB` + sizeRight,
	}},
	"bytes out of range": {"limits: {request_bytes_max: 1GiB}\n", []string{
		`odin.yaml:1:29: limits.request_bytes_max: 1GiB is out of range, allowed: 1KiB to 64MiB` + sizeRight,
	}},
	"no time": {"limits: {drain_ms: soon}\n", []string{
		`odin.yaml:1:20: limits.drain_ms: "soon" is no time, allowed: 0 to 3600000 milliseconds (a number, or with a unit, like 5s)`,
	}},
	"time out of range": {"limits: {drain_ms: 48h}\n", []string{
		`odin.yaml:1:20: limits.drain_ms: 48h is out of range, allowed: 0 to 3600000 milliseconds (a number, or with a unit, like 5s)`,
	}},
	"time between units": {"limits: {retry_after_s: 1500ms}\n", []string{
		`odin.yaml:1:25: limits.retry_after_s: 1500ms is out of range, allowed: 1 to 3600 seconds (a number, or with a unit, like 5s)`,
	}},
	"no decimal": {"limits: {cpus_max: NaN}\n", []string{`odin.yaml:1:20: limits.cpus_max: "NaN" is no number, allowed: 0 to 4096`}},
	"negative decimal": {"limits: {cpus_max: -0.5}\n", []string{
		`odin.yaml:1:20: limits.cpus_max: -0.5 is out of range, allowed: 0 to 4096`,
	}},
	"neither true nor false": {"ready: {require_source: maybe}\n", []string{
		`odin.yaml:1:25: ready.require_source: "maybe" is neither, allowed: true or false`,
	}},
	"unknown choice": {"log: {level: warning, format: xml}\n", []string{
		`odin.yaml:1:14: log.level: "warning" is unknown, allowed: debug, info, warn, error, did you mean "warn"?`,
		`odin.yaml:1:31: log.format: "xml" is unknown, allowed: text, json`,
	}},
	"port alone": {"listen: 3001\n", []string{`odin.yaml:1:9: listen: "3001" is no address, allowed: HOST:PORT or :PORT, like :3001, did you mean ":3001"?`}},
	"host alone": {"listen: odin\n", []string{`odin.yaml:1:9: listen: "odin" is no address, allowed: HOST:PORT or :PORT, like :3001, did you mean "odin:3001"?`}},
	"port name":  {"listen: ':http'\n", []string{`odin.yaml:1:9: listen: ":http" has no port from 0 to 65535, allowed: HOST:PORT or :PORT, like :3001`}},
	"no host":    {"listen: 'a b:1'\n", []string{`odin.yaml:1:9: listen: "a b:1" has no proper host, allowed: HOST:PORT or :PORT, like :3001`}},
	"broker": {"kafka: {brokers: [k1, 'k2:0', ':1']}\n", []string{
		`odin.yaml:1:19: kafka.brokers: "k1" is no address, allowed: HOST:PORT, like 127.0.0.1:9092, did you mean "k1:9092"?`,
		`odin.yaml:1:23: kafka.brokers: "k2:0" names no host and port to connect to, allowed: HOST:PORT, like 127.0.0.1:9092`,
		`odin.yaml:1:31: kafka.brokers: ":1" names no host and port to connect to, allowed: HOST:PORT, like 127.0.0.1:9092`,
	}},
	"no brokers": {"kafka: {brokers: []}\n", []string{`odin.yaml:1:18: kafka.brokers: is empty, allowed: at least one HOST:PORT`}},
	"start": {"kafka: {start: yesterday}\n", []string{
		`odin.yaml:1:16: kafka.start: "yesterday" is no start, allowed: end, start, or how far back, like 15m, 12h or 7d`,
	}},
	"origins": {"origins: ['*', 'https://a/b', a.example]\n", []string{
		`odin.yaml:1:11: origins: "*" is not an origin, allowed: SCHEME://HOST[:PORT]; leave origins out to allow any`,
		`odin.yaml:1:16: origins: "https://a/b" is not an origin, allowed: SCHEME://HOST[:PORT], like https://app.example.com`,
		`odin.yaml:1:31: origins: "a.example" is not an origin, allowed: SCHEME://HOST[:PORT], like https://app.example.com`,
	}},
	"control characters": {"node: \"a\\nb\"\n", []string{
		`odin.yaml:1:7: node: "a\nb" has control characters, allowed: printable text`,
	}},
	"too long a text": {"node: " + strings.Repeat("x", textMax+1) + "\n", []string{
		`odin.yaml:1:7: node: has 1025 bytes, allowed: at most 1024`,
	}},
	"password in the file": {"kafka:\n  sasl: {password: hunter2}\n", []string{
		`odin.yaml:2:20: kafka.sasl.password: must not stand in the file, allowed: ODIN_KAFKA_SASL_PASSWORD, or kafka.sasl.password_file`,
	}},
	"routes that are no list": {"routes: all\n", []string{
		`odin.yaml:1:9: routes: is no list, allowed: a list like [{topic: odin.trades, channel: "{key}.trade", slow: close}]`,
	}},
	"no routes": {"routes: []\n", []string{`odin.yaml:1:9: routes: is empty, allowed: at least one route`}},
	"bad routes": {`routes:
- {topic: 'a b', channel: "{key}.b"}
- {topic: a, channel: b.c}
- {topic: a, channel: "{value}.b"}
- {topic: a, channel: "{key}.b.c"}
- {topic: a, channel: "{key}.b", slow: never}
- {topc: a, slow: [x]}
- {topic: a}
- {channel: "{key}.b"}
- a
`, []string{
		`odin.yaml:2:11: routes[0].topic: "a b": a topic's name has 1 to 249 letters, digits, '.', '_' and '-', and is neither '.' nor '..'`,
		`odin.yaml:3:23: routes[1].channel: "b.c" is no template: it must be {key}.EVENT, {header:NAME}.EVENT or {json:PATH}.EVENT, like {key}.trade`,
		`odin.yaml:4:23: routes[2].channel: subject "value" is unknown: it must be key, header:NAME or json:PATH`,
		`odin.yaml:5:23: routes[3].channel: event "b.c": a channel is SUBJECT.EVENT, like BTC.trade`,
		`odin.yaml:6:40: routes[4].slow: "never": slow must be close (the default), drop or conflate`,
		`odin.yaml:7:4: routes[5].topc: unknown key, allowed: topic, channel, slow, class, did you mean "topic"?`,
		`odin.yaml:7:19: routes[5].slow: is a list, allowed: one value`,
		`odin.yaml:8:3: routes[6].channel: is missing, allowed: a list like [{topic: odin.trades, channel: "{key}.trade", slow: close}]`,
		`odin.yaml:9:3: routes[7].topic: is missing, allowed: a list like [{topic: odin.trades, channel: "{key}.trade", slow: close}]`,
		`odin.yaml:10:3: routes[8]: is no mapping, allowed: topic, channel, slow, class`,
	}},
	"two routes of a topic": {`routes: [{topic: a, channel: "{key}.b"}, {topic: a, channel: "{key}.c"}]`, []string{
		`odin.yaml:1:9: routes: topic "a" has two routes, allowed: one route a topic`,
	}},
	"too many topics": {"limits: {topics_max: 1}\n" + `routes: [{topic: a, channel: "{key}.b"}, {topic: b, channel: "{key}.c"}]`, []string{
		`odin.yaml:2:9: routes: has 2 topics, allowed: at most limits.topics_max, 1`,
	}},
	"a tab": {"kafka:\n\tstart: end\n", []string{
		`odin.yaml:2:1: no proper YAML: found character that cannot start any token, allowed: spaces, not tabs`,
	}},
	"a tab in a text": {"listen: :1\n\t- x\n", []string{
		`odin.yaml:2:1: no proper YAML: found a tab character that violates indentation while scanning a plain scalar that begins at 1:9, allowed: spaces, not tabs`,
	}},
	"two keys in a line": {"kafka:\n  start: listen: x\n", []string{
		`odin.yaml:2:16: no proper YAML: mapping values are not allowed in this context, allowed: one key a line, and quotes around a value with a colon and a space`,
	}},
	"a value that needs quotes": {"log:\n  level: @info\n", []string{
		`odin.yaml:2:10: no proper YAML: found character that cannot start any token, allowed: quotes around such a value`,
	}},
	"a quote that is left open": {"log:\n  level: \"info\n", []string{
		`odin.yaml:3:1: no proper YAML: found unexpected end of stream while scanning a quoted scalar that begins at 2:10`,
	}},
	"indented otherwise than before": {"log:\n   level: info\n  format: json\n", []string{
		`odin.yaml:3:3: no proper YAML: did not find expected key while parsing a block mapping that begins at 1:1`,
	}},
	"not UTF-8":   {"node: a\nlisten: caf\xe9\n", []string{`odin.yaml:2:12: no proper YAML: incomplete UTF-8 octet sequence, allowed: UTF-8`}},
	"a zero byte": {"node: a\nlisten: b\x00\n", []string{`odin.yaml:2:10: no proper YAML: control characters are not allowed (value: 0)`}},
	"unknown anchor": {"listen: *hunter2\n", []string{
		`odin.yaml:1:9: no proper YAML: an alias (*) without its anchor (&), allowed: quotes around a value that begins with *`,
	}},
	"second document":                  {"node: a\n---\nnode: b\n", []string{`odin.yaml:2:1: no proper YAML: a second document, allowed: one`}},
	"a byte order mark moves no place": {"\ufefflisten: \":3001\"\nworkers: 0\n", []string{`odin.yaml:2:10: workers: 0 is out of range, allowed: 1 to 128`}},
	"nor do line ends of Windows":      {"listen: \":3001\"\r\nworkers: 0\r\n", []string{`odin.yaml:2:10: workers: 0 is out of range, allowed: 1 to 128`}},
	"nested without end": {"node: " + strings.Repeat("[", 20_000) + "\n", []string{
		`odin.yaml:1:10007: no proper YAML: exceeded max depth of 10000`,
	}},
	"a very long value": {"workers: " + strings.Repeat("x", 700) + "\n", []string{
		`odin.yaml:1:10: workers: "` + strings.Repeat("x", 299) + "…" + strings.Repeat("x", 261) + `" is no whole number, allowed: 1 to 128`,
	}},
	"a password as the value of another key": {"kafka:\n  sasl: {passwd: hunter2, password: hunter2}\n", []string{
		`odin.yaml:2:10: kafka.sasl.passwd: unknown key, allowed: mechanism, user, password, password_file, did you mean "password"?`,
		`odin.yaml:2:37: kafka.sasl.password: must not stand in the file, allowed: ODIN_KAFKA_SASL_PASSWORD, or kafka.sasl.password_file`,
	}},
	"nested too deeply": {"node: " + strings.Repeat("[", 40) + strings.Repeat("]", 40), []string{
		`odin.yaml:1:7: node: is a list, allowed: one value`,
		`odin.yaml:1:23: node: is nested too deeply, allowed: 16 levels`,
	}},
	"runtime_dir too long": {"runtime_dir: /" + strings.Repeat("x", 94) + "\n", []string{
		`odin.yaml:1:14: runtime_dir: has 95 bytes, allowed: at most 94, or no Unix socket fits into it`,
	}},
	"runtime_dir empty": {"runtime_dir: ''\n", []string{`odin.yaml:1:14: runtime_dir: is empty, allowed: a directory`}},
	"same port":         {"operator: {listen: ':3001'}\n", []string{`odin.yaml:1:20: operator.listen: :3001 is listen too, allowed: another port`}},
	"user without mechanism": {"kafka: {sasl: {user: u}}\n", []string{
		`odin.yaml:1:22: kafka.sasl.user: is given without kafka.sasl.mechanism, allowed: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 as mechanism`,
	}},
	"mechanism without user": {"kafka: {sasl: {mechanism: PLAIN}}\n", []string{
		`odin.yaml:1:27: kafka.sasl.mechanism: PLAIN needs a user and a password, allowed: kafka.sasl.user with kafka.sasl.password_file or ODIN_KAFKA_SASL_PASSWORD`,
	}},
	"certificate without key": {"kafka: {tls: {enabled: true, cert_file: /dev/null}}\n", []string{
		`odin.yaml:1:41: kafka.tls.cert_file: is given without kafka.tls.key_file, allowed: both or none`,
	}},
	"key without certificate": {"kafka: {tls: {enabled: true, key_file: /dev/null}}\n", []string{
		`odin.yaml:1:40: kafka.tls.key_file: is given without kafka.tls.cert_file, allowed: both or none`,
	}},
	"TLS files": {"kafka: {tls: {enabled: true, ca_file: /nowhere, cert_file: /, key_file: /dev/null}}\n", []string{
		`odin.yaml:1:39: kafka.tls.ca_file: /nowhere can't be read: no such file or directory, allowed: a readable file`,
		`odin.yaml:1:60: kafka.tls.cert_file: / can't be read: is a directory, allowed: a readable file`,
	}},
	"TLS half on": {"kafka: {tls: {ca_file: /a, server_name: k}}\n", []string{
		`odin.yaml:1:24: kafka.tls.ca_file: is given, but kafka.tls.enabled is false, allowed: kafka.tls.enabled: true`,
		`odin.yaml:1:41: kafka.tls.server_name: is given, but kafka.tls.enabled is false, allowed: kafka.tls.enabled: true`,
	}},
	"order, larger given": {"limits: {heartbeat_dead_ms: 1000}\n", []string{
		`odin.yaml:1:29: limits.heartbeat_dead_ms: is less than limits.heartbeat_suspect_ms, allowed: at least as much`,
	}},
	"order, smaller given": {"limits: {heartbeat_beat_ms: 3000}\n", []string{
		`odin.yaml:1:29: limits.heartbeat_beat_ms: is more than limits.heartbeat_suspect_ms, allowed: at most as much`,
	}},
	"what is in doubt is not judged again": {"limits: {heartbeat_beat_ms: 3000, heartbeat_suspect_ms: x}\nkafka: {sasl: {mechanism: PLAIN, usr: a}}\n", []string{
		`odin.yaml:1:57: limits.heartbeat_suspect_ms: "x" is no time, allowed: 50 to 600000 milliseconds (a number, or with a unit, like 5s)`,
		`odin.yaml:2:34: kafka.sasl.usr: unknown key, allowed: mechanism, user, password, password_file, did you mean "user"?`,
	}},
}

func TestWrongEnvironmentAndFlags(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   Input
		want []string
	}{
		"variable": {Input{Env: []string{"ODIN_WORKERS=many"}}, []string{`ODIN_WORKERS: workers: "many" is no whole number, allowed: 1 to 128`}},
		"alias":    {Input{Env: []string{"NUM_SHARDS=-1"}}, []string{`NUM_SHARDS: workers: -1 is out of range, allowed: 1 to 128`}},
		"flag":     {Input{Flags: map[string]string{"start": "x"}}, []string{`--start: kafka.start: "x" is no start, allowed: end, start, or how far back, like 15m, 12h or 7d`}},
		"empty flag": {Input{Flags: map[string]string{"listen": ""}}, []string{
			`--listen: listen: "" is no address, allowed: HOST:PORT or :PORT, like :3001`,
		}},
		"empty entry": {Input{Flags: map[string]string{"brokers": "a:1,"}}, []string{
			`--brokers: kafka.brokers: "" is no address, allowed: HOST:PORT, like 127.0.0.1:9092`,
		}},
		"routes": {Input{Env: []string{"ODIN_ROUTES=[{topic: a}]"}}, []string{
			`ODIN_ROUTES: routes[0].channel: is missing, allowed: a list like [{topic: odin.trades, channel: "{key}.trade", slow: close}]`,
		}},
		"routes that are no YAML": {Input{Env: []string{"ODIN_ROUTES=[{"}}, []string{
			`ODIN_ROUTES: routes: is no list, allowed: a list like [{topic: odin.trades, channel: "{key}.trade", slow: close}]`,
		}},
		"misspelt variable": {Input{Env: []string{"ODIN_LISTN=:1"}}, []string{
			`ODIN_LISTN: unknown variable, allowed: those of docs/CONFIGURATION.md, did you mean "ODIN_LISTEN"?`,
		}},
		"unknown variable of a section": {Input{Env: []string{"ODIN_KAFKA_ZZZ=1", "ODIN_LIMITS_ZZZ=1"}}, []string{
			`ODIN_KAFKA_ZZZ: unknown variable, allowed: those of docs/CONFIGURATION.md`,
			`ODIN_LIMITS_ZZZ: unknown variable, allowed: those of docs/CONFIGURATION.md`,
		}},
		"two aliases that differ": {Input{Env: []string{"LB_ADDR=:1", "WS_ADDR=:2"}}, []string{
			`LB_ADDR, WS_ADDR: listen: they differ (":1" and ":2"), allowed: one of them, or ODIN_LISTEN`,
		}},
		"no such file": {Input{File: "/nowhere/odin.yaml"}, []string{
			`/nowhere/odin.yaml: can't be read: no such file or directory, allowed: a readable file`,
		}},
		"no such file of the variable": {Input{Env: []string{"ODIN_CONFIG=/nowhere/x.yaml"}}, []string{
			`/nowhere/x.yaml: can't be read: no such file or directory, allowed: a readable file`,
		}},
		"a flag that names no file": {Input{Flags: map[string]string{FileFlag: ""}}, []string{
			`--config: names no file, allowed: a readable file; leave the flag out for the default`,
		}},
		"a file in a file":   {Input{File: "/dev/null/x"}, []string{`/dev/null/x: can't be read: not a directory, allowed: a readable file`}},
		"an unreadable file": {Input{File: "/proc/self/mem"}, []string{`/proc/self/mem: can't be read: input/output error, allowed: a readable file`}},
		"an endless file":    {Input{File: "/dev/zero"}, []string{`/dev/zero: can't be read: has more than 1048576 bytes, allowed: a readable file`}},
		"a directory":        {Input{File: "/"}, []string{`/: can't be read: is a directory, allowed: a readable file`}},
		"no password file": {Input{Env: []string{"ODIN_KAFKA_SASL_PASSWORD_FILE=/nowhere/pw"}}, []string{
			`ODIN_KAFKA_SASL_PASSWORD_FILE: kafka.sasl.password_file: /nowhere/pw can't be read: no such file or directory, allowed: a readable file`,
		}},
		"password without mechanism": {Input{Env: []string{"ODIN_KAFKA_SASL_PASSWORD=hunter2"}}, []string{
			`ODIN_KAFKA_SASL_PASSWORD: kafka.sasl.password: is given without kafka.sasl.mechanism, allowed: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 as mechanism`,
		}},
		"everything at once": {Input{Env: []string{"ODIN_WORKERS=x", "ODIN_LISTN=x"}, Flags: map[string]string{"start": "x", "listen": "x"}}, []string{
			`ODIN_WORKERS: workers: "x" is no whole number, allowed: 1 to 128`,
			`ODIN_LISTN: unknown variable, allowed: those of docs/CONFIGURATION.md, did you mean "ODIN_LISTEN"?`,
			`--listen: listen: "x" is no address, allowed: HOST:PORT or :PORT, like :3001, did you mean "x:3001"?`,
			`--start: kafka.start: "x" is no start, allowed: end, start, or how far back, like 15m, 12h or 7d`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.in.NoDefaultFile, c.in.Host = true, host()
			_, _, err := Load(c.in)
			wantProblems(t, err, c.want...)
		})
	}
}

func TestHugeFileIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "huge.yaml")
	if err := os.WriteFile(path, []byte("# "+strings.Repeat("x", fileMax)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := Load(Input{File: path, Host: host()})
	wantProblems(t, err, path+": can't be read: has more than 1048576 bytes, allowed: a readable file")
}

func TestTooLargeAConfigurationIsRefused(t *testing.T) {
	long := "'https://" + strings.Repeat("x", 500) + "', "
	_, _, err := inFile(t, "origins: ["+strings.Repeat(long, 90)+"]\n", Input{})
	wantProblems(t, err)
	_, _, err = inFile(t, "origins: ["+strings.Repeat(long, 100)+"]\n", Input{})
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 1 || problems[0].Key != "origins" || !strings.HasSuffix(problems[0].What, "bytes, allowed: at most 49152") {
		t.Errorf("problems: %v", err)
	}
}

// TestManyMistakes: a file of a megabyte that is none of ours is answered soon
// and in a page, not in ten megabytes.
func TestManyMistakes(t *testing.T) {
	for name, line := range map[string]string{"unknown keys": "request_byt%d: 1\n", "keys given twice": "zzz: 1\n", "nothing in common": "? [%d]\n: 1\n"} {
		text := strings.Repeat(line, fileMax/len(line))
		if strings.Contains(line, "%d") {
			text = ""
			for i := range 10_000 {
				text += fmt.Sprintf(line, i)
			}
		}
		_, _, err := inFile(t, text, Input{})
		var problems Problems
		if !errors.As(err, &problems) || len(problems) != mistakesMax+1 {
			t.Fatalf("%s: %d mistakes", name, len(problems))
		}
		if last := problems[mistakesMax]; last.Key != "" || last.What != "more mistakes from here on, allowed: mend those above first" {
			t.Errorf("%s: the last one is %v", name, last)
		}
	}
}
