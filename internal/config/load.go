package config

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/odin-ws/odin/internal/event"
	"go.yaml.in/yaml/v4"
)

const workersMax = event.MaxSlots

// FileFlag is the flag that names the file.
const FileFlag = "config"

// DefaultFile is read when it exists and no other file is named.
const DefaultFile = "/etc/odin/odin.yaml"

// Input is everything that a configuration is made of.
type Input struct {
	Flags         map[string]string // flags that were given, by name without dashes
	Env           []string          // as os.Environ
	File          string            // of FileFlag; "": ODIN_CONFIG, else DefaultFile when it exists
	NoDefaultFile bool              // odind demo reads none
	Ignore        []string          // keys, and sections that end in a dot, of which only the defaults count
	Host          Host              // defaults that depend on the machine
}

// Origins says for every key where its value came from: OriginDefault, a
// variable's name, a flag with its dashes, or file:line:column.
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
	l.computed()
	l.password()
	if problems := check(&l.config, l.origins, l.problems); len(problems) > 0 {
		return &l.config, l.origins, problems
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

// mistakesMax is how many mistakes of one source are told one by one: what has
// more of them is no configuration.
const mistakesMax = 100

// problemShown is how many bytes of a key or of a mistake are told: a value may
// be as large as the file.
const problemShown = 600

func (l *loader) add(wrongs []wrong, at func(*yaml.Node) string) {
	for i, w := range wrongs {
		if i == mistakesMax {
			l.problems = append(l.problems, Problem{Place: at(w.node), What: "more mistakes from here on, allowed: mend those above first"})
			return
		}
		l.problems = append(l.problems, Problem{Place: at(w.node), Key: brief(w.key, problemShown), What: brief(w.what, problemShown)})
	}
}

// text sets one key from a text that has a name for a place.
func (l *loader) text(k Key, text, place string) {
	n, err := node(k, text)
	if err != nil || n == nil {
		l.problems = append(l.problems, Problem{Place: place, Key: k.Name, What: "is no list, " + routesRight})
		return
	}
	l.origins[k.Name] = place
	l.add(k.set(&l.config, n), func(*yaml.Node) string { return place })
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
	path, named := l.in.File, "--"+FileFlag
	if given, ok := l.in.Flags[FileFlag]; ok && given == "" {
		l.problems = append(l.problems, Problem{Place: named, What: "names no file, allowed: a readable file; leave the flag out for the default"})
		return
	}
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
		l.problems = append(l.problems, syntax(path, data, err))
		return
	}
	if root == nil {
		return
	}
	at := func(n *yaml.Node) string {
		return path + ":" + strconv.Itoa(max(n.Line, 1)) + ":" + strconv.Itoa(max(n.Column, 1))
	}
	wrongs := shape("", root, 0)
	unknown := section("", root, l.table, func(k Key, n *yaml.Node) {
		if k.Kind == Hidden {
			wrongs = append(wrongs, wrong{n, k.Name, "must not stand in the file, allowed: " + k.Env() + ", or kafka.sasl.password_file"})
			return
		}
		if !l.ignored(k) {
			l.origins[k.Name] = at(n)
			wrongs = append(wrongs, k.set(&l.config, n)...)
		}
	})
	wrongs = append(wrongs, unknown...)
	slices.SortStableFunc(wrongs, func(a, b wrong) int {
		return cmp.Or(cmp.Compare(a.node.Line, b.node.Line), cmp.Compare(a.node.Column, b.node.Column))
	})
	l.add(wrongs, at)
}

func (l *loader) environment() {
	for _, k := range l.table {
		if l.ignored(k) {
			continue
		}
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

func (l *loader) ignored(k Key) bool {
	return slices.ContainsFunc(l.in.Ignore, func(name string) bool {
		return name == k.Name || strings.HasSuffix(name, ".") && strings.HasPrefix(k.Name, name)
	})
}
