package supervisor

import (
	"fmt"
	"log/slog"
	"syscall"

	"github.com/odin-ws/odin/internal/config"
)

// raiseFiles raises the limit of open files to the hard one, for ourselves and
// every worker. Go raises its own silently, but gives children the old one
// back unless it was set by hand.
func raiseFiles() (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("supervisor: read the limit of open files: %w", err)
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("supervisor: raise the limit of open files: %w", err)
	}
	return int(min(limit.Cur, 1<<30)), nil
}

// warnFiles says once that not all configured connections can be had.
func warnFiles(log *slog.Logger, cfg config.Config, files int) {
	each := max(0, files-cfg.Limits.FDsReserve)
	if possible := each * cfg.Workers; possible < cfg.Limits.ConnectionsMax {
		log.Warn("the limit of open files allows fewer connections than configured: beyond them clients get 503; raise LimitNOFILE",
			"possible", possible, "connections_max", cfg.Limits.ConnectionsMax, "files", files, "workers", cfg.Workers)
	}
}
