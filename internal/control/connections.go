package control

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Bounds of what one answer about sessions holds, for each worker asked.
const (
	ConnectionsMax     = 10_000
	ConnectionsDefault = 50
)

// Order is what sessions are sorted by; each puts first what an operator looks
// for first.
type Order string

// The orders.
const (
	ByAge     Order = "age"     // the newest first; of closed ones, the last to end
	ByOwed    Order = "owed"    // the most bytes that were not taken yet
	ByRecords Order = "records" // the most records delivered
	ByBytes   Order = "bytes"   // the most bytes sent
)

// Orders is every order, the default first.
func Orders() []Order { return []Order{ByAge, ByOwed, ByRecords, ByBytes} }

// Connections asks for sessions: of all that meet every condition given, the
// first Limit in the order Sort. The zero value asks for live ones.
type Connections struct {
	Closed    bool   `json:"closed,omitempty"`    // those that ended and are remembered, not the live ones
	Remote    string `json:"remote,omitempty"`    // IP, CIDR or IP:PORT
	Client    string `json:"client_id,omitempty"` // live ones that called themselves so in a reconnect
	Code      int    `json:"code,omitempty"`      // close code; a live session has one once it is closing
	Reason    Ending `json:"reason,omitempty"`
	Channel   string `json:"channel,omitempty"`    // live ones that get the records of this channel, or all that this pattern matches
	Slow      bool   `json:"slow,omitempty"`       // whose socket is full; closed ones: that were ended for it
	OlderMS   int64  `json:"older_ms,omitempty"`   // opened longer ago; closed ones: ended longer ago
	YoungerMS int64  `json:"younger_ms,omitempty"` // opened less long ago; closed ones: ended less long ago
	Sort      Order  `json:"sort,omitempty"`       // default ByAge
	Limit     int    `json:"limit,omitempty"`      // at most ConnectionsMax; default ConnectionsDefault
}

// Check tells what is wrong with a question, and what would be right.
func (q *Connections) Check() error {
	var wrong []error
	if _, err := ParseRemote(q.Remote); err != nil {
		wrong = append(wrong, err)
	}
	if q.Code < 0 || q.Code > 4999 {
		wrong = append(wrong, fmt.Errorf("no close code %d, allowed: 1000 to 4999", q.Code))
	}
	if q.Reason != "" && !slices.Contains(Endings(), q.Reason) {
		wrong = append(wrong, fmt.Errorf("unknown reason %.64q, allowed: %s", q.Reason, words(Endings())))
	}
	if q.Sort != "" && !slices.Contains(Orders(), q.Sort) {
		wrong = append(wrong, fmt.Errorf("can't sort by %.64q, allowed: %s", q.Sort, words(Orders())))
	}
	if q.Limit < 0 || q.Limit > ConnectionsMax {
		wrong = append(wrong, fmt.Errorf("a limit of %d is out of range, allowed: 1 to %d; conditions narrow the answer", q.Limit, ConnectionsMax))
	}
	if q.OlderMS < 0 || q.YoungerMS < 0 {
		wrong = append(wrong, errors.New("an age can't be negative"))
	}
	if q.Closed && q.Channel != "" {
		wrong = append(wrong, errors.New("the channels of closed sessions are not remembered, only how many there were"))
	}
	if q.Closed && q.Client != "" {
		wrong = append(wrong, errors.New("the client ids of closed sessions are not remembered"))
	}
	return errors.Join(wrong...)
}

func words[W ~string](all []W) string {
	texts := make([]string, len(all))
	for i, w := range all {
		texts[i] = string(w)
	}
	return strings.Join(texts, ", ")
}

// Remote is a condition on a client's address.
type Remote struct {
	prefix netip.Prefix // invalid: any
	port   uint16       // 0: any
}

// ParseRemote reads an IP, a CIDR or an IP:PORT. The empty text means any.
func ParseRemote(text string) (Remote, error) {
	if text == "" {
		return Remote{}, nil
	}
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return Remote{prefix: unmapped(prefix).Masked()}, nil
	}
	if addr, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return Remote{prefix: alone(addr)}, nil
	}
	if both, err := netip.ParseAddrPort(text); err == nil {
		return Remote{prefix: alone(both.Addr()), port: both.Port()}, nil
	}
	return Remote{}, fmt.Errorf("%.64q is no address, allowed: IP, IP/BITS or IP:PORT, like 10.1.2.3, 10.0.0.0/8 or [2001:db8::1]:443", text)
}

// unmapped is the IPv4 prefix that one of ::ffff:0:0/96 stands for.
func unmapped(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}

func alone(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	return netip.PrefixFrom(a, a.BitLen())
}

// Has tells whether an address meets the condition.
func (r Remote) Has(a netip.AddrPort) bool {
	if !r.prefix.IsValid() {
		return true
	}
	return r.prefix.Contains(a.Addr().Unmap().WithZone("")) && (r.port == 0 || r.port == a.Port())
}

// Connection is one session, live or closed: the item of an answer to
// Connections.
type Connection struct {
	ID        SessionID      `json:"id"`         // WORKER-GENERATION-NUMBER
	Worker    int            `json:"worker"`     // slot
	Remote    netip.AddrPort `json:"remote"`     // the client's address and port
	Client    string         `json:"client_id"`  // what it called itself in a reconnect, in printable ASCII, the rest escaped as in Go; "": nothing, or it has ended
	State     string         `json:"state"`      // open, replaying (what it missed, after a reconnect), blocked (its socket is full), closing or closed
	OpenedMS  int64          `json:"opened_ms"`  // Unix milliseconds
	ClosedMS  int64          `json:"closed_ms"`  // Unix milliseconds; 0: live
	Channels  int            `json:"channels"`   // patterns that it subscribes to; of one that ends: when that began
	Records   uint64         `json:"records"`    // sent whole
	Bytes     uint64         `json:"bytes"`      // sent, answers and frame headers included
	OwedBytes int            `json:"owed_bytes"` // not taken by its socket yet; of one that has ended: when that began
	Dropped   uint32         `json:"dropped"`    // records that it was too slow for, and was told of (slow: drop, conflate)
	Requests  uint32         `json:"requests"`   // messages received, control frames included
	BytesIn   uint64         `json:"bytes_in"`   // received
	Window    uint8          `json:"window"`     // permessage-deflate was agreed on: the window of what it is sent, in bits; 0: it was not
	PongMS    int64          `json:"pong_ms"`    // when its last pong came, Unix milliseconds; 0: none has
	Code      int            `json:"code"`       // close code; 1006: without a close frame; 0: it doesn't end
	Reason    Ending         `json:"reason"`     // why it ends: client_closed, client_gone, ping_timeout, slow_consumer, protocol_error, too_many_errors, overloaded, replay_broken, draining, shutting_down or internal_fault; "": it doesn't
	Detail    string         `json:"detail"`     // what else is known of the end: printable ASCII, at most 160 bytes
}

// DetailMax is the most bytes of a Connection's Detail.
const DetailMax = 160

// The states of a Connection.
const (
	StateOpen      = "open"
	StateReplaying = "replaying"
	StateBlocked   = "blocked"
	StateClosing   = "closing"
	StateClosed    = "closed"
)

// Compare orders two sessions as Sort says: negative if a comes first. The
// newer comes first where all else is equal.
func (o Order) Compare(a, b *Connection) int {
	switch o {
	case ByOwed:
		if a.OwedBytes != b.OwedBytes {
			return b.OwedBytes - a.OwedBytes
		}
	case ByRecords:
		if a.Records != b.Records {
			return descending(a.Records, b.Records)
		}
	case ByBytes:
		if a.Bytes != b.Bytes {
			return descending(a.Bytes, b.Bytes)
		}
	}
	return newest(a, b)
}

func descending[N uint64 | int64](a, b N) int {
	if a > b {
		return -1
	}
	if a < b {
		return 1
	}
	return 0
}

func newest(a, b *Connection) int {
	if c := descending(max(a.ClosedMS, a.OpenedMS), max(b.ClosedMS, b.OpenedMS)); c != 0 {
		return c
	}
	if a.ID.Slot != b.ID.Slot {
		return a.ID.Slot - b.ID.Slot
	}
	return descending(a.ID.Number, b.ID.Number)
}

// ConnectionItem is what an answer to Connections consists of: sessions in
// their order, and at last the Count. An empty one says that it is worked on.
type ConnectionItem struct {
	Connection *Connection      `json:"connection,omitempty"`
	Count      *ConnectionCount `json:"count,omitempty"`
}

// ConnectionCount is how many sessions there were to answer from.
type ConnectionCount struct {
	Matching int `json:"matching"` // met the conditions, those beyond the limit included
	Looked   int `json:"looked"`   // were looked at: all live ones, or all that are remembered
}
