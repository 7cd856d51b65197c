package config

import (
	"strconv"
	"strings"
)

// Problem is one mistake in the configuration.
type Problem struct {
	Place string `json:"place"` // file:line:column, or the name of the variable or flag
	Key   string `json:"key"`   // dotted; "" when the place itself is wrong
	What  string `json:"what"`  // what is wrong, and what is allowed
}

// String gives `place: key: what`.
func (p Problem) String() string {
	if p.Key == "" {
		return p.Place + ": " + p.What
	}
	return p.Place + ": " + p.Key + ": " + p.What
}

// Problems are all mistakes that Load found, as one error: a line each.
type Problems []Problem

// Error gives a line for each problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// Counted says how many there are: 1 mistake, 2 mistakes.
func (p Problems) Counted() string {
	if len(p) == 1 {
		return "1 mistake"
	}
	return strconv.Itoa(len(p)) + " mistakes"
}

// Of returns the problems of one key.
func (p Problems) Of(key string) (own Problems) {
	for _, one := range p {
		if one.Key == key {
			own = append(own, one)
		}
	}
	return own
}

// allowed joins what is wrong with what would be right.
func allowed(wrong, right string) string { return wrong + ", allowed: " + right }

// brief keeps about max bytes of a text: its beginning and, since there it
// says what would be right, its end.
func brief(text string, most int) string {
	if len(text) <= most {
		return text
	}
	head, tail := text[:most/2], text[len(text)-most/2:]
	return strings.ToValidUTF8(head, "") + "…" + strings.ToValidUTF8(tail, "")
}
