package config

// compressionKeys say what is compressed for clients that can inflate it.
func compressionKeys() []Key {
	return []Key{
		{
			Name: "compression.enabled", Kind: Switch, Default: "false", Reload: NewClients,
			Help:  "agree on permessage-deflate (RFC 7692) with clients that offer it",
			Why:   "it saves bytes, not CPU: a record is compressed once for all of a worker's sessions, but every client must inflate it",
			field: func(c *Config) any { return &c.Compression.Enabled },
		},
		{
			Name: "compression.level", Kind: Number, Default: "1", Min: 1, Max: 9, Reload: Live,
			Help:  "1 is the fastest, 9 makes the smallest",
			Why:   "of a record of 1.5 KB, level 9 leaves one part in fourteen less than level 1, and takes four times as long",
			field: func(c *Config) any { return &c.Compression.Level },
		},
		{
			Name: "compression.min_bytes", Kind: Bytes, Default: "256", Min: 0, Max: 64 << 20, Reload: Live,
			Help:  "smaller records stay plain",
			Why:   "200 bytes of JSON become 155: both fit into one packet",
			field: func(c *Config) any { return &c.Compression.MinBytes },
		},
	}
}
