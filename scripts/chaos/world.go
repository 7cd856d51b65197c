package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	odin "github.com/odin-ws/odin/clients/go"
	"github.com/odin-ws/odin/internal/kafkatest"
	"github.com/odin-ws/odin/scripts/chaos/check"
	"github.com/odin-ws/odin/scripts/chaos/plan"
)

// options of a run.
type options struct {
	seed             uint64
	length           time.Duration
	clients, workers int
	brokers          int
	rate             float64
	programs, keep   string
	only             []plan.Kind
}

// choose adds kinds of faults to those that there are only.
func (o *options) choose(kinds string) error {
	for _, k := range strings.Split(kinds, ",") {
		if plan.Lane(plan.Kind(k)) < 0 {
			return fmt.Errorf("%q is no fault", k)
		}
		o.only = append(o.only, plan.Kind(k))
	}
	return nil
}

// world is all that runs.
type world struct {
	options   options
	stage     *stage
	began     time.Time
	cluster   *kafkatest.Cluster
	proxies   []*proxy
	client    *kgo.Client
	admin     *kadm.Client
	topics    []*topic
	producers map[*topic]*producer
	ledger    *ledger
	odind     *odind
	clients   []*client

	finish chan struct{}            // closed when no more is produced
	last   atomic.Pointer[lastWord] // what clients have to reach; nil: not known yet

	mu    sync.Mutex
	deeds []deed
}

// lastWord is the end of every topic.
type lastWord map[string]struct {
	incarnation string
	ends        []int64
}

// deed is a fault that was done.
type deed struct {
	at, took time.Duration
	what     string
	err      error // why it could not be done
}

func (w *world) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%7.1fs %s\n", time.Since(w.began).Seconds(), fmt.Sprintf(format, args...))
}

// build starts everything.
func (w *world) build(ctx context.Context) (err error) {
	if err := w.startBrokers(); err != nil {
		return err
	}
	w.client, err = kgo.NewClient(kgo.SeedBrokers(w.cluster.Addrs()...), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		return err
	}
	w.stage.Cleanup(w.client.Close)
	w.admin = kadm.NewClient(w.client)
	for _, t := range w.topics {
		if err := w.create(ctx, t); err != nil {
			return err
		}
		w.producers[t] = w.producer(t)
	}
	if w.odind, err = w.newOdind(); err != nil {
		return err
	}
	w.stage.Cleanup(w.odind.killAll)
	return w.odind.start(ctx)
}

// startBrokers runs the cluster, each broker with a proxy that only odind goes
// through.
func (w *world) startBrokers() error {
	byBroker := map[string]*proxy{}
	for range w.options.brokers {
		p, err := newProxy()
		if err != nil {
			return err
		}
		w.proxies = append(w.proxies, p)
		w.stage.Cleanup(p.close)
	}
	w.cluster = kafkatest.Start(w.stage, kafkatest.Options{
		Brokers: w.options.brokers,
		Advertise: func(listener string) string {
			p, ok := byBroker[listener]
			if !ok {
				p = w.proxies[len(byBroker)]
				p.target = listener
				byBroker[listener] = p
			}
			return p.addr()
		},
		Properties: map[string]string{"log.retention.check.interval.ms": "1000"},
	})
	for _, p := range w.proxies {
		go p.serve()
	}
	return nil
}

func (w *world) finishing() bool {
	select {
	case <-w.finish:
		return true
	default:
		return false
	}
}

// reached tells whether a cursor stands at the end of all of its topics.
func (w *world) reached(c odin.Cursor) bool {
	last := w.last.Load()
	if last == nil || len(c) == 0 {
		return false
	}
	for topic, entry := range c {
		word := (*last)[topic]
		if check.IncarnationOf(entry.Epoch) != word.incarnation || len(entry.Offsets) < len(word.ends) {
			return false
		}
		for p, end := range word.ends {
			if int64(entry.Offsets[p]) < end {
				return false
			}
		}
	}
	return true
}
