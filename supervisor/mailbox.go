package supervisor

import (
	"os"

	"github.com/odin-ws/odin/internal/control"
)

// mailMax is how many messages may wait for one worker: several links to each
// sibling. A worker that lets more pile up is killed.
const mailMax = 4 * 128

// mailbox sends to one worker without ever holding up who puts. put and close
// belong to one goroutine, deliver to another.
type mailbox struct{ queue chan letter }

type letter struct {
	message control.Message
	files   []*os.File // ours to close
}

func newMailbox() *mailbox { return &mailbox{make(chan letter, mailMax)} }

// put takes over the files. False: full.
func (m *mailbox) put(message control.Message, files ...*os.File) bool {
	l := letter{message, files}
	select {
	case m.queue <- l:
		return true
	default:
		l.discard()
		return false
	}
}

// close ends deliver once it has taken what is queued.
func (m *mailbox) close() { close(m.queue) }

// deliver sends until close; after the first error it only discards. failed is
// told that error.
func (m *mailbox) deliver(send func(control.Message, ...*os.File) error, failed func(error)) {
	var err error
	for l := range m.queue {
		if err == nil {
			if err = send(l.message, l.files...); err != nil {
				failed(err)
			}
		}
		l.discard()
	}
}

func (l letter) discard() {
	for _, f := range l.files {
		_ = f.Close()
	}
}
