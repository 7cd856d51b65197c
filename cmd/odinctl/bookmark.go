package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	odin "github.com/odin-ws/odin/clients/go"
)

// bookmarkMax bounds what is read of a file. The largest cursor has 4,096
// offsets.
const bookmarkMax = 1 << 20

// bookmark is what --resume keeps in its file: up to where the records of these
// channels were printed.
type bookmark struct {
	Channels []string    `json:"channels"`
	Cursor   odin.Cursor `json:"cursor"` // empty: there is no place yet
}

// keeper keeps the place of a client in a file, which it holds locked: another
// odinctl there would undo what this one writes.
type keeper struct {
	file     string // whereto links lead
	channels []string
	mode     os.FileMode

	mu   sync.Mutex
	held *os.File // the file as it was written last, locked
	kept string   // what is in it
}

// openKeeper takes the file, makes it if it isn't there, and gives the place
// that was kept, nil if there is none yet. It writes it back at once, so that a
// file that can't be written is noticed before a record is printed.
func openKeeper(file string, channels []string) (*keeper, odin.Cursor, error) {
	f, err := lockFile(file)
	if err != nil {
		return nil, nil, err
	}
	k := &keeper{channels: channels, held: f}
	cursor, err := k.load(file)
	if err == nil {
		err = k.write(bookmark{channels, cursor})
	}
	if err != nil {
		k.close()
		return nil, nil, err
	}
	if len(cursor) == 0 {
		cursor = nil
	}
	return k, cursor, nil
}

// lockFile opens a regular file and locks it for this process. Who holds it
// puts another in its place now and then, so it may be one of before.
func lockFile(name string) (*os.File, error) {
	for {
		if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is no regular file (%s): name one that can hold a place", name, info.Mode().Type())
		}
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_NONBLOCK, 0o600)
		if err != nil {
			return nil, fmt.Errorf("keep the place: %w", err)
		}
		if err := lock(f); err != nil {
			f.Close()
			return nil, err
		}
		mine, err := f.Stat()
		if present, err2 := os.Stat(name); err == nil && err2 == nil && os.SameFile(mine, present) {
			return f, nil
		}
		f.Close()
	}
}

func lock(f *os.File) error {
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return fmt.Errorf("another odinctl keeps its place in %s: end it, or name another file", f.Name())
	case err != nil:
		return fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return nil
}

// load reads what was kept.
func (k *keeper) load(file string) (odin.Cursor, error) {
	info, err := k.held.Stat()
	if err != nil {
		return nil, err
	}
	k.mode = info.Mode().Perm()
	if k.file, err = filepath.EvalSymlinks(file); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(k.held, bookmarkMax))
	if err != nil || len(text) == 0 { // new, or emptied to begin anew
		return odin.Cursor{}, err
	}
	var b struct {
		Channels []string
		Cursor   json.RawMessage
	}
	err = json.Unmarshal(text, &b)
	cursor, err2 := odin.ParseCursor(b.Cursor)
	if err = cmp.Or(err, err2); err != nil {
		return nil, fmt.Errorf("%s does not hold the place of an odinctl sub (%w); name another file, or remove it to begin from now on", file, err)
	}
	if len(cursor) > 0 && !slices.Equal(b.Channels, k.channels) {
		return nil, fmt.Errorf("%s holds the place of %s: ask for the same channels, or name another file", file, strings.Join(b.Channels, " "))
	}
	return cursor, nil
}

// begun tells whether the file holds a place.
func (k *keeper) begun() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return !strings.HasSuffix(k.kept, `"cursor":{}}`)
}

// keep writes the place if it moved: whole or not at all, whatever ends us.
func (k *keeper) keep(cursor odin.Cursor) error {
	if len(cursor) == 0 {
		return nil
	}
	return k.write(bookmark{k.channels, cursor})
}

func (k *keeper) write(b bookmark) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	text, err := json.Marshal(b)
	if err != nil || string(text) == k.kept {
		return err
	}
	if err := k.replace(append(text, '\n')); err != nil {
		return fmt.Errorf("keep the place: %w", err)
	}
	k.kept = string(text)
	return nil
}

// replace puts a new file, locked before anybody can see it, in the place of
// the one that is held. One that was left half written is overwritten.
func (k *keeper) replace(content []byte) error {
	name := filepath.Join(filepath.Dir(k.file), "."+filepath.Base(k.file)+".new")
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, k.mode)
	if err != nil {
		return err
	}
	if err = errors.Join(lock(f), f.Chmod(k.mode)); err == nil {
		_, err = f.Write(content)
	}
	if err == nil {
		err = errors.Join(f.Sync(), os.Rename(name, k.file))
	}
	if err != nil {
		f.Close()
		os.Remove(name)
		return err
	}
	k.held.Close()
	k.held = f
	return nil
}

// close gives the file to others.
func (k *keeper) close() { k.held.Close() }
