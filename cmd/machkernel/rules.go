package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"machkernel/rules"
)

func newRulesCommand() *cobra.Command {
	o := &rulesOptions{}
	c := &cobra.Command{
		Use:   "rules [PATTERN]",
		Short: "List what the families of kernels, and their manuals, differ in",
		Long: `rules prints the table that the servers ask: each difference between GNU Mach and
XNU, or between a manual and its kernel, with the value of each, and who says so.
"silent" is a manual that does not speak of it, or names no code: --edition
documented has the kernel's value then. "-" is a family without the like.

PATTERN selects by name, like vm_read/* or copy; a name without a slash means all
of that routine. --family shows one family, --disagree only where a manual says
other than its kernel does, --families only where the kernels differ.`,
		Example: "  machkernel rules 'vm_read/*'\n  machkernel rules --family xnu --disagree\n  machkernel rules --markdown >rules.md",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			pattern := "*/*"
			if len(args) == 1 {
				pattern = args[0]
			}
			return o.run(c.OutOrStdout(), pattern)
		},
	}
	f := c.Flags()
	f.StringVar(&o.family, "family", "", "only this family: gnumach or xnu")
	f.BoolVar(&o.disagree, "disagree", false, "only where a manual and its kernel differ")
	f.BoolVar(&o.families, "families", false, "only where the two kernels differ")
	f.BoolVar(&o.json, "json", false, "write JSON; null is no word of a manual, or nothing of the kind")
	f.BoolVar(&o.markdown, "markdown", false, "write a Markdown table")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "tell what each rule says, a paragraph for each")
	c.MarkFlagsMutuallyExclusive("json", "markdown", "verbose")
	c.MarkFlagsMutuallyExclusive("family", "families")
	return c
}

type rulesOptions struct {
	family                                      string
	disagree, families, json, markdown, verbose bool
}

func (o *rulesOptions) run(w io.Writer, pattern string) error {
	if !strings.Contains(pattern, "/") {
		pattern += "/*"
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return fmt.Errorf("pattern %q: %w", pattern, err)
	}
	show := rules.Families()
	if o.family != "" {
		i := slices.IndexFunc(show, func(f rules.Family) bool { return f.String() == o.family })
		if i < 0 {
			return fmt.Errorf("family %q: must be %v or %v", o.family, rules.GNUMach, rules.XNU)
		}
		show = show[i : i+1]
	}
	var rows []rules.Row
	for _, e := range rules.All() {
		r := e.Row()
		if ok, _ := path.Match(pattern, r.Name); ok && o.wants(r, show) {
			rows = append(rows, r)
		}
	}
	switch {
	case len(rows) == 0:
		return fmt.Errorf("no rule matches %q", pattern)
	case o.json:
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(rows)
	case o.markdown:
		return writeRulesMarkdown(w, rows, show)
	case o.verbose:
		return writeRulesVerbose(w, rows, show)
	}
	return writeRules(w, rows, show)
}

func (o *rulesOptions) wants(r rules.Row, show []rules.Family) bool {
	exists := func(f rules.Family) bool { return !r.Of(f, rules.Observed).Absent }
	switch {
	case !slices.ContainsFunc(show, exists):
		return false
	case o.disagree && !slices.ContainsFunc(show, r.Disagree):
		return false
	}
	return !o.families || r.GNUMachObserved != r.XNUObserved
}

// columns are the cells of a row that are shown.
func columns(r rules.Row, show []rules.Family) (cells []string) {
	for _, f := range show {
		cells = append(cells, r.Of(f, rules.Documented).String(), r.Of(f, rules.Observed).String())
	}
	return cells
}

func columnNames(show []rules.Family) (names []string) {
	for _, f := range show {
		title := "GNU Mach"
		if f == rules.XNU {
			title = "XNU"
		}
		names = append(names, title+" documented", title+" observed")
	}
	return names
}

func writeRules(w io.Writer, rows []rules.Row, show []rules.Family) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "rule\t%s\tsource\n", strings.Join(columnNames(show), "\t"))
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%s\t%s\n", r.Name, strings.Join(columns(r, show), "\t"), r.Sources)
	}
	return t.Flush()
}

func writeRulesVerbose(w io.Writer, rows []rules.Row, show []rules.Family) error {
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "%s: %s\n", r.Name, r.About)
		for i, name := range columnNames(show) {
			fmt.Fprintf(&b, "    %-20s %s\n", name, columns(r, show)[i])
		}
		fmt.Fprintf(&b, "    %s\n", r.Sources)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeRulesMarkdown(w io.Writer, rows []rules.Row, show []rules.Family) error {
	names := columnNames(show)
	var b strings.Builder
	fmt.Fprintf(&b, "| rule | what | %s | source |\n|%s\n", strings.Join(names, " | "), strings.Repeat("---|", len(names)+3))
	for _, r := range rows {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.Name, r.About, strings.Join(columns(r, show), " | "), r.Sources)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
