package route

// Skip is why a record has no channel.
type Skip int

// The reasons; OK is none.
const (
	OK         Skip = iota
	NoKey           // the key, or the header that the route names, is missing or empty
	BadSubject      // the subject can't be the part of a channel
	BadPath         // the value isn't JSON, or has no string or number at the path
	NoRoute         // no route names the topic
	TooLarge        // the frame is larger than the limit; judged by who encodes it
	Fault           // encoding it met a defect of Odin's; noticed by who encodes it
)

// Skips is every reason but OK.
func Skips() []Skip { return []Skip{NoKey, BadSubject, BadPath, NoRoute, TooLarge, Fault} }

// String is the reason as the label of its counter.
func (s Skip) String() string {
	switch s {
	case OK:
		return "ok"
	case NoKey:
		return "no_key"
	case BadSubject:
		return "bad_subject"
	case BadPath:
		return "bad_path"
	case NoRoute:
		return "no_route"
	case TooLarge:
		return "too_large"
	case Fault:
		return "fault"
	}
	return "unknown"
}
