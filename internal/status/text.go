package status

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Limits of the text; the JSON has everything.
const (
	widthMin         = 40 // a narrower terminal gets lines of this width
	warningsShownMax = 8
	ownersShownMax   = 24 // bytes of the list of owners
)

// Text writes the status for a terminal, what is wrong first, no line longer
// than width columns. What names contain can't control the terminal.
func (s Status) Text(w io.Writer, width int) error {
	width = max(width, widthMin)
	var out strings.Builder
	s.head(&out, width)
	s.warned(&out, width)
	out.WriteString("\n")
	writeTable(&out, s.workerColumns(), width)
	if len(s.Partitions) > 0 {
		out.WriteString("\n")
		writeTable(&out, s.topicColumns(), width)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (s Status) head(out *strings.Builder, width int) {
	writeFacts(out, width, "odind "+s.Version, s.State, "up "+duration(s.UptimeS), fmt.Sprintf("pid %d", s.PID), labelled("node ", s.Node))
	writeFacts(out, width, labelled("clients ", s.Listen), labelled("operator ", s.Operator), labelled("config ", s.ConfigDigest))
	writeFacts(out, width, plural(len(s.Workers), "worker"), grouped(s.Sessions)+" sessions",
		grouped(s.Deliveries)+" deliveries", "balance "+decimals(s.Balance))
}

func labelled(label, text string) string {
	if text == "" {
		return ""
	}
	return label + text
}

// writeFacts puts as many facts into a line as fit.
func writeFacts(out *strings.Builder, width int, facts ...string) {
	line := ""
	for _, fact := range facts {
		fact = fit(plain(fact), width)
		switch {
		case fact == "":
		case line == "":
			line = fact
		case len([]rune(line))+len([]rune(fact))+3 <= width:
			line += "   " + fact
		default:
			out.WriteString(line + "\n")
			line = fact
		}
	}
	if line != "" {
		out.WriteString(line + "\n")
	}
}

func (s Status) warned(out *strings.Builder, width int) {
	if len(s.Warnings) > 0 {
		out.WriteString("\n")
	}
	for i, warning := range s.Warnings {
		if i == warningsShownMax {
			fmt.Fprintf(out, "! and %d more\n", len(s.Warnings)-i)
			break
		}
		for j, line := range wrap(plain(warning), width-2) {
			out.WriteString([]string{"! ", "  "}[min(j, 1)] + line + "\n")
		}
	}
}

// wrap breaks text between words into lines of at most width runes.
func wrap(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		word = fit(word, width)
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

func (s Status) workerColumns() []column {
	columns := []column{
		{title: "WORKER", right: true},
		{title: "STATE"},
		{title: "PID", right: true, worth: 4},
		{title: "UP", right: true, worth: 5},
		{title: "SESSIONS", right: true},
		{title: "DELIVERIES", right: true, worth: 9},
		{title: "OWNS", right: true, worth: 7},
		{title: "OWED", right: true, worth: 6},
		{title: "CPU", right: true, worth: 3},
		{title: "MEM", right: true, worth: 2},
		{title: "RESPAWNS", right: true, worth: 1},
		{title: "BEAT", right: true, worth: 8},
	}
	for _, w := range s.Workers {
		fill(columns, []string{
			strconv.Itoa(w.Slot), plain(w.State), strconv.Itoa(w.PID), w.living(duration(w.UptimeS)), grouped(w.Sessions),
			short(float64(w.Deliveries)), strconv.Itoa(w.Partitions), size(w.OwedBytes), duration(w.CPUS),
			w.living(size(w.ResidentBytes)), grouped(w.Respawns), w.living(brief(w.HeartbeatAgeMS)),
		})
	}
	return columns
}

// living leaves out what only a living worker has.
func (w *Worker) living(cell string) string {
	if w.PID == 0 || w.State == Gone {
		return "-"
	}
	return cell
}

func (s Status) topicColumns() []column {
	columns := []column{
		{title: "TOPIC"},
		{title: "PARTITIONS", right: true},
		{title: "LAG", right: true},
		{title: "WORST", worth: 3},
		{title: "OPEN", right: true, worth: 1},
		{title: "OWNERS", worth: 2},
	}
	for _, t := range s.topics() {
		fill(columns, []string{
			fit(plain(t.name), 32), strconv.Itoa(len(t.partitions)), grouped(t.lag), t.worstWords(), grouped(t.open), t.owners(),
		})
	}
	return columns
}

func fill(columns []column, cells []string) {
	for i := range columns {
		columns[i].cells = append(columns[i].cells, cells[i])
	}
}

func (t *topic) worstWords() string {
	if t.worst == nil {
		return "-"
	}
	return fmt.Sprintf("p%d: %s, %s", t.worst.Partition, short(float64(t.worst.Lag)), duration(t.worst.LagS))
}

// owners lists the workers that consume the topic, and how many partitions
// nobody does.
func (t *topic) owners() string {
	var slots []int
	for _, p := range t.partitions {
		if p.Owner != nil {
			slots = append(slots, *p.Owner)
		}
	}
	slices.Sort(slots)
	slots = slices.Compact(slots)
	text := ranges(slots)
	if len(text) > ownersShownMax {
		text = plural(len(slots), "worker")
	}
	if n := len(t.orphans); n > 0 {
		text = strings.TrimPrefix(fmt.Sprintf("%s, none: %d", text, n), ", ")
	}
	return text
}

// ranges writes 0, 1, 2, 5 as 0-2, 5; numbers are in order.
func ranges(numbers []int) string {
	var words []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		word := strconv.Itoa(numbers[i])
		if j > i {
			word += "-" + strconv.Itoa(numbers[j])
		}
		words = append(words, word)
		i = j + 1
	}
	return strings.Join(words, ", ")
}
