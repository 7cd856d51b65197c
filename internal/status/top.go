package status

import (
	"io"
	"strconv"
	"strings"
	"time"
)

// Rates is what happened between two statuses, each second. What a restart of
// odind made fall counts as nothing.
type Rates struct {
	Deliveries float64       `json:"deliveries_per_s"`
	Bytes      float64       `json:"bytes_per_s"`
	Cores      float64       `json:"cores"` // CPU seconds a second
	Workers    []WorkerRates `json:"workers"`
}

// WorkerRates is one slot's part of Rates.
type WorkerRates struct {
	Slot       int     `json:"slot"`
	Deliveries float64 `json:"deliveries_per_s"`
	Bytes      float64 `json:"bytes_per_s"`
	Cores      float64 `json:"cores"`
}

// Between compares two statuses of one odind that were read so long apart;
// without any time between them all rates are 0.
func Between(before, after Status, apart time.Duration) Rates {
	rates := Rates{Workers: make([]WorkerRates, len(after.Workers))}
	for i, now := range after.Workers {
		then := now
		if i < len(before.Workers) && before.PID == after.PID {
			then = before.Workers[i]
		}
		r := WorkerRates{
			Slot:       now.Slot,
			Deliveries: rate(float64(then.Deliveries), float64(now.Deliveries), apart),
			Bytes:      rate(float64(then.DeliveryBytes), float64(now.DeliveryBytes), apart),
			Cores:      rate(then.CPUS, now.CPUS, apart),
		}
		rates.Workers[i] = r
		rates.Deliveries = round(rates.Deliveries + r.Deliveries)
		rates.Bytes = round(rates.Bytes + r.Bytes)
		rates.Cores = round(rates.Cores + r.Cores)
	}
	return rates
}

func rate(before, after float64, apart time.Duration) float64 {
	if apart <= 0 || after <= before {
		return 0
	}
	return round((after - before) / apart.Seconds())
}

// TopText is Text with what happens each second in the place of what has
// happened since the start.
func (s Status) TopText(w io.Writer, width int, rates Rates) error {
	width = max(width, widthMin)
	var out strings.Builder
	writeFacts(&out, width, "odind "+s.Version, s.State, "up "+duration(s.UptimeS), labelled("node ", s.Node), "balance "+decimals(s.Balance))
	writeFacts(&out, width, plural(len(s.Workers), "worker"), grouped(s.Sessions)+" sessions", short(rates.Deliveries)+" deliveries/s",
		size(int64(rates.Bytes))+"B/s", decimals(rates.Cores)+" cores")
	s.warned(&out, width)
	out.WriteString("\n")
	writeTable(&out, s.rateColumns(rates), width)
	if len(s.Partitions) > 0 {
		out.WriteString("\n")
		writeTable(&out, s.topicColumns(), width)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (s Status) rateColumns(rates Rates) []column {
	columns := []column{
		{title: "WORKER", right: true},
		{title: "STATE"},
		{title: "SESSIONS", right: true},
		{title: "DELIVERIES/S", right: true, worth: 7},
		{title: "BYTES/S", right: true, worth: 4},
		{title: "CPU", right: true, worth: 6},
		{title: "OWNS", right: true, worth: 2},
		{title: "OWED", right: true, worth: 3},
		{title: "MEM", right: true, worth: 1},
		{title: "BEAT", right: true, worth: 5},
	}
	for i, w := range s.Workers {
		var r WorkerRates
		if i < len(rates.Workers) {
			r = rates.Workers[i]
		}
		fill(columns, []string{
			strconv.Itoa(w.Slot), plain(w.State), grouped(w.Sessions), short(r.Deliveries), size(int64(r.Bytes)),
			strconv.FormatFloat(r.Cores*100, 'f', 0, 64) + "%", strconv.Itoa(w.Partitions), size(w.OwedBytes),
			w.living(size(w.ResidentBytes)), w.living(brief(w.HeartbeatAgeMS)),
		})
	}
	return columns
}

func decimals(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }
