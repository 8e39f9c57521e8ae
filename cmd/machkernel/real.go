package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"machkernel/realmach"
)

// realTimeout is the time-out of a run on the real kernel if none is given: a
// client that dies there leaves a machine that never ends.
const realTimeout = 30 * time.Second

// realOptions are the flags of a run on the real kernel.
type realOptions struct {
	real  bool
	accel string
	raw   string
}

// addReal gives run the flags by which the client runs on the real kernel.
func addReal(c *cobra.Command, o *runOptions) {
	var r realOptions
	c.Flags().BoolVar(&r.real, "real", false, "run on the packaged real GNU Mach under QEMU")
	c.Flags().StringVar(&r.accel, "accel", realmach.AccelTCG, "with --real: QEMU's accelerator, tcg, kvm, or auto (kvm if it works)")
	c.Flags().StringVar(&r.raw, "raw", "", "with --real: write the machine's whole console to this file")
	c.Long += fmt.Sprintf(`

With --real it is the packaged GNU Mach that runs the client, under QEMU, and
prints its console; standard error names the kernel. The kernel is fetched on
first use (Debian's apt, no root) and kept in the cache directory, MACHKERNEL_CACHE.
The time-out is %v if none is given: the machine goes on after an exception that
nobody handles. The exit code is 0 when the client reboots the host, 1 when the
kernel panics or the console is flooded, 124 when the time is over, 2 for bad
usage and for what is missing.`, realTimeout)
	c.Example += "\n  machkernel run --real testdata/clients/bin/hello"
	ours := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		if !r.real {
			if c.Flags().Changed("accel") || c.Flags().Changed("raw") {
				return errors.New("--accel and --raw need --real")
			}
			return ours(c, args)
		}
		if c.Flags().Changed("edition") || c.Flags().Changed("kernel-version") {
			return errors.New("--edition and --kernel-version are not for the real kernel")
		}
		if err := r.settle(c, o); err != nil {
			return err
		}
		return r.run(c, o, args[0], args[1:])
	}
}

// settle checks the flags and gives those that were not set the real kernel's
// values.
func (r *realOptions) settle(c *cobra.Command, o *runOptions) error {
	if o.trace {
		return errors.New("--trace: the real kernel has none; leave out --trace or --real")
	}
	switch r.accel {
	case realmach.AccelTCG, realmach.AccelKVM, realmach.AccelAuto:
	default:
		return fmt.Errorf("--accel %s: must be tcg, kvm or auto", r.accel)
	}
	if !c.Flags().Changed("timeout") {
		o.timeout = realTimeout
	}
	if !c.Flags().Changed("memory") {
		o.memory = realmach.DefaultMemory
	}
	return o.check()
}

// run boots the real kernel with a client and waits for its end.
func (r *realOptions) run(c *cobra.Command, o *runOptions, client string, args []string) error {
	ctx, interrupted := untilSignal()
	defer interrupted(nil)
	k, err := realmach.Obtain(ctx, "")
	if err != nil {
		return bySignal(ctx, err)
	}
	fmt.Fprintln(c.ErrOrStderr(), "machkernel: on", k.Version)
	result, err := k.Run(ctx, client, args, realmach.Options{
		Accel: r.accel, Timeout: o.timeout, Memory: int(o.memory), Stdout: c.OutOrStdout(),
	})
	if r.raw != "" {
		err = errors.Join(err, os.WriteFile(r.raw, result.Raw, 0o644))
	}
	if err != nil {
		return bySignal(ctx, err)
	}
	return verdict(client, &result, o.timeout)
}

// verdict is the error of a run that did not end as it should.
func verdict(client string, result *realmach.Result, timeout time.Duration) error {
	switch {
	case result.Ended:
		return nil
	case result.TimedOut:
		return &exitError{exitTimeout, fmt.Errorf("%s: still running after %v", client, timeout)}
	case result.Panicked:
		return &exitError{exitException, fmt.Errorf("%s: the real kernel panicked: %s", client, result.Panic)}
	}
	return &exitError{exitException, fmt.Errorf("%s: the console is flooded; stopped after %d bytes", client, len(result.Raw))}
}

// signalError is the end of a run that the user interrupted.
type signalError struct{ signal syscall.Signal }

func (e signalError) Error() string { return fmt.Sprintf("ended by %v", e.signal) }

// untilSignal returns a context that ends with a signalError when the user
// interrupts, or with the call of end, which must be made.
func untilSignal() (ctx context.Context, end context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case s := <-stop:
			cancel(signalError{s.(syscall.Signal)})
		case <-ctx.Done():
		}
	}()
	return ctx, func(cause error) {
		signal.Stop(stop)
		cancel(cause)
		<-done
	}
}

// bySignal gives an error the exit code of the signal that is behind it.
func bySignal(ctx context.Context, err error) error {
	var s signalError
	if errors.As(context.Cause(ctx), &s) {
		return &exitError{128 + int(s.signal), s}
	}
	return err
}
