package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"machkernel/kernel"
)

func newRoutinesCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "routines",
		Short:   "List the routines that the kernel serves",
		Long:    "routines prints the kernel's dispatch table: every id it answers. Any other id answers MIG_BAD_ID.",
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
				fmt.Fprintf(w, "%d\t%s\n", r.ID, r.Signature())
			}
			return w.Flush()
		},
	}
}
