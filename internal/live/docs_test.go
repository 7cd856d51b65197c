package live

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/odin-ws/odin/internal/status"
)

// Every field that is sent is in docs/EVENTS.md, under its heading, and every
// field there is sent.
func TestEveryFieldIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/EVENTS.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := strings.Split(string(text), "\n## ")[1:]
	for i, types := range [][]any{
		{History{}},
		{View{}, Topic{}, status.Flow{}, status.Spread{}},
		{Sessions{}, Session{}},
		{Partitions{}},
	} {
		sent := map[string]bool{}
		for _, v := range types {
			fields(reflect.TypeOf(v), sent)
		}
		told := map[string]bool{}
		for _, row := range regexp.MustCompile("(?m)^\\| (`.*)$").FindAllStringSubmatch(sections[i], -1) {
			for _, name := range regexp.MustCompile("`([a-z0-9_]+)`").FindAllStringSubmatch(row[1], -1) {
				told[name[1]] = true
			}
		}
		for name := range sent {
			if !told[name] {
				t.Errorf("docs/EVENTS.md, section %.20q lacks %s", sections[i], name)
			}
		}
		for name := range told {
			if !sent[name] {
				t.Errorf("docs/EVENTS.md, section %.20q: %s is not sent", sections[i], name)
			}
		}
	}
}

// fields are the names in JSON of a type's own fields; those of /api/status
// and odinctl conns are documented elsewhere.
func fields(of reflect.Type, names map[string]bool) {
	for f := range of.Fields() {
		if !f.IsExported() || f.Anonymous && f.Type != reflect.TypeFor[status.Flow]() {
			continue
		}
		names[strings.Split(f.Tag.Get("json"), ",")[0]] = true
	}
}
