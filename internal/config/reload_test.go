package config

import (
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

// running is an odind with a file, as far as its configuration goes.
type running struct {
	t       *testing.T
	in      Input
	inForce Config
}

func start(t *testing.T, text string, env ...string) *running {
	t.Helper()
	r := &running{t: t, in: Input{File: writeFile(t, "odin.yaml", text), Env: env, Host: host()}}
	c, _, err := Load(r.in)
	if err != nil {
		t.Fatal(err)
	}
	r.inForce = *c
	return r
}

// reload gives the file another text and takes what that brings into force.
func (r *running) reload(text string) (*Reloaded, error) {
	r.t.Helper()
	if err := os.WriteFile(r.in.File, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	next, err := Reload(r.in, r.inForce)
	if err == nil {
		r.inForce = next.Config
	}
	return next, err
}

// want is the changes as "key old→new", in one line.
func (r *running) want(text, applied, pending string) *Reloaded {
	r.t.Helper()
	next, err := r.reload(text)
	if err != nil {
		r.t.Fatal(err)
	}
	if got := inLine(next.Applied); got != applied {
		r.t.Errorf("applied: %s\nwant:    %s", got, applied)
	}
	if got := inLine(next.Pending); got != pending {
		r.t.Errorf("pending: %s\nwant:    %s", got, pending)
	}
	return next
}

func inLine(changes []Change) string {
	texts := make([]string, len(changes))
	for i, c := range changes {
		texts[i] = c.Key + " " + c.Old + "→" + c.New
	}
	return strings.Join(texts, ", ")
}

func TestReloadAppliesWhatItCanAndNamesTheRest(t *testing.T) {
	t.Parallel()
	r := start(t, "workers: 2\n")
	digest := r.inForce.Digest()
	next := r.want("workers: 2\n", "", "")
	if next.Unchanged != len(Keys()) || r.inForce.Digest() != digest {
		t.Errorf("%d of %d keys unchanged, digest %s after %s", next.Unchanged, len(Keys()), r.inForce.Digest(), digest)
	}
	r.want("workers: 2\norigins: [https://a.example]\nlog: {level: debug}\nlisten: :4000\n",
		`origins ""→https://a.example, log.level info→debug`, "listen :3001→:4000")
	if r.inForce.Listen != ":3001" || r.inForce.Log.Level != "debug" || r.inForce.Digest() == digest {
		t.Errorf("in force: %v", r.inForce)
	}
	r.want("workers: 2\nlisten: :4000\n", `origins https://a.example→"", log.level debug→info`, "listen :3001→:4000")
	if r.inForce.Digest() != digest {
		t.Error("what is in force again has another digest than the first time")
	}
	r.want("workers: 2\n", "", "")
}

func TestReloadNamesTheOrigin(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	next := r.want("\norigins: [https://a.example]\n", `origins ""→https://a.example`, "")
	if want := r.in.File + ":2:10"; next.Applied[0].Origin != want {
		t.Errorf("comes from %s, want %s", next.Applied[0].Origin, want)
	}
	text := next.Applied[0].String()
	if want := `origins: "" → https://a.example (` + r.in.File + ":2:10)"; text != want {
		t.Errorf("%s, want %s", text, want)
	}
	next = r.want("", `origins https://a.example→""`, "")
	if next.Applied[0].Origin != OriginDefault {
		t.Errorf("comes from %s", next.Applied[0].Origin)
	}
}

func TestReloadWithMistakesGivesAllOfThem(t *testing.T) {
	t.Parallel()
	r := start(t, "workers: 2\n")
	before := r.inForce
	next, err := r.reload("workers: 0\norigins: ['*']\nlog: {level: debug}\n")
	if next != nil || !reflect.DeepEqual(before, r.inForce) {
		t.Errorf("something changed: %v", next)
	}
	wantProblems(t, err,
		r.in.File+`:1:10: workers: 0 is out of range, allowed: 1 to 128`,
		r.in.File+`:2:11: origins: "*" is not an origin, allowed: SCHEME://HOST[:PORT]; leave origins out to allow any`)
}

// What a computed default depends on may wait for a restart: then so does its
// part of the default.
func TestReloadComputesDefaultsFromWhatIsInForce(t *testing.T) {
	t.Parallel()
	r := start(t, "workers: 2\n")
	const each = 20_000 - 256 - 2*1024
	was, two, three := strconv.Itoa(2*each), strconv.Itoa(2*(each-1000)), strconv.Itoa(3*(each-1000))
	r.want("workers: 3\nlimits: {fds_reserve: 1256}\n",
		"limits.connections_max "+was+"→"+two+", limits.fds_reserve 256→1256",
		"workers 2→3, limits.connections_max "+two+"→"+three)
	r.want("workers: 3\nlimits: {connections_max: 7, fds_reserve: 1256}\n", "limits.connections_max "+two+"→7", "workers 2→3")
}

func TestReloadReadsSecretsAgain(t *testing.T) {
	t.Parallel()
	password := writeFile(t, "password", "one")
	text := "kafka: {sasl: {mechanism: PLAIN, user: u, password_file: " + password + "}}\n"
	r := start(t, text)
	r.want(text, "", "")
	digest := r.inForce.Digest()
	if err := os.WriteFile(password, []byte("two\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.want(text, "kafka.sasl.password [redacted]→[redacted]", "")
	if got := r.inForce.Kafka.SASL.Password.Reveal(); got != "two" || digest != r.inForce.Digest() {
		t.Errorf("password %q, digest %s after %s", got, r.inForce.Digest(), digest)
	}
	if err := os.Remove(password); err != nil {
		t.Fatal(err)
	}
	_, err := r.reload(text)
	wantProblems(t, err, r.in.File+":1:58: kafka.sasl.password_file: "+password+" can't be read: no such file or directory, allowed: a readable file")
}

// User and password wait beside a mechanism that waits: a new password is
// worth nothing to the old mechanism.
func TestReloadKeepsALoginTogether(t *testing.T) {
	t.Parallel()
	password := writeFile(t, "password", "one")
	r := start(t, "")
	r.want("kafka: {sasl: {mechanism: PLAIN, user: u, password_file: "+password+"}}\n", "",
		`kafka.sasl.mechanism ""→PLAIN, kafka.sasl.user ""→u, kafka.sasl.password ""→[redacted], kafka.sasl.password_file ""→`+password)
	if sasl := r.inForce.Kafka.SASL; sasl.Password.IsSet() || sasl.User != "" {
		t.Errorf("half a login is in force: %v", sasl)
	}
}

// The embedded broker's address is nobody's configuration.
func TestReloadKeepsWhatIsIgnored(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	r.in.Ignore = []string{"kafka.brokers", "kafka.tls."}
	r.inForce.Kafka.Brokers = []string{"127.0.0.1:4242"}
	r.want("kafka: {brokers: [a:1], tls: {enabled: true}, client_id: x}\n", "", "kafka.client_id odin→x")
	if got := r.inForce.Kafka.Brokers[0]; got != "127.0.0.1:4242" {
		t.Errorf("brokers %s", got)
	}
}

// TestReloadOfAnyConfiguration replaces every key by random values and holds
// the outcome to the table.
func TestReloadOfAnyConfiguration(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		old := randomConfig(random)
		next, err := Reload(Input{NoDefaultFile: true, Host: host()}, old)
		if err != nil {
			t.Fatal(err)
		}
		fresh := Default(host())
		for _, k := range Keys() {
			from := &fresh
			if k.Reload == Restart || k.With != "" && !key(t, k.With).same(&old, &fresh) {
				from = &old
			}
			if k.auto == nil && !k.same(&next.Config, from) {
				t.Fatalf("%s: %s is in force, want %s", k.Name, k.format(&next.Config), k.format(from))
			}
		}
		if next.Unchanged+len(next.Applied)+len(next.Pending) < len(Keys()) {
			t.Fatalf("%d unchanged, %d applied, %d pending: a key is missing", next.Unchanged, len(next.Applied), len(next.Pending))
		}
	}
}

// TestRulesHoldAfterAReload wants keys that a rule holds together to come into
// force together: what is in force would break the rule otherwise, though the
// file doesn't.
func TestRulesHoldAfterAReload(t *testing.T) {
	t.Parallel()
	for _, o := range inOrder(Limits{}) {
		if less, more := key(t, o.less), key(t, o.more); (less.Reload == Restart) != (more.Reload == Restart) {
			t.Errorf("one of %s and %s needs a restart", o.less, o.more)
		}
	}
	for _, pair := range [][2]string{{"listen", "operator.listen"}, {"routes", "limits.topics_max"}} {
		if key(t, pair[0]).Reload != Restart || key(t, pair[1]).Reload != Restart {
			t.Errorf("%s and %s must wait for each other", pair[0], pair[1])
		}
	}
	for _, k := range Keys() {
		if strings.HasPrefix(k.Name, "kafka.sasl.") && k.Reload != Restart && k.With != "kafka.sasl.mechanism" {
			t.Errorf("%s comes into force without the mechanism", k.Name)
		}
		if k.With != "" && (k.Reload == Restart || key(t, k.With).Reload != Restart) {
			t.Errorf("%s waits for %s in vain", k.Name, k.With)
		}
	}
}

func TestLongValuesAreCut(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	long := "https://" + strings.Repeat("a.", 300) + "example"
	next, err := r.reload("origins: [" + long + "]\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := next.Applied[0]; got.Old != `""` || len(got.New) > valueShown+len("…") || !strings.HasPrefix(got.New, "https://a.") || !strings.HasSuffix(got.New, ".example") {
		t.Errorf("shown as %s", got)
	}
}

// A reload reads what odind may not have written yet: the file may be gone for
// a moment, or be something else by now.
func TestReloadOfAFileThatIsGone(t *testing.T) {
	t.Parallel()
	r := start(t, "workers: 2\n")
	if err := os.Remove(r.in.File); err != nil {
		t.Fatal(err)
	}
	_, err := Reload(r.in, r.inForce)
	wantProblems(t, err, r.in.File+": can't be read: no such file or directory, allowed: a readable file")
	if r.inForce.Limits.StopOver != 5*time.Second {
		t.Error("something changed")
	}
}
