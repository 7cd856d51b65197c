// Command crowd serves the page of an odind as large and as badly named as can
// be: 16 workers, 4,096 partitions, and names that mean harm. Nothing of it runs
// but its numbers, which move in a segment like any other. It prints its
// address, and ends with its standard input.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "crowd:", err)
		os.Exit(1)
	}
}

func run() error {
	c, err := newCrowd()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(context.Background())
	defer end()
	go c.move(ctx)
	go func() { _ = http.Serve(l, c.routes(ctx)) }() //nolint:gosec // it lives as long as a test
	fmt.Printf("ready operator=http://%s\n", l.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
