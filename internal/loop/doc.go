// Package loop is the ground that a worker's one event loop stands on: epoll,
// a wake-up from other goroutines, and reads and writes on raw non-blocking
// file descriptors. It knows nothing of WebSockets or sessions.
//
// A Poller and what it returns belong to one goroutine. Only Waker.Wake may
// be called from elsewhere. There are no locks and no goroutines here.
package loop
