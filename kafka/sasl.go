package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// SASL mechanisms.
const (
	Plain       = "PLAIN"
	ScramSHA256 = "SCRAM-SHA-256"
	ScramSHA512 = "SCRAM-SHA-512"
)

// ErrSASL is a login that can't work, wrapped with why.
var ErrSASL = errors.New("kafka: sasl")

// SASL is how to log in. However it is printed or logged, the password isn't
// part of it.
type SASL struct {
	Mechanism string // Plain, ScramSHA256 or ScramSHA512
	User      string
	Password  string
}

// String leaves the password out.
func (s SASL) String() string { return s.Mechanism + " " + s.User }

// GoString leaves the password out.
func (s SASL) GoString() string { return s.String() }

// LogValue leaves the password out.
func (s SASL) LogValue() slog.Value { return slog.StringValue(s.String()) }

// login is how to log in from now on; nobody has to, while it is nil. A
// connection that is open stays so.
type login struct{ atomic.Pointer[SASL] }

func newLogin(s *SASL) *login {
	l := &login{}
	l.Store(s)
	return l
}

// mechanism is what franz-go asks for user and password at each login.
func (l *login) mechanism() (sasl.Mechanism, error) {
	s := l.Load()
	if s.User == "" || s.Password == "" {
		return nil, fmt.Errorf("%w: %s needs a user and a password", ErrSASL, s.Mechanism)
	}
	switch s.Mechanism {
	case Plain:
		return plain.Plain(func(context.Context) (plain.Auth, error) {
			s := l.Load()
			return plain.Auth{User: s.User, Pass: s.Password}, nil
		}), nil
	case ScramSHA256:
		return scram.Sha256(l.scram), nil
	case ScramSHA512:
		return scram.Sha512(l.scram), nil
	}
	return nil, fmt.Errorf("%w: mechanism %q is none of %s, %s, %s", ErrSASL, s.Mechanism, Plain, ScramSHA256, ScramSHA512)
}

func (l *login) scram(context.Context) (scram.Auth, error) {
	s := l.Load()
	return scram.Auth{User: s.User, Pass: s.Password}, nil
}

// hint adds what an error may mean: some brokers end the connection of one
// whose login they refuse, without a word.
func (l *login) hint(err error) error {
	if s := l.Load(); s != nil && errors.Is(err, io.EOF) {
		return fmt.Errorf("%w (the broker may refuse the login of %s by %s)", err, s.User, s.Mechanism)
	}
	return err
}
