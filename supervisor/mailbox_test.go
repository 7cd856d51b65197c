package supervisor

import (
	"errors"
	"os"
	"testing"

	"github.com/odin-ws/odin/internal/control"
)

func TestMailboxIsBounded(t *testing.T) {
	m := newMailbox()
	for range mailMax {
		if !m.put(control.Message{Type: control.Dump}) {
			t.Fatal("full too early")
		}
	}
	f := opened(t)
	if m.put(control.Message{Type: control.Link}, f) {
		t.Fatal("never full")
	}
	if f.Close() == nil {
		t.Error("the file of a refused message was left open")
	}
}

func opened(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestMailboxAfterAnError: nothing is sent into a torn stream, the first error
// is told once, and no file leaks.
func TestMailboxAfterAnError(t *testing.T) {
	m := newMailbox()
	var files []*os.File
	for range 5 {
		f := opened(t)
		files = append(files, f)
		m.put(control.Message{Type: control.Link}, f)
	}
	m.close()
	sent, failed := 0, 0
	m.deliver(func(control.Message, ...*os.File) error {
		if sent++; sent == 3 {
			return errors.New("broken pipe")
		}
		return nil
	}, func(error) { failed++ })
	if sent != 3 || failed != 1 {
		t.Errorf("%d sent, failure told %d times", sent, failed)
	}
	for i, f := range files {
		if f.Close() == nil {
			t.Errorf("file %d was left open", i)
		}
	}
}
