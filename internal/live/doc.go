// Package live is what the status page hears: the status and the rates of
// odind each second, the past minutes for a page that was just opened, and
// what the workers say of their sessions, as server-sent events.
//
// There is one look, one encoding and one question to the workers for all who
// watch, however many they are, and none while nobody does, but for a glance
// that keeps the past minutes. A viewer that reads slowly misses looks; it
// holds up nobody. Viewers are bounded by ViewersMax.
package live
