package kafka

import (
	"context"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Limits of a connection to a broker.
const (
	dialTimeout    = 5 * time.Second
	requestTimeout = 10 * time.Second // beyond what the broker was told to wait
	idleTimeout    = time.Minute
	askTimeout     = 3 * time.Second // for one try of what has a small answer

	// responseBytesMax is the largest response that is read: a broker sends a
	// batch that is larger than all that was asked for, rather than none.
	responseBytesMax = 512 << 20
)

// newClient makes one of franz-go's two sets of connections, for all but the
// fetches. What to fetch, and what an answer means, is decided here (see doc.go
// for why).
func (o *Options) newClient(l *login) (*kgo.Client, error) {
	opts := []kgo.Opt{
		kgo.SeedBrokers(o.Brokers...),
		kgo.ClientID(o.ClientID),
		kgo.WithLogger(clientLog{o.Log}),
		kgo.DisableClientMetrics(),
		kgo.DialTimeout(dialTimeout),
		kgo.RequestTimeoutOverhead(requestTimeout),
		kgo.ConnIdleTimeout(idleTimeout),
		kgo.BrokerMaxReadBytes(responseBytesMax),
		kgo.RetryBackoffFn(delay),
		kgo.RequestRetries(3),
		kgo.RetryTimeout(requestTimeout),
		kgo.MetadataMinAge(100 * time.Millisecond),
	}
	if o.TLS != nil {
		opts = append(opts, kgo.DialTLSConfig(o.TLS))
	}
	if o.SASL != nil {
		m, err := l.mechanism()
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.SASL(m))
	}
	return kgo.NewClient(opts...)
}

// clientLog lets franz-go speak at debug level only: what it reports is
// reported once more from here, when it begins and when it ends.
type clientLog struct{ log *slog.Logger }

func (l clientLog) Level() kgo.LogLevel {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		return kgo.LogLevelDebug
	}
	return kgo.LogLevelNone
}

func (l clientLog) Log(_ kgo.LogLevel, msg string, keyvals ...any) {
	l.log.Debug("kgo: "+msg, keyvals...)
}
