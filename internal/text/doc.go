// Package text is how numbers, names and tables read on a terminal: in lines
// of spans that know what they mean (good, bad, a heading), so that who prints
// them decides whether that is a colour. It is pure, and what names contain
// can't control a terminal.
package text
