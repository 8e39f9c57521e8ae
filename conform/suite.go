package conform

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"machkernel/mach"
)

// Names of what a suite's directory holds.
const (
	binDir         = "bin"
	goldenDir      = "golden"
	skipFile       = "skip-on-real.tsv"
	deviationsFile = "deviations.tsv"
	documentedFile = "deviations-documented.tsv"
	manualFile     = "manual.tsv"
	sourceFile     = "source-only.tsv"
)

// between separates the lines of an answer in a table.
const between = " | "

// Case is one case of a suite as one kernel answered it.
type Case struct {
	Name  string   // routine/condition
	Facts []string // what it printed, line by line
}

// Client is one program of a suite.
type Client struct {
	Name  string
	Image string // the ELF
}

// Suite is a set of clients with what is known of them.
type Suite struct {
	Clients    []Client
	Recordings map[string]Recording // by client
	Skip       map[string]Skipped   // by case: not to be run on the real kernel
	Deviations map[string]string    // by case: why ours differs
	Documented map[string]string    // the same, in the documented edition only
	Manual     map[string]Promise   // by case: what a manual says of it
	Source     map[string]Unjudged  // by case: what newer kernels answer
}

// Recording is what a client printed on the real kernel.
type Recording struct {
	Version string // of that kernel
	Cases   []Case
}

// Skipped is a case that the real kernel does not survive.
type Skipped struct {
	Reason string   // and where the answer comes from
	Answer []string // what it should answer
}

// Unjudged is the answer of kernels that are newer than the recordings.
type Unjudged struct {
	Since  mach.Version // the first that answers so
	Where  string       // in the sources
	Answer []string
}

// Load reads a suite from a directory: bin/ with the clients, and, where they
// exist, golden/ with recordings, skip-on-real.tsv, deviations.tsv,
// deviations-documented.tsv, manual.tsv and source-only.tsv. golden is the
// directory of the recordings; nil takes golden/ of dir.
func Load(dir, golden fs.FS) (*Suite, error) {
	s := &Suite{
		Recordings: map[string]Recording{}, Skip: map[string]Skipped{}, Deviations: map[string]string{},
		Documented: map[string]string{},
		Manual:     map[string]Promise{}, Source: map[string]Unjudged{},
	}
	entries, err := fs.ReadDir(dir, binDir)
	if err != nil {
		return nil, fmt.Errorf("a suite has its clients in %s/: %w", binDir, err)
	}
	for _, e := range entries {
		if e.IsDir() || strings.ToUpper(e.Name()) == e.Name() || path.Ext(e.Name()) != "" {
			continue // TOOLCHAIN, and whatever is not a client
		}
		b, err := fs.ReadFile(dir, path.Join(binDir, e.Name()))
		if err != nil {
			return nil, err
		}
		s.Clients = append(s.Clients, Client{Name: e.Name(), Image: string(b)})
	}
	if len(s.Clients) == 0 {
		return nil, fmt.Errorf("no client in %s/", binDir)
	}
	if golden == nil {
		golden, err = fs.Sub(dir, goldenDir)
		if err != nil {
			return nil, err
		}
	}
	if err := s.loadRecordings(golden); err != nil {
		return nil, err
	}
	return s, s.loadTables(dir)
}

func (s *Suite) loadRecordings(golden fs.FS) error {
	for _, c := range s.Clients {
		b, err := fs.ReadFile(golden, c.Name+".txt")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		version, text, ok := strings.Cut(string(b), "\n")
		if !ok {
			return fmt.Errorf("recording %s.txt: no line with the kernel's version", c.Name)
		}
		cases, done, err := Parse(text)
		if err != nil {
			return fmt.Errorf("recording %s.txt: %w", c.Name, err)
		}
		if !done {
			return fmt.Errorf("recording %s.txt is cut off: its last line is not %q", c.Name, doneLine)
		}
		s.Recordings[c.Name] = Recording{Version: version, Cases: cases}
	}
	return nil
}

func (s *Suite) loadTables(dir fs.FS) error {
	rows, err := table(dir, skipFile, 3)
	if err != nil {
		return err
	}
	for _, r := range rows {
		s.Skip[r[0]] = Skipped{Reason: r[1], Answer: strings.Split(r[2], between)}
	}
	if rows, err = table(dir, deviationsFile, 2); err != nil {
		return err
	}
	for _, r := range rows {
		s.Deviations[r[0]] = r[1]
	}
	if rows, err = table(dir, documentedFile, 2); err != nil {
		return err
	}
	for _, r := range rows {
		s.Documented[r[0]] = r[1]
	}
	if rows, err = table(dir, manualFile, 3); err != nil {
		return err
	}
	for _, r := range rows {
		s.Manual[r[0]] = Promise{Source: r[1], Lines: strings.Split(r[2], between)}
	}
	if rows, err = table(dir, sourceFile, 4); err != nil {
		return err
	}
	for _, r := range rows {
		v, err := mach.ParseVersion(r[1])
		if err != nil {
			return fmt.Errorf("%s: %s: %w", sourceFile, r[0], err)
		}
		s.Source[r[0]] = Unjudged{Since: v, Where: r[2], Answer: strings.Split(r[3], between)}
	}
	return nil
}

// table reads a file of lines with tabs; '#' starts a comment line. A file
// that is not there has no rows.
func table(dir fs.FS, name string, columns int) ([][]string, error) {
	f, err := dir.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var rows [][]string
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		row := strings.Split(line, "\t")
		if len(row) != columns {
			return nil, fmt.Errorf("%s:%d: %d columns instead of %d", name, n, len(row), columns)
		}
		rows = append(rows, row)
	}
	return rows, lines.Err()
}

// What a suite client prints around its facts.
const (
	casePrefix = "== "
	doneLine   = "-- done"
)

// Parse reads the console of a suite client. done reports that it came to its
// end. A line before the first case, a case twice, or a line after the end is
// an error.
func Parse(console string) (cases []Case, done bool, err error) {
	seen := map[string]bool{}
	for line := range strings.Lines(console) {
		line = strings.TrimSuffix(line, "\n")
		name, isCase := strings.CutPrefix(line, casePrefix)
		switch {
		case done:
			return cases, done, fmt.Errorf("%q after the end", line)
		case line == doneLine:
			done = true
		case isCase && seen[name]:
			return cases, done, fmt.Errorf("case %s twice", name)
		case isCase:
			seen[name] = true
			cases = append(cases, Case{Name: name})
		case len(cases) == 0:
			return cases, done, fmt.Errorf("%q before the first case", line)
		default:
			c := &cases[len(cases)-1]
			c.Facts = append(c.Facts, line)
		}
	}
	return cases, done, nil
}

// Versions lists the kernels that the recordings are of, each once.
func (s *Suite) Versions() []string {
	var list []string
	for _, r := range s.Recordings {
		if !slices.Contains(list, r.Version) {
			list = append(list, r.Version)
		}
	}
	slices.Sort(list)
	return list
}
