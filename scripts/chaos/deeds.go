package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/odin-ws/odin/scripts/chaos/plan"
)

var (
	// errBroken is a failure of what is tested, which ends the run.
	errBroken = errors.New("odind is broken")
	errNobody = errors.New("nobody to do it to")
	errLate   = errors.New("its time had passed")
	errEnough = errors.New("it has partitions enough")
	errFew    = errors.New("it takes three brokers")
	// errUnknown ends the run, too: nobody knows what the log is.
	errUnknown = errors.New("what became of the log is not known")
)

// do carries out a fault, and returns to whom when it is over.
func (w *world) do(ctx context.Context, f plan.Fault) (what string, err error) {
	p := w.proxies[f.Pick%uint64(len(w.proxies))]
	switch f.Kind {
	case plan.KillWorker, plan.KillOwner, plan.FreezeWorker, plan.FreezeOwner, plan.TearLink:
		err = retry(ctx, func(context.Context) (err error) {
			what, err = w.doOne(f)
			return err
		})
		return what, err
	case plan.KillSupervisor, plan.KillAll, plan.Restart, plan.FreezeAll:
		return "", w.doAll(ctx, f)
	case plan.FillDisk:
		return "", w.fillDisk(ctx, f.For)
	case plan.Drain, plan.Reload, plan.ReloadBroken:
		return w.doByHand(ctx, f)
	case plan.CutBroker:
		return p.target, hold(f, p.setCut)
	case plan.CutAll:
		return "", hold(f, w.each((*proxy).setCut))
	case plan.Stall:
		return "", hold(f, w.each((*proxy).setHeld))
	case plan.Delay:
		delay := time.Duration(20+f.Pick%300) * time.Millisecond
		return fmt.Sprint("of ", delay), hold(f, w.each(func(p *proxy, on bool) { p.setDelay(map[bool]time.Duration{true: delay}[on]) }))
	case plan.DropClients:
		return fmt.Sprint(w.dropClients(f.Pick)), nil
	default:
		return w.doBrokers(ctx, f)
	}
}

// doOne is what is done to one process. There may be nobody to do it to until
// another worker has come up.
func (w *world) doOne(f plan.Fault) (what string, err error) {
	all, owners := w.odind.workers()
	switch f.Kind {
	case plan.KillWorker:
		return kill(all, f)
	case plan.KillOwner:
		return kill(owners, f)
	case plan.FreezeWorker:
		return freeze(all, f)
	case plan.FreezeOwner:
		return freeze(owners, f)
	default:
		return "", tearLink(all, f.Pick)
	}
}

// each makes a switch of a proxy one of all.
func (w *world) each(set func(*proxy, bool)) func(bool) {
	return func(on bool) {
		for _, p := range w.proxies {
			set(p, on)
		}
	}
}

func hold(f plan.Fault, set func(bool)) error {
	set(true)
	defer set(false)
	time.Sleep(f.For)
	return nil
}

func kill(pids []int, f plan.Fault) (string, error) {
	if len(pids) == 0 {
		return "", errNobody
	}
	pid := pids[f.Pick%uint64(len(pids))]
	return fmt.Sprint("pid ", pid), syscall.Kill(pid, syscall.SIGKILL)
}

func freeze(pids []int, f plan.Fault) (string, error) {
	if len(pids) == 0 {
		return "", errNobody
	}
	pid := pids[f.Pick%uint64(len(pids))]
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return "", err
	}
	time.Sleep(f.For)
	_ = syscall.Kill(pid, syscall.SIGCONT) // it may have been killed for it
	return fmt.Sprint("pid ", pid), nil
}

// doAll is what is done to all of odind.
func (w *world) doAll(ctx context.Context, f plan.Fault) error {
	var err error
	switch f.Kind {
	case plan.FreezeAll:
		pids := w.odind.pids()
		send(pids, syscall.SIGSTOP)
		time.Sleep(f.For)
		send(pids, syscall.SIGCONT)
		return nil
	case plan.KillSupervisor:
		err = w.odind.killSupervisor()
	case plan.KillAll:
		w.odind.killAll()
	case plan.Restart:
		err = w.odind.stop()
	}
	time.Sleep(f.For)
	if err := errors.Join(err, w.odind.start(ctx)); err != nil {
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	return nil
}

// dropClients breaks the connections of a third of the clients, and returns of
// how many.
func (w *world) dropClients(pick uint64) (n int) {
	r := rand.New(rand.NewPCG(pick, 0))
	for _, c := range w.clients {
		if r.IntN(3) == 0 {
			c.drop()
			n++
		}
	}
	return n
}

// doBrokers is what is done to Kafka and its topics.
func (w *world) doBrokers(ctx context.Context, f plan.Fault) (string, error) {
	node := w.cluster.Nodes[f.Pick%uint64(len(w.cluster.Nodes))]
	switch f.Kind {
	case plan.KillBroker:
		node.Kill(w.stage)
		time.Sleep(f.For)
		node.Restart(w.stage)
		return fmt.Sprint(node.ID), nil
	case plan.FreezeBroker:
		node.Freeze(w.stage)
		time.Sleep(f.For)
		node.Thaw(w.stage)
		return fmt.Sprint(node.ID), nil
	case plan.MoveLeaders:
		return "", retry(ctx, func(ctx context.Context) error { return w.moveLeaders(ctx, f.Pick) })
	case plan.Grow:
		return "", w.grow(ctx, w.topic("grow"))
	case plan.Trim:
		return "", retry(ctx, func(ctx context.Context) error { return w.trim(ctx, w.topic("trim"), f.Pick) })
	case plan.Recreate:
		return "", w.recreate(ctx, w.topic("again"))
	case plan.Truncate:
		return w.truncate(ctx, w.topic("cut"), f)
	}
	return "", fmt.Errorf("%s is not known", f.Kind)
}

func (w *world) topic(event string) *topic {
	return w.topics[slices.IndexFunc(w.topics, func(t *topic) bool { return t.event == event })]
}

// moveLeaders makes another replica the first of each partition, and that the
// leader.
func (w *world) moveLeaders(ctx context.Context, pick uint64) error {
	var request kadm.AlterPartitionAssignmentsReq
	var elect kadm.TopicsSet
	n := len(w.cluster.Nodes)
	for i, t := range w.topics {
		for p := range t.partitions.Load() {
			var brokers []int32
			for b := range t.replicas(n) {
				brokers = append(brokers, w.cluster.Nodes[(b+i+int(p)+int(pick%97))%n].ID)
			}
			request.Assign(t.name, p, brokers)
			elect.Add(t.name, p)
		}
	}
	if _, err := w.admin.AlterPartitionAssignments(ctx, request); err != nil {
		return err
	}
	_, err := w.admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, elect)
	return err
}

func (w *world) grow(ctx context.Context, t *topic) error {
	n := t.partitions.Load() + 1
	if n > partitionsMax {
		return errEnough
	}
	err := retry(ctx, func(ctx context.Context) error {
		answers, err := w.admin.UpdatePartitions(ctx, int(n), t.name)
		if err != nil {
			return err
		}
		if err := answers[t.name].Err; !errors.Is(err, kerr.InvalidPartitions) { // it was done
			return err
		}
		return nil
	})
	if err == nil {
		t.partitions.Store(n)
	}
	return err
}

// trim deletes the older part of what has been read back.
func (w *world) trim(ctx context.Context, t *topic, pick uint64) error {
	w.ledger.trimmed(t.reader.incarnation)
	starts, err := w.admin.ListStartOffsets(ctx, t.name)
	if err != nil {
		return err
	}
	offsets := kadm.Offsets{}
	for p := range t.partitions.Load() {
		start, _ := starts.Lookup(t.name, p)
		if had := t.reader.last(p) + 1; had > start.Offset && start.Err == nil {
			offsets.AddOffset(t.name, p, had-int64(pick%uint64(had-start.Offset))/2, -1)
		}
	}
	_, err = w.admin.DeleteRecords(ctx, offsets)
	return err
}

// recreate deletes a topic, all of which has been read back, and makes it anew.
func (w *world) recreate(ctx context.Context, t *topic) error {
	t.gate.Lock()
	defer t.gate.Unlock()
	w.producers[t].close()
	if _, err := w.ends(ctx, t); err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	err := retry(ctx, func(ctx context.Context) error {
		answers, err := w.admin.DeleteTopics(ctx, t.name)
		if err != nil {
			return err
		}
		if err := answers[t.name].Err; !errors.Is(err, kerr.UnknownTopicOrPartition) {
			return err
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	t.reader.stop()
	return w.create(ctx, t)
}
