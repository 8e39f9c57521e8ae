package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"machkernel/kernel"
	"machkernel/mach"
	"machkernel/testdata"
)

// runOptions are the flags of a run.
type runOptions struct {
	trace   bool
	timeout time.Duration
	memory  int64
	kernel  kernelOptions
}

// kernelOptions are the flags that say which kernel to be.
type kernelOptions struct{ edition, version string }

func (o *kernelOptions) flags(c *cobra.Command) {
	c.Flags().StringVar(&o.edition, "edition", kernel.Observed.String(),
		"whom to believe where manual and kernel disagree: observed or documented")
	c.Flags().StringVar(&o.version, "kernel-version", mach.VersionPackaged.String(),
		fmt.Sprintf("the GNU Mach to be, up to %v: routines newer than it answer MIG_BAD_ID", mach.VersionNewest))
}

func (o *kernelOptions) parse() (kernel.Edition, mach.Version, error) {
	e, err := kernel.ParseEdition(o.edition)
	if err != nil {
		return 0, 0, fmt.Errorf("--edition: %w", err)
	}
	v, err := mach.ParseVersion(o.version)
	if err != nil {
		return 0, 0, fmt.Errorf("--kernel-version: %w", err)
	}
	return e, v, nil
}

func (o *runOptions) flags(c *cobra.Command) {
	c.Flags().DurationVar(&o.timeout, "timeout", 0, "end the run after this time, with exit code 124 (0: never)")
	c.Flags().Int64Var(&o.memory, "memory", kernel.DefaultMemory>>20, "physical memory of the kernel in MiB")
	o.kernel.flags(c)
}

// maxMemory is the largest --memory, in MiB.
const maxMemory = 1 << 20

// check refuses flags out of range.
func (o *runOptions) check() error {
	if o.memory <= 0 || o.memory > maxMemory {
		return fmt.Errorf("--memory %d: must be from 1 to %d (MiB)", o.memory, maxMemory)
	}
	if o.timeout < 0 {
		return fmt.Errorf("--timeout %v: must not be negative", o.timeout)
	}
	_, _, err := o.kernel.parse()
	return err
}

func newRunCommand() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "run [--trace] [--timeout D] CLIENT [ARG…]",
		Short: "Run a client",
		Long: `run boots a kernel with CLIENT, a static x86-64 ELF file, as its first task.
argv[0] is the file's name, the ARGs follow. The words ${host-port} and
${device-port} give the client those ports, and become their names; they are
also what a client gets that is given no ARG.

The client's console is on standard output, the trace on standard error. The
exit code is 0 when the client halts or ends, 1 after an exception that nobody
handled, 124 when the time is over, 2 for bad usage.`,
		Example: `  machkernel run testdata/clients/bin/hello
  machkernel run --trace --timeout 10s client '${host-port}' '${device-port}' word`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return runFile(c, &o, args[0], args[1:])
		},
	}
	// What follows CLIENT is the client's, flags included.
	c.Flags().SetInterspersed(false)
	c.Flags().BoolVar(&o.trace, "trace", false, "print a line for each trap and each call")
	o.flags(c)
	addReal(c, &o)
	return c
}

func runFile(c *cobra.Command, o *runOptions, path string, args []string) error {
	st, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("cannot open the client: %w", err)
	}
	if !st.Mode().IsRegular() { // opening a pipe would wait for its other end
		return fmt.Errorf("%s is not a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot open the client: %w", err)
	}
	defer f.Close()
	if err := runImage(c, c.ErrOrStderr(), o, filepath.Base(path), f, st.Size(), args); err != nil {
		var ee *exitError
		if errors.As(err, &ee) {
			return err
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func newDemoCommand() *cobra.Command {
	o := runOptions{trace: true}
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run the built-in client and show its console and its trace together",
		Long: `demo runs a client made by the real GNU MIG: it allocates memory, writes, reads
its own and another task's with vm_read, shows that what it got is a lazy
private copy, copies ranges over each other and makes every mistake there is.`,
		Example: "  machkernel demo\n  machkernel demo --trace=false",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			image, err := testdata.Client("vmread")
			if err != nil {
				return err
			}
			return runImage(c, c.OutOrStdout(), &o, "vmread", strings.NewReader(image), int64(len(image)), nil)
		},
	}
	c.Flags().BoolVar(&o.trace, "trace", true, "print a line for each trap and each call")
	o.flags(c)
	return c
}

// runImage boots a kernel with one client and waits for its end. trace is where
// a trace goes.
func runImage(c *cobra.Command, trace io.Writer, o *runOptions, name string, image io.ReaderAt, size int64, args []string) error {
	out := c.OutOrStdout()
	console := newConsole(out)
	var boot atomic.Pointer[kernel.Task]
	edition, version, err := o.kernel.parse()
	if err != nil {
		return err
	}
	cfg := kernel.Config{Memory: o.memory << 20, Console: console, Edition: edition, Version: version}
	cfg.OnReport = func(t *kernel.Task, r *kernel.Report) {
		if b := boot.Load(); b != nil && b != t { // the first task's report is the run's result
			fmt.Fprintf(c.ErrOrStderr(), "machkernel: task %d %s: %v\n", t.ID(), t.Name(), r)
		}
	}
	var tr *tracer
	if o.trace {
		tr = newTracer(trace, console)
		cfg.Observer = tr
	}
	k, err := kernel.New(cfg)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = kernel.DefaultArgs()
	}
	started := time.Now()
	t, err := k.Boot(name, image, size, args)
	if err != nil {
		return errors.Join(err, k.Close())
	}
	boot.Store(t)
	end := wait(k, t, o.timeout, started)
	report := t.Report()
	if err := settle(k); err != nil {
		return errors.Join(end, err)
	}
	if out == trace {
		console.complete()
	}
	if err := console.failure(); end == nil && err != nil {
		end = fmt.Errorf("cannot write the client's output: %w", err)
	}
	if end == nil && report != nil {
		end = &exitError{exitException, fmt.Errorf("%s: %v", name, report)}
	}
	return end
}

// settleTime bounds the end of a kernel. Only a console or trace that nobody
// reads can hold it up; the client's processes end with this one anyway.
const settleTime = 5 * time.Second

// settle audits and closes the kernel.
func settle(k *kernel.Kernel) error {
	done := make(chan error, 1)
	go func() { done <- errors.Join(k.Audit(), k.Close()) }()
	select {
	case err := <-done:
		if err != nil {
			err = &exitError{exitException, fmt.Errorf("the kernel's books do not balance: %w", err)}
		}
		return err
	case <-time.After(settleTime):
		return &exitError{exitException, errors.New("the kernel does not end: is its console or trace not read?")}
	}
}

// wait returns when the client has halted the host or is gone, nil, or when it
// must be ended: its time, counted from started, is over, or the user
// interrupts.
func wait(k *kernel.Kernel, t *kernel.Task, timeout time.Duration, started time.Time) error {
	var over <-chan time.Time
	if timeout > 0 {
		timer := time.NewTimer(time.Until(started.Add(timeout)))
		defer timer.Stop()
		over = timer.C
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(stop)
	select {
	case <-k.Halted():
	case <-t.Done():
	case <-k.Idle(): // the last thread ended itself, and nobody halts
	case <-over:
		return &exitError{exitTimeout, fmt.Errorf("%s: still running after %v", t.Name(), timeout)}
	case s := <-stop:
		return &exitError{128 + int(s.(syscall.Signal)), fmt.Errorf("%s: ended by %v", t.Name(), s)}
	}
	return nil
}
