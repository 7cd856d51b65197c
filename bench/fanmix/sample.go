package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clockTick is the unit of /proc's CPU times in s: USER_HZ, which is 100 on all
// that Go runs on.
const clockTick = 0.01

// sample is what the server's processes and the machine have used so far.
type sample struct {
	at                time.Time
	user, system      float64 // s, of all of the server's processes
	busy, idle, steal float64 // s, of all cores
	client            float64 // s, of this process
	pss, anon         float64 // KiB, if asked for
}

// take looks at a process, its descendants, the machine and itself.
func take(root int, memory bool) sample {
	s := sample{at: time.Now()}
	for _, pid := range tree(root) {
		f := statFields(pid)
		if len(f) < 17 {
			continue
		}
		s.user += (number64(f[11]) + number64(f[13])) * clockTick
		s.system += (number64(f[12]) + number64(f[14])) * clockTick
		if memory {
			b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
			s.pss += fieldKiB(b, "Pss:")
			s.anon += fieldKiB(b, "Pss_Anon:")
		}
	}
	if b, err := os.ReadFile("/proc/stat"); err == nil {
		line, _, _ := bytes.Cut(b, []byte("\n"))
		f := strings.Fields(string(line))
		for i, to := range map[int]*float64{1: &s.busy, 2: &s.busy, 3: &s.busy, 4: &s.idle, 5: &s.idle, 6: &s.busy, 7: &s.busy, 8: &s.steal} {
			*to += number64(f[i]) * clockTick
		}
	}
	var ru syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &ru) == nil {
		s.client = float64(ru.Utime.Nano()+ru.Stime.Nano()) / 1e9
	}
	return s
}

// tree lists a process and its descendants.
func tree(root int) []int {
	parents := map[int]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if f := statFields(pid); len(f) > 1 {
			parents[pid] = int(number64(f[1]))
		}
	}
	list := []int{root}
	for i := 0; i < len(list); i++ {
		for pid, parent := range parents {
			if parent == list[i] && pid != root {
				list = append(list, pid)
			}
		}
	}
	return list
}

// statFields are those of /proc/PID/stat from the third (state) on.
func statFields(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
}

func fieldKiB(b []byte, name string) float64 {
	_, rest, ok := bytes.Cut(b, []byte("\n"+name))
	if f := strings.Fields(string(rest[:min(len(rest), 64)])); ok && len(f) > 0 {
		return number64(f[0])
	}
	return 0
}

func number64(s string) float64 {
	f, _ := strconv.ParseFloat(s, 64)
	return f
}

// counters are the sums over all workers of families of /metrics.
type counters map[string]float64

// scrape reads /metrics of the operator's address; none without an address.
func scrape(operator string) (counters, error) {
	if operator == "" {
		return counters{}, nil
	}
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Get("http://" + operator + "/metrics")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	all := counters{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		name, value, ok := strings.Cut(lines.Text(), " ")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		name, _, _ = strings.Cut(name, "{")
		all[name] += number64(value)
	}
	return all, nil
}
