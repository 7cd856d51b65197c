// Package route turns a record into the channel that it belongs to: one route
// a topic says where the channel's subject comes from (the key, a header, a
// place in the JSON value) and what the event is called.
//
// It owns the form of a route in the configuration and the reasons why a
// record has no channel. A record that no route can place is skipped and
// counted by its reason; it never ends up in a wrong channel.
//
// A Table never changes once made, so any goroutine may use it. The package
// starts no goroutine, takes no lock and does no I/O.
package route
