package config

import "github.com/odin-ws/odin/internal/route"

func kafkaKeys() []Key {
	return []Key{
		{
			Name: "kafka.brokers", Flag: "brokers", Aliases: []string{"KAFKA_BROKERS"}, Kind: AddressList, Default: "127.0.0.1:9092",
			Help:  "brokers to ask first; the others are learnt from them",
			field: func(c *Config) any { return &c.Kafka.Brokers },
		},
		{
			Name: "kafka.start", Flag: "start", Kind: StartAt, Default: "end",
			Help:  "where reading begins when nobody has a position yet: end, start, or how far back (15m, 12h, 7d)",
			field: func(c *Config) any { return &c.Kafka.Start },
		},
		{
			Name: "kafka.client_id", Kind: Text, Default: "odin",
			Help:  "name that the brokers log Odin under",
			field: func(c *Config) any { return &c.Kafka.ClientID },
		},
		{
			Name: "kafka.group", Aliases: []string{"KAFKA_GROUP_ID", "KAFKA_CONSUMER_GROUP"}, Kind: Text, Reload: Live,
			Help: "consumer group that positions are written into, so that tools for lag show Odin; empty: none. It is never read, and nothing is assigned by it", Why: "Odin needs no group. One that has consumers of its own is left alone, and the log says so",
			field: func(c *Config) any { return &c.Kafka.Group },
		},
		{
			Name: "kafka.sasl.mechanism", Kind: Choice, Choices: []string{"", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"},
			Help:  "how Odin proves itself to the brokers; empty: not at all",
			field: func(c *Config) any { return &c.Kafka.SASL.Mechanism },
		},
		{
			Name: "kafka.sasl.user", Kind: Text, Reload: Live, With: "kafka.sasl.mechanism",
			Help:  "user name of the mechanism",
			field: func(c *Config) any { return &c.Kafka.SASL.User },
		},
		{
			Name: "kafka.sasl.password", Kind: Hidden, Reload: Live, With: "kafka.sasl.mechanism",
			Help: "password, from the environment alone", Why: "a file that is shown around and kept in git is no place for it",
			field: func(c *Config) any { return &c.Kafka.SASL.Password },
		},
		{
			Name: "kafka.sasl.password_file", Kind: Path, Reload: Live, With: "kafka.sasl.mechanism",
			Help:  "file that holds the password; one line end at its end is dropped",
			field: func(c *Config) any { return &c.Kafka.SASL.PasswordFile },
		},
		{
			Name: "kafka.tls.enabled", Kind: Switch, Default: "false",
			Help:  "speak TLS with the brokers",
			field: func(c *Config) any { return &c.Kafka.TLS.Enabled },
		},
		{
			Name: "kafka.tls.ca_file", Kind: Path,
			Help:  "PEM file of the authorities to trust; empty: the system's",
			field: func(c *Config) any { return &c.Kafka.TLS.CAFile },
		},
		{
			Name: "kafka.tls.cert_file", Kind: Path,
			Help:  "PEM file of Odin's own certificate, with kafka.tls.key_file",
			field: func(c *Config) any { return &c.Kafka.TLS.CertFile },
		},
		{
			Name: "kafka.tls.key_file", Kind: Path,
			Help:  "PEM file of that certificate's key",
			field: func(c *Config) any { return &c.Kafka.TLS.KeyFile },
		},
		{
			Name: "kafka.tls.server_name", Kind: Text,
			Help:  "name that the brokers' certificates must bear; empty: the host connected to",
			field: func(c *Config) any { return &c.Kafka.TLS.ServerName },
		},
		{
			Name: "routes", Kind: RouteList, Auto: "the eight odin.* topics, by key", auto: func(Host, *Config) string { return formatRoutes(defaultRoutes()) },
			Help:  "which topic goes to which channels: a list of {topic, channel, slow, class}",
			field: func(c *Config) any { return &c.Routes },
		},
	}
}

func defaultRoutes() (routes []Route) {
	for _, r := range route.Default() {
		routes = append(routes, Route{Topic: r.Topic, Channel: r.Channel(), Slow: r.Slow.String(), Class: r.Class.String()})
	}
	return routes
}
