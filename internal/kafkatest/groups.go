package kafkatest

import (
	"os/exec"
	"strconv"
	"strings"
)

// Groups runs kafka-consumer-groups.sh and returns what it prints.
func Groups(t TB, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), script("groups.sh"), args...).Output()
	if err != nil {
		t.Fatalf("kafkatest: kafka-consumer-groups.sh %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// GroupLag is the column LAG of what `--describe` prints, by topic:partition.
func GroupLag(described string) map[string]int64 {
	lags := map[string]int64{}
	at := -1
	for line := range strings.Lines(described) {
		cells := strings.Fields(line)
		if len(cells) > 5 && cells[0] == "GROUP" {
			at = 5
			continue
		}
		if at < 0 || len(cells) <= at {
			continue
		}
		if lag, err := strconv.ParseInt(cells[at], 10, 64); err == nil {
			lags[cells[1]+":"+cells[2]] = lag
		}
	}
	return lags
}
