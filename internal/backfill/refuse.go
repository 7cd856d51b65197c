package backfill

import "github.com/odin-ws/odin/internal/resume"

// fillsMax is how often a claim is read for. It takes more than once only where
// the history moves on faster than it is read, or all that is missing together
// is more than is kept.
const fillsMax = 3

// Refuse refuses a claim that can't be had by what a fill came to; fills counts
// how often the claim was read for. Where the bound of one reading was met, so is
// every claim that misses as many offsets; who misses less is asked for anew.
func (r Result) Refuse(c *resume.Claim, fills *uint8, from int64) {
	next := c.Offset + 1
	if c.Refused != resume.None || next < r.From || next >= from {
		return
	}
	switch *fills++; r.Why {
	case resume.None, resume.Limit:
		if *fills > fillsMax || r.Why == resume.Limit && r.Reached+1 < from && from-next >= r.Reached+1-r.From {
			c.Refused = resume.Limit
		}
	case resume.Trimmed:
		if r.LogStart == resume.Unknown || next < r.LogStart {
			c.Refused = resume.Trimmed
		}
	default:
		c.Refused = r.Why
	}
}
