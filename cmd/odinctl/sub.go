package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
	"github.com/odin-ws/odin/cmd/internal/cli"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/shm"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Limits of sub.
const (
	dialMax = 10 * time.Second // for the handshake
	byeMax  = 2 * time.Second  // for odind's answer to our close

	// messageMax is more than the largest record that limits.record_bytes_max
	// allows, and than any answer.
	messageMax = 80 << 20
)

func (p *program) subCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "sub CHANNEL...",
		Short: "Print the records of channels as they come",
		Long: `sub subscribes to channels as a browser does, and prints a line for each record:
its time, channel and position, and its value. A channel is SUBJECT.EVENT, like
BTC.trade; * stands for one whole part: 'BTC.*', '*.trade'. ^C ends it.

With --json it prints what odind sends, a message a line.

With --resume it keeps its place in FILE, a second behind at most, and begins
there the next time: what came meanwhile is printed first. It goes on through
every break, and says each time whether something may be missing. Records of the
last second may be printed twice if it is killed, none is left out. One odinctl
at a time keeps its place in a FILE. What went into a pipe counts as printed.`,
		Example:           "  odinctl sub BTC.trade\n  odinctl sub '*.trade' 'BTC.*' --json\n  odinctl sub '*.trade' --resume trades.place >>trades",
		Args:              cli.AtLeast("CHANNEL"),
		ValidArgsFunction: each(patterns),
		RunE: func(cmd *cobra.Command, channels []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			context.AfterFunc(ctx, stop) // a second ^C ends it at once
			return p.sub(ctx, cmd.Flags(), channels, file)
		},
	}
	cmd.Flags().StringVar(&file, "resume", "", "keep the place in `FILE`, and go on from there")
	return cmd
}

func (p *program) sub(ctx context.Context, flags *pflag.FlagSet, channels []string, file string) error {
	seg, err := segment(flags)
	if err != nil {
		return err
	}
	address := seg.Process().Name(shm.Listen)
	seg.Close()
	if file != "" {
		return p.subFrom(ctx, file, "ws://"+address+"/ws", channels)
	}
	conn, err := dial(ctx, "ws://"+address+"/ws")
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetReadLimit(messageMax)
	done := make(chan struct{})
	defer close(done)
	go leave(ctx, conn, done)
	if err := conn.WriteJSON(wire.ClientRequest{Type: "subscribe", Data: &wire.ClientData{Channels: channels}}); err != nil {
		return fmt.Errorf("subscribe at %s: %w", address, err)
	}
	err = p.listen(conn, len(channels))
	if ctx.Err() != nil {
		return nil // ^C is how this ends
	}
	return err
}

// dial shakes hands, and says why odind did not want to.
func dial(ctx context.Context, url string) (*websocket.Conn, error) {
	dialer := websocket.Dialer{HandshakeTimeout: dialMax}
	conn, response, err := dialer.DialContext(ctx, url, nil) //nolint:bodyclose // gorilla gives a body that needs no closing
	if err == nil {
		return conn, nil
	}
	if response != nil {
		return nil, fmt.Errorf("connect to %s: odind answers %s: %s", url, response.Status, refusal(response))
	}
	return nil, fmt.Errorf("connect to %s: %w; is odind stuck? see odinctl status", url, err)
}

// leave says goodbye when ^C comes, and doesn't wait for ever.
func leave(ctx context.Context, conn *websocket.Conn, done <-chan struct{}) {
	select {
	case <-done:
	case <-ctx.Done():
		deadline := time.Now().Add(byeMax)
		_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), deadline)
		_ = conn.SetReadDeadline(deadline)
	}
}

// refusal is the reason in the body of a refused handshake.
func refusal(response *http.Response) string {
	body := readRefusal(response)
	if after := response.Header.Get("Retry-After"); after != "" {
		return body + "; try again in " + after + " s"
	}
	return body
}

// closed says why odind ended the subscription.
func closed(err error) error {
	var end *websocket.CloseError
	if !errors.As(err, &end) || end.Code == websocket.CloseAbnormalClosure {
		return fmt.Errorf("the connection to odind broke: %w; a worker ended, or the machine is out of reach: try again", err)
	}
	return fmt.Errorf("odind closed the connection: %s", closeReason(end))
}
