package worker

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// provoke has a worker fault as told, from its next turn on.
func (st *theatre) provoke(worker int, provoked func(*process, site, *session)) {
	st.t.Helper()
	if !st.workers[worker].process.inLoop(func(p *process) { p.provoked = provoked }) {
		st.t.Fatal("the worker has ended")
	}
}

// subscriber faults whoever is subscribed to the channel, at the site.
func subscriber(at site, channel string) func(*process, site, *session) {
	return func(p *process, here site, s *session) {
		if s != nil && here == at && p.hub.Has(&s.subs, s.index, []byte(channel)) {
			panic(fmt.Errorf("provoked in a %s", at))
		}
	}
}

// faultLine is a line about a fault.
type faultLine struct {
	Level, Msg, ID, Panic, Stack, Session, Remote, Where, Topic string
	Worker, Partition                                           *int
	Offset                                                      int64
}

// faults are the lines of a worker's log about faults.
func (st *theatre) faults(worker int) (lines []faultLine) {
	st.t.Helper()
	for line := range strings.Lines(st.workers[worker].logged.String()) {
		var f faultLine
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			st.t.Fatalf("%q: %v", line, err)
		}
		if f.ID != "" {
			lines = append(lines, f)
		}
	}
	return lines
}

// awaitFaults waits for so many of them: lines come a moment after what they
// tell of.
func (st *theatre) awaitFaults(worker, n int) (lines []faultLine) {
	st.t.Helper()
	st.await(fmt.Sprint(n, " lines about faults"), func() bool {
		lines = st.faults(worker)
		return len(lines) >= n
	})
	return lines
}

// intact checks what the loop's own state must be at the end of any turn.
func (st *theatre) intact(worker int) {
	st.t.Helper()
	var wrong []string
	st.workers[worker].process.inLoop(func(p *process) { wrong = p.wrongs() })
	for _, w := range wrong {
		st.t.Error(w)
	}
}

// wrongs lists what is not as it should be in the sums and lists over all
// sessions.
func (p *process) wrongs() (list []string) {
	input, answers, leaving, subscriptions, live := 0, 0, 0, 0, 0
	p.sessions.each(func(s *session) {
		live++
		if s.stage == gone {
			return
		}
		input += int(s.buffered)
		answers += int(s.answers)
		subscriptions += s.subs.Count()
		if s.stage != open {
			leaving++
		}
		if int(s.answers) != len(s.queue.Own) {
			list = append(list, fmt.Sprintf("session %d counts for %d bytes of answers and has %d", s.index, s.answers, len(s.queue.Own)))
		}
		if s.touched && !slices.Contains(p.touched, s.index) {
			list = append(list, fmt.Sprintf("session %d is to be written and nobody knows", s.index))
		}
		if (s.lagAt > 0) != s.blocked || s.lagAt > 0 && p.lagging[s.lagAt-1] != s.index {
			list = append(list, fmt.Sprintf("session %d: blocked %v, lags at %d", s.index, s.blocked, s.lagAt))
		}
		if s.doomed {
			list = append(list, fmt.Sprintf("session %d is doomed for ever", s.index))
		}
	})
	for what, n := range map[string][2]int{
		"input bytes": {p.inputBytes, input}, "answer bytes": {p.answerBytes, answers}, "leaving": {p.leaving, leaving},
		"subscriptions": {p.hub.Subscriptions(), subscriptions}, "live": {p.sessions.live, live}, "doomed": {len(p.doomed), 0},
	} {
		if n[0] != n[1] {
			list = append(list, fmt.Sprintf("%s: %d, the sessions have %d", what, n[0], n[1]))
		}
	}
	if p.current != nil {
		list = append(list, "a session is being served at the end of a turn")
	}
	return list
}
