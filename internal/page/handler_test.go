package page

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func get(t *testing.T, method, path string, header http.Header) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for k, v := range header {
		r.Header[k] = v
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestHandlerAnswers(t *testing.T) {
	etag := get(t, http.MethodGet, "/", nil).Header.Get("ETag")
	for _, c := range []struct {
		name, method, path string
		header             http.Header
		status             int
		whole              bool
	}{
		{"the page", http.MethodGet, "/", nil, 200, true},
		{"its head", http.MethodHead, "/", nil, 200, false},
		{"unchanged", http.MethodGet, "/", http.Header{"If-None-Match": {etag}}, 304, false},
		{"changed", http.MethodGet, "/", http.Header{"If-None-Match": {`"other"`}}, 200, true},
		{"another path", http.MethodGet, "/index.html", nil, 404, false},
		{"written to", http.MethodPost, "/", nil, 405, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp := get(t, c.method, c.path, c.header)
			if resp.StatusCode != c.status {
				t.Fatalf("status %d, want %d", resp.StatusCode, c.status)
			}
			if got := body(t, resp) == string(document()); got != c.whole {
				t.Fatalf("is the page: %v, want %v", got, c.whole)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	h := get(t, http.MethodGet, "/", nil).Header
	for name, want := range map[string]string{
		"Content-Type":           "text/html; charset=utf-8",
		"X-Content-Type-Options": "nosniff",
		"Referrer-Policy":        "no-referrer",
		"Cache-Control":          "no-cache",
	} {
		if h.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, h.Get(name), want)
		}
	}
	policy := h.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy lacks %q: %s", want, policy)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("policy allows what is unsafe: %s", policy)
	}
}

// The policy names what a browser finds between the tags, byte for byte.
func TestPolicyMatchesDocument(t *testing.T) {
	policy := contentPolicy()
	inline := regexp.MustCompile(`(?s)<(script|style)>(.*?)</(?:script|style)>`).FindAllStringSubmatch(string(document()), -1)
	if len(inline) != 2 {
		t.Fatalf("%d inline parts, want 2", len(inline))
	}
	for _, m := range inline {
		if !strings.Contains(policy, source(m[2])) {
			t.Errorf("a %s of the document isn't in the policy", m[1])
		}
	}
}

func TestDocumentIsWhole(t *testing.T) {
	doc := string(document())
	for _, left := range []string{"/*style*/", "/*script*/"} {
		if strings.Contains(doc, left) {
			t.Errorf("%s was not filled in", left)
		}
	}
	ours := []string{"metrics", "health", "api/status"} // links, below the page's own address
	for _, m := range regexp.MustCompile(`(?i)(?:src|href|url\()\s*=?\s*["']?([^"'\s)]+)`).FindAllStringSubmatch(doc, -1) {
		if !strings.HasPrefix(m[1], "data:") && !slices.Contains(ours, m[1]) {
			t.Errorf("the page loads %s", m[1])
		}
	}
	if strings.Contains(doc, "style=") || regexp.MustCompile(`\son[a-z]+="`).MatchString(doc) {
		t.Error("an inline attribute that the policy refuses")
	}
}

// All files of the script are parts of it.
func TestScriptIsWhole(t *testing.T) {
	files, err := scripts.ReadDir("script")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(parts()) {
		t.Errorf("%d files, %d parts", len(files), len(parts()))
	}
	if !strings.HasPrefix(script(), `"use strict";`) {
		t.Error("not strict")
	}
}

// What names and records carry becomes text: no script may use a way that makes
// markup or code of a string.
func TestScriptMakesTextOnly(t *testing.T) {
	markup := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|setHTML|\beval\b|new Function|javascript:|srcdoc|setTimeout\(["'` + "`" + `]|setAttribute\(["']on|\.href\b|\.src\b`)
	if found := markup.FindString(script()); found != "" {
		t.Errorf("the script uses %s", found)
	}
}

// Nothing is shown of others' names but through plain, which writes out what
// would turn or hide the text around it.
func TestNamesAreShownPlain(t *testing.T) {
	others := regexp.MustCompile(`\b(?:s\.(?:node|version|listen|config_digest|error)|w\.reason|[a-z]+\.topic|c\.(?:remote|why|detail|id)|m\.(?:channel|pos))\b`)
	for _, line := range strings.Split(script(), "\n") {
		shown := strings.Contains(line, "text:") || strings.Contains(line, "put(") || strings.Contains(line, "element(")
		if at := others.FindString(line); at != "" && shown && !strings.Contains(line, "plain(") {
			t.Errorf("%s isn't plain: %s", at, line)
		}
	}
}

// Every element that the script asks for is in the document.
func TestScriptFindsItsElements(t *testing.T) {
	for _, m := range regexp.MustCompile(`(?:byId|fact|chart)\("([^"]+)"`).FindAllStringSubmatch(script(), -1) {
		if !strings.Contains(frame, `id="`+m[1]+`"`) {
			t.Errorf("no element has the id %s", m[1])
		}
	}
}
