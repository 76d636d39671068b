// Package terminal tells what the reader of the output can see.
package terminal

import (
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/term"
)

// defaultWidth is what lines are laid out for where nothing says how wide they may be.
const defaultWidth = 100

// Is reports whether the output goes to a terminal.
func Is(w io.Writer) bool {
	f, ok := file(w)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Colour reports whether the output goes to a terminal that has colours, and somebody who
// wants them.
func Colour(w io.Writer) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && Is(w)
}

// Width is how many characters stand on a line: what COLUMNS says, else the
// terminal's width.
func Width(w io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := file(w); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return defaultWidth
}

// UTF8 reports whether the output goes to a terminal that shows more than ASCII: by
// the locale, or on Windows by the terminal program that is known to.
func UTF8(w io.Writer) bool {
	if !Is(w) {
		return false
	}
	if runtime.GOOS == "windows" {
		return os.Getenv("WT_SESSION") != ""
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := strings.ToUpper(os.Getenv(name)); value != "" {
			return strings.Contains(value, "UTF-8") || strings.Contains(value, "UTF8")
		}
	}
	return false
}
