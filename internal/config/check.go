package config

import (
	"fmt"
	"strings"
	"time"
)

// runtimeDirMax keeps runtime_dir/control.sock within the 107 bytes that a
// Unix socket's path may have.
const runtimeDirMax = 107 - len("/control.sock")

// check finds what is wrong between keys that are each right by themselves.
func check(c *Config, origins Origins) (all Problems) {
	say := func(key, format string, args ...any) {
		all = append(all, Problem{Place: origins[key], Key: key, What: fmt.Sprintf(format, args...)})
	}
	checkServer(c, say)
	checkKafka(c, say)
	checkOrder(c, origins, &all)
	return all
}

type sayer func(key, format string, args ...any)

func checkServer(c *Config, say sayer) {
	if len(c.RuntimeDir) > runtimeDirMax {
		say("runtime_dir", "has %d bytes, allowed: at most %d, or no Unix socket fits into it", len(c.RuntimeDir), runtimeDirMax)
	}
	if c.RuntimeDir == "" {
		say("runtime_dir", "is empty, allowed: a directory")
	}
	if c.Listen == c.Operator.Listen && !strings.HasSuffix(c.Listen, ":0") {
		say("operator.listen", "%s is also listen, allowed: another port", c.Operator.Listen)
	}
	if n := len(c.Routes); n > c.Limits.TopicsMax {
		say("routes", "has %d topics, allowed: at most limits.topics_max, %d", n, c.Limits.TopicsMax)
	}
	if len(c.Routes) == 0 {
		say("routes", "is empty, allowed: at least one route")
	}
	if c.Limits.OwedBytesMax < c.Limits.RequestBytesMax && c.Limits.OwedBytesMax < 64<<10 {
		say("limits.owed_bytes_max", "is too small to answer one request")
	}
}

func checkKafka(c *Config, say sayer) {
	k := c.Kafka
	if len(k.Brokers) == 0 {
		say("kafka.brokers", "is empty, allowed: at least one HOST:PORT")
	}
	if k.SASL.Mechanism != "" && (k.SASL.User == "" || !k.SASL.Password.IsSet()) {
		say("kafka.sasl.mechanism", "%s needs a user and a password, allowed: kafka.sasl.user with kafka.sasl.password_file or ODIN_KAFKA_SASL_PASSWORD", k.SASL.Mechanism)
	}
	if k.SASL.Mechanism == "" && (k.SASL.User != "" || k.SASL.Password.IsSet()) {
		say("kafka.sasl.mechanism", "is empty, but there is a user or a password, allowed: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512")
	}
	if (k.TLS.CertFile == "") != (k.TLS.KeyFile == "") {
		say("kafka.tls.cert_file", "a certificate and its key go together, allowed: both kafka.tls.cert_file and kafka.tls.key_file, or none")
	}
	if !k.TLS.Enabled && (k.TLS.CAFile != "" || k.TLS.CertFile != "" || k.TLS.ServerName != "") {
		say("kafka.tls.enabled", "is false, but other keys of kafka.tls are set, allowed: true")
	}
}

// checkOrder holds pairs of limits to their order.
func checkOrder(c *Config, origins Origins, all *Problems) {
	l := c.Limits
	for _, pair := range []struct {
		less, more   string
		small, large time.Duration
	}{
		{"limits.heartbeat_beat_ms", "limits.heartbeat_suspect_ms", 2 * l.HeartbeatBeat, l.HeartbeatSuspect},
		{"limits.heartbeat_suspect_ms", "limits.heartbeat_dead_ms", l.HeartbeatSuspect, l.HeartbeatDead},
		{"limits.respawn_ms_first", "limits.respawn_ms_max", l.RespawnFirst, l.RespawnMax},
		{"limits.retry_ms_min", "limits.retry_ms_max", l.RetryMin, l.RetryMax},
		{"limits.retry_overload_ms_min", "limits.retry_overload_ms_max", l.RetryOverloadMin, l.RetryOverloadMax},
		{"limits.rest_us_min", "limits.rest_us_max", l.RestMin, l.RestMax},
		{"limits.stop_ms", "limits.stop_ms_max", l.StopOver, l.StopMax},
		{"limits.record_bytes_max", "limits.history_bytes_max", time.Duration(l.RecordBytesMax), time.Duration(l.HistoryBytesMax)},
	} {
		if pair.small > pair.large {
			place := origins[pair.more]
			if place == OriginDefault {
				place = origins[pair.less]
			}
			*all = append(*all, Problem{Place: place, Key: pair.more, What: "is too small, allowed: at least " + atLeast(pair.less)})
		}
	}
}

func atLeast(key string) string {
	if key == "limits.heartbeat_beat_ms" {
		return "twice " + key
	}
	return key
}
