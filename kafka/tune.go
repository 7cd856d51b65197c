package kafka

import (
	"cmp"
	"time"
)

// Tuning is what may change while a Source reads. Its fields are those of
// Options; a zero one leaves things as they are.
type Tuning struct {
	FetchedBytesMax int
	MetadataRefresh time.Duration
	User, Password  string // of the logins to come; worth nothing where Options had no SASL
}

// Tune changes how the Source reads from now on. What is assigned goes on
// undisturbed, and so does what is connected. An error is of Options.
func (s *Source) Tune(t Tuning) error {
	o := s.o
	o.FetchedBytesMax = cmp.Or(t.FetchedBytesMax, int(s.fetchedMax.Load()))
	o.MetadataRefresh = cmp.Or(t.MetadataRefresh, time.Duration(s.metadataRefresh.Load()))
	if _, err := o.complete(); err != nil {
		return err
	}
	s.fetchedMax.Store(int64(o.FetchedBytesMax))
	s.metadataRefresh.Store(int64(o.MetadataRefresh))
	s.relogin(t.User, t.Password)
	s.wantMetadata() // a long wait for the next look would go on
	return nil
}

func (s *Source) relogin(user, password string) {
	old := s.login.Load()
	if old == nil || user == "" || password == "" {
		return
	}
	s.login.Store(&SASL{Mechanism: old.Mechanism, User: user, Password: password})
}

// decompressedMax bounds what one batch may unpack to.
func (s *Source) decompressedMax() int { return decompressedMax(int(s.fetchedMax.Load())) }

func decompressedMax(fetchedMax int) int { return 4 * fetchedMax }
