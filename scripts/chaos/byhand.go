package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/odin-ws/odin/scripts/chaos/plan"
)

// doByHand is what an operator does with odinctl. That it does not as it ought
// to is told as errBroken.
func (w *world) doByHand(ctx context.Context, f plan.Fault) (what string, err error) {
	switch f.Kind {
	case plan.Drain:
		err = w.odind.drain(ctx, f.For)
	case plan.Reload:
		what, err = w.odind.reload(ctx, f.Pick)
	case plan.ReloadBroken:
		what, err = w.odind.reloadBroken(ctx, f.Pick)
	}
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", errBroken, err)
	}
	return what, err
}

// ctlMax is how long odinctl may take: the machine may have other things to do.
const ctlMax = time.Minute

// ctl runs odinctl, and returns what it printed and its exit status.
func (o *odind) ctl(ctx context.Context, args ...string) (text string, code int, err error) {
	ctx, cancel := context.WithTimeout(ctx, ctlMax)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(o.world.options.programs, "odinctl"), append([]string{"--runtime-dir", o.file("run")}, args...)...)
	var out, complaint strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err = cmd.Run()
	if text = out.String(); text == "" {
		text = complaint.String()
	}
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() < 0 {
		return text, -1, fmt.Errorf("odinctl %s: %w", strings.Join(args, " "), err)
	}
	return text, cmd.ProcessState.ExitCode(), nil
}

// must runs odinctl until it ends with 0: workers that are just killed, or
// starved, make it say that odind doesn't answer, and one asks again.
func (o *odind) must(ctx context.Context, args ...string) error {
	return retry(ctx, func(context.Context) error {
		text, code, err := o.ctl(ctx, args...)
		if err == nil && code != 0 {
			err = fmt.Errorf("odinctl %s ended with %d: %s", strings.Join(args, " "), code, strings.TrimSpace(text))
		}
		return err
	})
}

// drain closes all sessions over the first part of the time, has nobody come in
// for the rest of it, and takes that back.
func (o *odind) drain(ctx context.Context, length time.Duration) error {
	if err := o.must(ctx, "drain", "--over", (length / 2).String()); err != nil {
		return err
	}
	began := time.Now()
	err := retry(ctx, o.refuses)
	time.Sleep(time.Until(began.Add(length)))
	if err := errors.Join(err, o.must(ctx, "undrain")); err != nil {
		return err
	}
	return retry(ctx, o.takes)
}

// connect makes a connection and gives it up. It returns how it was answered:
// 101 if it was taken, 0 if not at all.
func (o *odind) connect(ctx context.Context) (code int, answer http.Header) {
	conn, response, err := (&websocket.Dialer{HandshakeTimeout: dialMax}).DialContext(ctx, o.url(), nil) //nolint:bodyclose // gorilla gives a body that needs no closing
	if err == nil {
		conn.Close()
	}
	if response == nil {
		return 0, nil
	}
	return response.StatusCode, response.Header
}

// refuses is nil once odind answers a new client that it is drained.
func (o *odind) refuses(ctx context.Context) error {
	switch code, header := o.connect(ctx); {
	case code != http.StatusServiceUnavailable:
		return fmt.Errorf("it is drained, and answers a new client with %d", code)
	case header.Get("Retry-After") == "":
		return fmt.Errorf("it is drained, and does not tell a new client when to come back")
	}
	return nil
}

// takes is nil once odind takes a new client.
func (o *odind) takes(ctx context.Context) error {
	if code, _ := o.connect(ctx); code != http.StatusSwitchingProtocols {
		return fmt.Errorf("it is drained no more, and answers a new client with %d", code)
	}
	return nil
}

// reloaded is what is needed of odinctl reload --json.
type reloaded struct {
	Reloaded bool             `json:"reloaded"`
	Applied  []map[string]any `json:"applied"`
	Mistakes []map[string]any `json:"mistakes"`
}

// reload has another value of limits.drain_ms taken, which no session notices.
func (o *odind) reload(ctx context.Context, pick uint64) (what string, err error) {
	change := fmt.Sprintf("  drain_ms: %d\n", 1000+pick%60000)
	if err := os.WriteFile(o.file("odin.yaml"), []byte(o.config()+change), 0o600); err != nil {
		return "", err
	}
	err = retry(ctx, func(context.Context) error {
		r, text, err := o.asksToReload(ctx)
		if err == nil && !r.Reloaded {
			err = fmt.Errorf("a right configuration was refused: %s", text)
		}
		return err
	})
	return strings.TrimSpace(change), err
}

// reloadBroken has a configuration refused, and puts the right one back.
func (o *odind) reloadBroken(ctx context.Context, pick uint64) (what string, err error) {
	good, err := os.ReadFile(o.file("odin.yaml"))
	if err != nil {
		return "", err
	}
	broken := brokenConfigs()
	mistake := broken[pick%uint64(len(broken))]
	if err := os.WriteFile(o.file("odin.yaml"), append(good[:len(good):len(good)], mistake...), 0o600); err != nil {
		return "", err
	}
	err = retry(ctx, func(context.Context) error {
		r, text, err := o.asksToReload(ctx)
		if err == nil && (r.Reloaded || len(r.Mistakes) == 0) {
			err = fmt.Errorf("a broken configuration (%s) was not refused with its mistake: %s", strings.TrimSpace(mistake), text)
		}
		return err
	})
	if back := os.WriteFile(o.file("odin.yaml"), good, 0o600); err == nil {
		err = back
	}
	return strings.TrimSpace(mistake), err
}

// brokenConfigs are ends of a configuration that make it wrong.
func brokenConfigs() []string {
	return []string{"  drain_ms: soon\n", "  no_such_limit: 1\n", "  drain_ms: -1\n", "workers: [\n"}
}

func (o *odind) asksToReload(ctx context.Context) (r reloaded, text string, err error) {
	text, _, err = o.ctl(ctx, "reload", "--json")
	if err != nil {
		return r, text, err
	}
	if err := json.NewDecoder(strings.NewReader(text)).Decode(&r); err != nil {
		return r, text, fmt.Errorf("odinctl reload: %s", strings.TrimSpace(text))
	}
	return r, text, nil
}
