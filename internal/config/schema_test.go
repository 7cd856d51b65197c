package config

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

// leaves are the addresses of all fields of a Config that are no structs of
// their own.
func leaves(v reflect.Value, path string, found map[any]string) {
	for i := range v.NumField() {
		field, name := v.Field(i), path+v.Type().Field(i).Name
		switch field.Interface().(type) {
		case Secret, Start:
			found[field.Addr().Interface()] = name
			continue
		}
		if field.Kind() == reflect.Struct {
			leaves(field, name+".", found)
			continue
		}
		found[field.Addr().Interface()] = name
	}
}

func TestEveryFieldHasOneKey(t *testing.T) {
	t.Parallel()
	var c Config
	fields := map[any]string{}
	leaves(reflect.ValueOf(&c).Elem(), "", fields)
	names := map[string]bool{}
	for _, k := range Keys() {
		if _, ok := fields[k.field(&c)]; !ok {
			t.Errorf("%s fills a field that another key fills, or none", k.Name)
		}
		delete(fields, k.field(&c))
		for _, name := range append([]string{k.Name, k.Env(), "--" + k.Flag}, k.Aliases...) {
			if names[name] && name != "--" {
				t.Errorf("%s is given twice", name)
			}
			names[name] = true
		}
	}
	for _, name := range fields {
		t.Errorf("no key fills %s", name)
	}
}

func TestTableIsComplete(t *testing.T) {
	t.Parallel()
	for _, k := range Keys() {
		if k.Help == "" || strings.HasSuffix(k.Help, ".") || strings.HasSuffix(k.Why, ".") {
			t.Errorf("%s: help %q, why %q: wanted, without a full stop", k.Name, k.Help, k.Why)
		}
		if (k.auto == nil) != (k.Auto == "") || k.Auto != "" && k.Default != "" {
			t.Errorf("%s: a default is either a text or computed, and then said in words", k.Name)
		}
		numeric := strings.Contains("number decimal bytes milliseconds microseconds seconds", string(k.Kind))
		if numeric != (k.Max > k.Min) {
			t.Errorf("%s: %s with bounds %d to %d", k.Name, k.Kind, k.Min, k.Max)
		}
		if unit := unitOf(k.Name); unit != "" && unit != k.Kind {
			t.Errorf("%s is of kind %s", k.Name, k.Kind)
		}
	}
}

// unitOf is the kind that a key's name promises.
func unitOf(name string) Kind {
	for word := range strings.SplitSeq(name, "_") {
		switch word {
		case "bytes":
			return Bytes
		case "ms":
			return Milliseconds
		case "us":
			return Microseconds
		}
	}
	return ""
}

// TestProtocolDefaults holds the defaults to section 5 of the protocol.
func TestProtocolDefaults(t *testing.T) {
	t.Parallel()
	c, _ := load(t, Input{})
	for name, want := range map[string]any{
		"request_bytes_max": 256 << 10, "channels_max": 1000, "input_bytes_max": 64 << 20, "handshake_ms_max": 5 * time.Second,
		"head_bytes_max": 8 << 10, "owed_bytes_max": 1 << 20, "notsent_lowat_bytes": 64 << 10, "record_bytes_max": 1 << 20,
		"heartbeat_beat_ms": 100 * time.Millisecond, "heartbeat_suspect_ms": 2 * time.Second, "heartbeat_dead_ms": 10 * time.Second,
		"respawn_ms_first": 100 * time.Millisecond, "respawn_ms_max": 30 * time.Second, "respawn_jitter_percent": 20,
		"respawn_reset_ms": time.Minute, "respawn_attempts_max": 10, "orphan_stop_ms_max": 10 * time.Second, "drain_ms": time.Minute,
		"retry_ms_min": 500 * time.Millisecond, "retry_ms_max": 5 * time.Second, "retry_overload_ms_min": 5 * time.Second,
		"retry_overload_ms_max": 30 * time.Second, "retry_after_s": 5 * time.Second, "bus_unsent_bytes_max": 32 << 20,
		"bus_batch_bytes_max": 256 << 10, "history_bytes_max": 256 << 20, "history_ms_max": 5 * time.Minute, "history_records_max": 10_000,
		"backfill_records_max": 10_000, "backfill_bytes_max": 16 << 20, "backfill_requests_max": 4, "backfill_ms_max": 10 * time.Second,
		"fetched_bytes_max": 64 << 20, "topology_refresh_ms": 5 * time.Second, "rest_percent": 25, "rest_us_min": 500 * time.Microsecond,
		"rest_us_max": 10 * time.Millisecond, "input_poll_sessions": 256, "input_poll_us": 2 * time.Millisecond,
		"closed_remembered_max": 10_000, "topics_max": 64, "partitions_max": 4096, "ping_interval_ms": 25 * time.Second,
		"pong_wait_ms": 10 * time.Second, "errors_max": 20, "errors_window_ms": time.Minute, "close_linger_ms_max": 2 * time.Second,
		"close_linger_bytes_max": 4 << 20, "stop_ms": 5 * time.Second, "stop_ms_max": 10 * time.Second, "tcp_user_timeout_ms": 35 * time.Second,
		"lend_ms": 500 * time.Millisecond, "connections_max": 2 * (20_000 - 256 - 2*1024),
	} {
		if got := reflect.ValueOf(key(t, "limits."+name).field(c)).Elem().Interface(); got != want {
			t.Errorf("limits.%s is %v, want %v", name, got, want)
		}
	}
}

// TestJSONRoundTrip fills every field with random values: the JSON that
// travels to a worker must bring back the same configuration, secrets too.
func TestJSONRoundTrip(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		want := randomConfig(random)
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Config
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %#v\nwant %#v", got, want)
		}
	}
}

func randomConfig(random *rand.Rand) (c Config) {
	for _, k := range Keys() {
		switch f := k.field(&c).(type) {
		case *string:
			*f = randomText(random)
		case *bool:
			*f = random.IntN(2) == 0
		case *int:
			*f = int(random.Int64())
		case *float64:
			*f = random.ExpFloat64()
		case *time.Duration:
			*f = time.Duration(random.Int64())
		case *Secret:
			*f = NewSecret(randomText(random))
		case *Start:
			*f = []Start{{}, {Beginning: true}, {Ago: time.Duration(1 + random.Int64N(int64(agoMax)))}}[random.IntN(3)]
		case *[]string:
			*f = []string{randomText(random), randomText(random)}
		case *[]Route:
			*f = []Route{{randomText(random), randomText(random), randomText(random), randomText(random)}}
		}
	}
	return c
}

func randomText(random *rand.Rand) string {
	letters := []rune("ab\"\\<>&é \u2028{}")
	text := make([]rune, random.IntN(6))
	for i := range text {
		text[i] = letters[random.IntN(len(letters))]
	}
	return string(text)
}

// TestFormatIsReadBack holds what `odind check` prints to what Load reads.
func TestFormatIsReadBack(t *testing.T) {
	t.Parallel()
	c, _ := load(t, Input{Env: []string{"ODIN_KAFKA_START=36h", "ODIN_ORIGINS=https://a.example", "ODIN_LIMITS_CPUS_MAX=0.25"}})
	env := []string{}
	for _, k := range Keys() {
		env = append(env, k.Env()+"="+k.format(c))
	}
	again, _ := load(t, Input{Env: env})
	if !reflect.DeepEqual(again, c) {
		t.Errorf("got  %v\nwant %v", again, c)
	}
}
