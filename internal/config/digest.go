package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
)

// Redacted returns a copy that may be shown: a secret that is set has become
// a placeholder.
func (c Config) Redacted() Config {
	if c.Kafka.SASL.Password.IsSet() {
		c.Kafka.SASL.Password = NewSecret(redacted)
	}
	return c
}

// String is the redacted configuration as JSON.
func (c Config) String() string { return shown(c.Redacted()) }

// LogValue is String: the plain JSON of a Config would hold the secret.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// LogValue keeps the secret out, as Config's does.
func (k Kafka) LogValue() slog.Value {
	return slog.StringValue(shown(Config{Kafka: k}.Redacted().Kafka))
}

// LogValue keeps the secret out, as Config's does.
func (s SASL) LogValue() slog.Value { return Kafka{SASL: s}.LogValue() }

func shown(redacted any) string {
	data, err := json.Marshal(redacted)
	if err != nil {
		return "config: " + err.Error()
	}
	return string(data)
}

// digestBytes is how much of the hash is shown.
const digestBytes = 6

// Digest is a short hash of the effective configuration without its secrets:
// equal digests mean equal configurations.
func (c Config) Digest() string {
	sum := sha256.Sum256([]byte(c.String()))
	return hex.EncodeToString(sum[:digestBytes])
}
