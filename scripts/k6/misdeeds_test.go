//go:build k6

package k6

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"
)

// crossed is what k6 exits with when a threshold fails.
const crossed = 99

// nth lies about the nth message of a kind of each session.
func nth(kind string, n int, instead func(message string) []string) lie {
	return func(k string, i int, message string) ([]string, bool) {
		if k == kind && i == n {
			return instead(message), true
		}
		return []string{message}, true
	}
}

func replaced(pattern, by string) func(string) []string {
	return func(message string) []string {
		return []string{regexp.MustCompile(pattern).ReplaceAllString(message, by)}
	}
}

func none(string) []string                              { return nil }
func twice(message string) []string                     { return []string{message, message} }
func honest(_ string, _ int, m string) ([]string, bool) { return []string{m}, true }

func before(first string) func(string) []string {
	return func(message string) []string { return []string{first, message} }
}

// TestMisdeeds: each is noticed by the threshold that is there for it.
func TestMisdeeds(t *testing.T) {
	const gap = `{"type":"gap","channel":"BTC.trade","dropped":3,"pos":"odin.trades:0:0"}`
	const lost = `{"type":"reset","reason":"trimmed","lost":true,"cursor":{}}`
	const refused = `{"type":"error","id":"77","code":"bad_request","message":"no"}`
	for name, c := range map[string]struct {
		tell      lie
		threshold string // "": k6 is content
	}{
		"none":                            {honest, ""},
		"a record twice":                  {nth("message", 5, twice), "load_fault_disorder"},
		"a record left out":               {nth("message", 5, none), "load_fault_missing"},
		"a position far ahead":            {nth("message", 5, replaced(`(:\d+:\d+)"`, `${1}0000"`)), "load_fault_missing"},
		"dropped without a reason":        {nth("message", 5, before(gap)), "load_gap_notices"},
		"more told as dropped than was":   {nth("message", 5, before(gap)), "load_fault_missing"},
		"a record of another channel":     {nth("message", 5, replaced(`\.trade"`, `.social"`)), "load_fault_stray"},
		"an answer twice":                 {nth("pong", 1, twice), "load_fault_answer"},
		"an answer to somebody else":      {nth("pong", 1, replaced(`"id":"`, `"id":"7`)), "load_fault_answer"},
		"an answer of another kind":       {nth("pong", 1, replaced(`"pong"`, `"unsubscription_ack"`)), "load_fault_answer"},
		"a subscription to something":     {nth("subscription_ack", 1, replaced(`\["\*\.trade"\]`, `["*.social"]`)), "load_fault_answer"},
		"a wrong count":                   {nth("subscription_ack", 1, replaced(`"count":1`, `"count":2`)), "load_fault_answer"},
		"a cursor that has fallen behind": {nth("pong", 1, replaced(`"offsets":\[[^]]*`, `"offsets":[-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1`)), "load_fault_cursor"},
		"records lost":                    {nth("message", 5, before(lost)), "load_fault_lost"},
		"a request refused":               {nth("message", 5, before(refused)), "load_fault_error"},
		"closed": {func(kind string, n int, m string) ([]string, bool) {
			return []string{m}, kind != "message" || n < 5
		}, "load_fault_close"},
		"no greeting":   {nth("hello", 1, none), "load_greetings"},
		"two greetings": {nth("hello", 1, twice), "load_sessions_whole"},
		"never an answer": {func(kind string, _ int, m string) ([]string, bool) {
			if kind == "pong" {
				return nil, true
			}
			return []string{m}, true
		}, "load_sessions_whole"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, said := fanout(t, liar(t, c.tell))
			switch {
			case c.threshold == "" && code != 0:
				t.Errorf("k6 ended with %d:\n%s", code, said)
			case c.threshold != "" && (code != crossed || !regexp.MustCompile(`thresholds on metrics '[^']*\b`+c.threshold+`\b`).MatchString(said)):
				t.Errorf("k6 ended with %d, and %s is not crossed:\n%s", code, c.threshold, said)
			}
		})
	}
}

// fanout runs that scenario for a moment, and gives k6's exit code and words.
func fanout(t *testing.T, url string) (code int, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Getenv("K6"), "run", "--no-usage-report", "--no-color", "--quiet", "--address", "", "fanout.js")
	cmd.Env = append(os.Environ(), "ODIN_LOAD_URL="+url, "ODIN_LOAD_SESSIONS=3", "ODIN_LOAD_SECONDS=3", "ODIN_LOAD_RAMP_SECONDS=0.1",
		"ODIN_LOAD_PATIENCE_SECONDS=5", "ODIN_LOAD_EXACT=1", "ODIN_LOAD_CHANNELS=*.trade")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("k6: %v", err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}
