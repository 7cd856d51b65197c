// Package config turns flags, environment and one YAML file into the Config
// that every process of Odin runs with.
//
// One table (Keys) describes every key: name, variable, flag, aliases,
// default, kind, bounds, help, why, and whether a reload may change it. It
// drives parsing, validation, `odind check` and docs/CONFIGURATION.md; a key
// that is not in the table does not exist.
//
// A flag beats a variable, which beats the file, which beats the default.
// Load reports all mistakes at once, each with its place (file:line:column,
// or the name of the variable or flag), and never a secret. Reload does the
// same for a running odind, and makes of old and new what can be in force
// without a restart.
//
// The package owns no goroutine, no lock and no state. It reads files only
// in Load (the configuration and those that it names) and Detect (what the
// host allows).
package config
