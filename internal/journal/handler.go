package journal

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// handler signs records, holds repetitions back, and has slog's own handlers
// make lines of the rest.
type handler struct {
	lines   slog.Handler // text or JSON, into the queue
	journal *Journal
	sign    []slog.Attr
	within  identity // of the fields and groups that the logger brings along
}

// Enabled is asked first, by every line: it costs one load.
func (h *handler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.journal.level.Level()
}

// Handle takes one record. It never waits and never fails: a value whose own
// method panics costs its line the fields, and nobody the process.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	defer func() {
		if recover() != nil {
			h.line(ctx, slog.NewRecord(r.Time, r.Level, r.Message, r.PC))
		}
	}()
	if r.Level > slog.LevelDebug {
		if again := h.journal.repeats.count(h.within.of(&r), time.Now(), h, r); again {
			return nil
		}
	}
	h.line(ctx, r)
	return nil
}

// line makes a line of a record, if there is room for it.
func (h *handler) line(ctx context.Context, r slog.Record) {
	if h.journal.queue.room(r.Level) {
		_ = h.lines.Handle(ctx, h.signed(r)) // the queue takes all
	}
}

// signed puts the fields of every line in front, but for those that the record
// has itself: a supervisor's line about a worker carries the worker's pid.
func (h *handler) signed(r slog.Record) slog.Record {
	if len(h.sign) == 0 {
		return r
	}
	out := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	for _, own := range h.sign {
		if !has(&r, own.Key) {
			out.AddAttrs(own)
		}
	}
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(a)
		return true
	})
	return out
}

func has(r *slog.Record, key string) (found bool) {
	r.Attrs(func(a slog.Attr) bool {
		found = a.Key == key
		return !found
	})
	return found
}

// WithAttrs gives a handler whose lines carry the fields.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.lines = h.lines.WithAttrs(attrs)
	next.within = h.within.with(attrs)
	next.sign = without(h.sign, attrs)
	return &next
}

// without drops the signs whose names are taken.
func without(sign, taken []slog.Attr) (left []slog.Attr) {
	names := map[string]bool{}
	for _, a := range taken {
		names[a.Key] = true
	}
	for _, s := range sign {
		if !names[s.Key] {
			left = append(left, s)
		}
	}
	return left
}

// WithGroup gives a handler whose lines carry their fields in a group. They
// aren't signed: a pid belongs to no group.
func (h *handler) WithGroup(name string) slog.Handler {
	next := *h
	next.lines = h.lines.WithGroup(name)
	next.within = h.within.group(name)
	next.sign = nil
	return &next
}

// Bounds of one value, in bytes. With them a line is mostly below 4,096 bytes,
// which is what a pipe takes in one piece.
const (
	valueMax = 1 << 10
	stackMax = 3 << 10
)

// harmless shows the characters that a terminal might obey and that slog's
// handlers let through: DEL, and what beyond ASCII controls, directs or hides.
// ASCII's own they escape.
func harmless(text string) string {
	if strings.IndexFunc(text, obeyed) < 0 {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		if obeyed(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

func obeyed(r rune) bool {
	return r >= 0x7f && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// bounded cuts what is longer than a value may be, and makes it harmless.
func bounded(_ []string, a slog.Attr) slog.Attr {
	limit := valueMax
	if a.Key == "stack" {
		limit = stackMax
	}
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(harmless(cut(a.Value.String(), limit)))
	case slog.KindAny:
		if _, ok := a.Value.Any().(error); ok {
			a.Value = slog.StringValue(harmless(cut(textOf(a.Value), limit)))
		}
	}
	return a
}

func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return fmt.Sprintf("%s… (%d bytes more)", text[:limit], len(text)-limit)
}
