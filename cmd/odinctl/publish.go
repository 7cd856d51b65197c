package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/odin-ws/odin/cmd/internal/cli"
	"github.com/odin-ws/odin/internal/config"
	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"
)

func (p *program) publishCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "publish TOPIC KEY VALUE",
		Short: "Produce a record to the brokers that odind reads",
		Long: `publish produces a record to the brokers that odind reads, and prints its
position. The brokers are found where odind finds them: flag, environment,
file, default.

A - at the end stands for the lines of standard input, a record each: after
TOPIC KEY a line is a value, after TOPIC it is KEY VALUE, alone it is
TOPIC KEY VALUE.`,
		Example:           "  odinctl publish odin.trades BTC '{\"price\":1}'\n  odinctl publish odin.trades BTC - <values",
		Args:              publishArgs,
		ValidArgsFunction: first(topics),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.publish(context.Background(), cli.Input(cmd.Flags()), args)
		},
	}
	cli.FileFlag(cmd.Flags())
	cli.KeyFlag(cmd.Flags(), "brokers")
	return cmd
}

// recordWords are what a record is made of.
const recordWords = 3

// fromLines stands for the lines of standard input.
const fromLines = "-"

func publishArgs(cmd *cobra.Command, args []string) error {
	if n := len(args); n > 0 && n <= recordWords && args[n-1] == fromLines {
		return nil
	}
	return cli.Exactly("TOPIC", "KEY", "VALUE")(cmd, args)
}

func (p *program) publish(ctx context.Context, in config.Input, args []string) error {
	cfg, _, err := config.Load(in)
	if err != nil {
		return err
	}
	client, err := producer(cfg.Kafka)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := reach(ctx, client, cfg.Kafka.Brokers); err != nil {
		return err
	}
	last := len(args) - 1
	if args[last] != fromLines {
		return p.send(ctx, client, args)
	}
	return p.sendLines(ctx, client, args[:last])
}

// send produces one record of three words and waits until it is stored.
func (p *program) send(ctx context.Context, client *kgo.Client, words []string) error {
	sent := newReceipts(p)
	sent.produce(ctx, client, words)
	return sent.wait(ctx, client)
}

// sendLines produces a record of each line, which completes the given words.
func (p *program) sendLines(ctx context.Context, client *kgo.Client, words []string) error {
	sent := newReceipts(p)
	lines := bufio.NewScanner(p.stdin)
	lines.Buffer(nil, lineMax)
	for n := 1; sent.fine() && lines.Scan(); n++ {
		record, err := complete(words, lines.Text())
		if err != nil {
			sent.fail(fmt.Errorf("line %d: %w", n, err))
			break
		}
		sent.produce(ctx, client, record)
	}
	if err := lines.Err(); err != nil {
		sent.fail(fmt.Errorf("read standard input: %w; a line has at most %d bytes", err, lineMax))
	}
	return sent.wait(ctx, client)
}

// lineMax bounds a line of standard input: more than any broker takes by
// default.
const lineMax = 8 << 20

// complete adds to the words those that a line has left to give; the last one
// is the rest of the line.
func complete(words []string, line string) ([]string, error) {
	missing := recordWords - len(words)
	given := strings.SplitN(strings.TrimSuffix(line, "\r"), " ", missing)
	if len(given) < missing {
		return nil, fmt.Errorf("%d words of %d, allowed: %s", len(given), missing, strings.Join([]string{"TOPIC", "KEY", "VALUE"}[len(words):], " "))
	}
	return append(words[:len(words):len(words)], given...), nil
}
