package supervisor

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestWarnFiles(t *testing.T) {
	for _, c := range []struct {
		files, workers, connections int
		warn                        bool
	}{
		{20_000, 2, 30_000, false},
		{1_256, 2, 2_000, false}, // 256 are kept back in each
		{1_256, 2, 2_001, true},
		{100, 4, 10, true},
	} {
		cfg := settings(c.workers)
		cfg.Limits.FDsReserve, cfg.Limits.ConnectionsMax = 256, c.connections
		var out bytes.Buffer
		warnFiles(slog.New(slog.NewTextHandler(&out, nil)), cfg, c.files)
		if got := strings.Count(out.String(), "\n"); (got == 1) != c.warn {
			t.Errorf("%+v: %q", c, out.String())
		}
	}
}
