package live

import (
	"fmt"
	"testing"
)

// BenchmarkLook is what a look costs: a glance each second and a whole one
// every ten while nobody watches, a whole one each second while somebody does.
func BenchmarkLook(b *testing.B) {
	for _, size := range [][2]int{{2, 12}, {16, 96}, {16, 4096}, {128, 4096}} {
		s := New(segmentOf(b, size[0], size[1], "odin.trades"), silence, (&counted{}).hooks())
		for name, whole := range map[string]bool{"glance": false, "whole": true} {
			b.Run(fmt.Sprintf("%s/%d workers, %d partitions", name, size[0], size[1]), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					s.look(whole)
				}
			})
		}
	}
}
