package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Exit codes of protocol.md section 4.
const (
	exitUsage       = 2
	exitUnavailable = 3
)

// TestCannotStart wants an exit code and a message that names the cause, and
// nothing left running.
func TestCannotStart(t *testing.T) {
	t.Parallel()
	running := startOdind(t, options{brokers: startBroker(t, 1).addr})
	for name, c := range map[string]struct {
		options options
		code    int
		says    []string // all of them, in whatever case
	}{
		"the clients' port is taken":       {options{host: taken(t, 3001)}, exitUnavailable, []string{":3001", "in use"}},
		"the operator's port is taken":     {options{host: taken(t, 9464)}, exitUnavailable, []string{":9464", "in use"}},
		"the port of a running odind":      {options{args: []string{"--listen", running.host + ":3001"}}, exitUnavailable, []string{running.host + ":3001", "in use"}},
		"a running odind's directory":      {options{dir: running.dir}, exitUnavailable, []string{running.dir, "running"}},
		"a directory others may write":     {options{dir: openDirectory(t)}, exitUnavailable, []string{"writ"}},
		"a directory that is a file":       {options{dir: plainFile(t)}, exitUnavailable, []string{"directory"}},
		"an address that isn't ours":       {options{host: "192.0.2.1"}, exitUnavailable, []string{"192.0.2.1"}},
		"an unknown flag":                  {options{args: []string{"--sing"}}, exitUsage, []string{"--sing"}},
		"a value out of range":             {options{args: []string{"--workers", "1000"}}, exitUsage, []string{"workers", "128"}},
		"an address without a port":        {options{args: []string{"--listen", "here"}}, exitUsage, []string{"listen"}},
		"a limit out of range":             {options{limits: map[string]string{"channels_max": "0"}}, exitUsage, []string{"channels_max"}},
		"a configuration file that is not": {options{args: []string{"--config", "/nowhere/odin.yaml"}}, exitUsage, []string{"/nowhere/odin.yaml"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.options.brokers = "127.0.0.1:1"
			p := launchOdind(t, c.options)
			if code := p.code(t, soon); code != c.code {
				t.Errorf("exit code %d instead of %d", code, c.code)
			}
			for _, word := range c.says {
				if !strings.Contains(strings.ToLower(p.err.String()), strings.ToLower(word)) {
					t.Errorf("it doesn't say %q: %s", word, p.err.String())
				}
			}
			if p.out.String() != "" || len(p.descendants()) > 0 {
				t.Errorf("standard output %q, processes %v", p.out.String(), p.descendants())
			}
		})
	}
	t.Cleanup(func() {
		connect(t, running).heartbeat(t) // the running one has not noticed
		running.stop(t)
	})
}

// taken is an address whose port somebody else listens on.
func taken(t *testing.T, port int) string {
	t.Helper()
	host := nextHost()
	l := mustDo[net.Listener](t)(net.Listen("tcp", fmt.Sprintf("%s:%d", host, port)))
	t.Cleanup(func() { l.Close() })
	return host
}

func openDirectory(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "open")
	must(t, os.Mkdir(dir, 0o700))
	must(t, os.Chmod(dir, 0o777))
	return dir
}

func plainFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(name, nil, 0o600))
	return name
}

// TestForeignDirectory wants a runtime directory of somebody else to be refused.
// Only root can make one; others find / to be foreign.
func TestForeignDirectory(t *testing.T) {
	t.Parallel()
	dir := "/"
	if os.Getuid() == 0 {
		dir = filepath.Join(t.TempDir(), "foreign")
		must(t, os.Mkdir(dir, 0o755))
		must(t, os.Chown(dir, 65534, 65534))
	}
	p := launchOdind(t, options{dir: dir, brokers: "127.0.0.1:1"})
	if code := p.code(t, soon); code != exitUnavailable || !strings.Contains(p.err.String(), dir) {
		t.Errorf("exit code %d: %s", code, p.err.String())
	}
}

// TestBrokerComesLater starts odind first. It says what it waits for, takes
// nobody, and is ready when the broker is there.
func TestBrokerComesLater(t *testing.T) {
	t.Parallel()
	addr := nextHost() + ":9092"
	s := launchOdind(t, options{brokers: addr})
	waitUnready(t, s, "kafka")
	cluster := startCluster(t, addr, kfake.SeedTopics(2, allTopics()...))
	b := &broker{cluster, addr, newProducer(t, addr), &ledger{}}
	s.waitReady(t, longer)
	c := connect(t, s)
	c.subscribe(t, "*.*")
	b.produce(t, batch(3, "LATER.trade")...)
	b.settle(t, c)
	s.stop(t)
}

// TestTopicComesLater starts with one topic missing. It says which, and once the
// topic is there it is read from its start: nobody knew an end of it.
func TestTopicComesLater(t *testing.T) {
	t.Parallel()
	const missing = "odin.social"
	addr := nextHost() + ":9092"
	var topics []string
	for _, topic := range allTopics() {
		if topic != missing {
			topics = append(topics, topic)
		}
	}
	cluster := startCluster(t, addr, kfake.SeedTopics(2, topics...))
	b := &broker{cluster, addr, newProducer(t, addr), &ledger{}}
	b.produce(t, batch(3, "EARLY.trade")...)
	s := launchOdind(t, options{brokers: addr, limits: map[string]string{"topology_refresh_ms": "300"}})
	waitUnready(t, s, missing)
	must(t, cluster.CreateTopic(missing, 2, nil))
	b.produce(t, batch(3, "FIRST.social")...)
	s.waitReady(t, longer)
	eventually(t, soon, "the new topic is read from its start, and nothing else", func() (bool, string) {
		n := s.metrics(t).sum(t, "odin_records_fetched_total")
		return n == 3, fmt.Sprint(n)
	})
	c := connect(t, s)
	c.subscribe(t, "*.*")
	b.produce(t, batch(3, "SECOND.social", "SECOND.trade")...)
	b.settle(t, c)
	s.stop(t)
}

// waitUnready waits until /readyz names what is missing, while odind lives and
// has printed no ready line.
func waitUnready(t *testing.T, s *server, names string) {
	t.Helper()
	eventually(t, longer, "/readyz names "+names, func() (bool, string) {
		if !s.running() {
			t.Fatalf("odind has ended with %d", s.cmd.ProcessState.ExitCode())
		}
		code, body, err := s.fetch("/readyz")
		return err == nil && code == 503 && strings.Contains(strings.ToLower(body), names), fmt.Sprint(code, body, err)
	})
	if code, body := s.get(t, "/livez"); code != 200 || s.out.String() != "" {
		t.Errorf("/livez says %d %s, standard output %q", code, body, s.out.String())
	}
}
