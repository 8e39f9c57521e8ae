// Command machkernel runs Mach clients on a Mach microkernel that is an
// ordinary Linux program.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
)

// Exit codes of the command.
const (
	exitOK        = 0
	exitRefused   = 1   // an interface definition that cannot be translated
	exitException = 1   // a client ended by an exception nobody handled, or with its process
	exitUsage     = 2   // bad usage, a file that is no client, a host that lacks something
	exitTimeout   = 124 // the time of --timeout is over
)

// exitError carries an exit code, and the line that says why.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// refusal is what is wrong with a file that a compiler reads: lines that begin
// with the place, as editors understand them.
type refusal struct{ lines []string }

func (r *refusal) Error() string { return strings.Join(r.lines, "; ") }

func main() { os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr)) }

// execute runs the command with args and returns its exit code. An error is
// one line on errs.
func execute(args []string, out, errs io.Writer) int {
	c := newCommand()
	c.SetArgs(args)
	c.SetOut(out)
	c.SetErr(errs)
	err := c.Execute()
	if err == nil {
		return exitOK
	}
	var refused *refusal
	if errors.As(err, &refused) {
		for _, line := range refused.lines {
			fmt.Fprintln(errs, oneLine(line))
		}
		return exitRefused
	}
	fmt.Fprintln(errs, "machkernel:", oneLine(err.Error()))
	var ee *exitError
	if errors.As(err, &ee) {
		return ee.code
	}
	return exitUsage
}

// oneLine shows what a terminal would act upon, a file's name may hold it, and
// joins lines.
func oneLine(s string) string {
	var b strings.Builder
	for _, r := range strings.ReplaceAll(s, "\n", "; ") {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\x%02x", r)
		}
	}
	return b.String()
}

func newCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "machkernel",
		Short: "A Mach microkernel as a Linux program",
		Long: `machkernel runs programs made for GNU Mach on an ordinary Linux system: no
Mach machine, no virtual machine, no root. Programs are static x86-64 ELF files
whose calls a real MIG generated.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	c.AddCommand(newRunCommand(), newDemoCommand(), newRoutinesCommand(), newRulesCommand(), newConformCommand(), newCCCommand(), newMigCommand())
	return c
}
