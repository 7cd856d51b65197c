// Package top is what `odinctl top` shows: looks at odind and keys go in,
// frames come out. It is pure: it doesn't know of terminals, reads no clock
// and no shared memory, so that every frame can be tested by its text.
package top
