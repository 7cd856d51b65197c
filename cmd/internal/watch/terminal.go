package watch

import (
	"os"

	"github.com/gdamore/tcell/v3"
	"github.com/gdamore/tcell/v3/tty"
	"golang.org/x/sys/unix"
)

// columnsDefault is the width of a terminal that doesn't say, and of what is
// none.
const columnsDefault = 80

// Columns is how wide the terminal behind a file is.
func Columns(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || size.Col == 0 {
		return columnsDefault
	}
	return int(size.Col)
}

// Line is how wide the terminal is that a file is, if it can write a line anew;
// 0 if it can't, or is none.
func Line(f *os.File) int {
	if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err != nil || !capable(os.Getenv("TERM")) {
		return 0
	}
	return Columns(f)
}

// Terminal is the terminal that the process is run from, not taken over yet;
// nil if standard output goes elsewhere, or if it can't move its cursor.
func Terminal() tcell.Screen {
	if Line(os.Stdout) == 0 {
		return nil
	}
	device, err := tty.NewDevTty()
	if err != nil {
		return nil
	}
	// Without negotiation nothing is asked of the terminal, so there is no
	// answer to wait for, and none that a shell could get to see afterwards.
	terminal, err := tcell.NewTerminfoScreenFromTty(device, tcell.OptNegotiation(false))
	if err != nil {
		return nil
	}
	return terminal
}

func capable(term string) bool { return term != "" && term != "dumb" }
