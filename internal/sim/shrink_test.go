package sim

import "errors"

// shrink leaves moves out of a failing plan as long as it breaks the same rule.
func shrink(p *plan, broken duty) *plan {
	rule := ruleOf(try(p, broken, nil, nil))
	small := *p
	for size := len(p.moves) / 2; size > 0; size /= 2 {
		for from := 0; from < len(small.moves); {
			q := small
			q.moves = append([]move(nil), small.moves[:from]...)
			q.moves = append(q.moves, small.moves[min(from+size, len(small.moves)):]...)
			if ruleOf(try(&q, broken, nil, nil)) == rule {
				small = q
			} else {
				from += size
			}
		}
	}
	return &small
}

func ruleOf(err error) string {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.rule
	}
	return ""
}
