package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/config"
)

// What is reloaded has to be right, and what is to be refused wrong.
func TestConfigsThatAreReloaded(t *testing.T) {
	t.Parallel()
	w := &world{topics: newTopics(1), options: options{workers: 4}}
	o := &odind{world: w, ws: "127.0.0.1:1", operator: "127.0.0.1:2", brokers: "127.0.0.1:3", dir: t.TempDir()}
	for end, right := range ends() {
		path := filepath.Join(t.TempDir(), "odin.yaml")
		if err := os.WriteFile(path, []byte(o.config()+end), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := config.Load(config.Input{File: path, Host: config.Detect()}); (err == nil) != right {
			t.Errorf("%q: %v", end, err)
		}
	}
}

// ends of a configuration, and whether it is right with them.
func ends() map[string]bool {
	all := map[string]bool{"": true, "  drain_ms: 1000\n": true}
	for _, end := range brokenConfigs() {
		all[end] = false
	}
	return all
}

func TestADrainedOdindRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		code   int
		after  string
		refuse bool
	}{
		"drained":        {http.StatusServiceUnavailable, "1", true},
		"without a time": {http.StatusServiceUnavailable, "", false},
		"full":           {http.StatusTooManyRequests, "1", false},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if c.after != "" {
				w.Header().Set("Retry-After", c.after)
			}
			w.WriteHeader(c.code)
		}))
		o := &odind{ws: strings.TrimPrefix(server.URL, "http://")}
		if err := o.refuses(t.Context()); (err == nil) != c.refuse {
			t.Errorf("%s: %v", name, err)
		}
		if o.takes(t.Context()) == nil {
			t.Errorf("%s: a refused client was taken", name)
		}
		server.Close()
	}
}
