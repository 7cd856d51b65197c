//go:build realkafka

package e2e

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/kafkatest"
)

// TestRealGroup is what a group has of Odin, by Kafka itself and by its tool, as
// docs/OPERATIONS.md shows it.
func TestRealGroup(t *testing.T) {
	page := mustDo[[]byte](t)(os.ReadFile("../../docs/OPERATIONS.md"))
	line := regexp.MustCompile(`(?m)^kafka-consumer-groups\.sh --bootstrap-server (\S+) (.* --group )\S+$`).FindStringSubmatch(string(page))
	if line == nil {
		t.Fatal("the page shows no kafka-consumer-groups.sh")
	}
	_, b := realBroker(t, 1, 2, 1)
	t.Run("lag", func(t *testing.T) {
		groupShowsLag(t, b, func(group string) map[string]int64 {
			args := append([]string{"--bootstrap-server", b.addr}, strings.Fields(line[2])...)
			return kafkatest.GroupLag(kafkatest.Groups(t, append(args, group)...))
		})
	})
	t.Run("in use", func(t *testing.T) { groupInUse(t, b) })
	t.Run("the last positions", func(t *testing.T) { groupHasTheLast(t, b) })
	t.Run("a topic made anew", func(t *testing.T) { groupGoesBack(t, b) })
}
