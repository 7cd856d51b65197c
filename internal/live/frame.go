package live

import "encoding/json"

// kind is one kind of event. Of each there is a newest frame.
type kind int

const (
	statusKind kind = iota
	sessionsKind
	kindCount
)

func (k kind) String() string { return [...]string{"status", "sessions"}[k] }

// frame is an event as it is written, encoded once for all; seq grows with
// each frame of its kind, from 1.
type frame struct {
	seq   uint64
	bytes []byte
}

// encode makes an event. JSON has no line break, so its data is one line. What
// can't be encoded, a number that JSON lacks, is a bug: it becomes a comment
// for who looks, and the page stays as it is.
func encode(event string, value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		return comment(err.Error())
	}
	return []byte("event: " + event + "\ndata: " + string(data) + "\n\n")
}

// comment is a line that the page ignores.
func comment(text string) []byte { return []byte(": " + text + "\n\n") }
