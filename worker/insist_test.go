package worker

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/odin-ws/odin/internal/event"
	"github.com/odin-ws/odin/internal/replica"
	"github.com/odin-ws/odin/shm"
)

// insisting is a process of which only insist is used, with one partition of term
// 1 and era 0.
func insisting(t *testing.T) (*process, *partition, replica.Effect) {
	t.Helper()
	segment, err := shm.Create(filepath.Join(t.TempDir(), "stats.shm"), shm.Layout{Slots: 1, Partitions: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := segment.AddPartitionInEra(event.Partition{Topic: "t"}, 0, event.Era{}, shm.NoMark); err != nil {
		t.Fatal(err)
	}
	segment.SetOwner(0, event.Owner{Term: 1})
	return &process{segment: segment}, &partition{}, replica.Effect{Term: 1}
}

var errNotNow = errors.New("not now")

// What can't be had, for as long as that lasts, doesn't keep others from what can.
func TestInsistGivesItsPlaceUpBetweenTries(t *testing.T) {
	p, pt, e := insisting(t)
	synctest.Test(t, func(t *testing.T) {
		p.ctx, p.cancel = context.WithCancel(t.Context())
		places := make(chan struct{}, 1)
		others, tries, served := 0, 0, make(chan struct{})
		go p.insist(places, pt, e, func() error {
			select {
			case <-served:
				return nil
			default:
			}
			if tries++; tries > 9 {
				return nil
			}
			return errNotNow
		})
		synctest.Wait()
		for range 3 {
			p.insist(places, pt, e, func() error { others++; return nil })
		}
		if others != 3 || tries != 1 {
			t.Errorf("%d of 3 others had their turn, behind %d tries", others, tries)
		}
		close(served)
	})
}

func TestInsistEnds(t *testing.T) {
	for name, end := range map[string]func(*process){
		"with the term":    func(p *process) { p.segment.SetOwner(0, event.Owner{Term: 2}) },
		"with the process": func(p *process) { p.cancel() },
		"with the era": func(p *process) {
			p.segment.Slot(0).ProposeEra(0, event.Era{Number: 1})
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, pt, e := insisting(t)
			synctest.Test(t, func(t *testing.T) {
				p.ctx, p.cancel = context.WithCancel(t.Context())
				places, tries := make(chan struct{}, 1), 0
				p.insist(places, pt, e, func() error {
					if tries++; tries == 3 {
						end(p)
					}
					return errNotNow
				})
				if tries != 3 || len(places) != 0 {
					t.Errorf("%d tries, %d places taken", tries, len(places))
				}
			})
		})
	}
}
