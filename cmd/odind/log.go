package main

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/odin-ws/odin/internal/config"
)

// logger is the supervisor's; workers have their own, with their slot.
func logger(w io.Writer, cfg config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Level)); err != nil {
		panic("odind: a level that the configuration should have refused: " + cfg.Level)
	}
	options := &slog.HandlerOptions{Level: level}
	if cfg.Format == "text" {
		return slog.New(signed{slog.NewTextHandler(w, options)})
	}
	return slog.New(signed{slog.NewJSONHandler(w, options)})
}

// signed adds our pid to every record that isn't about another process.
type signed struct{ slog.Handler }

const pidKey = "pid"

// Handle writes one record.
func (h signed) Handle(ctx context.Context, r slog.Record) error {
	about := false
	r.Attrs(func(a slog.Attr) bool {
		about = about || a.Key == pidKey
		return !about
	})
	if !about {
		r.AddAttrs(slog.Int(pidKey, os.Getpid()))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs keeps signing.
func (h signed) WithAttrs(attrs []slog.Attr) slog.Handler { return signed{h.Handler.WithAttrs(attrs)} }

// WithGroup stops signing: a pid belongs to no group.
func (h signed) WithGroup(name string) slog.Handler { return h.Handler.WithGroup(name) }
