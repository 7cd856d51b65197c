package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/kafka"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Limits of publish.
const (
	reachMax   = 5 * time.Second  // for the first answer of a broker
	deliverMax = 15 * time.Second // for a record to be stored
)

// producer is a client that is not connected yet.
func producer(k config.Kafka) (*kgo.Client, error) {
	options := []kgo.Opt{
		kgo.SeedBrokers(k.Brokers...), kgo.ClientID(k.ClientID + "ctl"), kgo.DisableClientMetrics(),
		kgo.DialTimeout(reachMax), kgo.RecordDeliveryTimeout(deliverMax),
	}
	if k.TLS.Enabled {
		files := kafka.TLSFiles{CA: k.TLS.CAFile, Cert: k.TLS.CertFile, Key: k.TLS.KeyFile, ServerName: k.TLS.ServerName}
		tls, err := files.Config()
		if err != nil {
			return nil, err
		}
		options = append(options, kgo.DialTLSConfig(tls))
	}
	if k.SASL.Mechanism != "" {
		options = append(options, kgo.SASL(mechanism(k.SASL)))
	}
	return kgo.NewClient(options...)
}

func mechanism(s config.SASL) sasl.Mechanism {
	password := s.Password.Reveal()
	switch s.Mechanism {
	case kafka.ScramSHA256:
		return scram.Auth{User: s.User, Pass: password}.AsSha256Mechanism()
	case kafka.ScramSHA512:
		return scram.Auth{User: s.User, Pass: password}.AsSha512Mechanism()
	default: // the configuration knows no other
		return plain.Auth{User: s.User, Pass: password}.AsMechanism()
	}
}

// reach fails soon, and with the true reason, where producing would retry.
func reach(ctx context.Context, client *kgo.Client, brokers []string) error {
	ctx, cancel := context.WithTimeout(ctx, reachMax)
	defer cancel()
	if err := client.Ping(ctx); err != nil {
		return fmt.Errorf("reach the brokers %s: %w; --brokers or kafka.brokers names others", strings.Join(brokers, ","), err)
	}
	return nil
}
