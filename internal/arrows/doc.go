// Package arrows has no code, only the tests of the tree's form: which package
// may import which (docs/DESIGN.md, "Rooms"), how long an entry point may be,
// which names are not used.
package arrows
