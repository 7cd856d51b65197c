package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// reloading is what `odinctl reload --json` prints.
type reloading struct {
	Reloaded       bool             `json:"reloaded"`
	ConfigDigest   string           `json:"config_digest"`
	Applied        []reloadedChange `json:"applied"`
	PendingRestart []reloadedChange `json:"pending_restart"`
	Unchanged      int              `json:"unchanged"`
	Missing        []int            `json:"missing"`
	Mistakes       []struct{ Place, Key, What string }
}

type reloadedChange struct{ Key, Old, New, Origin string }

func changedKeys(changes []reloadedChange) string {
	var keys []string
	for _, c := range changes {
		keys = append(keys, c.Key)
	}
	return strings.Join(keys, " ")
}

// reload runs odinctl, which must end with a code.
func (s *server) reload(t *testing.T, code int) (r reloading, stderr string) {
	t.Helper()
	got, out, stderr := runProgram(t, "odinctl", "--runtime-dir", s.dir, "--json", "reload")
	if got != code {
		t.Fatalf("odinctl reload: exit %d, want %d: %s%s", got, code, out, stderr)
	}
	must(t, json.Unmarshal([]byte(out), &r))
	return r, stderr
}

// configuration is a file whose text a test changes.
func configuration(t *testing.T, text string) (file string, change func(text string)) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "odin.yaml")
	change = func(text string) { must(t, os.WriteFile(file, []byte(text), 0o600)) }
	change(text)
	return file, change
}

// tryOrigin is the status of a handshake from an origin.
func tryOrigin(t *testing.T, s *server, origin string) int {
	t.Helper()
	r := mustDo[*raw](t)(rawDial(s, 0))
	defer r.Close()
	mustDo[int](t)(r.WriteString(handshake + "Origin: " + origin + "\r\n\r\n"))
	resp := mustDo[*http.Response](t)(http.ReadResponse(r.in, nil))
	resp.Body.Close()
	return resp.StatusCode
}

// TestReload changes the configuration of a running odind: what needs no restart
// is in force in every process once odinctl has ended, what needs one is named,
// and no session ends or misses a record by it.
func TestReload(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 2)
	file, change := configuration(t, "limits: {channels_max: 1000}\n")
	s := startOdind(t, options{brokers: b.addr, args: []string{"--config", file}})
	clients := clientsOnEach(t, s, 2)
	for _, c := range clients {
		c.subscribe(t, "*.trade")
	}
	before := s.settled(t)
	b.produce(t, batch(20, "RELOAD.trade")...)
	change("limits: {channels_max: 2}\norigins: [https://good.example]\nlog: {level: debug}\nkafka: {client_id: other}\nnode: renamed\n")
	r, _ := s.reload(t, 0)
	if changedKeys(r.Applied) != "node origins log.level limits.channels_max" || changedKeys(r.PendingRestart) != "kafka.client_id" || len(r.Missing) > 0 {
		t.Errorf("applied %v, pending %v, missing %v", r.Applied, r.PendingRestart, r.Missing)
	}
	checkReloaded(t, s, clients, before, r.ConfigDigest)
	b.produce(t, batch(20, "RELOAD.trade")...)
	for _, c := range clients {
		b.settle(t, c)
	}

	must(t, syscall.Kill(s.worker(t, 1), syscall.SIGKILL))
	s.awaitGeneration(t, 1, 2)
	for _, c := range clientsOnEach(t, s, 1) {
		if hello := c.entries()[0]; hello.Limits["max_channels"] != 2 || hello.Node != "renamed" {
			t.Errorf("greeted by worker %d with %s", c.worker, hello.raw)
		}
	}

	change("limits: {channels_max: 1000}\n")
	s.signal(t, syscall.SIGHUP)
	eventually(t, soon, "the first configuration is in force again", func() (bool, string) {
		st := s.status(t)
		return st.ConfigDigest == before.ConfigDigest && len(st.PendingRestart) == 0, fmt.Sprintf("%+v", st)
	})
	s.stop(t)
}

// checkReloaded holds what processes say and do to the changes of TestReload.
func checkReloaded(t *testing.T, s *server, clients []*client, before status, digest string) {
	t.Helper()
	st := s.status(t)
	if st.ConfigDigest != digest || digest == before.ConfigDigest || st.State != "ready" {
		t.Errorf("digest %s, was %s, reloaded %s, state %s, warnings %q", st.ConfigDigest, before.ConfigDigest, digest, st.State, st.Warnings)
	}
	if got := strings.Join(st.PendingRestart, " "); got != "kafka.client_id" || !strings.Contains(strings.Join(st.Warnings, "\n"), "restart needed for kafka.client_id") {
		t.Errorf("pending restart %q, warnings %q", got, st.Warnings)
	}
	for range 8 { // of both workers, nearly always
		if code := tryOrigin(t, s, "https://evil.example"); code != http.StatusForbidden {
			t.Errorf("a foreign origin: %d", code)
		}
	}
	if code := tryOrigin(t, s, "https://good.example"); code != http.StatusSwitchingProtocols {
		t.Errorf("an allowed origin: %d", code)
	}
	for _, c := range clients {
		ack := c.request(t, "subscribe", map[string]any{"channels": []string{"A.metadata", "B.metadata"}})
		if len(ack.Subscribed) != 1 || len(ack.Rejected) != 1 || ack.Rejected[0].Code != "too_many_channels" {
			t.Errorf("beyond the new limit: %s", ack.raw)
		}
	}
	eventually(t, soon, "every process logs more", func() (bool, string) {
		log := s.err.String()
		return strings.Contains(log, "level=DEBUG") && strings.Contains(log, "configuration reloaded"), ""
	})
}

// settled is the status once a start is over: workers say how they are ten times
// a second.
func (s *server) settled(t *testing.T) (st status) {
	t.Helper()
	eventually(t, soon, "odind is ready and says so", func() (bool, string) {
		st = s.status(t)
		return st.State == "ready", fmt.Sprintf("%+v", st)
	})
	return st
}

// awaitGeneration waits until the slot's worker is of a generation, and ready.
func (s *server) awaitGeneration(t *testing.T, slot int, generation uint32) {
	t.Helper()
	eventually(t, soon, "another worker is ready", func() (bool, string) {
		w := s.status(t).Workers[slot]
		return w.Generation == generation && w.State == "ready", fmt.Sprintf("%+v", w)
	})
}

// TestReloadRefused breaks the configuration in every way: nothing changes, and
// every mistake is told.
func TestReloadRefused(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 1)
	const good = "limits: {channels_max: 7}\n"
	file, change := configuration(t, good)
	s := startOdind(t, options{brokers: b.addr, args: []string{"--config", file}})
	c := connect(t, s)
	c.subscribe(t, "*.*")
	before := s.settled(t)
	refused := 0
	for name, broken := range map[string]struct {
		do       func()
		mistakes []string
	}{
		"wrong values": {func() { change("workers: 0\norigins: [https://good.example, '*']\nlimits: {chanels_max: 1}\n") }, []string{
			file + `:2:33: origins: "*" is not an origin`, file + `:3:10: limits.chanels_max: unknown key`,
		}},
		"no YAML":     {func() { change("origins:\n\t- x\n") }, []string{file + ":2:1: no proper YAML"}},
		"no file":     {func() { must(t, os.Remove(file)) }, []string{file + ": can't be read: no such file"}},
		"a directory": {func() { must(t, os.RemoveAll(file)); must(t, os.Mkdir(file, 0o700)) }, []string{file + ": can't be read: is a directory"}},
	} {
		must(t, os.RemoveAll(file))
		change(good)
		broken.do()
		r, stderr := s.reload(t, 1)
		refused++
		var told []string
		for _, m := range r.Mistakes {
			told = append(told, strings.TrimPrefix(m.Place+": "+m.Key+": "+m.What, ": "))
		}
		for _, want := range broken.mistakes {
			if all := strings.ReplaceAll(strings.Join(told, "\n"), ": : ", ": "); !strings.Contains(all, want) {
				t.Errorf("%s: not told %q, but %s", name, want, all)
			}
			eventually(t, soon, name+" is logged", func() (bool, string) {
				place, _, _ := strings.Cut(want, ": ")
				return strings.Contains(s.err.String(), "where="+place+" "), ""
			})
		}
		if r.Reloaded || !strings.Contains(stderr, "odinctl: ") || !s.apiStatus(t).ReloadRefused {
			t.Errorf("%s: %+v %s", name, r, stderr)
		}
	}
	checkUnchanged(t, s, c, before)
	if got := s.metrics(t).sum(t, "odin_reloads_failed_total"); got != float64(refused) {
		t.Errorf("%v refusals counted, want %d", got, refused)
	}
	must(t, os.RemoveAll(file))
	change(good)
	s.signal(t, syscall.SIGHUP)
	eventually(t, soon, "the mended one is taken", func() (bool, string) {
		st := s.apiStatus(t)
		return !st.ReloadRefused && st.ConfigDigest == before.ConfigDigest, fmt.Sprintf("%+v", st)
	})
	b.produce(t, batch(5, "RELOAD.trade")...)
	b.settle(t, c)
	s.stop(t)
}

func checkUnchanged(t *testing.T, s *server, c *client, before status) {
	t.Helper()
	if st := s.status(t); st.ConfigDigest != before.ConfigDigest || len(st.PendingRestart) > 0 || st.State != "ready" {
		t.Errorf("status %+v", st)
	}
	if code := tryOrigin(t, s, "https://evil.example"); code != http.StatusSwitchingProtocols {
		t.Errorf("any origin was allowed, and now %d", code)
	}
	c.heartbeat(t)
}

// TestReloadMendsALogin starts with a password that the broker refuses: odind
// becomes ready once the password's file is mended and read again, and the
// password is printed nowhere.
func TestReloadMendsALogin(t *testing.T) {
	t.Parallel()
	const right, wrong = "draupnir-drips", "hringhorni-burns"
	addr := nextHost() + ":9092"
	startCluster(t, addr, kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "odin", right), kfake.SeedTopics(1, allTopics()...))
	login := kgo.SASL(scram.Auth{User: "odin", Pass: right}.AsSha256Mechanism())
	b := &broker{addr: addr, producer: newProducer(t, addr, login), ledger: &ledger{}}
	password := filepath.Join(t.TempDir(), "password")
	must(t, os.WriteFile(password, []byte(wrong+"\n"), 0o600))
	file, _ := configuration(t, "kafka: {sasl: {mechanism: SCRAM-SHA-256, user: odin, password_file: "+password+"}}\nlog: {level: debug}\n")
	s := launchOdind(t, options{brokers: addr, args: []string{"--config", file}})
	eventually(t, longer, "the login is refused", func() (bool, string) {
		_, body, err := s.fetch("/readyz")
		return err == nil && strings.Contains(body, "login of odin"), body
	})
	must(t, os.WriteFile(password, []byte(right+"\n"), 0o600))
	r, _ := s.reload(t, 0)
	if changedKeys(r.Applied) != "kafka.sasl.password" || r.Applied[0].Old != "[redacted]" || r.Applied[0].New != "[redacted]" {
		t.Errorf("applied %+v", r.Applied)
	}
	s.waitReady(t, longer)
	c := connect(t, s)
	c.subscribe(t, "*.*")
	b.produce(t, batch(5, "LOGIN.trade")...)
	b.settle(t, c)
	code, checked, _ := runProgram(t, "odind", "check", "--config", file)
	_, body := s.get(t, "/api/status")
	_, scraped := s.get(t, "/metrics")
	for _, said := range []string{checked, body, scraped, s.err.String(), s.out.String()} {
		if strings.Contains(said, right) || strings.Contains(said, wrong) {
			t.Errorf("the password is printed:\n%s", said)
		}
	}
	if code != 0 || !strings.Contains(checked, "[redacted]") {
		t.Errorf("odind check: exit %d\n%s", code, checked)
	}
	s.stop(t)
}
