// Package jsondoc makes docs/JSON.md, every field of what Odin prints as JSON
// for programs, from the types' own comments, and holds the fields to it: one
// that is on the page can't be renamed or removed by mistake. It is all tests.
package jsondoc
