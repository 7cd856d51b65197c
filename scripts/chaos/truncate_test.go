package main

import (
	"testing"

	"github.com/odin-ws/odin/scripts/chaos/plan"
)

func TestKindsAreChosenByTheirNames(t *testing.T) {
	t.Parallel()
	var o options
	if err := o.choose("truncate a topic,kill -9 an owner"); err != nil || len(o.only) != 2 || o.only[1] != plan.KillOwner {
		t.Errorf("%v %v", o.only, err)
	}
	if err := o.choose("truncate it"); err == nil {
		t.Error("a fault that is none is taken")
	}
}

// Only the topic that is cut may lose anything by it.
func TestOneTopicIsCut(t *testing.T) {
	t.Parallel()
	for _, topic := range newTopics(1) {
		c := topic.configs(3)
		if cut := topic.event == "cut"; c["unclean.leader.election.enable"] != nil || cut != (*c["min.insync.replicas"] == "1") || cut != (topic.replicas(3) == 2) {
			t.Errorf("%s: %d replicas, %v in sync", topic.name, topic.replicas(3), *c["min.insync.replicas"])
		}
	}
}
