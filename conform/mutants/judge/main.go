// Command judge runs clients of the conformance suite, in the order of its
// arguments, and stops behind the first with a case that fails. It is what
// conform/mutants builds with the kernel's mutants in it.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"machkernel/conform"
	"machkernel/kernel"
	"machkernel/mach"
	"machkernel/testdata"
)

func main() {
	if err := judge(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func judge(names []string) error {
	suite, err := conform.Load(testdata.Conformance())
	if err != nil {
		return err
	}
	for _, name := range names {
		i := slices.IndexFunc(suite.Clients, func(c conform.Client) bool { return c.Name == name })
		if i < 0 {
			return fmt.Errorf("the suite has no client %q", name)
		}
		one := *suite
		one.Clients = suite.Clients[i : i+1]
		for _, kernel := range kernels {
			if err := judgeClient(&one, kernel); err != nil {
				return err
			}
		}
	}
	return nil
}

// kernels are those that a kernel can be: as recorded, as its manual says, and
// as new as its sources.
var kernels = []conform.Target{
	{},
	{Edition: kernel.Documented},
	{Version: mach.VersionNewest},
}

func judgeClient(s *conform.Suite, k conform.Target) error {
	rep, err := conform.Judge(context.Background(), s, conform.Options{Target: k})
	if err != nil {
		return err
	}
	for _, r := range rep.Results {
		if r.Verdict == conform.Fails {
			return fmt.Errorf("%s: %s", r.Case, r.Reason)
		}
	}
	return nil
}
