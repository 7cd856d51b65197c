package config

import (
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// fileMax bounds the configuration file: a larger one is not read.
const fileMax = 1 << 20

// depthMax bounds the nesting of the file; the schema needs 4.
const depthMax = 16

// readFile returns the file's text, at most fileMax bytes of it.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, fileMax+1))
	if err == nil && len(data) > fileMax {
		err = fmt.Errorf("has more than %d bytes", fileMax)
	}
	return data, err
}

// pairs iterates over a mapping.
func pairs(n *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(k, v *yaml.Node) bool) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}

// shape finds what no mapping of the file may have, whatever its keys mean:
// keys that are no text, keys given twice, merges, and too deep a nesting.
// Aliases are not followed here: each anchor is seen where it stands.
func shape(prefix string, n *yaml.Node, depth int) (all []wrong) {
	if depth > depthMax {
		return []wrong{{n, prefix, fmt.Sprintf("is nested too deeply, allowed: %d levels", depthMax)}}
	}
	if n.Kind != yaml.MappingNode {
		for _, item := range n.Content {
			all = append(all, shape(prefix, item, depth+1)...)
		}
		return all
	}
	all = distinct(prefix, n)
	for k, v := range pairs(n) {
		all = append(all, shape(joined(prefix, k.Value), v, depth+1)...)
	}
	return all
}

func joined(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + "." + name
}

func distinct(prefix string, n *yaml.Node) (all []wrong) {
	seen := map[string]int{}
	for k := range pairs(n) {
		switch first, again := seen[k.Value]; {
		case k.Kind != yaml.ScalarNode:
			all = append(all, wrong{k, prefix, "a key is no text, allowed: a key's name"})
		case k.Tag == mergeTag:
			all = append(all, wrong{k, joined(prefix, k.Value), "merges are not supported, allowed: write the keys out"})
		case again:
			all = append(all, wrong{k, joined(prefix, k.Value), "given twice, first in line " + strconv.Itoa(first) + ", allowed: once"})
		default:
			seen[k.Value] = k.Line
		}
	}
	return all
}

const mergeTag = "!!merge"

// section walks a mapping whose keys begin with prefix ("" or "kafka."):
// found gets each known key's node.
func section(prefix string, n *yaml.Node, table []Key, found func(Key, *yaml.Node)) (all []wrong) {
	n = resolve(n)
	if n.Kind == yaml.ScalarNode && n.Tag == nullTag {
		return nil
	}
	names := children(prefix, table)
	if n.Kind != yaml.MappingNode {
		return []wrong{{n, strings.TrimSuffix(prefix, "."), "is no mapping, allowed: " + listed(names)}}
	}
	for k, v := range pairs(n) {
		if len(all) > mistakesMax {
			break // looking for what was meant takes its time
		}
		name := prefix + k.Value
		switch at := slices.IndexFunc(table, func(key Key) bool { return key.Name == name }); {
		case k.Kind != yaml.ScalarNode || k.Tag == mergeTag:
		case !slices.Contains(names, k.Value):
			all = append(all, wrong{k, name, unknown(k.Value, names, table)})
		case at >= 0:
			found(table[at], v)
		default:
			all = append(all, section(name+".", v, table, found)...)
		}
	}
	return all
}

// children are the names that may stand right below prefix.
func children(prefix string, table []Key) (names []string) {
	for _, key := range table {
		if rest, ok := strings.CutPrefix(key.Name, prefix); ok {
			name, _, _ := strings.Cut(rest, ".")
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// listedMax is how many names an error lists before it points at the page.
const listedMax = 13

func listed(names []string) string {
	if len(names) > listedMax {
		return "the keys of docs/CONFIGURATION.md"
	}
	return strings.Join(names, ", ")
}

// unknown says that a key does not exist, and which one may be meant: one
// here, or one of the same name elsewhere.
func unknown(written string, here []string, table []Key) string {
	what := allowed("unknown key", listed(here))
	for _, key := range table {
		section, name, nested := cutLast(key.Name)
		if nested && (key.Name == written || name == written) {
			return what + `, did you mean "` + name + `" below "` + section + `"?`
		}
	}
	return what + didYouMean(written, here)
}

// cutLast splits a dotted name at its last dot.
func cutLast(name string) (section, last string, nested bool) {
	if at := strings.LastIndexByte(name, '.'); at >= 0 {
		return name[:at], name[at+1:], true
	}
	return "", name, false
}
