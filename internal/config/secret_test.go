package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const hunter2 = "hunter2-very-secret"

func secretive(t *testing.T) *Config {
	t.Helper()
	c, _ := load(t, Input{Env: []string{
		"ODIN_KAFKA_SASL_MECHANISM=PLAIN", "ODIN_KAFKA_SASL_USER=u", "ODIN_KAFKA_SASL_PASSWORD=" + hunter2,
	}})
	if c.Kafka.SASL.Password.Reveal() != hunter2 {
		t.Fatal("the secret is not there")
	}
	return c
}

// holder keeps a configuration where fmt can't call its methods.
type holder struct{ hidden any }

func TestNoVerbPrintsTheSecret(t *testing.T) {
	t.Parallel()
	c := secretive(t)
	for _, value := range []any{
		*c, c, c.Kafka, &c.Kafka, c.Kafka.SASL, &c.Kafka.SASL, c.Kafka.SASL.Password, &c.Kafka.SASL.Password,
		[]Config{*c},
		map[string]Secret{"a": c.Kafka.SASL.Password},
		holder{*c},
		&holder{c},
		holder{c.Kafka.SASL.Password},
		struct{ Secret }{c.Kafka.SASL.Password},
		c.Redacted(),
	} {
		for _, verb := range strings.Fields("%v %+v %#v %s %q %x %X %d %b %o %O %c %U %e %g %t %p %T % x %#x %10s %-5v %#q") {
			text := fmt.Sprintf(verb, value)
			hex := fmt.Sprintf("%x", hunter2)
			if strings.Contains(text, hunter2) || strings.Contains(strings.ToLower(text), hex) || strings.Contains(text, "104 117 110") {
				t.Errorf("%s of %T prints the secret: %s", verb, value, text)
			}
		}
	}
}

func TestNoLoggerPrintsTheSecret(t *testing.T) {
	t.Parallel()
	c := secretive(t)
	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		log := slog.New(handler)
		for _, value := range []any{*c, c, c.Kafka, c.Kafka.SASL, c.Kafka.SASL.Password, c.Redacted()} {
			log.Info("value", "v", value, slog.Group("g", "v", value))
			log.Error(fmt.Sprint(value), "err", fmt.Errorf("of %v", value))
		}
	}
	if strings.Contains(out.String(), hunter2) {
		t.Errorf("a logger prints the secret:\n%s", out.String())
	}
	if !strings.Contains(out.String(), redacted) {
		t.Error("nothing stands for the secret")
	}
}

func TestReportAndDigestHideTheSecret(t *testing.T) {
	t.Parallel()
	c := secretive(t)
	var out bytes.Buffer
	if err := Report(&out, *c, Origins{}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), hunter2) || !strings.Contains(out.String(), redacted) {
		t.Errorf("report:\n%s", out.String())
	}
	other := *c
	other.Kafka.SASL.Password = NewSecret("another")
	if c.Digest() != other.Digest() {
		t.Error("the digest tells secrets apart")
	}
	other.Kafka.SASL.User = "v"
	if len(c.Digest()) != 12 || c.Digest() == other.Digest() {
		t.Errorf("digests %s and %s", c.Digest(), other.Digest())
	}
	if c.Kafka.SASL.Password.Reveal() != hunter2 {
		t.Error("redacting a copy changed the original")
	}
}

func TestMistakesHideTheSecret(t *testing.T) {
	t.Parallel()
	_, _, err := Load(Input{NoDefaultFile: true, Host: host(), Env: []string{
		"ODIN_KAFKA_SASL_PASSWORD=" + hunter2, "ODIN_KAFKA_SASL_PASSWORD_FILE=/nowhere", "ODIN_KAFKA_SASL_PASSWRD=" + hunter2,
	}})
	wantProblems(t, err,
		`ODIN_KAFKA_SASL_PASSWRD: unknown variable, allowed: those of docs/CONFIGURATION.md, did you mean "ODIN_KAFKA_SASL_PASSWORD"?`,
		`ODIN_KAFKA_SASL_PASSWORD_FILE: kafka.sasl.password_file: ODIN_KAFKA_SASL_PASSWORD is given too, allowed: one of them`)
}

func TestPasswordFile(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"pw": "pw", "pw\n": "pw", "pw\r\n": "pw", "pw\n\n": "pw\n", " pw ": " pw "} {
		path := writeFile(t, "password", text)
		c, _ := load(t, Input{Env: []string{"ODIN_KAFKA_SASL_MECHANISM=scram-sha-512", "ODIN_KAFKA_SASL_USER=u", "ODIN_KAFKA_SASL_PASSWORD_FILE=" + path}})
		if got := c.Kafka.SASL.Password.Reveal(); got != want || c.Kafka.SASL.Mechanism != "SCRAM-SHA-512" {
			t.Errorf("%q: password %q, mechanism %q", text, got, c.Kafka.SASL.Mechanism)
		}
	}
	for _, text := range []string{"", "\n", strings.Repeat("x", passwordMax+1)} {
		path := writeFile(t, "password", text)
		_, _, err := Load(Input{NoDefaultFile: true, Host: host(), Env: []string{"ODIN_KAFKA_SASL_PASSWORD_FILE=" + path}})
		wantProblems(t, err, "ODIN_KAFKA_SASL_PASSWORD_FILE: kafka.sasl.password_file: "+path+" has no password of 1 to 1024 bytes, allowed: the password and one line end")
	}
}

func TestSecretJSON(t *testing.T) {
	t.Parallel()
	var s Secret
	for text, fine := range map[string]bool{`"a"`: true, `""`: true, `1`: false, `{"a":"` + hunter2 + `"}`: false} {
		err := json.Unmarshal([]byte(text), &s)
		if (err == nil) != fine || err != nil && strings.Contains(err.Error(), hunter2) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if s = NewSecret(""); s.IsSet() || s.String() != "" || s.Reveal() != "" {
		t.Error("an empty secret is one")
	}
}

func TestRedactedCopyHoldsThePlaceholder(t *testing.T) {
	t.Parallel()
	if got := secretive(t).Redacted().Kafka.SASL.Password.Reveal(); got != redacted {
		t.Errorf("redacted: %q", got)
	}
	if got := Default(host()).Redacted().Kafka.SASL.Password; got.IsSet() {
		t.Error("redacting made up a secret")
	}
}
