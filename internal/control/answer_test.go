package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
)

// unhurried is a peer without deadlines.
type unhurried struct{ io.Writer }

func (unhurried) SetWriteDeadline(time.Time) error { return nil }

func TestAnswer(t *testing.T) {
	var out bytes.Buffer
	a := NewAnswer(unhurried{&out})
	for i := range 3 {
		if err := a.Item(i); err != nil {
			t.Fatal(err)
		}
	}
	if out.Len() != 0 {
		t.Error("small items are written one by one")
	}
	if err := a.End(Response{OK: true, Missing: []int{4}}); err != nil {
		t.Fatal(err)
	}
	var got []string
	end, err := ReadAnswer(&out, func(r Response) error {
		got = append(got, string(r.Item))
		return nil
	})
	if err != nil || !end.OK || len(end.Missing) != 1 || strings.Join(got, " ") != "0 1 2" {
		t.Errorf("%v, then %+v, %v", got, end, err)
	}
}

func TestAnswerOfBytes(t *testing.T) {
	want := make([]byte, 3*pieceMax+17)
	for i := range want {
		want[i] = byte(rand.Uint32())
	}
	var out bytes.Buffer
	a := NewAnswer(unhurried{&out})
	if n, err := a.Bytes().Write(want); n != len(want) || err != nil {
		t.Fatal(n, err)
	}
	if err := a.End(Response{OK: true}); err != nil {
		t.Fatal(err)
	}
	var got []byte
	_, err := ReadAnswer(&out, func(r Response) error {
		var piece []byte
		err := json.Unmarshal(r.Item, &piece)
		got = append(got, piece...)
		return err
	})
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes of %d, %v", len(got), len(want), err)
	}
}

func TestReadAnswerBroken(t *testing.T) {
	mine := errors.New("mine")
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"nothing":       {"", io.EOF},
		"without end":   {`{"item":1}` + "\n", io.EOF},
		"cut":           {`{"item":1}` + "\n" + `{"ok":tr`, nil},
		"not JSON":      {"hello\n", nil},
		"caller's stop": {`{"item":1}` + "\n" + `{"item":2}` + "\n" + `{"ok":true}`, mine},
	} {
		items := 0
		_, err := ReadAnswer(strings.NewReader(c.text), func(Response) error {
			if items++; items == 2 {
				return mine
			}
			return nil
		})
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// A pipe that nobody reads holds a writer up no longer than IdleMax, and one
// whose reader is gone not at all.
func TestAnswerToNobody(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	a := NewAnswer(w)
	if _, err := a.Bytes().Write(make([]byte, 1<<20)); err == nil {
		t.Error("written to nobody")
	}
	var late hurried
	if err := NewAnswer(&late).End(Response{OK: true}); err != nil || time.Until(late.deadline) > IdleMax {
		t.Errorf("deadline in %v, %v", time.Until(late.deadline), err)
	}
}

type hurried struct{ deadline time.Time }

func (h *hurried) SetWriteDeadline(at time.Time) error { h.deadline = at; return nil }

func (h *hurried) Write(b []byte) (int, error) {
	if h.deadline.IsZero() {
		return 0, errors.New("written without a deadline")
	}
	return len(b), nil
}

func TestCallHandsItemsOver(t *testing.T) {
	path := serving(t, func(_ context.Context, r Request, a *Answer) Response {
		for i := range 1000 {
			if err := a.Pass(Response{Item: json.RawMessage("7"), Slot: i}); err != nil {
				t.Error(err)
			}
		}
		return Response{OK: true}
	})
	sum := 0
	got, err := Call(path, Request{Command: Ask}, 10*time.Second, func(r Response) error {
		sum += r.Slot
		return nil
	})
	if err != nil || !got.OK || sum != 999*1000/2 {
		t.Errorf("%+v, %v, sum %d", got, err, sum)
	}
	mine := errors.New("mine")
	if _, err := Call(path, Request{Command: Ask}, 10*time.Second, func(Response) error { return mine }); !errors.Is(err, mine) {
		t.Errorf("%v, want the caller's own", err)
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add([]byte(`{"item":1}` + "\n" + `{"ok":true,"missing":[1]}`))
	f.Add([]byte("\n\n{}"))
	f.Add([]byte(`{"item":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = ReadAnswer(bytes.NewReader(data), func(r Response) error {
			if !json.Valid(r.Item) {
				t.Errorf("an item that is no JSON: %q", r.Item)
			}
			return nil
		})
	})
}
