package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"
)

// document parses YAML into the node of its only document; nil if it is
// empty.
func document(data []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	if err := decoder.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, err
	}
	if err := decoder.Decode(&more); err == nil {
		return nil, &yaml.LoadError{Message: "a second document, allowed: one", Mark: yaml.Mark{Line: more.Line, Column: more.Column}}
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, nil
	}
	return doc.Content[0], nil
}

// syntax turns yaml's error about data into a place and what is wrong. It
// repeats nothing of data: what stands there may be a secret.
func syntax(file string, data []byte, err error) Problem {
	line, column, what := 1, 1, "it can't be parsed"
	var load *yaml.LoadError
	if errors.As(err, &load) {
		line, column = where(load, data)
		what = load.Message + context(load) + hint(load.Message, data, line, column)
		if strings.HasPrefix(what, "unknown anchor") { // its name follows
			what = "an alias (*) without its anchor (&), allowed: quotes around a value that begins with *"
		}
	}
	return Problem{Place: fmt.Sprintf("%s:%d:%d", file, line, column), What: "no proper YAML: " + what}
}

// where is the place of the mistake; before there are lines, yaml knows a byte
// only.
func where(e *yaml.LoadError, data []byte) (line, column int) {
	if e.Mark.Line > 0 {
		return e.Mark.Line, max(e.Mark.Column, 1)
	}
	before := data[:min(max(e.Mark.Index, 0), len(data))]
	return 1 + bytes.Count(before, []byte("\n")), len(before) - bytes.LastIndexByte(before, '\n')
}

// context says what had begun where the mistake was met.
func context(e *yaml.LoadError) string {
	if e.ContextMsg == "" || e.ContextMark.Line <= 0 || e.ContextMark == e.Mark {
		return ""
	}
	return fmt.Sprintf(" %s that begins at %d:%d", e.ContextMsg, e.ContextMark.Line, e.ContextMark.Column)
}

// hint says what would be right where people are known to stumble.
func hint(message string, data []byte, line, column int) string {
	switch {
	case strings.HasPrefix(message, "found character that cannot start"), strings.HasPrefix(message, "found a tab character"):
		if at(data, line, column) == '\t' {
			return ", allowed: spaces, not tabs"
		}
		return ", allowed: quotes around such a value"
	case strings.HasPrefix(message, "mapping values are not allowed"):
		return ", allowed: one key a line, and quotes around a value with a colon and a space"
	case strings.Contains(message, "UTF-8"):
		return ", allowed: UTF-8"
	}
	return ""
}

// at is the rune at a place, 0 if there is none.
func at(data []byte, line, column int) rune {
	for n := 1; n < line; n++ {
		_, data, _ = bytes.Cut(data, []byte("\n"))
	}
	row, _, _ := bytes.Cut(data, []byte("\n"))
	if runes := []rune(string(row)); column >= 1 && column <= len(runes) {
		return runes[column-1]
	}
	return 0
}
