package shm

import "testing"

func TestCreateOpen(t *testing.T) {
	dir := t.TempDir()
	l, err := LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Create(dir+"/stats.shm", Layout{2, 4096})
	if err != nil {
		t.Fatal(err)
	}
	s.Slot(1).Block(0).Add(Deliveries, 3)
	r, err := Open(dir + "/stats.shm")
	if err != nil {
		t.Fatal(err)
	}
	if r.Slot(1).Counter(Deliveries) != 3 {
		t.Fatal()
	}
	t.Log(s.size, s.slotBytes, s.process, s.blockBytes, int(CounterCount))
	if _, err := LockDir(dir); err == nil {
		t.Fatal()
	} else {
		t.Log(err)
	}
	l.Release()
	_, err = Open(dir + "/stats.shm")
	t.Log(err)
}
