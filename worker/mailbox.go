package worker

import "sync"

// mailbox carries things to do from other goroutines to the loop. Who posts is
// bounded on its own account: handshakes by their limit, ranges by theirs,
// the control socket and the scout by being one goroutine each.
type mailbox struct {
	wake func()

	mu    sync.Mutex
	posts []func(*process)
}

// post hands something to the loop. Safe from any goroutine.
func (m *mailbox) post(do func(*process)) {
	m.mu.Lock()
	m.posts = append(m.posts, do)
	m.mu.Unlock()
	m.wake()
}

// take empties the mailbox; spare becomes its next list.
func (m *mailbox) take(spare []func(*process)) []func(*process) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.posts) == 0 {
		return nil
	}
	taken := m.posts
	m.posts = spare[:0]
	return taken
}

func (m *mailbox) empty() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.posts) == 0
}
