package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"machkernel/kernel"
	"machkernel/mach"
)

func newRoutinesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "routines",
		Short: "List the routines that the kernel serves",
		Long: `routines prints the kernel's dispatch table: every id it answers. Any other id
answers MIG_BAD_ID. What is "source only" is newer than the kernel of the
recordings: it follows the sources, is judged by nothing, and answers MIG_BAD_ID
unless --kernel-version of run or conform is as new.`,
		Example: "  machkernel routines",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			k, err := kernel.New(kernel.Config{})
			if err != nil {
				return err
			}
			defer k.Close()
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, r := range k.Table().Routines() {
				note := ""
				if v := kernel.Since(r.ID); v > mach.VersionPackaged {
					note = fmt.Sprintf("  (source only, from %v)", v)
				}
				fmt.Fprintf(w, "%d\t%s%s\n", r.ID, r.Signature(), note)
			}
			return w.Flush()
		},
	}
}
