package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

const envPrefix = "ODIN_"

// EnvFile is the variable that --config has.
const EnvFile = envPrefix + "CONFIG"

// environment is a look-up of variables; an empty one counts as not set, as
// compose files and unit files leave them.
func environment(env []string) map[string]string {
	all := make(map[string]string, len(env))
	for _, entry := range env {
		if name, value, ok := strings.Cut(entry, "="); ok && value != "" {
			all[name] = value
		}
	}
	return all
}

// fromEnv finds the key's value among the variables: its own, else an alias.
func fromEnv(k Key, env map[string]string) (name, value string, problems Problems) {
	if value, ok := env[k.Env()]; ok {
		return k.Env(), value, nil
	}
	for _, alias := range k.Aliases {
		other, ok := env[alias]
		switch {
		case !ok:
		case name == "":
			name, value = alias, other
		case other != value:
			problems = append(problems, Problem{Place: name + ", " + alias, Key: k.Name, What: "they differ (" +
				strconv.Quote(value) + " and " + strconv.Quote(other) + "), allowed: one of them, or " + k.Env()})
		}
	}
	return name, value, problems
}

// node makes a variable's or a flag's text a node; lists of mappings are
// YAML in one line.
func node(k Key, text string) (*yaml.Node, error) {
	if k.Kind != RouteList {
		return &yaml.Node{Kind: yaml.ScalarNode, Value: text}, nil
	}
	return document([]byte(text))
}

// serviceLinks are the variables that Kubernetes sets in every pod for a
// service named odin.
var serviceLinks = regexp.MustCompile(`^ODIN_([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

// strangers finds variables that look like a key's but are none: those near
// to one, or below a section of ours. Other ODIN_… variables may be anybody's.
func strangers(table []Key, env map[string]string) (all Problems) {
	known := knownSuffixes(table)
	for name := range env {
		suffix, ours := strings.CutPrefix(name, envPrefix)
		if !ours || slices.Contains(known, suffix) || serviceLinks.MatchString(name) {
			continue
		}
		near := Nearest(suffix, known)
		if near == "" && !ourSection(suffix) {
			continue
		}
		what := "unknown variable, allowed: those of docs/CONFIGURATION.md"
		if near != "" {
			what += `, did you mean "` + envPrefix + near + `"?`
		}
		all = append(all, Problem{Place: name, What: what})
	}
	slices.SortFunc(all, func(a, b Problem) int { return strings.Compare(a.Place, b.Place) })
	return all
}

// knownSuffixes are all variables without ODIN_, which would make everything
// look alike.
func knownSuffixes(table []Key) []string {
	known := []string{strings.TrimPrefix(EnvFile, envPrefix)}
	for _, k := range table {
		known = append(known, strings.TrimPrefix(k.Env(), envPrefix))
	}
	return known
}

func ourSection(suffix string) bool {
	for _, section := range [...]string{"KAFKA_", "LIMITS_", "OPERATOR_", "LOG_", "READY_"} {
		if strings.HasPrefix(suffix, section) {
			return true
		}
	}
	return false
}
