package config

import (
	"fmt"
	"io"
	"strings"
)

const pageHead = `# Configuration

<!-- Generated from the table in internal/config: go test ./internal/config -run Page -update -->

Odin reads one YAML file: ` + "`--config FILE`" + `, else the one that ` + "`ODIN_CONFIG`" + ` names, else ` + "`" + DefaultFile + "`" + ` when it exists
(` + "`odind demo`" + ` reads no default file). Every key is also a variable, the usual ones are flags too.
A flag beats a variable, which beats the file, which beats the default; an empty variable counts as not set.

All mistakes are reported at once, on standard error, and nothing is started (exit code 2):

    odin.yaml:2:10: workers: 0 is out of range, allowed: 1 to 128
    ODIN_LISTN: unknown variable, allowed: those of docs/CONFIGURATION.md, did you mean "ODIN_LISTEN"?

` + "`odind check`" + ` does just that, and prints the effective configuration with the origin of each value. Two servers with the same
` + "`config_digest`" + ` in ` + "`odinctl status --json`" + ` run with the same configuration (secrets left out).

- Nested keys are nested in the file: ` + "`kafka: {brokers: [\"k1:9092\", \"k2:9092\"]}`" + `. In a variable or a flag, a list is separated by commas.
- Bytes are a number, or one with ` + "`KiB`, `MiB`, `GiB`" + `. Times are a number of the unit in the key's name, or one with its own: ` + "`5s`, `2m`" + `.
- Secrets come from a file or the environment, never from the YAML file or a flag, and are printed nowhere.
- ` + "`odinctl reload`" + `, and HUP, read all of it anew, from the same flags, variables and file. A mistake anywhere changes nothing. The column
  *reload* says what becomes of a new value: **yes**, it is in force at once; **new clients**, for connections that come then; – it needs
  a restart, and until then the old value stays in force, which ` + "`odinctl reload` and `odinctl status`" + ` say.
- Variables of the system that Odin replaces are taken as aliases: the ` + "`ODIN_…`" + ` variable beats them, and two that differ are an error.

` + "`odind demo`" + ` takes the same flags but ` + "`--brokers`" + `, ignores the keys of brokers, SASL and TLS, and adds ` + "`--rate N`" + ` (10 events a second: at least
N/3 for trades and N/10 for each of the seven other topics, so 31/30 of N in all; 0: none), ` + "`--seed N`" + ` (the same N, the same events) and
` + "`--broker-listen HOST:PORT`" + ` (127.0.0.1:9092; port 0 picks one).

An example; every key has a default, so the empty file is a good one:

` + "```yaml" + `
listen: ":3001"
kafka:
  brokers: ["kafka-1:9092", "kafka-2:9092"]
  start: 15m
  sasl: {mechanism: SCRAM-SHA-512, user: odin, password_file: /etc/odin/password}
  tls: {enabled: true, ca_file: /etc/odin/ca.pem}
origins: ["https://app.example.com"]
routes:
  - {topic: odin.trades, channel: "{key}.trade"}
  - {topic: odin.balances, channel: "{header:account}.balances", class: critical}
  - {topic: odin.prices, channel: "{key}.price", slow: conflate}
limits:
  history_bytes_max: 512MiB
` + "```" + `

A route maps one topic to channels ` + "`SUBJECT.EVENT`" + `. ` + "`channel`" + ` is a template that says where the subject comes from: ` + "`{key}.EVENT`" + `,
` + "`{header:NAME}.EVENT`" + ` or ` + "`{json:PATH}.EVENT`" + `. ` + "`slow`" + ` says what happens to a session that is owed more than
` + "`limits.owed_bytes_max`" + ` because it reads too slowly: ` + "`close`" + ` (the default) closes it with 4000; ` + "`drop`" + ` drops its oldest records;
` + "`conflate`" + ` keeps only the newest record of each channel. What was dropped is announced to the client (` + "`gap`" + `). ` + "`class`" + ` decides what goes
first: records of ` + "`normal`" + ` routes (the default), then those of ` + "`high`" + ` ones; those of ` + "`critical`" + ` ones are never dropped, whatever
` + "`slow`" + ` says: where no others are left, the session is closed.
`

// pageSections are the headings of the page and the keys below each.
func pageSections() []struct {
	title string
	keys  []Key
} {
	return []struct {
		title string
		keys  []Key
	}{
		{"Server", serverKeys()},
		{"Kafka and routes", kafkaKeys()},
		{"Compression", compressionKeys()},
		{"Limits of a session", sessionLimits()},
		{"Limits of a worker", workerLimits()},
		{"Limits of one turn of a worker's loop", turnLimits()},
		{"Limits of the supervisor", supervisorLimits()},
		{"When clients come back", retryLimits()},
		{"What is too much", healthLimits()},
	}
}

// Page writes docs/CONFIGURATION.md.
func Page(w io.Writer) error {
	var b strings.Builder
	b.WriteString(pageHead)
	for _, section := range pageSections() {
		b.WriteString("\n## " + section.title + "\n\n| key | variable, flag | default | allowed | reload | what, and why |\n|---|---|---|---|---|---|\n")
		for _, k := range section.keys {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", code(k.Name), k.pageNames(), k.pageDefault(), k.pageAllowed(), k.pageReload(), k.pageHelp())
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func code(text string) string { return "`" + text + "`" }

func (k Key) pageNames() string {
	names := []string{code(k.Env())}
	if k.Flag != "" {
		names = append(names, code("--"+k.Flag))
	}
	for _, alias := range k.Aliases {
		names = append(names, "*"+code(alias)+"*")
	}
	return strings.Join(names, ", ")
}

func (k Key) pageDefault() string {
	switch {
	case k.Auto != "":
		return k.Auto
	case k.Default != "":
		return code(k.Default)
	default:
		return "–"
	}
}

func (k Key) pageAllowed() string {
	switch k.Kind {
	case Bytes:
		return formatBytes(k.Min) + " to " + formatBytes(k.Max)
	case Number, Decimal, Milliseconds, Microseconds, Seconds:
		return fmt.Sprintf("%d to %d", k.Min, k.Max)
	case Choice:
		return strings.Trim(strings.Join(k.Choices, ", "), ", ")
	default:
		return kindWords()[k.Kind]
	}
}

func (k Key) pageReload() string {
	switch {
	case k.Reload == Live && k.With != "":
		return "with the same " + code(k.With)
	case k.Reload == Live:
		return "yes"
	case k.Reload == NewClients:
		return "new clients"
	default:
		return "–"
	}
}

func kindWords() map[Kind]string {
	return map[Kind]string{
		Text: "text", Address: "HOST:PORT or :PORT", Path: "a path", Switch: "true, false", StartAt: "end, start, a duration",
		Hidden: "a secret", AddressList: "list of HOST:PORT", OriginList: "list of SCHEME://HOST[:PORT]", RouteList: "list of {topic, channel, slow, class}",
	}
}

func (k Key) pageHelp() string {
	text := k.Help
	if k.Why != "" {
		text += ". " + strings.ToUpper(k.Why[:1]) + k.Why[1:]
	}
	return strings.ReplaceAll(text, "|", "\\|")
}
