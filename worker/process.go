package worker

import (
	"context"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"time"

	"github.com/odin-ws/odin/internal/config"
	"github.com/odin-ws/odin/internal/control"
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/hub"
	"github.com/odin-ws/odin/internal/journal"
	"github.com/odin-ws/odin/internal/loop"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/resume"
	"github.com/odin-ws/odin/internal/route"
	"github.com/odin-ws/odin/internal/wire"
	"github.com/odin-ws/odin/kafka"
	"github.com/odin-ws/odin/shm"
)

// process is the worker. All fields belong to the loop's goroutine unless
// their comment says otherwise.
type process struct {
	config     *config.Config // in force; what it points to never changes
	slot       int            // never changes
	generation uint32         // never changes
	log        *journal.Journal

	ctx    context.Context // ends with the process
	cancel context.CancelFunc

	segment   *shm.Segment
	mine      *shm.Slot
	block     *shm.Block
	state     shm.State
	control   *control.Conn
	outbox    chan control.Message
	reports   []control.Message // for the outbox, once it has room
	inquiries chan struct{}     // bounds the operator's questions that are answered at once

	// The loop.
	world   *loop.Poller // everything but the clients' sockets, and them as one
	clients *loop.Poller
	waker   *loop.Waker
	ring    int // eventfd that the supervisor rings
	rung    bool
	ready   bool // clients have input
	knocked bool // the doors have
	mail    mailbox
	posts   []func(*process) // spare of the mailbox
	now     int64            // monotonic ns, as of the turn
	wall    int64            // Unix ns, as of the turn
	ticked  int64            // monotonic ns of the last tick
	ticks   uint64

	// The source.
	source       *kafka.Source
	routes       *route.Table
	intake       *intake
	fetched      []kafka.Fetched // taken and not all taken over
	fetchedAt    int
	fetchedSpare []kafka.Fetched
	ranges       chan struct{} // bounds the ranges that are read at once for siblings,
	pasts        chan struct{} // and those for sessions
	recordMax    atomic.Int64  // bytes of a frame, for the encoder's goroutines
	endScout     context.CancelFunc
	kept         []control.Kept // for the scout
	healthy      bool
	everywhere   bool // it is not, by what is the same for every worker
	healthKnown  bool
	unwell       string

	// Partitions and siblings.
	store         *replica.Store
	paces         paces
	partitions    []*partition
	waiting       []*partition
	topics        []topic
	topicsByEvent map[string]uint64
	fresh         []*topic     // have new partitions that sessions don't know of
	resets        []topicReset // to be told before the next record is applied
	topology      uint64
	links         []*link // by slot
	stirred       bool
	effectLists   [][]replica.Effect
	positions     []replica.Published // scratch
	entries       []replica.Entry

	// Sessions.
	sessions      table
	arrived       uint64 // sessions that ever were
	past          closedRing
	leaving       int // sessions that were sent a close frame
	doors         *doors
	terms         terms
	hub           *hub.Hub
	lists         []*hub.List
	mark          uint64
	wheel         wheel
	touched       []uint32
	lagging       []uint32
	doomed        []doom
	current       *session            // is given a record, or written to, just now
	fates         map[string]hub.Fate // by topic; nil: no record is ever dropped
	ended         []uint32
	deciding      []uint64 // tokens of sessions whose replay is not decided
	lacking       []uint64 // of those whose replay waits for what was evicted before it came there
	redecides     bool     // something was answered that a decision waits for
	undecided     int      // so many of deciding are to be looked at again
	readied       []uint64 // of those whose replay goes on in this turn or the next
	awaiting      []uint64 // of those that are ahead of this worker
	replaying     int
	called        map[uint32]string // what clients call themselves, by session
	replayBytes   int               // that all replays take, about
	claims        []resume.Claim
	claimed       []*replayPart
	places        []replica.Place
	found         []found
	pastStore     *replica.Store
	filling       []*partition // their past is being read, or asked for
	fillNumber    uint32
	linkNumber    uint64
	fillsDue      bool           // one is to begin
	relayed       []event.Record // scratch of givePast
	asking        chan struct{}  // bounds the logs whose ends are asked at once
	applied       []applied
	samples       []*sample // of the traffic, for operators who ask
	writer        writer
	inbuf         []byte
	inputBytes    int
	cursor        []wire.TopicCursor
	cursors       map[uint64][]byte // encoded, by the bits of their topics, until a position changes
	answerBytes   int               // of all sessions' own queues
	deflating     deflating
	requestLimits wire.Limits
	tooMany       string

	provoked func(*process, site, *session) // faults where a test wants it to; nil
	die      func(code int)                 // ends the process at once

	tally    tally
	farewell farewell
	usage    usage
	exit     int
	random   *rand.Rand
}

// newProcess makes a worker that can start, but for its descriptors.
func newProcess(c config.Config, first control.Message, log *journal.Journal) (*process, error) {
	p := &process{
		config: &c, slot: first.Slot, generation: first.Generation, log: log,
		provoked: provoked(), die: func(code int) { log.Close(); os.Exit(code) }, state: shm.Starting, outbox: make(chan control.Message, 64), hub: hub.New(),
		links: make([]*link, max(first.Slots, first.Slot+1)), inbuf: newInput(&c.Limits),
		inquiries: make(chan struct{}, inquiriesMax),
		asking:    make(chan struct{}, askingMax),
		called:    make(map[uint32]string),
		past:      closedRing{max: c.ClosedPerWorker()},
		random:    rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.boundRequests()
	p.boundRanges()
	p.store = replica.NewStoreIn(mapped{}, historyLimits(&c.Limits))
	p.pastStore = replica.NewPastStoreIn(mapped{}, p.pastLimits())
	p.writer.store, p.writer.past = p.store, p.pastStore
	if err := p.makeTopics(); err != nil {
		return nil, err
	}
	return p, p.makePollers()
}

// makeTopics prepares the topics of the routes, and which of them a pattern's
// event can come from.
func (p *process) makeTopics() error {
	routes := make([]route.Route, len(p.config.Routes))
	p.topicsByEvent, p.cursors = make(map[string]uint64), make(map[uint64][]byte)
	for i, r := range p.config.Routes {
		parsed, err := route.Parse(r.Text())
		if err != nil {
			return err
		}
		routes[i] = parsed
		p.topics = append(p.topics, topic{name: r.Topic, event: parsed.Event})
		p.topicsByEvent[parsed.Event] |= 1 << i
	}
	p.fates = fates(routes)
	var err error
	p.routes, err = route.NewTable(routes)
	return err
}

// Tokens of the world's poller; links come from linkTokens on.
const (
	wakerToken uint64 = iota
	ringToken
	clientsToken
	doorsToken
)

func (p *process) makePollers() error {
	var err error
	if p.clients, err = loop.NewPoller(); err != nil {
		return err
	}
	if p.world, err = loop.NewPoller(); err != nil {
		return err
	}
	if p.doors, err = newDoors(); err != nil {
		return err
	}
	if p.waker, err = loop.NewWaker(); err != nil {
		return err
	}
	p.mail.wake = p.waker.Wake
	p.intake = newIntake(p.config.Limits.FetchedBytesMax, p.waker.Wake, func() { p.block.Add(shm.SourcePauses, 1) })
	if err := p.world.Add(p.waker.FD(), wakerToken, loop.Input); err != nil {
		return err
	}
	if err := p.world.Add(p.doors.poller.FD(), doorsToken, loop.Input); err != nil {
		return err
	}
	return p.world.Add(p.clients.FD(), clientsToken, loop.Input)
}

// inherit takes the inherited descriptors into use.
func (p *process) inherit(c *control.Conn, segment *shm.Segment, ring int) error {
	p.control, p.segment, p.ring = c, segment, ring
	p.mine = segment.Slot(p.slot)
	p.block = p.mine.Block(p.generation)
	p.mine.SetState(shm.Starting)
	p.settleTerms()
	var err error
	if p.source, err = openSource(p); err != nil {
		return err
	}
	return p.world.Add(ring, ringToken, loop.Input)
}

// subscriptionsOf is how the hub finds the subscriptions of another session.
func (p *process) subscriptionsOf(index uint32) *hub.Subscriptions { return &p.sessions.at(index).subs }

func (p *process) clock() int64 { return shm.Monotonic() }

func (p *process) wallMillis() int64 { return shm.Wall() / int64(time.Millisecond) }

// fatal ends the process after something that can't be lived with: the
// supervisor starts another one, and the siblings go on meanwhile.
func (p *process) fatal(what string, err error) {
	p.log.Error("worker can't go on", "where", what, "err", err)
	p.exit = 1
	p.enter(shm.Gone)
}

// enter changes the state, for all who look.
func (p *process) enter(s shm.State) {
	p.state = s
	p.countSessions() // in between: who sees Draining misses nobody who came before it
	p.mine.SetState(s)
}

// serving tells whether there may be sessions, and every position is known.
func (p *process) serving() bool { return p.state == shm.Ready || p.state == shm.Draining }

// run is the worker's life. It returns the exit code.
func (p *process) run() (code int) {
	defer func() {
		if cause := recover(); cause != nil {
			code = p.crash("the loop", cause)
			p.enter(shm.Gone)
			p.cancel()
		}
	}()
	p.now, p.wall = p.clock(), shm.Wall()
	p.ticked = p.now
	p.rung = true
	p.beside("the source", p.fetch)
	p.beside("the speaker to the supervisor", p.speak)
	for p.state != shm.Gone {
		p.wait()
		p.turn()
	}
	p.quit()
	return p.exit
}

// quit gives back what others may wait for.
func (p *process) quit() {
	p.cancel()
	p.intake.close()
	p.closeDoors()
	p.commitLast()
	p.source.Close()
}

// tell sends a message to the supervisor, from any goroutine but the loop's:
// it waits while the supervisor doesn't read.
func (p *process) tell(m control.Message) {
	select {
	case p.outbox <- m:
	case <-p.ctx.Done():
	}
}

// report is tell for the loop: it never waits. What the supervisor doesn't
// take is tried again at the next tick; of the source's state only the newest
// is kept, and all else is said a few times in a worker's life.
func (p *process) report(m control.Message) {
	if last := len(p.reports) - 1; last >= 0 && m.Type == control.Source && p.reports[last].Type == control.Source {
		p.reports = p.reports[:last]
	}
	p.reports = append(p.reports, m)
	p.sendReports()
}

func (p *process) sendReports() {
	for len(p.reports) > 0 {
		select {
		case p.outbox <- p.reports[0]:
			p.reports = p.reports[1:]
		default:
			return
		}
	}
}

// speak writes what was told. When the supervisor is gone the reader of the
// control socket acts on it; what is told after that goes nowhere.
func (p *process) speak() {
	for {
		select {
		case m := <-p.outbox:
			_ = p.control.Send(m)
		case <-p.ctx.Done():
			return
		}
	}
}
