package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	odin "github.com/odin-ws/odin/clients/go"
	"github.com/odin-ws/odin/cmd/internal/clitest"
	"golang.org/x/sys/unix"
)

var aPlace = regexp.MustCompile(`^\{"channels":\["[*B][^"]+"\],"cursor":\{"odin\.trades":\{"epoch":"[^"]+","offsets":\[[-\d,]+\]\}\}\}\n$`)

// placed waits until a file holds a place.
func placed(t *testing.T, file string) {
	t.Helper()
	clitest.Eventually(t, "the place is kept", func() bool {
		text, _ := os.ReadFile(file)
		return aPlace.Match(text)
	})
}

// number is that of a record of publishNumbers, in a line of --json.
func number(t *testing.T, line string) (n int) {
	t.Helper()
	if _, err := fmt.Sscanf(line[strings.LastIndex(line, `"data":`):], `"data":%d}`, &n); err != nil {
		t.Fatalf("line %q: %v", line, err)
	}
	return n
}

func publishNumbers(t *testing.T, d *clitest.Demo, from, to int) {
	t.Helper()
	var lines strings.Builder
	for n := from; n < to; n++ {
		fmt.Fprintf(&lines, "BTC %d\n", n)
	}
	if got := publish(t, d, lines.String(), "odin.trades", "-"); got.Code != 0 {
		t.Fatalf("%+v", got)
	}
}

// What is killed, whenever that is, may print the records of its last second
// again, but leaves none out.
func TestSubIsKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	file := filepath.Join(t.TempDir(), "place")
	const each = 20
	had := 0 // 0 to had-1 were printed
	hear := func(lines []string) {
		for i, line := range lines {
			n := number(t, line)
			if n > had || i > 0 && n != number(t, lines[i-1])+1 {
				t.Fatalf("%d behind %d records: %q", n, had, lines)
			}
			had = max(had, n+1)
		}
	}
	for round := range 8 {
		p := bin.Start(t, clitest.Command{Program: "odinctl", Args: []string{"sub", "--runtime-dir", d.Ready["runtime"], "--json", "BTC.trade", "--resume", file}})
		var lines []string
		switch {
		case round == 0:
			placed(t, file)
		case round%2 == 1: // as soon as there is one
			lines = append(lines, p.Line())
		}
		publishNumbers(t, d, round*each, (round+1)*each)
		p.Signal(syscall.SIGKILL)
		_, rest := p.Wait()
		hear(append(lines, rest...))
		if round > 0 && strings.Contains(p.Stderr(), "no place yet") {
			t.Fatal(p.Stderr())
		}
	}
	p := sub(t, d, "--json", "BTC.trade", "--resume", file)
	for had < 8*each {
		hear([]string{p.Line()})
	}
}

// The first record that is printed has a place before it in the file.
func TestSubIsKilledAtItsFirstRecord(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	file := filepath.Join(t.TempDir(), "place")
	p := sub(t, d, "--json", "BTC.trade", "--resume", file)
	publishNumbers(t, d, 0, 1)
	p.Line()
	p.Signal(syscall.SIGKILL)
	p.Wait()
	publishNumbers(t, d, 1, 3)
	p = sub(t, d, "--json", "BTC.trade", "--resume", file)
	if n := number(t, p.Line()); n > 1 {
		t.Errorf("it goes on with %d", n)
	}
	said(t, p, "nothing is missing")
}

// A reader that goes ends it like ^C, and the place is behind what went into
// the pipe.
func TestSubOfAReaderThatGoes(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	file := filepath.Join(t.TempDir(), "place")
	odinctl := fmt.Sprintf("%s sub --runtime-dir %s --json BTC.trade --resume %s", filepath.Join(bin.Dir(t), "odinctl"), d.Ready["runtime"], file)
	script := exec.Command("bash", "-c", odinctl+` | head -n 2; echo "exit ${PIPESTATUS[0]}"`)
	var out, errs bytes.Buffer
	script.Stdout, script.Stderr = &out, &errs
	if err := script.Start(); err != nil {
		t.Fatal(err)
	}
	placed(t, file)
	for n := range 3 {
		publishNumbers(t, d, n, n+1)
	}
	publishNumbers(t, d, 3, 10)
	if err := script.Wait(); err != nil || !strings.HasSuffix(out.String(), "exit 0\n") || strings.Count(out.String(), "\n") != 3 {
		t.Fatalf("%v: %q, %q", err, out.String(), errs.String())
	}
	if want := "odinctl: " + file + " holds no place yet: records come from now on\n"; errs.String() != want {
		t.Errorf("it says %q", errs.String())
	}
	p := sub(t, d, "--json", "BTC.trade", "--resume", file)
	if n := number(t, p.Line()); n < 2 {
		t.Errorf("it goes on with %d", n)
	}
}

// ^C ends it although nobody reads what it prints.
func TestSubThatNobodyReads(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	file := filepath.Join(t.TempDir(), "place")
	c := exec.Command(filepath.Join(bin.Dir(t), "odinctl"), "sub", "--runtime-dir", d.Ready["runtime"], "BTC.trade", "--resume", file)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Process.Kill()
	placed(t, file)
	lines := strings.Repeat(`BTC "`+strings.Repeat("x", 1000)+"\"\n", 200) // more than a pipe holds
	if got := publish(t, d, lines, "odin.trades", "-"); got.Code != 0 {
		t.Fatalf("%+v", got)
	}
	clitest.Eventually(t, "the pipe is full", func() bool {
		n, err := unix.IoctlGetInt(int(out.(*os.File).Fd()), unix.TIOCINQ)
		return err == nil && n > 40_000
	})
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	state, err := c.Process.Wait()
	if err != nil || state.ExitCode() != 0 {
		t.Errorf("%v, %v", state, err)
	}
	p := sub(t, d, "BTC.trade", "--resume", file)
	p.Line() // what was stuck
}

// What can't be printed ends it before the place is behind it.
func TestSubToAFullDisk(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	file := filepath.Join(t.TempDir(), "place")
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	var errs bytes.Buffer
	c := exec.Command(filepath.Join(bin.Dir(t), "odinctl"), "sub", "--runtime-dir", d.Ready["runtime"], "BTC.trade", "--resume", file)
	c.Stdout, c.Stderr = full, &errs
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Process.Kill()
	placed(t, file)
	publishNumbers(t, d, 0, 1)
	var failed *exec.ExitError
	if err := c.Wait(); !errors.As(err, &failed) || failed.ExitCode() != 1 || !strings.HasSuffix(errs.String(), "no space left on device\n") {
		t.Errorf("%v: %q", err, errs.String())
	}
	p := sub(t, d, "BTC.trade", "--resume", file)
	printed(t, p, "0")
	wantsEnd(t, p)
}

func TestBadPlaces(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	dir := t.TempDir()
	contents := map[string]string{
		"list": "[]", "no-cursor": `{"channels":["BTC.trade"]}`, "no-offsets": `{"channels":["BTC.trade"],"cursor":{"t":7}}`, "half": `{"channels":["BTC.tr`,
		"other": `{"channels":["ETH.trade","SOL.*"],"cursor":{"t":{"epoch":"e","offsets":[1]}}}`, "blocked": "", "large": strings.Repeat(" ", 2<<20),
		"many": `{"channels":["BTC.trade"],"cursor":{"t":{"epoch":"e","offsets":[` + strings.Repeat("1,", 5000) + `1]}}}`,
	}
	for name, content := range contents {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, ".blocked.new/full"), 0o700), syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ file, channel, says string }{
		{"list", "BTC.trade", "remove it to begin from now on"},
		{"no-cursor", "BTC.trade", "does not hold the place"},
		{"no-offsets", "BTC.trade", "does not hold the place"},
		{"half", "BTC.trade", "half does not hold the place of an odinctl sub"},
		{"large", "BTC.trade", "does not hold the place"},
		{"many", "BTC.trade", "5001 partitions, allowed: 1024 and 4096); name another file"},
		{"other", "BTC.trade", "other holds the place of ETH.trade SOL.*: ask for the same channels, or name another file"},
		{"blocked", "BTC.trade", "keep the place: "},
		{"missing/file", "BTC.trade", "keep the place: open "},
		{".", "BTC.trade", "is no regular file (d---------): name one that can hold a place"},
		{"fifo", "BTC.trade", "is no regular file (p---------)"},
		{"../../../../../../../../dev/null", "BTC.trade", "/dev/null is no regular file"},
		{"new", "nodot", "\nodinctl: odind took none of the channels\n"},
		{"new", "BTC:trade", "\nodinctl: odind took none of the channels\n"}, // nothing was kept for the other
	} {
		p := bin.Start(t, clitest.Command{Program: "odinctl", Args: []string{"sub", "--runtime-dir", d.Ready["runtime"], c.channel, "--resume", filepath.Join(dir, c.file)}})
		if code, rest := p.Wait(); code != 1 || len(rest) != 0 || !strings.Contains(p.Stderr(), c.says) || strings.Count(p.Stderr(), "keep the place") > 1 {
			t.Errorf("%s: exit %d, %q, %q", c.file, code, rest, p.Stderr())
		}
	}
	for name, content := range contents { // not one of them was touched
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(text) != content {
			t.Errorf("%s holds %.80q by now, %v", name, text, err)
		}
	}
}

// A place of another cluster, which has other topics, is told.
func TestPlaceOfAnotherCluster(t *testing.T) {
	t.Parallel()
	d := quiet(t)
	file := filepath.Join(t.TempDir(), "place")
	if err := os.WriteFile(file, []byte(`{"channels":["BTC.trade"],"cursor":{"other.trades":{"epoch":"e","offsets":[1]}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	p := sub(t, d, "BTC.trade", "--resume", file)
	said(t, p, "odinctl: "+file+" has a place in other.trades, of which odind relays nothing to these channels: what came there may be missing; is it the same cluster?\n")
	publishNumbers(t, d, 0, 1)
	printed(t, p, "0")
	wantsEnd(t, p)
}

// Only one odinctl keeps its place in a file, however often that is replaced.
func TestPlaceOfOne(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "place")
	cursor := odin.Cursor{"t": {Epoch: "e", Offsets: []odin.Offset{1}}}
	k, _, err := openKeeper(file, []string{"A.x"})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if _, _, err := openKeeper(file, []string{"A.x"}); err == nil || err.Error() != "another odinctl keeps its place in "+file+": end it, or name another file" {
			t.Fatalf("%d: %v", n, err)
		}
		cursor.Advance(odin.Pos{Topic: "t", Offset: int64(n + 2)})
		if err := k.keep(cursor); err != nil {
			t.Fatal(err)
		}
	}
	k.close()
	if k, kept, err := openKeeper(file, []string{"A.x"}); err != nil || kept["t"].Offsets[0] != 4 {
		t.Errorf("%v, %v", kept, err)
	} else {
		k.close()
	}
}

// Links stay links, and a file keeps its mode.
func TestPlaceBehindALink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link, target := filepath.Join(dir, "link"), filepath.Join(dir, "there", "place")
	if err := errors.Join(os.Mkdir(filepath.Dir(target), 0o700), os.Symlink(target, link)); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o600, 0o644} { // it leads nowhere at first
		k, _, err := openKeeper(link, []string{"A.x"})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(k.keep(odin.Cursor{"t": {Epoch: mode.String()}}), os.Chmod(target, 0o644)); err != nil {
			t.Fatal(err)
		}
		k.close()
	}
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("%v, %v", info, err)
	}
	if info, err = os.Stat(target); err != nil || info.Mode() != 0o644 {
		t.Errorf("%v, %v", info, err)
	}
}

// A file that was left half written by one that was killed is in nobody's way,
// and a place that can't be written leaves the one before it.
func TestPlaceIsWholeOrAsBefore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, half := filepath.Join(dir, "place"), filepath.Join(dir, ".place.new")
	if err := os.WriteFile(half, []byte(`{"chan`), 0o400); err != nil {
		t.Fatal(err)
	}
	k, _, err := openKeeper(file, []string{"A.x"})
	if err != nil {
		t.Fatal(err)
	}
	defer k.close()
	if err := k.keep(odin.Cursor{"t": {Epoch: "e"}}); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(file)
	if err := os.MkdirAll(filepath.Join(half, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := k.keep(odin.Cursor{"t": {Epoch: "f"}}); err == nil || !strings.Contains(err.Error(), "keep the place: ") {
		t.Error(err)
	}
	if after, _ := os.ReadFile(file); !bytes.Equal(before, after) {
		t.Errorf("it holds %q, before %q", after, before)
	}
	if _, _, err := openKeeper(file, []string{"A.x"}); err == nil {
		t.Error("it isn't held any more")
	}
}
