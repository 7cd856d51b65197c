package text

import (
	"slices"
	"strings"
	"testing"
)

func span(text string) Span { return Span{Text: text} }

func TestLine(t *testing.T) {
	l := Line{{"ab", Strong}, {"cd", Bad}, {"  ", Normal}}
	if l.String() != "abcd" || l.Width() != 6 {
		t.Errorf("%q of width %d", l, l.Width())
	}
	for width, want := range map[int]Line{
		0: {{"", Strong}},
		1: {{"…", Strong}},
		2: {{"a…", Strong}},
		3: {{"ab", Strong}, {"…", Bad}},
		4: {{"ab", Strong}, {"c…", Bad}},
		6: l,
		9: l,
	} {
		if got := l.Cut(width); !slices.Equal(got, want) {
			t.Errorf("cut to %d: %q, want %q", width, got, want)
		}
	}
}

func TestFacts(t *testing.T) {
	facts := []Span{span("one"), span(""), span("two"), span("three\x1b"), span("much too long")}
	for width, want := range map[int]string{
		80: "one   two   three?   much too long",
		15: "one   two|three?|much too long",
		9:  "one   two|three?|much too…",
		1:  "…|…|…|…",
	} {
		if got := strings.Join(Strings(Facts(width, facts...)), "|"); got != want {
			t.Errorf("in %d columns: %q, want %q", width, got, want)
		}
	}
	if lines := Facts(80); lines != nil {
		t.Errorf("no facts are %q", lines)
	}
}

func TestRow(t *testing.T) {
	facts := []Fact{{span("always"), 0}, {span("little"), 1}, {span(""), 9}, {span("much"), 2}}
	for width, want := range map[int]string{
		80: "always   little   much",
		22: "always   little   much",
		21: "always   much",
		12: "always",
		5:  "alwa…",
	} {
		if got := Row(width, facts...).String(); got != want {
			t.Errorf("in %d columns: %q, want %q", width, got, want)
		}
	}
	if len(facts) != 4 || facts[1].Text != "little" {
		t.Errorf("the facts are %v afterwards", facts)
	}
}

func TestTable(t *testing.T) {
	table := func() []Column {
		c := []Column{{Title: "NAME"}, {Title: "N", Right: true, Worth: 2}, {Title: "WHAT", Worth: 1}}
		Fill(c, Cells("a", "1", "x")...)
		Fill(c, Span{"longer", Bad}, span("1,000"), span(""))
		return c
	}
	for width, want := range map[int]string{
		80: "NAME        N  WHAT|a           1  x|longer  1,000",
		18: "NAME        N|a           1|longer  1,000",
		12: "NAME|a|longer",
		4:  "NAME|a|lon…",
	} {
		if got := strings.Join(Strings(Table(table(), width)), "|"); got != want {
			t.Errorf("in %d columns: %q, want %q", width, got, want)
		}
	}
	if cell := Table(table(), 80)[2][0]; cell != (Span{"longer", Bad}) {
		t.Errorf("the cell is %v", cell)
	}
	if lines := Table([]Column{{Title: "NAME"}}, 80); len(lines) != 1 || lines[0].String() != "NAME" {
		t.Errorf("a table without rows: %q", lines)
	}
}
