package config

import (
	"errors"
	"io/fs"
	"os"
	"strconv"

	"github.com/odin-ws/odin/internal/event"
	"go.yaml.in/yaml/v3"
)

const workersMax = event.MaxSlots

// DefaultFile is read when it exists and no other file is named.
const DefaultFile = "/etc/odin/odin.yaml"

// Input is everything that a configuration is made of.
type Input struct {
	Flags         map[string]string // flags that were given, by name without dashes
	Env           []string          // as os.Environ
	File          string            // --config; "": ODIN_CONFIG, else DefaultFile when it exists
	NoDefaultFile bool              // odind demo reads none
	Fixed         map[string]string // keys that nothing may change, by name; their origin is FixedBy
	FixedBy       string            // "demo"
	Host          Host              // defaults that depend on the machine
}

// Origins says for every key where its value came from: "default", a
// variable's name, a flag, file:line:column, or Input.FixedBy.
type Origins map[string]string

// OriginDefault is the origin of a value that nobody gave.
const OriginDefault = "default"

// Load makes the configuration. The error is of type Problems and holds all
// mistakes; the Config is complete even then, but must not be run with.
func Load(in Input) (*Config, Origins, error) {
	l := loader{in: in, table: Keys(), env: environment(in.Env), origins: Origins{}}
	l.defaults()
	l.file()
	l.environment()
	l.flags()
	l.fixed()
	l.computed()
	l.password()
	if len(l.problems) == 0 {
		l.problems = check(&l.config, l.origins)
	}
	if len(l.problems) > 0 {
		return &l.config, l.origins, l.problems
	}
	return &l.config, l.origins, nil
}

// Default is the configuration of an empty Input on the given host.
func Default(h Host) Config {
	c, _, _ := Load(Input{NoDefaultFile: true, Host: h})
	return *c
}

// loader goes through the sources from the weakest to the strongest; each
// overwrites what the ones before it set.
type loader struct {
	in       Input
	table    []Key
	env      map[string]string
	config   Config
	origins  Origins
	problems Problems
}

// put sets one key and keeps its mistakes, placed by at.
func (l *loader) put(k Key, n *yaml.Node, origin string, at func(*yaml.Node) string) {
	l.origins[k.Name] = origin
	l.add(k.set(&l.config, n), at)
}

func (l *loader) add(wrongs []wrong, at func(*yaml.Node) string) {
	for _, w := range wrongs {
		l.problems = append(l.problems, Problem{Place: at(w.node), Key: w.key, What: w.what})
	}
}

// text sets one key from a text that has a name for a place.
func (l *loader) text(k Key, text, place string) {
	at := func(*yaml.Node) string { return place }
	n, err := node(k, text)
	if err != nil || n == nil {
		l.problems = append(l.problems, Problem{Place: place, Key: k.Name, What: "is no list, allowed: a list like [{topic: odin.trades, event: trade}]"})
		return
	}
	l.put(k, n, place, at)
}

func (l *loader) defaults() {
	for _, k := range l.table {
		l.origins[k.Name] = OriginDefault
		if k.Auto == "" && (k.Default != "" || k.Kind == OriginList) {
			l.text(k, k.Default, OriginDefault)
		}
	}
}

// computed fills in what nobody gave and what depends on other keys.
func (l *loader) computed() {
	for _, k := range l.table {
		if k.auto != nil && l.origins[k.Name] == OriginDefault {
			l.text(k, k.auto(l.in.Host, &l.config), OriginDefault)
		}
	}
}

// file reads the file that the flag, else the variable names, else the
// default one.
func (l *loader) file() {
	path, named := l.in.File, "--config"
	if path == "" {
		path, named = l.env[EnvFile], EnvFile
	}
	if path == "" && !l.in.NoDefaultFile {
		path, named = DefaultFile, ""
	}
	if path == "" {
		return
	}
	data, err := readFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && named == "":
	case err != nil:
		l.problems = append(l.problems, Problem{Place: path, What: cannotRead(err)})
	default:
		l.yaml(path, data)
	}
}

// cannotRead words a failure without the path, which stands before it.
func cannotRead(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	return "can't be read: " + err.Error() + ", allowed: a readable file"
}

// yaml takes the keys of the file's text.
func (l *loader) yaml(path string, data []byte) {
	root, err := document(data)
	if err != nil {
		l.problems = append(l.problems, syntax(path, err))
		return
	}
	if root == nil {
		return
	}
	at := func(n *yaml.Node) string {
		return path + ":" + strconv.Itoa(max(n.Line, 1)) + ":" + strconv.Itoa(max(n.Column, 1))
	}
	l.add(shape(root, 0), at)
	l.add(section("", root, l.table, func(k Key, n *yaml.Node) {
		if k.Kind == Hidden {
			l.add([]wrong{{n, k.Name, "must not stand in the file, allowed: " + k.Env() + ", or kafka.sasl.password_file"}}, at)
			return
		}
		l.put(k, n, at(n), at)
	}), at)
}

func (l *loader) environment() {
	for _, k := range l.table {
		name, value, problems := fromEnv(k, l.env)
		l.problems = append(l.problems, problems...)
		if name != "" {
			l.text(k, value, name)
		}
	}
	l.problems = append(l.problems, strangers(l.table, l.env)...)
}

func (l *loader) flags() {
	for _, k := range l.table {
		if value, ok := l.in.Flags[k.Flag]; ok && k.Flag != "" {
			l.text(k, value, "--"+k.Flag)
		}
	}
}

func (l *loader) fixed() {
	for _, k := range l.table {
		if value, ok := l.in.Fixed[k.Name]; ok {
			l.text(k, value, l.in.FixedBy)
		}
	}
}

// password reads the secret's file; both a file and a variable are a
// mistake, because one of them would be ignored.
func (l *loader) password() {
	sasl := &l.config.Kafka.SASL
	if sasl.PasswordFile == "" {
		return
	}
	const key = "kafka.sasl.password_file"
	place := l.origins[key]
	if sasl.Password.IsSet() {
		l.problems = append(l.problems, Problem{Place: place, Key: key, What: "there is " + l.origins["kafka.sasl.password"] + " too, allowed: one of them"})
		return
	}
	data, err := os.ReadFile(sasl.PasswordFile)
	if err != nil {
		l.problems = append(l.problems, Problem{Place: place, Key: key, What: sasl.PasswordFile + " " + cannotRead(err)})
		return
	}
	sasl.Password = NewSecret(trimLineEnd(string(data)))
	if !sasl.Password.IsSet() {
		l.problems = append(l.problems, Problem{Place: place, Key: key, What: sasl.PasswordFile + " is empty, allowed: the password and one line end"})
	}
}
