package worker

import (
	"log/slog"
)

// debugOf logs a line about a session, for who wants every one of them. While
// nobody does it costs a comparison, and no memory.
func (p *process) debugOf(s *session, msg string, attrs ...slog.Attr) {
	if p.log.Enabled(p.ctx, slog.LevelDebug) {
		p.log.LogAttrs(p.ctx, slog.LevelDebug, msg, append(attrs,
			slog.String("session", p.id(s).String()), slog.String("remote", s.remote.String()))...)
	}
}

// debugOn does the same for a partition.
func (p *process) debugOn(pt *partition, msg string, attrs ...slog.Attr) {
	if p.log.Enabled(p.ctx, slog.LevelDebug) {
		p.log.LogAttrs(p.ctx, slog.LevelDebug, msg, append(attrs,
			slog.String("topic", pt.name.Topic), slog.Int("partition", int(pt.name.Number)))...)
	}
}
