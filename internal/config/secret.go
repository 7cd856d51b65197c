package config

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// redacted stands wherever a secret would.
const redacted = "[redacted]"

// Secret is a value that no formatting verb and no logger prints. It keeps
// its text behind a pointer, so that even fmt's printing of unexported fields
// meets an address only. Its JSON is the text itself, for the control socket;
// Config.Redacted comes before any other use of JSON.
type Secret struct{ text *string }

// NewSecret hides text; the empty text gives the zero Secret.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: &text}
}

// Reveal returns the text, for the one place that needs it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsSet tells whether there is a secret at all.
func (s Secret) IsSet() bool { return s.text != nil }

// String returns a placeholder, or nothing if there is no secret.
func (s Secret) String() string {
	if s.text == nil {
		return ""
	}
	return redacted
}

// Format answers every verb with the placeholder.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue is what slog shows.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON gives the text itself: see the type's comment.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.Reveal()) }

// UnmarshalJSON takes what MarshalJSON gave.
func (s *Secret) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("config: secret is not a JSON string")
	}
	*s = NewSecret(text)
	return nil
}
