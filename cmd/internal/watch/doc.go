// Package watch shows a model of internal/top while it changes: on a terminal,
// as plain text, or as JSON. It looks at odind by a function that it is given,
// and knows neither where that looks nor what the frames say.
//
// A terminal belongs to tcell, whose goroutines read keys and sizes; all else
// is done by the goroutine that calls. Whatever ends it (a key, a signal, a
// panic), the terminal is as it was before.
package watch
