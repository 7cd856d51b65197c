package config

import (
	"fmt"
	"slices"
	"strings"
)

// runtimeDirMax keeps runtime_dir/control.sock within the 107 bytes that a
// Unix socket's path may have.
const runtimeDirMax = 107 - len("/control.sock")

// checker finds what is wrong between keys that are each right by themselves.
type checker struct {
	config  *Config
	origins Origins
	before  Problems // of single keys: what involves one of them is not judged
	found   Problems
}

// check adds to the problems of single keys those between keys.
func check(c *Config, origins Origins, before Problems) Problems {
	k := checker{config: c, origins: origins, before: before}
	k.server()
	k.sasl()
	k.tls()
	k.order()
	k.size()
	return append(before, k.found...)
}

// say blames a key, unless one of those involved is in doubt already.
func (k *checker) say(involved []string, key, format string, args ...any) {
	for _, p := range k.before {
		if slices.ContainsFunc(involved, func(name string) bool { return strings.HasPrefix(p.Key, name) }) {
			return
		}
	}
	place := k.origins[key]
	for _, other := range involved {
		// A default breaks no rule: what somebody set beside it does.
		if o := k.origins[other]; place == OriginDefault && o != "" && o != OriginDefault {
			place = o
		}
	}
	k.found = append(k.found, Problem{Place: place, Key: key, What: fmt.Sprintf(format, args...)})
}

func (k *checker) server() {
	c := k.config
	if c.RuntimeDir == "" {
		k.say([]string{"runtime_dir"}, "runtime_dir", "is empty, allowed: a directory")
	}
	if c.StateDir == "" && c.RuntimeDir != "" {
		k.say([]string{"state_dir", "runtime_dir"}, "state_dir", "is empty, allowed: a directory")
	}
	if len(c.RuntimeDir) > runtimeDirMax {
		k.say([]string{"runtime_dir"}, "runtime_dir", "has %d bytes, allowed: at most %d, or no Unix socket fits into it", len(c.RuntimeDir), runtimeDirMax)
	}
	if c.Listen == c.Operator.Listen && !strings.HasSuffix(c.Listen, ":0") {
		k.say([]string{"listen", "operator.listen"}, "operator.listen", "%s is listen too, allowed: another port", c.Operator.Listen)
	}
	if len(c.Kafka.Brokers) == 0 {
		k.say([]string{"kafka.brokers"}, "kafka.brokers", "is empty, allowed: at least one HOST:PORT")
	}
	if len(c.Routes) == 0 {
		k.say([]string{"routes"}, "routes", "is empty, allowed: at least one route")
	}
	if n := len(c.Routes); n > c.Limits.TopicsMax {
		k.say([]string{"routes", "limits.topics_max"}, "routes", "has %d topics, allowed: at most limits.topics_max, %d", n, c.Limits.TopicsMax)
	}
}

func (k *checker) sasl() {
	const key = "kafka.sasl.mechanism"
	s, involved := k.config.Kafka.SASL, []string{"kafka.sasl"}
	switch {
	case s.Mechanism != "" && (s.User == "" || !s.Password.IsSet()):
		k.say(involved, key, "%s needs a user and a password, allowed: kafka.sasl.user with kafka.sasl.password_file or ODIN_KAFKA_SASL_PASSWORD", s.Mechanism)
	case s.Mechanism == "" && (s.User != "" || s.Password.IsSet()):
		blamed := "kafka.sasl.user"
		if s.User == "" {
			blamed = "kafka.sasl.password"
		}
		k.say(involved, blamed, "is given without kafka.sasl.mechanism, allowed: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 as mechanism")
	}
}

func (k *checker) tls() {
	t, involved := k.config.Kafka.TLS, []string{"kafka.tls"}
	if (t.CertFile == "") != (t.KeyFile == "") {
		given, lacking := "kafka.tls.cert_file", "kafka.tls.key_file"
		if t.CertFile == "" {
			given, lacking = lacking, given
		}
		k.say(involved, given, "is given without %s, allowed: both or none", lacking)
	}
	for _, file := range [][2]string{{t.CAFile, "ca_file"}, {t.CertFile, "cert_file"}, {t.KeyFile, "key_file"}} {
		if file[0] != "" && t.Enabled {
			if _, err := readFile(file[0]); err != nil {
				k.say(involved, "kafka.tls."+file[1], "%s %s", file[0], cannotRead(err))
			}
		}
	}
	if !t.Enabled {
		for _, set := range [][2]string{{t.CAFile, "ca_file"}, {t.CertFile, "cert_file"}, {t.ServerName, "server_name"}} {
			if set[0] != "" {
				k.say(involved, "kafka.tls."+set[1], "is given, but kafka.tls.enabled is false, allowed: kafka.tls.enabled: true")
			}
		}
	}
}

// inOrder are pairs of keys of which the second must not be less than the
// first.
func inOrder(l Limits) []ordered {
	return []ordered{
		{"limits.heartbeat_beat_ms", "limits.heartbeat_suspect_ms", int64(l.HeartbeatBeat), int64(l.HeartbeatSuspect)},
		{"limits.heartbeat_suspect_ms", "limits.heartbeat_dead_ms", int64(l.HeartbeatSuspect), int64(l.HeartbeatDead)},
		{"limits.respawn_ms_first", "limits.respawn_ms_max", int64(l.RespawnFirst), int64(l.RespawnMax)},
		{"limits.retry_ms_min", "limits.retry_ms_max", int64(l.RetryMin), int64(l.RetryMax)},
		{"limits.retry_overload_ms_min", "limits.retry_overload_ms_max", int64(l.RetryOverloadMin), int64(l.RetryOverloadMax)},
		{"limits.rest_us_min", "limits.rest_us_max", int64(l.RestMin), int64(l.RestMax)},
		{"limits.stop_ms", "limits.stop_ms_max", int64(l.StopOver), int64(l.StopMax)},
		{"limits.bus_batch_bytes_max", "limits.bus_unsent_bytes_max", int64(l.BusBatchBytesMax), int64(l.BusUnsentBytesMax)},
		{"limits.record_bytes_max", "limits.history_bytes_max", int64(l.RecordBytesMax), int64(l.HistoryBytesMax)},
		{"limits.record_bytes_max", "limits.fetched_bytes_max", int64(l.RecordBytesMax), int64(l.FetchedBytesMax)},
	}
}

type ordered struct {
	less, more   string
	small, large int64
}

// order blames the larger key where somebody set it, else the smaller.
func (k *checker) order() {
	for _, o := range inOrder(k.config.Limits) {
		if o.small <= o.large {
			continue
		}
		involved := []string{o.less, o.more}
		if k.origins[o.more] == OriginDefault {
			k.say(involved, o.less, "is more than %s, allowed: at most as much", o.more)
		} else {
			k.say(involved, o.more, "is less than %s, allowed: at least as much", o.less)
		}
	}
}

// jsonMax bounds the whole: it reaches a worker in one message.
const jsonMax = 48 << 10

func (k *checker) size() {
	n := len(k.config.String())
	if n <= jsonMax {
		return
	}
	key := "routes"
	if len(k.config.Origins) > len(k.config.Routes) {
		key = "origins"
	}
	k.say([]string{key}, key, "makes a configuration of %d bytes, allowed: at most %d", n, jsonMax)
}
