package backfill

import (
	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/internal/resume"
)

// Now is the partition as it is when a step is made.
type Now struct {
	Era           uint32
	From, Applied int64 // the history that sessions may be given
	Owner         event.Owner
	Owns          bool
	Link          uint64 // the number of the link to the owner; 0: there is none
	History       replica.History
}

// Past is what lies below the history of one partition, as far as somebody
// needed it, and how more of it is had.
type Past struct {
	store    *replica.Store
	kept     *replica.Past // what was had last, and what left the history since; nil: nothing
	keptEra  uint32
	incoming *replica.Past // takes its place once it is complete

	under  bool // a fill is being read, or asked for
	number uint32
	era    uint32
	from   int64
	link   uint64 // that was asked; 0: this worker reads
	owner  event.Owner
	wanted int64 // the lowest offset that somebody needs besides
}

// noneWanted is no offset to begin at.
const noneWanted int64 = -1

// New makes the Past of a partition, in a Store of the past.
func New(s *replica.Store) *Past { return &Past{store: s, wanted: noneWanted} }

// Want has all from an offset on, up to the history, be had. The fill begins
// with the next Tend, when all who need something are known. False: what is
// under way covers it.
func (p *Past) Want(era uint32, from int64) (due bool) {
	if p.under && p.from <= from && p.era == era {
		return false
	}
	p.want(from)
	return true
}

func (p *Past) want(from int64) {
	if p.wanted == noneWanted || from < p.wanted {
		p.wanted = from
	}
}

// Busy tells that there is something to Tend.
func (p *Past) Busy() bool { return p.under || p.wanted != noneWanted }

// Step is what follows from a Tend.
type Step uint8

// The steps.
const (
	Nothing  Step = iota
	ReadLog       // read [From, To] from the log, and answer with Read
	AskOwner      // send WANT on the link to the owner
	Moot          // the history covers by now what was wanted
)

// Ask is a Step, and what of.
type Ask struct {
	Step     Step
	From, To int64
}

// Tend begins what is wanted, under a number that no other fill had, and anew
// where the era, the owner or the link to it has changed. Without an owner, or a
// way to it, it waits.
func (p *Past) Tend(now Now, number uint32) Ask {
	if p.under && (p.era != now.Era || p.owner != now.Owner || p.link != now.way()) {
		p.under = false
		p.want(p.from)
	}
	if p.under || p.wanted == noneWanted || !now.Owns && now.Link == 0 {
		return Ask{}
	}
	from, to := p.wanted, now.From-1+(now.Applied-now.From+1)/2 // the history moves on meanwhile
	if p.wanted = noneWanted; from > to {
		return Ask{Step: Moot}
	}
	p.under, p.number, p.era, p.from, p.link, p.owner = true, number, now.Era, from, now.way(), now.Owner
	p.begin(now)
	if now.Owns {
		return Ask{ReadLog, from, to}
	}
	return Ask{AskOwner, from, to}
}

func (n Now) way() uint64 {
	if n.Owns {
		return 0
	}
	return n.Link
}

// begin makes room for a fill, and for what leaves the history meanwhile. What was
// had before stays, as long as it joins the history, for those who are being
// replayed from it.
func (p *Past) begin(now Now) {
	if p.incoming == nil {
		p.incoming, p.kept = replica.NewPast(p.store), replica.NewPast(p.store)
	}
	p.incoming.Begin(p.from)
	if !p.Joins(now) {
		p.kept.Begin(now.From)
		p.keptEra = now.Era
	}
	now.History.Bequeath(p.kept)
}

// Result is what a fill came to.
type Result struct {
	From, Reached int64
	LogStart      int64         // what lies below it is gone from the log; event.None: not known
	Why           resume.Reason // why no more could be had; None: that was all
}

// Read takes what was read from the log. False: nobody waits for it any more.
func (p *Past) Read(now Now, number uint32, records []event.Record, r Result) (Result, bool) {
	if !p.under || p.number != number || p.era != now.Era {
		return Result{}, false
	}
	p.incoming.Append(records, r.Reached)
	return p.end(now, r), true
}

// Heard takes a part of an answer that was read from a link. False: to another
// question.
func (p *Past) Heard(now Now, link uint64, m *event.Past) bool {
	if !p.answers(now, link, m.Number, m.Era) {
		return false
	}
	if _, to := p.incoming.Range(); m.Prev != to {
		return false
	}
	p.incoming.Append(m.Records, m.To)
	return true
}

// Ended takes the end of an answer.
func (p *Past) Ended(now Now, link uint64, m event.PastEnd) (Result, bool) {
	if !p.answers(now, link, m.Number, m.Era) {
		return Result{}, false
	}
	return p.end(now, Result{Reached: m.To, LogStart: m.LogStart, Why: resume.Reason(m.Why)}), true
}

func (p *Past) answers(now Now, link uint64, number, era uint32) bool {
	return p.under && p.link == link && p.number == number && p.era == era && era == now.Era
}

// end keeps what a fill reached, with what was kept above it if it is complete, and
// if it is worth more than what there was.
func (p *Past) end(now Now, r Result) Result {
	p.under = false
	if r.Why == resume.None && p.keptEra == p.era {
		p.incoming.Join(p.kept)
	}
	if !p.Joins(now) || joins(p.incoming, now) {
		p.kept, p.incoming, p.keptEra = p.incoming, p.kept, p.era
	}
	now.History.Bequeath(p.kept)
	r.From = p.from
	return r
}

func joins(past *replica.Past, now Now) bool {
	_, to := past.Range()
	return to+1 >= now.From
}

// Joins tells whether nothing is missing between what is kept and the history.
func (p *Past) Joins(now Now) bool {
	return p.kept != nil && p.keptEra == now.Era && joins(p.kept, now)
}

// Covers tells whether an offset lies in what is kept.
func (p *Past) Covers(era uint32, offset int64) bool {
	if p.kept == nil || p.keptEra != era {
		return false
	}
	from, to := p.kept.Range()
	return from <= offset && offset <= to
}

// Range is what is kept: [from, to]. Only as long as something is.
func (p *Past) Range() (from, to int64) { return p.kept.Range() }

// History gives the records that are kept. Only as long as some are.
func (p *Past) History() replica.History { return p.kept.History() }

// Above is where to read what lies above an offset, and how far that reaches:
// the history, or what is kept, which goes on to follow the history then. False:
// neither covers it.
func (p *Past) Above(now Now, offset int64) (h replica.History, to int64, ok bool) {
	switch {
	case offset+1 >= now.From:
		return now.History, now.Applied, true
	case p.Covers(now.Era, offset+1):
		now.History.Bequeath(p.kept)
		_, to = p.kept.Range()
		return p.kept.History(), to, true
	}
	return replica.History{}, 0, false
}
