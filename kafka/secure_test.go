package kafka

import (
	"crypto/tls"
	"encoding/base64"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/kafkatest"
)

func TestLogins(t *testing.T) {
	const user, password = "odin", "draupnir"
	for _, mechanism := range []string{Plain, ScramSHA256, ScramSHA512} {
		t.Run(mechanism, func(t *testing.T) {
			c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"), kfake.EnableSASL(), kfake.Superuser(mechanism, user, password))
			login := SASL{Mechanism: mechanism, User: user, Password: password}
			m, err := newLogin(&login).mechanism()
			if err != nil {
				t.Fatal(err)
			}
			produceN(t, client(t, c.ListenAddrs(), kgo.SASL(m)), tee, 0, 3)
			s := open(t, Options{Brokers: c.ListenAddrs(), SASL: &login, Topics: []string{"t"}})
			k := drink(t, s)
			k.assign(tee, Tag{}, 0, event.NoEpoch)
			numbers(t, k.untilTo(0, 2).values(), 0, 3)
			if rs, _, err := s.Range(t.Context(), tee, anything, 0, 2, RangeLimit{}); err != nil || len(rs) != 3 {
				t.Errorf("range: %d records, %v", len(rs), err)
			}
			login.Password = "hringhorni"
			s = open(t, Options{Brokers: c.ListenAddrs(), SASL: &login, Topics: []string{"t"}})
			eventually(t, "told that the login fails", func() bool {
				ok, why := s.Health()
				if strings.Contains(why, "hringhorni") {
					t.Fatal("the password is told")
				}
				return !ok && strings.Contains(why, "login of odin")
			})
		})
	}
}

// No level of the log has a password, nor has what the client of the library
// says of itself, whether the login is taken or not.
func TestPasswordsAreNotLogged(t *testing.T) {
	const user, password = "odin", "draupnir"
	for _, mechanism := range []string{Plain, ScramSHA256} {
		var out lines
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		c := cluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "t"), kfake.EnableSASL(), kfake.Superuser(mechanism, user, password))
		for _, try := range []string{password, "hringhorni"} {
			s := open(t, Options{Brokers: c.ListenAddrs(), SASL: &SASL{Mechanism: mechanism, User: user, Password: try}, Topics: []string{"t"}, Log: log})
			eventually(t, "the login is tried", func() bool {
				ok, why := s.Health()
				return ok || strings.Contains(why, "login of odin")
			})
			s.Close()
		}
		text := out.String()
		for _, secret := range []string{password, "hringhorni", base64.StdEncoding.EncodeToString([]byte(password))} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: the log has %q", mechanism, secret)
			}
		}
		if !strings.Contains(text, "level=DEBUG") {
			t.Errorf("%s: nothing is logged", mechanism)
		}
	}
}

// lines is a log that several goroutines write to.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestMutualTLS(t *testing.T) {
	pki := kafkatest.NewPKI(t)
	c := cluster(t, kfake.NumBrokers(2), kfake.SeedTopics(2, "t"), kfake.TLS(pki.Server()))
	produceN(t, client(t, c.ListenAddrs(), kgo.DialTLSConfig(pki.Client())), tee, 0, 3)
	ca, cert, key := pki.ClientFiles()
	whole, err := TLSFiles{CA: ca, Cert: cert, Key: key}.Config()
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, Options{Brokers: c.ListenAddrs(), TLS: whole, Topics: []string{"t"}})
	k := drink(t, s)
	k.assign(tee, Tag{}, 0, event.NoEpoch)
	numbers(t, k.untilTo(0, 2).values(), 0, 3)
	if rs, _, err := s.Range(t.Context(), tee, anything, 0, 2, RangeLimit{}); err != nil || len(rs) != 3 {
		t.Errorf("range: %d records, %v", len(rs), err)
	}
	anonymous, err := TLSFiles{CA: ca}.Config()
	if err != nil {
		t.Fatal(err)
	}
	for name, config := range map[string]*tls.Config{"no certificate": anonymous, "unknown authority": {MinVersion: tls.VersionTLS12}, "plain text": nil} {
		s := open(t, Options{Brokers: c.ListenAddrs(), TLS: config, Topics: []string{"t"}})
		eventually(t, name+" is told", func() bool {
			ok, why := s.Health()
			return !ok && !strings.Contains(why, errNotYet.Error())
		})
		t.Logf("%s: %s", name, reason(s))
	}
}
