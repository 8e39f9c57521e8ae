package realmach

import (
	"bytes"
	"io"
	"regexp"
	"slices"
	"sync"
)

// maxConsole bounds what a machine may write to its console, in bytes.
const maxConsole = 4 << 20

// place is where in the kernel's source something happened, as it prints it.
const place = `[A-Za-z0-9_./-]+\.[chS]:[0-9]+: `

// What the kernel itself says: where it stopped, and what it mutters about the
// client while that runs.
var (
	panicPattern = regexp.MustCompile("(" + place + "[A-Za-z0-9_]+: Assertion .* failed\\.)?panic " + place + ".*")
	mutterings   = []*regexp.Regexp{
		regexp.MustCompile(`^task [^ ]* .* a bogus port .*, most probably a bug\.$`),
		regexp.MustCompile(`^no more room (in|for) `),
		regexp.MustCompile(`^invalid mask [0-9a-f]+x$`),
		regexp.MustCompile(`^vm_page warning: `),
	}
	versionPrefix = []byte("GNU Mach ")
)

// console takes what a machine writes to its serial line, keeps it and passes
// the client's lines on, whole and ended by "\n".
//
// The last thing the kernel says before the client runs is "start NAME: "; the
// client's first line is the rest of that line. Carriage returns, which stand
// before or after a line's end, are dropped.
type console struct {
	w     io.Writer // gets the client's lines; used only by whoever writes to the console
	start []byte    // "start NAME: "
	stop  func(error)

	mu       sync.Mutex // what follows; not held while w is written to
	raw      []byte     // at most maxConsole bytes
	line     []byte     // the incomplete last line, without carriage returns
	version  string     // the kernel's, "" until it was printed
	panicked string     // the kernel's last words, "" if there are none
	started  bool       // the client runs
}

// newConsole makes the console of a machine whose client is called name. stop
// is called with the reason when the machine shall go no further: errPanic,
// errFlood, or that of a w that could not be written to.
func newConsole(name string, w io.Writer, stop func(error)) *console {
	if w == nil {
		w = io.Discard
	}
	return &console{w: w, start: []byte("start " + name + ": "), stop: stop}
}

// Write never fails: it must go on reading what the machine still says.
func (c *console) Write(p []byte) (int, error) {
	out, reason := c.take(p)
	c.pass(out)
	if reason != nil {
		c.stop(reason)
	}
	return len(p), nil
}

// end passes on an incomplete last line.
func (c *console) end() {
	c.mu.Lock()
	var out []byte
	if len(c.line) > 0 {
		out = c.complete(nil, c.line)
		c.line = nil
	}
	c.mu.Unlock()
	c.pass(out)
}

func (c *console) pass(out []byte) {
	if len(out) == 0 {
		return
	}
	if _, err := c.w.Write(out); err != nil {
		c.stop(&outputError{err})
		c.w = io.Discard
	}
}

// take adds p to the console and returns what of it is the client's, and why
// the machine must be stopped, nil if not.
func (c *console) take(p []byte) (out []byte, reason error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.panicked != "" {
		return nil, nil
	}
	if room := maxConsole - len(c.raw); len(p) > room {
		p, reason = p[:room], errFlood
	}
	c.raw = append(c.raw, p...)
	for _, b := range p {
		switch b {
		case '\r':
		case '\n':
			out = c.complete(out, c.line)
			c.line = c.line[:0]
			if c.panicked != "" {
				return out, errPanic
			}
		default:
			c.line = append(c.line, b)
		}
	}
	return out, reason
}

// complete looks at a whole line and adds to out what of it is the client's.
func (c *console) complete(out, line []byte) []byte {
	if c.version == "" && bytes.HasPrefix(line, versionPrefix) {
		c.version = string(line)
	}
	first := !c.started
	if first {
		line, c.started = bytes.CutPrefix(line, c.start)
	}
	if at := findPanic(line); at != nil {
		c.panicked = string(line[at[0]:])
		line, first = line[:at[0]], true // what stands before is the client's, if there is something
	}
	muttered := slices.ContainsFunc(mutterings, func(m *regexp.Regexp) bool { return m.Match(line) })
	if !c.started || muttered || first && len(line) == 0 {
		return out
	}
	return append(append(out, line...), '\n')
}

// findPanic is panicPattern's place in line, nil if it is not there. Most lines
// are spared the pattern: a client may print very many.
func findPanic(line []byte) []int {
	if !bytes.Contains(line, []byte("panic ")) {
		return nil
	}
	return panicPattern.FindIndex(line)
}

// report fills in what the console has seen.
func (c *console) report(r *Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.Version, r.Panic = c.version, c.panicked
	r.Panicked = c.panicked != ""
	r.Started = c.started
	r.Raw = bytes.Clone(c.raw)
}
