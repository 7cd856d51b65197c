package jsondoc

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

const (
	root   = "../.."
	module = "github.com/odin-ws/odin/"
)

// field is one that a program may read.
type field struct {
	path    string // workers[].slot; of a map closed_by_code{}
	kind    string
	meaning string
}

// source is the parsed packages, by their directories below the root.
type source map[string]map[string]declared

type declared struct {
	spec    *ast.TypeSpec
	imports map[string]string // local name to directory below the root, of our own packages
}

// lookup finds a type's declaration.
func (s source) lookup(dir, name string) (declared, error) {
	if s[dir] == nil {
		types, err := parse(dir)
		if err != nil {
			return declared{}, err
		}
		s[dir] = types
	}
	d, ok := s[dir][name]
	if !ok {
		return d, fmt.Errorf("%s has no type %s", dir, name)
	}
	return d, nil
}

func parse(dir string) (map[string]declared, error) {
	names, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("%s holds no Go: %v", dir, err)
	}
	types := map[string]declared{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		collect(f, types)
	}
	return types, nil
}

func collect(f *ast.File, types map[string]declared) {
	imports := map[string]string{}
	for _, i := range f.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		if dir, ours := strings.CutPrefix(path, module); ours {
			imports[filepath.Base(dir)] = dir
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok {
			types[spec.Name.Name] = declared{spec, imports}
		}
		return true
	})
}

// walk is a way through the fields of a type.
type walk struct {
	source source
	apart  map[string]string // dir.Type that is told of elsewhere, and where
	fields []field
}

// structure adds the fields of a struct, with a prefix.
func (w *walk) structure(dir string, d declared, prefix string) error {
	for _, f := range d.spec.Type.(*ast.StructType).Fields.List {
		if err := w.field(dir, d, f, prefix); err != nil {
			return fmt.Errorf("%s.%s: %w", dir, d.spec.Name.Name, err)
		}
	}
	return nil
}

func (w *walk) field(dir string, d declared, f *ast.Field, prefix string) error {
	if len(f.Names) == 0 { // embedded: its fields are ours
		return w.embedded(dir, d, f, prefix)
	}
	if f.Tag == nil || !f.Names[0].IsExported() {
		return nil
	}
	tag, _ := strconv.Unquote(f.Tag.Value)
	name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
	meaning := told(f.Names[0].Name, f.Doc.Text()+" "+f.Comment.Text())
	if name == "-" {
		return nil
	}
	if name == "" || meaning == "" {
		return fmt.Errorf("%s lacks a json tag or a comment", f.Names[0].Name)
	}
	w.fields = append(w.fields, field{path: prefix + name, meaning: meaning})
	at := len(w.fields) - 1
	kind, err := w.kind(dir, d, f.Type, prefix+name)
	w.fields[at].kind = kind
	return err
}

// told is a comment without the Go name that it begins with.
func told(name, comment string) string {
	words := strings.Join(strings.Fields(comment), " ")
	for _, verb := range []string{" is ", " are ", ": "} {
		words = strings.TrimPrefix(words, name+verb)
	}
	if strings.Count(words, ". ") == 0 {
		words = strings.TrimSuffix(words, ".")
	}
	return words
}

func (w *walk) embedded(dir string, d declared, f *ast.Field, prefix string) error {
	dir, inner, err := w.resolve(dir, d, f.Type)
	if err != nil {
		return err
	}
	return w.structure(dir, inner, prefix)
}

// resolve finds the declaration of a named type.
func (w *walk) resolve(dir string, d declared, e ast.Expr) (string, declared, error) {
	name := ""
	switch t := e.(type) {
	case *ast.Ident:
		name = t.Name
	case *ast.SelectorExpr:
		dir, name = d.imports[t.X.(*ast.Ident).Name], t.Sel.Name
	default:
		return "", declared{}, fmt.Errorf("%T is no name of a type", e)
	}
	inner, err := w.source.lookup(dir, name)
	return dir, inner, err
}

// kind says what JSON has for a type, and adds the fields of structs in it.
func (w *walk) kind(dir string, d declared, e ast.Expr, path string) (string, error) {
	switch t := e.(type) {
	case *ast.StarExpr:
		kind, err := w.kind(dir, d, t.X, path)
		return kind + " or null", err
	case *ast.ArrayType:
		kind, err := w.kind(dir, d, t.Elt, path+"[]")
		return "list of " + plural(kind), err
	case *ast.MapType:
		kind, err := w.kind(dir, d, t.Value, path+"{}")
		return "object of " + plural(kind), err
	case *ast.SelectorExpr:
		if d.imports[t.X.(*ast.Ident).Name] == "" {
			return "text", nil // netip.AddrPort and its like
		}
	case *ast.Ident:
		if basic := basics()[t.Name]; basic != "" {
			return basic, nil
		}
	}
	return w.named(dir, d, e, path)
}

func (w *walk) named(dir string, d declared, e ast.Expr, path string) (string, error) {
	dir, inner, err := w.resolve(dir, d, e)
	if err != nil {
		return "", err
	}
	if where := w.apart[dir+"."+inner.spec.Name.Name]; where != "" {
		return "object, see " + where, nil
	}
	if _, ok := inner.spec.Type.(*ast.StructType); !ok {
		return w.kind(dir, inner, inner.spec.Type, path)
	}
	if marshalsText(inner) {
		return "text", nil
	}
	return "object", w.structure(dir, inner, path+".")
}

// marshalsText tells a struct that is written as text, by its lack of fields
// for JSON.
func marshalsText(d declared) bool {
	for _, f := range d.spec.Type.(*ast.StructType).Fields.List {
		if f.Tag != nil || len(f.Names) == 0 {
			return false
		}
	}
	return true
}

func basics() map[string]string {
	kinds := map[string]string{"string": "text", "bool": "true or false", "float64": "number"}
	for _, name := range strings.Fields("int int8 int16 int32 int64 uint uint8 uint16 uint32 uint64") {
		kinds[name] = "whole number"
	}
	return kinds
}

func plural(kind string) string {
	return map[string]string{"text": "texts", "number": "numbers", "whole number": "whole numbers", "object": "objects"}[kind]
}

// fieldsOf are all fields of a type, and of those in it.
func fieldsOf(dir, name string, apart map[string]string) ([]field, error) {
	w := walk{source: source{}, apart: apart}
	d, err := w.source.lookup(dir, name)
	if err != nil {
		return nil, err
	}
	err = w.structure(dir, d, "")
	return w.fields, err
}
