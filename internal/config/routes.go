package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/odin-ws/odin/internal/event"
	"go.yaml.in/yaml/v3"
)

// routeFields are the keys of one route.
var routeFields = []string{"topic", "subject", "event", "slow"}

// slowPolicies are what may happen to a session that is too slow.
var slowPolicies = []string{"close", "drop", "conflate"}

// setRoutes parses a sequence of mappings.
func setRoutes(field *[]Route, n *yaml.Node) (all []wrong) {
	if n.Kind != yaml.SequenceNode {
		return []wrong{{n, "routes", "is no list, allowed: a list like [{topic: odin.trades, subject: key, event: trade, slow: close}]"}}
	}
	*field = []Route{}
	for i, item := range n.Content {
		route, wrongs := parseRoute("routes["+strconv.Itoa(i)+"]", resolve(item))
		all = append(all, wrongs...)
		if len(wrongs) == 0 {
			*field = append(*field, route)
		}
	}
	return append(all, repeated(n, *field)...)
}

func parseRoute(key string, n *yaml.Node) (r Route, all []wrong) {
	r = Route{Subject: "key", Slow: "close"}
	if n.Kind != yaml.MappingNode {
		return r, []wrong{{n, key, "is no mapping, allowed: " + strings.Join(routeFields, ", ")}}
	}
	for name, value := range pairs(n) {
		if !slices.Contains(routeFields, name.Value) {
			what := allowed("unknown key", strings.Join(routeFields, ", ")) + didYouMean(name.Value, routeFields)
			all = append(all, wrong{name, key + "." + name.Value, what})
			continue
		}
		if err := setRouteField(&r, name.Value, value); err != nil {
			all = append(all, wrong{value, key + "." + name.Value, err.Error()})
		}
	}
	if r.Topic == "" && len(all) == 0 {
		all = append(all, wrong{n, key + ".topic", "is missing, allowed: a topic's name"})
	}
	if r.Event == "" && len(all) == 0 {
		all = append(all, wrong{n, key + ".event", "is missing, allowed: the second part of the channel"})
	}
	return r, all
}

func setRouteField(r *Route, name string, n *yaml.Node) error {
	text, err := scalar(n)
	if err != nil {
		return err
	}
	switch name {
	case "topic":
		r.Topic, err = text, checkTopic(text)
	case "subject":
		r.Subject, err = text, checkSubject(text)
	case "event":
		if r.Event = text; event.CheckPart([]byte(text)) != nil {
			err = fmt.Errorf("%q can't be part of a channel, allowed: 1 to %d bytes of printable ASCII without space, quotes, backslash, '.' and '*'", text, event.ChannelPartMax)
		}
	case "slow":
		r.Slow, err = Key{Choices: slowPolicies}.choice(text)
	}
	return err
}

// topicMax is the most bytes of a topic's name, Kafka's own limit.
const topicMax = 249

func checkTopic(text string) error {
	proper := len(text) > 0 && len(text) <= topicMax && text != "." && text != ".."
	for _, r := range text {
		letter := r|0x20 >= 'a' && r|0x20 <= 'z'
		proper = proper && (letter || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-')
	}
	if !proper {
		return fmt.Errorf("%q is no topic's name, allowed: 1 to %d of a-z, A-Z, 0-9, '.', '_' and '-'", text, topicMax)
	}
	return nil
}

func checkSubject(text string) error {
	kind, name, _ := strings.Cut(text, ":")
	if text == "key" || (kind == "header" || kind == "json") && name != "" && len(name) <= textMax {
		return nil
	}
	return fmt.Errorf("%q is no source of a subject, allowed: key, header:NAME or json:PATH", text)
}

// repeated finds topics that more than one route names.
func repeated(n *yaml.Node, routes []Route) (all []wrong) {
	seen := map[string]bool{}
	for _, r := range routes {
		if seen[r.Topic] {
			all = append(all, wrong{n, "routes", fmt.Sprintf("topic %q has two routes, allowed: one route a topic", r.Topic)})
		}
		seen[r.Topic] = true
	}
	return all
}
