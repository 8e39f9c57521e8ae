package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"machkernel/conform"
	"machkernel/testdata"
)

func newConformCommand() *cobra.Command {
	var o conformOptions
	c := &cobra.Command{
		Use:   "conform [PATTERN]",
		Short: "Compare the kernel with recordings of the real GNU Mach",
		Long: `conform runs the built-in conformance suite, C clients made with the real MIG,
and compares each case with what the same binary printed on GNU Mach. PATTERN
selects cases by name, as a shell does: 'vm_read/*', '*/*hole*'. With --edition
documented a case of which the manual speaks is judged by the manual.

The last line counts the cases. The exit code is 1 if a case differs from its
recording without a listed reason, if a listed deviation does not differ, or if
a case has no recording.`,
		Example: "  machkernel conform\n  machkernel conform 'vm_*/*'\n  machkernel conform --junit >report.xml\n  machkernel conform --suite mysuite",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			pattern := "*/*"
			if len(args) == 1 {
				pattern = args[0]
			}
			return o.run(c, pattern)
		},
	}
	f := c.Flags()
	f.BoolVar(&o.list, "list", false, "list the cases and do not run them")
	f.BoolVar(&o.json, "json", false, "write the result as JSON")
	f.BoolVar(&o.junit, "junit", false, "write the result as JUnit XML")
	f.BoolVar(&o.markdown, "markdown", false, "write the result as Markdown tables")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "show every case: the manual's answer, the recording, ours")
	f.StringVar(&o.suite, "suite", "", "judge the suite in this directory instead of the built-in one")
	o.kernel.flags(c)
	c.MarkFlagsMutuallyExclusive("json", "junit", "markdown", "list")
	return c
}

type conformOptions struct {
	list, json, junit, markdown, verbose bool
	suite                                string
	kernel                               kernelOptions
}

func (o *conformOptions) run(c *cobra.Command, pattern string) error {
	if !strings.Contains(pattern, "/") {
		pattern += "/*" // a routine's name means its cases
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return fmt.Errorf("pattern %q: %w", pattern, err)
	}
	edition, version, err := o.kernel.parse()
	if err != nil {
		return err
	}
	s, err := o.load()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt)
	defer stop()
	want := func(name string) bool { ok, _ := path.Match(pattern, name); return ok }
	if o.list {
		return listCases(ctx, c.OutOrStdout(), s, want)
	}
	rep, err := conform.Judge(ctx, s, conform.Options{
		Target: conform.Target{Edition: edition, Version: version},
		Want:   want, Progress: o.progress(c.ErrOrStderr()),
	})
	if err != nil {
		return err
	}
	if len(rep.Results) == 0 {
		return fmt.Errorf("no case matches %q", pattern)
	}
	if err := o.write(c.OutOrStdout(), rep); err != nil {
		return err
	}
	if n := rep.Count(conform.Fails); n > 0 {
		return &exitError{exitException, fmt.Errorf("%d of %d cases fail", n, len(rep.Results))}
	}
	return nil
}

func (o *conformOptions) load() (*conform.Suite, error) {
	if o.suite == "" {
		dir, golden := testdata.Conformance()
		return conform.Load(dir, golden)
	}
	st, err := os.Stat(o.suite)
	if err != nil {
		return nil, fmt.Errorf("--suite: %w", err)
	}
	if !st.IsDir() {
		return nil, fmt.Errorf("--suite: %s is not a directory", o.suite)
	}
	s, err := conform.Load(os.DirFS(o.suite), nil)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("--suite %s: %w", o.suite, err)
	}
	return s, err
}

func (o *conformOptions) write(w io.Writer, rep *conform.Report) error {
	switch {
	case o.json:
		return rep.WriteJSON(w)
	case o.junit:
		return rep.WriteJUnit(w)
	case o.markdown:
		return rep.WriteMarkdown(w)
	}
	return rep.WriteText(w, o.verbose)
}

// progress shows how far the run is, on a terminal only.
func (o *conformOptions) progress(w io.Writer) func(conform.Progress) {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	if st, err := f.Stat(); err != nil || st.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	return func(p conform.Progress) {
		if p.Done == p.All {
			fmt.Fprint(w, "\r\x1b[K")
			return
		}
		fmt.Fprintf(w, "\r%d of %d cases  %s\x1b[K", p.Done, p.All, p.Client)
	}
}

func listCases(ctx context.Context, w io.Writer, s *conform.Suite, want func(string) bool) error {
	for _, client := range s.Clients {
		names, err := conform.List(ctx, client)
		if err != nil {
			return err
		}
		for _, name := range names {
			if want(name) {
				fmt.Fprintln(w, name)
			}
		}
	}
	return nil
}
