package config

import (
	"fmt"
	"reflect"
)

// Change is one key of which a reload found another value. Both are written
// as `odind check` writes them, a long one without its middle; secrets are
// placeholders, so a new password looks like the old one.
type Change struct {
	Key    string `json:"key"`    // dotted
	Old    string `json:"old"`    // in force until now
	New    string `json:"new"`    // what it says now
	Origin string `json:"origin"` // of New: a place as in Origins
}

// valueShown is how many bytes of a value are told.
const valueShown = 400

// String gives `key: old → new (origin)`.
func (c Change) String() string {
	return fmt.Sprintf("%s: %s → %s (%s)", c.Key, c.Old, c.New, c.Origin)
}

// Reloaded is what a new look at the sources of a running odind gave.
type Reloaded struct {
	Config    Config   // in force from now on: the old one with the new values that need no restart
	Applied   []Change // what is in force now
	Pending   []Change // what needs a restart; Old stays in force until then
	Unchanged int      // keys in force with the value that the sources give
}

// Finding is one thing that a reload found, as it travels to odinctl: one of
// the three.
type Finding struct {
	Applied *Change  `json:"applied,omitempty"`
	Restart *Change  `json:"restart,omitempty"` // needed for it
	Mistake *Problem `json:"mistake,omitempty"`
}

// Findings are all changes, those in force first.
func (r *Reloaded) Findings() (all []Finding) {
	for i := range r.Applied {
		all = append(all, Finding{Applied: &r.Applied[i]})
	}
	for i := range r.Pending {
		all = append(all, Finding{Restart: &r.Pending[i]})
	}
	return all
}

// Reload reads the sources of a running odind anew. in should be what Load
// was given at its start, and old what is in force. A mistake anywhere is an
// error of type Problems, and nothing is to change. What in.Ignore names keeps
// its old value.
func Reload(in Input, old Config) (*Reloaded, error) {
	wanted, origins, err := Load(in)
	if err != nil {
		return nil, err
	}
	l := loader{in: in, table: Keys(), origins: origins}
	r := &Reloaded{Config: *wanted}
	for _, k := range l.table {
		if l.ignored(k) {
			k.copy(wanted, &old)
		}
		if l.ignored(k) || l.waits(k, wanted, &old) {
			k.copy(&r.Config, &old)
		}
	}
	l.derive(&r.Config)
	for _, k := range l.table {
		r.compare(k, &old, wanted, origins[k.Name])
	}
	return r, nil
}

// waits tells whether a new value of the key needs a restart.
func (l *loader) waits(k Key, wanted, old *Config) bool {
	if k.Reload == Restart || k.With == "" {
		return k.Reload == Restart
	}
	for _, with := range l.table {
		if with.Name == k.With {
			return !with.same(wanted, old)
		}
	}
	return true
}

// derive computes the defaults that depend on other keys from what is in force
// of those.
func (l *loader) derive(c *Config) {
	for _, k := range l.table {
		if k.auto != nil && k.Reload != Restart && l.origins[k.Name] == OriginDefault {
			if n, err := node(k, k.auto(l.in.Host, c)); err == nil {
				k.set(c, n)
			}
		}
	}
}

// compare files a key: a new value may be in force, or wait, or, where it
// depends on one that waits, a part of each.
func (r *Reloaded) compare(k Key, old, wanted *Config, origin string) {
	applied, pending := !k.same(old, &r.Config), !k.same(&r.Config, wanted)
	if applied {
		r.Applied = append(r.Applied, k.change(old, &r.Config, origin))
	}
	if pending {
		r.Pending = append(r.Pending, k.change(&r.Config, wanted, origin))
	}
	if !applied && !pending {
		r.Unchanged++
	}
}

func (k Key) change(from, to *Config, origin string) Change {
	return Change{Key: k.Name, Old: brief(k.shown(from), valueShown), New: brief(k.shown(to), valueShown), Origin: origin}
}

// shown is format, with something to see where there is nothing.
func (k Key) shown(c *Config) string {
	if text := k.format(c); text != "" {
		return text
	}
	return `""`
}

// same compares the key's values, secrets included.
func (k Key) same(a, b *Config) bool { return reflect.DeepEqual(k.field(a), k.field(b)) }

// copy takes over the key's value.
func (k Key) copy(to, from *Config) {
	reflect.ValueOf(k.field(to)).Elem().Set(reflect.ValueOf(k.field(from)).Elem())
}
