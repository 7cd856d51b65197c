package main

import (
	"context"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/journal"
	"github.com/odin-ws/odin/supervisor"
)

// serve loads the configuration and runs the supervisor to its end.
func (p *program) serve(in config.Input) error {
	cfg, _, err := config.Load(in)
	if err != nil {
		return err
	}
	log := openLog(p.stderr, cfg.Log)
	defer log.Close()
	return p.supervise(*cfg, in, "", log)
}

// supervise runs until a signal ends it. in is what cfg was made of, and will be
// made of anew by a reload. broker is the embedded one's address, "" if there is
// none.
func (p *program) supervise(cfg config.Config, in config.Input, broker string, log *journal.Journal) error {
	log.Info("odind starts", "version", p.version, "config_digest", cfg.Digest(), "workers", cfg.Workers,
		"brokers", cfg.Kafka.Brokers, "runtime_dir", cfg.RuntimeDir)
	return supervisor.Run(context.Background(), cfg, supervisor.Options{
		Version: p.version,
		Log:     log,
		Reload:  func(old config.Config) (*config.Reloaded, error) { return config.Reload(in, old) },
		Ready: func(info supervisor.ReadyInfo) {
			if err := p.print("%s", readyLine(info, broker)); err != nil {
				log.Warn("nobody was told that odind is ready", "err", err)
			}
		},
	})
}

// readyLine is the only line on standard output.
func readyLine(info supervisor.ReadyInfo, broker string) string {
	line := "ready ws=" + info.WS + " operator=" + info.Operator
	if broker != "" {
		line += " broker=" + broker
	}
	return line + " runtime=" + info.RuntimeDir
}
