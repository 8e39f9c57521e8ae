package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"

	"github.com/spf13/cobra"

	"machkernel"
)

func newCCCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "cc [-o OUT] FILE.c|FILE.defs …",
		Short: "Build a client from C and .defs, with the real MIG",
		Long: `cc builds a static client for GNU Mach: C files, linked with the run-time
libmach, and stubs that the real GNU MIG makes of the kernel's interfaces and of
each FILE.defs (whose header is <mig/FILE.h>). It needs gcc and binutils; MIG and
GNU Mach's headers are fetched once from Debian's archive into a cache, without
root.`,
		Example: "  machkernel cc -o hello hello.c\n  machkernel cc -o client client.c service.defs && machkernel run client",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return compile(c, out, args)
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "a.out", "the client's file")
	return c
}

// compile lays the run-time and the scripts out in a directory of its own and
// has the script build the client.
func compile(c *cobra.Command, out string, files []string) error {
	for _, f := range files {
		if sameFile(out, f) {
			return fmt.Errorf("%s would be written over itself", f)
		}
	}
	dir, err := os.MkdirTemp("", "machkernel-cc-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, machkernel.Build); err != nil {
		return err
	}
	scripts, err := filepath.Glob(filepath.Join(dir, "scripts", "*.sh"))
	if err != nil {
		return err
	}
	for _, s := range scripts {
		if err := os.Chmod(s, 0o700); err != nil { // an embedded file has no such bit
			return err
		}
	}
	ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt)
	defer stop()
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "scripts", "cc.sh"), append([]string{"-o", out}, files...)...)
	cmd.Stdout, cmd.Stderr = c.OutOrStdout(), c.ErrOrStderr()
	err = cmd.Run()
	var failed *exec.ExitError
	switch {
	case errors.As(err, &failed): // the script has said why
		return fmt.Errorf("%s was not built", out)
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("cc needs a POSIX shell")
	}
	return err
}
