// Package systemd tells the service manager how odind does, by datagrams to
// $NOTIFY_SOCKET (sd_notify(3)), and holds the unit file. Without the
// variable every method does nothing.
//
// It owns one socket, no goroutine and no lock; the methods may be called
// from any goroutine. It never waits for the manager longer than sendMax.
package systemd
