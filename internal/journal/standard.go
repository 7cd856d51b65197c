package journal

import (
	"bytes"
	"context"
	"log"
	"log/slog"
)

// Standard is a logger for libraries that know only package log: what they say
// becomes debug lines of the same message, with their words as err.
func Standard(to *slog.Logger, msg string) *log.Logger {
	return log.New(standard{to, msg}, "", 0)
}

type standard struct {
	to  *slog.Logger
	msg string
}

// Write takes one message.
func (s standard) Write(text []byte) (int, error) {
	s.to.LogAttrs(context.Background(), slog.LevelDebug, s.msg, slog.String("err", string(bytes.TrimSpace(text))))
	return len(text), nil
}
