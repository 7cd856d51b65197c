package config

import (
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// wrong is a mistake at a node, before its place is known.
type wrong struct {
	node *yaml.Node
	key  string
	what string
}

// set fills the key's field from a node and returns what is wrong with it.
func (k Key) set(c *Config, n *yaml.Node) []wrong {
	n = resolve(n)
	switch field := k.field(c).(type) {
	case *[]string:
		return k.setList(field, n)
	case *[]Route:
		return setRoutes(field, n)
	default:
		text, err := scalar(n)
		if err == nil {
			err = k.setScalar(field, text)
		}
		return k.wrongAt(n, err)
	}
}

func (k Key) wrongAt(n *yaml.Node, err error) []wrong {
	if err == nil {
		return nil
	}
	return []wrong{{n, k.Name, err.Error()}}
}

// setScalar parses text by the key's kind into the field.
func (k Key) setScalar(field any, text string) (err error) {
	switch f := field.(type) {
	case *string:
		*f, err = k.text(text)
	case *bool:
		*f, err = parseSwitch(text)
	case *int:
		*f, err = k.number(text)
	case *float64:
		*f, err = k.decimal(text)
	case *time.Duration:
		*f, err = k.duration(text)
	case *Start:
		if *f, err = ParseStart(text); err != nil {
			err = fmt.Errorf("%q is no start, %w", text, err)
		}
	case *Secret:
		*f = NewSecret(text)
	}
	return err
}

// setList parses a sequence of scalars, or one scalar with commas.
func (k Key) setList(field *[]string, n *yaml.Node) (all []wrong) {
	*field = []string{}
	for _, item := range items(n) {
		text, err := scalar(item)
		if err == nil {
			text, err = k.text(strings.TrimSpace(text))
		}
		if err == nil {
			*field = append(*field, text)
		}
		all = append(all, k.wrongAt(item, err)...)
	}
	return all
}

// items are the entries of a list: of a sequence, or of a text with commas,
// whose entries all stand at its place.
func items(n *yaml.Node) []*yaml.Node {
	if n.Kind == yaml.SequenceNode {
		return n.Content
	}
	if n.Kind != yaml.ScalarNode || n.Tag == nullTag {
		return []*yaml.Node{n}
	}
	if strings.TrimSpace(n.Value) == "" {
		return nil
	}
	var all []*yaml.Node
	for part := range strings.SplitSeq(n.Value, ",") {
		all = append(all, &yaml.Node{Kind: yaml.ScalarNode, Value: part, Line: n.Line, Column: n.Column})
	}
	return all
}

const nullTag = "!!null"

// scalar is the text of a node that must be one value.
func scalar(n *yaml.Node) (string, error) {
	n = resolve(n)
	switch {
	case n.Kind == yaml.SequenceNode:
		return "", fmt.Errorf("is a list, allowed: one value")
	case n.Kind == yaml.MappingNode:
		return "", fmt.Errorf("is a mapping, allowed: one value")
	case n.Kind != yaml.ScalarNode, n.Tag == nullTag:
		return "", fmt.Errorf("has no value, allowed: one value; leave the key out for its default")
	}
	return n.Value, nil
}

// resolve follows an alias (*name) to its anchor; yaml refuses cycles only
// when decoding, so the steps are bounded here.
func resolve(n *yaml.Node) *yaml.Node {
	for range 8 {
		if n.Kind != yaml.AliasNode || n.Alias == nil {
			break
		}
		n = n.Alias
	}
	return n
}
