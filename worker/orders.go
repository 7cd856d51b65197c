package worker

import (
	"os"
	"time"

	"github.com/odin-ws/odin/internal/control"
)

// listen takes the supervisor's orders until it is gone; then the worker, with
// nobody to restart or watch it, ends as well.
func (p *process) listen() {
	for {
		m, files, err := p.control.Receive()
		if err != nil {
			p.mail.post(func(p *process) {
				if !p.farewell.last {
					p.log.Error("the supervisor is gone: the worker closes its sessions and ends", "err", err)
				}
				p.stop(p.config.Limits.OrphanStopMax / 2)
			})
			return
		}
		p.mail.post(func(p *process) { p.obey(m, files) })
	}
}

// obey carries one order out. Files that it doesn't use are closed.
func (p *process) obey(m control.Message, files []*os.File) {
	if len(files) > 0 && p.accept(m, files[0]) {
		files = files[1:]
	} else {
		p.act(m)
	}
	for _, f := range files {
		f.Close()
	}
}

// accept carries out an order that brings a file. False: it is none, and the
// file is not ours.
func (p *process) accept(m control.Message, file *os.File) bool {
	switch {
	case m.Type == control.Link && m.Peer >= 0 && m.Peer < len(p.links):
		p.makeLink(m.Peer, m.PeerGeneration, file)
	case m.Type == control.Listener:
		p.addListener(m.Slot, file)
	case m.Type == control.Inquiry && m.Query != nil:
		p.inquire(*m.Query, file)
	case m.Type == control.Reconfigure:
		p.reload(m, file)
	default:
		return false
	}
	return true
}

func (p *process) act(m control.Message) {
	switch m.Type {
	case control.Unlisten:
		p.dropListener(m.Slot)
		p.report(control.Message{Type: control.Unlistened, Slot: m.Slot})
	case control.Scout:
		p.scouting(m.On, m.Kept)
	case control.Drain:
		p.drain(time.Duration(m.WindowMS) * time.Millisecond)
	case control.Undrain:
		p.undrain()
	case control.Stop:
		p.stop(time.Duration(m.OverMS) * time.Millisecond)
	case control.Reconfigure:
		p.reload(m, nil)
	case control.LogLevel:
		if err := p.log.SetLevel(m.Level); err != nil {
			p.log.Debug("an order that this version does not know", "type", string(m.Type), "err", err)
		}
	case control.Dump:
		p.log.Block(stacks())
	default:
		p.log.Debug("an order that this version does not know", "type", string(m.Type))
	}
}

func readyMessage() control.Message { return control.Message{Type: control.Ready} }

func sourceMessage(healthy, everywhere bool, reason string) control.Message {
	return control.Message{Type: control.Source, Healthy: healthy, Everywhere: everywhere, Reason: reason}
}
