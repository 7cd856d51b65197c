package resume

import "testing"

func TestOnward(t *testing.T) {
	for name, c := range map[string]struct {
		missing []int
		last    int
		part    int
		move    Move
	}{
		"nothing":               {nil, 0, 0, Live},
		"all there":             {[]int{0, 0}, 1, 0, Live},
		"behind":                {[]int{0, 3}, 0, 1, Read},
		"goes on with the last": {[]int{2, 3}, 1, 1, Read},
		"behind and ahead":      {[]int{-1, 0, 1}, 0, 2, Read},
		"ahead":                 {[]int{0, -4}, 0, 0, Await},
	} {
		part, move := Onward(len(c.missing), c.last, func(i int) int64 { return int64(c.missing[i]) })
		if part != c.part || move != c.move {
			t.Errorf("%s: %d %v", name, part, move)
		}
	}
}
