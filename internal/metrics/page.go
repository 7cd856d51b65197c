package metrics

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/odin-ws/odin/shm"
)

const pageHead = `# Metrics

<!-- Generated from the table in shm and what internal/metrics derives: go test ./internal/metrics -run Page -update -->

` + "`/metrics`" + ` on the operator's address (` + "`operator.listen`" + `) answers Prometheus text or OpenMetrics, whichever the scraper asks for, with all workers
in one scrape. It is read from shared memory: no worker is asked, and it answers while workers are stopped or stuck.
[deploy/prometheus](../deploy/prometheus) has a scrape configuration, recording rules and alerts; what to do about each alert is in
[OPERATIONS.md](OPERATIONS.md#alerts). [deploy/grafana](../deploy/grafana) has dashboards.

- Units are seconds and bytes. What ends in ` + "`_total`" + ` only grows while odind lives, over the death of workers too: a worker that is replaced
  goes on counting where it was.
- Every series is there, at zero, from the first scrape on, so that a rate or an alert never misses the first event.
- Labels are ` + "`worker`" + ` (its slot, from 0), ` + "`topic`, `partition`, `reason` and `code`" + `: never a client, a channel or an address. So the number of series is
  known beforehand:

      %s

- What workers publish once a second (gauges, CPU, what the source and the history count) is at most a second old.
`

// pageSection is what a heading of the page has below it, of the table.
type pageSection struct {
	title       string
	first, last shm.Counter
	gauges      []shm.Gauge
	histograms  []shm.Histogram
}

func pageSections() []pageSection {
	return []pageSection{
		{
			"Connections, up to the upgrade", shm.ConnectionsAccepted, shm.RefusedHandshakes,
			[]shm.Gauge{shm.PendingHandshakes},
			[]shm.Histogram{shm.HandshakeTime},
		},
		{
			"Sessions and their ends", shm.SessionsClosed1000, shm.Gaps,
			[]shm.Gauge{shm.Sessions, shm.SessionsMax, shm.Subscriptions, shm.Channels, shm.Patterns, shm.BlockedSessions, shm.ClosingSessions, shm.DeflatingSessions},
			nil,
		},
		{
			"What goes out to sessions", shm.Deliveries, shm.DeflateSavedBytes,
			[]shm.Gauge{shm.OwedBytes, shm.AnswerBytes},
			[]shm.Histogram{shm.DeliveryLatency, shm.BlockedOwedBytes},
		},
		{"What comes in from sessions", shm.FramesReceived, shm.AnswerLimitReached, []shm.Gauge{shm.InputBytes}, nil},
		{"Resume", shm.Resumes, shm.ResetsTopology, []shm.Gauge{shm.ReplayingSessions}, nil},
		{"The loop", shm.Turns, shm.DeliverRateReached, nil, []shm.Histogram{shm.TurnLength}},
		{
			"The source", shm.RecordsFetched, shm.GroupCommitsFailed,
			[]shm.Gauge{shm.SourceHealthy, shm.SourcePaused, shm.PartitionsOwned, shm.UnappliedBytes},
			nil,
		},
		{
			"The bus between workers", shm.BusRecordsSent, shm.EraChanges,
			[]shm.Gauge{shm.BusLinks, shm.BusLinksBlocked, shm.BusOwedBytes},
			nil,
		},
		{
			"History and process", shm.HistoryEvictions, shm.Faults,
			[]shm.Gauge{
				shm.HistoryBytes, shm.HistoryBytesMax, shm.HistoryDeflatedBytes, shm.HistoryRecords, shm.HistoryAge, shm.HistoryChunks,
				shm.HeapBytes, shm.ResidentBytes, shm.Goroutines, shm.OpenFds, shm.FdLimit,
			},
			nil,
		},
	}
}

// Page writes docs/METRICS.md.
func Page(to io.Writer) error {
	w, partitions, process := newWorkers(0), newPartitions(), newProcess()
	var b strings.Builder
	fmt.Fprintf(&b, pageHead, strings.Join(cardinality(&w, &partitions, &process), "\n      "))
	writeSection(&b, "Odin as a whole", process.families())
	writeSection(&b, "Each worker", w.derived())
	writeSection(&b, "Each partition", partitions.families())
	for _, s := range pageSections() {
		writeSection(&b, "Each worker: "+s.title, w.section(s))
	}
	_, err := io.WriteString(to, b.String())
	return err
}

// section is the families that stand below one heading.
func (w *workers) section(s pageSection) []*family {
	all := slices.Compact(slices.Clone(w.counters[s.first : s.last+1]))
	for _, g := range s.gauges {
		all = append(all, w.gauges[g])
	}
	for _, h := range s.histograms {
		all = append(all, w.histograms[h])
	}
	return all
}

func writeSection(b *strings.Builder, title string, families []*family) {
	b.WriteString("\n## " + title + "\n\n| name | type, unit | labels | meaning |\n|---|---|---|---|\n")
	for _, f := range families {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", f.name, f.pageType(), f.pageLabels(), f.pageMeaning())
	}
}

func (f *family) pageType() string {
	text := f.Kind.String()
	switch name := strings.TrimSuffix(f.name, "_total"); {
	case f.Unit == shm.Flag:
		text += ", 0 or 1"
	case strings.HasSuffix(name, "_seconds"):
		text += ", seconds"
	case strings.HasSuffix(name, "_bytes"):
		text += ", bytes"
	}
	return text
}

// pageLabels names the labels, with their values where the table has them.
func (f *family) pageLabels() string {
	var words []string
	for _, label := range f.labels {
		if label == f.Label {
			label += ": " + strings.Join(values(f.Name), ", ")
		}
		words = append(words, label)
	}
	if len(words) == 0 {
		return "–"
	}
	return strings.Join(words, "; ")
}

// values are those of the label by which the rows of a name differ.
func values(name string) (list []string) {
	for c := range shm.CounterCount {
		if m := c.Metric(); m.Name == name {
			value := m.Value
			if m.Later && !strings.Contains(m.Help, "version") {
				value += " *(later)*"
			}
			list = append(list, value)
		}
	}
	return list
}

func (f *family) pageMeaning() string {
	text := f.Help
	switch {
	case strings.HasPrefix(f.When, "always"):
		text += " *Worth a look " + f.When + ".*"
	case f.When != "":
		text += " *Worth a look when " + f.When + ".*"
	}
	return strings.ReplaceAll(text, "|", "\\|")
}

// cardinality is how many series a scrape has, as a formula and for examples.
func cardinality(w *workers, p *partitions, process *process) (lines []string) {
	once, worker, partition := len(process.families()), w.seriesEach(), len(p.families())
	lines = []string{fmt.Sprintf("series = %d + %d × workers + %d × partitions", once, worker, partition)}
	for _, c := range [][2]int{{2, 12}, {16, 96}, {128, 4096}} {
		lines = append(lines, fmt.Sprintf("%3d workers, %4d partitions: %6d", c[0], c[1], once+worker*c[0]+partition*c[1]))
	}
	return lines
}

// seriesEach is the series of one worker as Prometheus counts them: each
// bucket of a histogram, its sum and its count are one.
func (w *workers) seriesEach() int {
	n := len(w.counters) + len(w.gauges) + workerSeriesDerived
	for h := range shm.HistogramCount {
		n += len(h.Bounds()) + len([]string{"+Inf", "sum", "count"})
	}
	return n
}
