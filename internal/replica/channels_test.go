package replica

import (
	"fmt"
	"testing"

	"github.com/odin-ws/odin/internal/event"
)

// putChannels appends records of so many channels in turn, all applied.
func putChannels(s *Store, w *window, from, to int64, channels int) {
	for o := from; o < to; o++ {
		c := fmt.Sprintf("K%d.trade", o%int64(channels))
		s.put(w, &event.Record{Offset: o, Channel: []byte(c), Frame: fmt.Appendf(nil, `{"channel":"%s"}`, c)})
		w.apply(o)
	}
}

func TestHistoryOfAChannel(t *testing.T) {
	s := NewStore(Limits{Records: 1000})
	w := s.open()
	h := History{s, w}
	if places, ok := h.Of(nil, [][]byte{[]byte("K3.trade")}, -1, 10); len(places) != 0 || !ok {
		t.Errorf("an empty history has %v", places)
	}
	putChannels(s, w, 0, 2500, 10)
	places, ok := h.Of(nil, [][]byte{[]byte("K3.trade"), []byte("K7.trade")}, 2000, 1000)
	if len(places) != 100 || !ok {
		t.Fatalf("%d places, %t", len(places), ok)
	}
	for i, p := range places {
		e, ok := h.At(p)
		if want := int64(2003 + 10*(i/2) + 4*(i%2)); !ok || e.Offset != want {
			t.Fatalf("place %d is %d, want %d", i, e.Offset, want)
		}
	}
	if places, ok := h.Of(nil, [][]byte{[]byte("K3.trade")}, 2000, 20); ok || len(places) != 0 {
		t.Errorf("%d places after too many looks", len(places))
	}
	newest, _ := h.Newest(nil, []byte("K4.trade"), 3, 1000)
	for i, want := range []int64{2494, 2484, 2474} {
		if e, ok := h.At(newest[i]); !ok || e.Offset != want || string(e.Channel) != "K4.trade" {
			t.Errorf("newest %d is %+v", i, e)
		}
	}
	if places, _ := h.Newest(nil, []byte("no.ne"), 3, 5000); len(places) != 0 {
		t.Error("found what isn't there")
	}
}

// A place that was trimmed, or is still to come, is nowhere, also when the
// number of places wraps and after the index was emptied.
func TestPlacesWrap(t *testing.T) {
	s := NewStore(Limits{Records: 50})
	w := s.open()
	w.base -= 120
	h := History{s, w}
	var held []Place
	for o := range int64(300) {
		putChannels(s, w, o, o+1, 7)
		first, end := h.Above(o - 10)
		if want := min(o+1, 10); int64(end-first) != want {
			t.Fatalf("%d records above %d, want %d", end-first, o-10, want)
		}
		held = append(held, end-1)
		for i, p := range held {
			e, ok := h.At(p)
			if there := o-int64(i) < 50; ok != there || ok && e.Offset != int64(i) {
				t.Fatalf("at %d place %d is %d, %t", o, i, e.Offset, ok)
			}
		}
		if places, _ := h.Of(nil, [][]byte{[]byte("K1.trade")}, -1, 1000); len(places) > 8 || o > 60 && len(places) < 7 {
			t.Fatalf("at %d there are %d of one channel", o, len(places))
		}
		if _, ok := h.At(end); ok {
			t.Fatal("what is to come is there")
		}
	}
	s.clear(w, 301)
	if _, ok := h.At(held[299]); ok {
		t.Error("an emptied index has something")
	}
	if n := s.Stats(); n.Bytes-n.Spare != int64(s.limits.Chunk) {
		t.Errorf("%+v", n)
	}
}

// A record that was not applied is not found, however it is looked for.
func TestUnappliedIsNotFound(t *testing.T) {
	s := NewStore(Limits{})
	w := s.open()
	putChannels(s, w, 0, 10, 1)
	s.put(w, &event.Record{Offset: 10, Channel: []byte("K0.trade"), Frame: []byte("K0.trade")})
	h := History{s, w}
	_, end := h.Above(-1)
	_, ok := h.At(end)
	places, _ := h.Of(nil, [][]byte{[]byte("K0.trade")}, -1, 100)
	if newest, _ := h.Newest(nil, []byte("K0.trade"), 1, 100); ok || len(places) != 10 || len(newest) != 1 || newest[0] != end-1 {
		t.Errorf("%t, %d places, newest %v", ok, len(places), newest)
	}
}

// BenchmarkPut is what one record costs the history, its index included.
func BenchmarkPut(b *testing.B) {
	for _, channels := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(channels, " channels"), func(b *testing.B) {
			s := NewStore(Limits{})
			windows := make([]*window, 12)
			for i := range windows {
				windows[i] = s.open()
			}
			records := make([]event.Record, channels)
			for i := range records {
				c := fmt.Sprintf("KEY%d.trade", i)
				records[i] = event.Record{Channel: []byte(c), Frame: fmt.Appendf(nil, `xx{"type":"message","channel":"%s","data":"%0150d"}`, c, 1)}
			}
			b.ReportAllocs()
			for i := range b.N {
				r, w := &records[i*7%channels], windows[i%12]
				r.Offset = int64(i)
				s.put(w, r)
				w.apply(r.Offset)
				if i%1000 == 0 {
					s.Evict(int64(i))
				}
			}
		})
	}
}

// BenchmarkOf is what finding 50 records of a channel costs, in a full index.
func BenchmarkOf(b *testing.B) {
	s := NewStore(Limits{})
	w := s.open()
	putChannels(s, w, 0, 20_000, 200)
	h := History{s, w}
	channel := [][]byte{[]byte("K77.trade")}
	var places []Place
	for b.Loop() {
		places, _ = h.Of(places[:0], channel, -1, 10_000)
	}
	if len(places) != 50 {
		b.Fatal(len(places))
	}
}
