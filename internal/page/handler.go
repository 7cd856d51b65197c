package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

var (
	//go:embed page.html
	frame string
	//go:embed style.css
	style string
	//go:embed script
	scripts embed.FS
)

// parts are the files of the script, in their order.
func parts() []string {
	return []string{"text", "table", "chart", "status", "topics", "sessions", "feed", "stream"}
}

// Handler serves the page at "/" to GET and HEAD; other paths are not found.
// It asks for /api/status beside itself.
func Handler() http.Handler {
	body := document()
	sum := sha256.Sum256(body)
	etag := `"` + hex.EncodeToString(sum[:8]) + `"`
	policy := contentPolicy()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "the page is only to be read", http.StatusMethodNotAllowed)
			return
		}
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	})
}

func document() []byte {
	return []byte(strings.NewReplacer(
		"/*style*/", style,
		"/*script*/", script(),
	).Replace(frame))
}

// script is all parts in one scope of their own.
func script() string {
	var all strings.Builder
	all.WriteString("\"use strict\";\n(() => {\n")
	for _, name := range parts() {
		text, err := scripts.ReadFile("script/" + name + ".js")
		if err != nil { // the file was compiled in: a bug, that a test would find
			panic(err)
		}
		all.Write(text)
	}
	all.WriteString("})();\n")
	return all.String()
}

// contentPolicy allows the document's own style and scripts, by their digests,
// its own origin and WebSockets: the workers' port is another origin, known
// only when /api/status has answered.
func contentPolicy() string {
	return strings.Join([]string{
		"default-src 'none'",
		"script-src " + source(script()),
		"style-src " + source(style),
		"connect-src 'self' ws: wss:",
		"img-src data:",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
		"require-trusted-types-for 'script'",
		"trusted-types 'none'",
	}, "; ")
}

func source(inline string) string {
	sum := sha256.Sum256([]byte(inline))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
