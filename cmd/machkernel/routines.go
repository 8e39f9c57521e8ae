package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"machkernel/kernel"
	"machkernel/mach"
)

func newRoutinesCommand() *cobra.Command {
	var served bool
	c := &cobra.Command{
		Use:   "routines",
		Short: "List the routines that the kernel knows, and which it serves",
		Long: `routines prints the kernel's dispatch table: every routine of its interfaces by
id. One that is not served answers MIG_BAD_ID, as any other id does. What is
"source only" is newer than the kernel of the recordings: it follows the sources,
is judged by nothing, and answers MIG_BAD_ID unless --kernel-version of run or
conform is as new.`,
		Example: "  machkernel routines --served",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			k, err := kernel.New(kernel.Config{})
			if err != nil {
				return err
			}
			defer k.Close()
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, e := range k.Table().Entries() {
				state := "-"
				switch {
				case kernel.Since(e.ID) > mach.VersionPackaged:
					state = fmt.Sprintf("source only, from %v", kernel.Since(e.ID))
				case e.Served():
					state = "served"
				case served:
					continue
				}
				fmt.Fprintf(w, "%d\t%s\t%s\t%s\n", e.ID, state, e.Subsystem, e.Signature())
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&served, "served", false, "only those that are served")
	return c
}
