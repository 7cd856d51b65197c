package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// loginShare of a login's life is used; behind it the link is opened anew.
const loginShare = 0.9

// loginRounds bounds how often a broker may ask back.
const loginRounds = 16

// greet learns which versions of each request the broker knows.
func (k *link) greet() error {
	req, resp := kmsg.NewPtrApiVersionsRequest(), kmsg.NewPtrApiVersionsResponse() // of version 0, which every broker knows
	if err := k.ask(req, resp, requestTimeout); err != nil {
		return err
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return err
	}
	k.versions = make(map[int16]int16, len(resp.ApiKeys))
	for _, v := range resp.ApiKeys {
		k.versions[v.ApiKey] = v.MaxVersion
	}
	if newest := k.versions[kmsg.Fetch.Int16()]; newest < fetchOldest {
		return fmt.Errorf("the broker knows fetches up to version %d, and Odin from %d (Kafka 0.11) on", newest, fetchOldest)
	}
	return nil
}

// logIn shows who we are.
func (k *link) logIn(ctx context.Context, addr string, l *login) error {
	m, err := l.mechanism()
	if err != nil {
		return err
	}
	if err := k.choose(m.Name()); err != nil {
		return err
	}
	session, say, err := m.Authenticate(ctx, addr)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSASL, err)
	}
	for range loginRounds {
		heard, err := k.prove(say)
		if err != nil {
			return err
		}
		var done bool
		if done, say, err = session.Challenge(heard); err != nil {
			return fmt.Errorf("%w: %w", ErrSASL, err)
		}
		if done {
			return nil
		}
	}
	return fmt.Errorf("%w: no end after %d rounds", ErrSASL, loginRounds)
}

// choose names the mechanism.
func (k *link) choose(mechanism string) error {
	req, resp := kmsg.NewPtrSASLHandshakeRequest(), kmsg.NewPtrSASLHandshakeResponse()
	req.Mechanism, req.Version = mechanism, 1
	if err := k.ask(req, resp, requestTimeout); err != nil {
		return err
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return fmt.Errorf("%w: %s: %w; the broker has %v", ErrSASL, mechanism, err, resp.SupportedMechanisms)
	}
	return nil
}

// prove says one message of a login, and hears the broker's.
func (k *link) prove(say []byte) ([]byte, error) {
	req, resp := kmsg.NewPtrSASLAuthenticateRequest(), kmsg.NewPtrSASLAuthenticateResponse()
	req.SASLAuthBytes = say
	req.Version = k.version(req.Key(), 2)
	if err := k.ask(req, resp, requestTimeout); err != nil {
		return nil, err
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		if resp.ErrorMessage != nil {
			err = fmt.Errorf("%w: %s", err, *resp.ErrorMessage)
		}
		return nil, fmt.Errorf("%w: %w", ErrSASL, err)
	}
	if life := resp.SessionLifetimeMillis; life > 0 {
		k.until = time.Now().Add(time.Duration(float64(life)*loginShare) * time.Millisecond)
	}
	return resp.SASLAuthBytes, nil
}
