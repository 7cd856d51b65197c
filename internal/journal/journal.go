package journal

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
)

// The form of the log: the values of Options.Format.
const (
	Text = "text"
	JSON = "json"
)

// Options are how a Journal begins.
type Options struct {
	Level  string      // of Levels
	Format string      // Text or JSON
	Sign   []slog.Attr // on every line that has no field of that name
}

// Journal is the log of one process. Its loggers may be used by any goroutine;
// none of them ever waits for the writer.
type Journal struct {
	*slog.Logger
	level   slog.LevelVar
	queue   *queue
	repeats *repeats
	writer  *writer
}

// Open begins a log that is written to w, one line a call. It fails for an
// unknown level alone.
func Open(w io.Writer, o Options) (*Journal, error) {
	j := &Journal{queue: newQueue(), repeats: newRepeats()}
	if err := j.SetLevel(o.Level); err != nil {
		return nil, err
	}
	options := &slog.HandlerOptions{Level: &j.level, ReplaceAttr: bounded}
	var lines slog.Handler = slog.NewJSONHandler(j.queue, options)
	if o.Format == Text {
		lines = slog.NewTextHandler(j.queue, options)
	}
	h := &handler{lines: lines, journal: j, sign: o.Sign, within: newIdentity()}
	j.Logger = slog.New(h)
	j.writer = newWriter(w, j.queue, j.repeats, h)
	go j.writer.run()
	return j, nil
}

// Levels are the names of the levels, the lowest first.
func Levels() []string { return []string{"debug", "info", "warn", "error"} }

// ParseLevel reads the name of a level. An error says which there are.
func ParseLevel(name string) (slog.Level, error) {
	for i, known := range Levels() {
		if name == known {
			return slog.LevelDebug + slog.Level(i)*(slog.LevelInfo-slog.LevelDebug), nil
		}
	}
	return 0, fmt.Errorf("%q is no level, allowed: %s", name, strings.Join(Levels(), ", "))
}

// SetLevel lets lines of the level and above through from now on. After an
// error nothing has changed.
func (j *Journal) SetLevel(name string) error {
	level, err := ParseLevel(name)
	if err == nil {
		j.level.Set(level)
	}
	return err
}

// Level is the name of the level in force.
func (j *Journal) Level() string { return strings.ToLower(j.level.Level().String()) }

// Dropped is how many lines were lost so far because the writer took none; a
// block counts as one.
func (j *Journal) Dropped() uint64 { return j.queue.dropped.Load() + j.writer.failed.Load() }

// Repeated is how many lines were held back so far as repetitions.
func (j *Journal) Repeated() uint64 { return j.repeats.held.Load() }

// Block writes many lines at once, such as the stacks of all goroutines, with
// no line of this process between them. While one waits for the writer, a
// further one is lost.
func (j *Journal) Block(text []byte) {
	select {
	case j.writer.blocks <- text:
	default:
		j.writer.failed.Add(1)
	}
}

// flushMax is how long Close waits for a writer that takes nothing.
const flushMax = time.Second

// Close says what was held back, and returns when all is written, or after a
// second. What is logged afterwards is lost and counted.
func (j *Journal) Close() {
	j.writer.close()
	select {
	case <-j.writer.done:
	case <-time.After(flushMax):
	}
}
