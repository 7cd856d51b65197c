package kafka

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestOptionsAreChecked(t *testing.T) {
	ok := Options{Brokers: []string{"127.0.0.1:1"}, Encode: encodePlain}
	with := func(change func(*Options)) Options { o := ok; change(&o); return o }
	for name, c := range map[string]struct {
		o    Options
		want error
	}{
		"no broker":  {with(func(o *Options) { o.Brokers = nil }), ErrNoBrokers},
		"no encoder": {with(func(o *Options) { o.Encode = nil }), ErrNoEncoder},
		"few bytes":  {with(func(o *Options) { o.FetchedBytesMax = 1000 }), ErrOptions},
		"refresh":    {with(func(o *Options) { o.MetadataRefresh = -1 }), ErrOptions},
		"mechanism":  {with(func(o *Options) { o.SASL = &SASL{"GSSAPI", "u", "p"} }), ErrSASL},
		"no user":    {with(func(o *Options) { o.SASL = &SASL{Plain, "", "p"} }), ErrSASL},
		"no secret":  {with(func(o *Options) { o.SASL = &SASL{ScramSHA512, "u", ""} }), ErrSASL},
	} {
		if s, err := Open(c.o); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
	full, err := ok.complete()
	if err != nil || full.ClientID != "odin" || full.FetchedBytesMax != 64<<20 || full.MetadataRefresh != 5*time.Second || full.Log == nil {
		t.Errorf("defaults: %+v, %v", full, err)
	}
}

func TestPasswordIsNeverPrinted(t *testing.T) {
	s := SASL{Mechanism: ScramSHA256, User: "odin", Password: "mimir"}
	o := Options{SASL: &s}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "sasl", s, "pointer", &s)
	for _, text := range []string{
		fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s", s, s, s, s), fmt.Sprintf("%v %+v %#v", &s, &s, &s),
		fmt.Sprintf("%+v", o), log.String(),
	} {
		if strings.Contains(text, "mimir") {
			t.Errorf("%q", text)
		}
	}
	if _, err := newLogin(&SASL{Mechanism: "X", User: "odin", Password: "mimir"}).mechanism(); err == nil || strings.Contains(err.Error(), "mimir") {
		t.Errorf("%v", err)
	}
}

func TestTLSFilesAreChecked(t *testing.T) {
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk.pem")
	if err := os.WriteFile(junk, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]TLSFiles{
		"missing":  {CA: filepath.Join(dir, "none.pem")},
		"junk":     {CA: junk},
		"half":     {Cert: junk},
		"bad pair": {Cert: junk, Key: junk},
	} {
		if c, err := f.Config(); !errors.Is(err, ErrTLS) {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
	c, err := TLSFiles{ServerName: "broker"}.Config()
	if err != nil || c.ServerName != "broker" || c.MinVersion < tls.VersionTLS12 || c.InsecureSkipVerify {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestParseStart(t *testing.T) {
	for text, want := range map[string]Start{"end": End(), "start": Beginning(), "15m": Ago(15 * time.Minute), "1h30m": Ago(90 * time.Minute)} {
		got, err := ParseStart(text)
		if err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
		if again, err := ParseStart(got.String()); err != nil || again != want {
			t.Errorf("%q printed as %q: %v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "End", "0s", "-5m", "15", "yesterday"} {
		if got, err := ParseStart(text); !errors.Is(err, ErrStart) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
