package main

import (
	"io"
	"log/slog"
	"os"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/journal"
)

// openLog begins the supervisor's log; workers have their own, with their slot.
func openLog(w io.Writer, cfg config.Log) *journal.Journal {
	log, err := journal.Open(w, journal.Options{
		Level: cfg.Level, Format: cfg.Format, Sign: []slog.Attr{slog.Int("pid", os.Getpid())},
	})
	if err != nil {
		panic("odind: the configuration should have refused: " + err.Error())
	}
	return log
}
