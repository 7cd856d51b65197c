package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/odin-ws/odin/internal/route"
	"go.yaml.in/yaml/v4"
)

// routeFields are the keys of one route.
var routeFields = []string{"topic", "channel", "slow", "class"}

const routesRight = `allowed: a list like [{topic: odin.trades, channel: "{key}.trade", slow: close}]`

// setRoutes parses a sequence of mappings.
func setRoutes(field *[]Route, n *yaml.Node) (all []wrong) {
	if n.Kind != yaml.SequenceNode {
		return []wrong{{n, "routes", "is no list, " + routesRight}}
	}
	*field = []Route{}
	for i, item := range n.Content {
		r, wrongs := parseRoute("routes["+strconv.Itoa(i)+"]", resolve(item))
		all = append(all, wrongs...)
		if len(wrongs) == 0 {
			*field = append(*field, r)
		}
	}
	return append(all, repeated(n, *field)...)
}

func parseRoute(key string, n *yaml.Node) (Route, []wrong) {
	if n.Kind != yaml.MappingNode {
		return Route{}, []wrong{{n, key, "is no mapping, allowed: " + strings.Join(routeFields, ", ")}}
	}
	r, nodes, all := readRoute(key, n)
	if len(all) > 0 {
		return r, all
	}
	parsed, err := route.Parse(r.Text())
	var fault *route.Error
	if errors.As(err, &fault) {
		at, given := nodes[fault.Field]
		if !given {
			return r, []wrong{{n, key + "." + fault.Field, "is missing, " + routesRight}}
		}
		return r, []wrong{{at, key + "." + fault.Field, fault.Message}}
	}
	r.Slow, r.Class = parsed.Slow.String(), parsed.Class.String()
	return r, nil
}

// readRoute takes a route's texts from its mapping, and where each stands.
func readRoute(key string, n *yaml.Node) (r Route, nodes map[string]*yaml.Node, all []wrong) {
	nodes = map[string]*yaml.Node{}
	fields := map[string]*string{"topic": &r.Topic, "channel": &r.Channel, "slow": &r.Slow, "class": &r.Class}
	for name, value := range pairs(n) {
		field, known := fields[name.Value]
		if !known {
			what := allowed("unknown key", strings.Join(routeFields, ", ")) + didYouMean(name.Value, routeFields)
			all = append(all, wrong{name, key + "." + name.Value, what})
			continue
		}
		text, err := scalar(value)
		if err != nil {
			all = append(all, wrong{value, key + "." + name.Value, err.Error()})
			continue
		}
		*field, nodes[name.Value] = text, value
	}
	return r, nodes, all
}

// repeated finds topics that more than one route names.
func repeated(n *yaml.Node, routes []Route) (all []wrong) {
	var seen []string
	for _, r := range routes {
		if slices.Contains(seen, r.Topic) {
			all = append(all, wrong{n, "routes", fmt.Sprintf("topic %q has two routes, allowed: one route a topic", r.Topic)})
		}
		seen = append(seen, r.Topic)
	}
	return all
}
