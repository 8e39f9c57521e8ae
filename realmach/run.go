package realmach

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// Accelerators: how QEMU runs the machine's code.
const (
	AccelTCG  = "tcg"  // translated, works everywhere
	AccelKVM  = "kvm"  // by the processor, needs /dev/kvm
	AccelAuto = "auto" // KVM if it is there and a probe of it works, else TCG
)

// DefaultMemory is a machine's memory in MiB, if nobody says otherwise.
const DefaultMemory = 2047

// Options are how a client is run.
type Options struct {
	Accel   string        // AccelTCG, AccelKVM or AccelAuto; "" is AccelTCG
	Timeout time.Duration // from the machine's start; 0 is never
	Memory  int           // MiB; 0 is DefaultMemory
	Stdout  io.Writer     // gets the client's lines as they come; nil drops them
}

// Result is how a run went. Exactly one of Ended, TimedOut, Panicked and
// Flooded is true when Run returns no error.
type Result struct {
	Ended    bool   // the client rebooted the host
	TimedOut bool   // Options.Timeout was over; an exception that nobody handles also looks so
	Panicked bool   // the kernel stopped itself, or the client prints what it says then
	Flooded  bool   // more came from the console than is taken (4 MiB)
	Started  bool   // the client was started
	Panic    string // the kernel's last line, if Panicked
	Version  string // as the kernel printed it; "" if it did not come that far
	Raw      []byte // the whole console as it was, carriage returns included
}

// Why a machine was stopped.
var (
	errTimeout = errors.New("the time is over")
	errPanic   = errors.New("the kernel panicked")
	errFlood   = errors.New("the console is flooded")
)

// outputError is a failure of Options.Stdout.
type outputError struct{ err error }

func (e *outputError) Error() string {
	return fmt.Sprintf("cannot write the client's output: %v", e.err)
}
func (e *outputError) Unwrap() error { return e.err }

// Run boots k with the client in the file of that name, and waits until the
// machine is gone. The package's comment says what the client sees of its name
// and of args; no args at all are ${host-port} ${device-port}. The error is
// about what keeps a client from being run: a file that is no client, arguments
// that cannot be passed, QEMU missing or failing, Stdout failing, or ctx's end;
// the Result then holds what was seen until there.
func (k *Kernel) Run(ctx context.Context, client string, args []string, o Options) (Result, error) {
	if o.Timeout < 0 || o.Memory < 0 {
		return Result{}, fmt.Errorf("time-out %v, memory %d MiB: must not be negative", o.Timeout, o.Memory)
	}
	qemu, err := program("qemu-system-x86_64", "qemu-system-x86")
	if err != nil {
		return Result{}, err
	}
	image, err := filepath.Abs(k.Image)
	if err != nil {
		return Result{}, err
	}
	name := moduleName(client)
	module, err := moduleLine(name, args)
	if err != nil {
		return Result{}, err
	}
	dir, err := stage(client, name)
	if err != nil {
		return Result{}, err
	}
	defer os.RemoveAll(dir)
	m := &machine{qemu: qemu, image: image, dir: dir, module: module, memory: o.Memory}
	if m.accel, err = k.accel(ctx, m, o.Accel); err != nil {
		return Result{}, err
	}
	return m.run(ctx, name, o.Timeout, o.Stdout)
}

// machine is a QEMU to be started.
type machine struct {
	qemu   string // the program
	image  string // the kernel
	accel  string
	dir    string // where module's file is
	module string // its name and words, "" for none
	memory int    // MiB; 0 is DefaultMemory
}

func (m *machine) args() []string {
	memory := m.memory
	if memory == 0 {
		memory = DefaultMemory
	}
	args := []string{
		"-accel", m.accel, "-cpu", "core2duo-v1", "-m", strconv.Itoa(memory),
		"-display", "none", "-serial", "stdio", "-monitor", "none", "-net", "none", "-no-reboot",
		"-kernel", m.image, "-append", "console=com0",
	}
	if m.module != "" {
		args = append(args, "-initrd", m.module)
	}
	return args
}

// run starts the machine and waits for its end. name is the client's.
func (m *machine) run(ctx context.Context, name string, timeout time.Duration, stdout io.Writer) (Result, error) {
	run, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	if timeout > 0 {
		var cancel context.CancelFunc
		run, cancel = context.WithTimeoutCause(run, timeout, errTimeout)
		defer cancel()
	}
	var complaint head
	con := newConsole(name, stdout, stop)
	c := command(run, m.dir, m.qemu, m.args()...)
	c.Stdout, c.Stderr = con, &complaint
	err := runGroup(c)
	if !errors.Is(err, exec.ErrWaitDelay) { // else nobody takes the output, and somebody still waits there
		con.end()
	}
	var r Result
	con.report(&r)
	return r, r.judge(err, context.Cause(run), &complaint)
}

// judge sets how the run ended: err is that of the process, cause why it was
// stopped, nil if it was not.
func (r *Result) judge(err, cause error, complaint *head) error {
	var out *outputError
	switch {
	case r.Panicked:
		return nil
	case errors.As(cause, &out):
		return cause
	case errors.Is(cause, errFlood):
		r.Flooded = true
		return nil
	case err == nil && r.Started:
		r.Ended = true
		return nil
	case errors.Is(cause, errTimeout):
		r.TimedOut = true
		return nil
	case cause != nil:
		return cause
	case errors.Is(err, exec.ErrWaitDelay):
		return &outputError{errors.New("nobody reads it")}
	case err == nil:
		return errors.New("the machine ended before the client was started")
	}
	if why := complaint.firstLine(); why != "" {
		return fmt.Errorf("QEMU failed: %s", why)
	}
	return fmt.Errorf("QEMU failed: %w", err)
}
