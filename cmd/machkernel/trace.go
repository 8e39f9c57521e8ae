package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"machkernel/ipc"
	"machkernel/kernel"
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/mig/gnumach"
)

// console is the client's output. It knows whether the last line is complete,
// so that a trace on the same terminal starts lines of its own.
type console struct {
	mu  sync.Mutex
	w   io.Writer
	mid bool  // in the middle of a line
	err error // of the first write that failed
}

func newConsole(w io.Writer) *console { return &console{w: w} }

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(p) > 0 {
		c.mid = p[len(p)-1] != '\n'
	}
	n, err := c.w.Write(p)
	if c.err == nil {
		c.err = err
	}
	return n, err
}

// failure is the first error of writing, nil if all was written.
func (c *console) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// complete ends the last line if the client has not.
func (c *console) complete() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endLine()
}

func (c *console) endLine() {
	if c.mid {
		fmt.Fprintln(c.w)
		c.mid = false
	}
}

// tracer prints a line per event, in the manner of strace.
type tracer struct {
	w       io.Writer  // guarded by console.mu
	console *console   //
	table   *mig.Table // of all that is known, served or not
}

func newTracer(w io.Writer, c *console) *tracer {
	var known []mig.Demux
	for _, s := range gnumach.Subsystems() {
		known = append(known, mig.Demux{Subsystem: s})
	}
	return &tracer{w: w, console: c, table: mig.NewTable(known...)}
}

// print writes a line of the trace. Where it goes to the same place as the
// console, it starts a line of its own.
func (t *tracer) print(line string) {
	t.console.mu.Lock()
	defer t.console.mu.Unlock()
	if t.w == t.console.w {
		t.console.endLine()
	}
	fmt.Fprintln(t.w, line)
}

// Observe implements kernel.Observer.
func (t *tracer) Observe(ev *kernel.Event) {
	var line string
	switch ev.Kind {
	case kernel.EventTrap:
		line = t.trap(ev)
	case kernel.EventFault:
		line = fmt.Sprintf("page fault %v %v = %v", ev.Addr, ev.Access, mach.KernReturn(ev.Result))
	case kernel.EventException:
		line = fmt.Sprintf("%v", ev.Exception)
	}
	if line == "" {
		return
	}
	t.print(fmt.Sprintf("[%d.%d] %s <%s>", ev.Thread.Task().ID(), ev.Thread.ID(), line, micros(ev.Elapsed)))
}

func micros(d time.Duration) string { return fmt.Sprintf("%.1fµs", float64(d)/1e3) }

func (t *tracer) trap(ev *kernel.Event) string {
	switch ev.Name {
	case "mach_msg":
		return t.message(ev)
	case "mach_print":
		return fmt.Sprintf("mach_print(%v) = %v", mach.Addr(ev.Args[0]), mach.KernReturn(ev.Result))
	case "mach_reply_port", "mach_thread_self", "mach_task_self", "mach_host_self":
		return fmt.Sprintf("%s() = %v", ev.Name, mach.Name(ev.Result))
	}
	args := make([]string, len(ev.Args))
	for i, a := range ev.Args {
		args[i] = fmt.Sprintf("%#x", a)
	}
	return fmt.Sprintf("%s(%s) = %v", ev.Name, strings.Join(args, ", "), mach.KernReturn(ev.Result))
}

// message prints a mach_msg: as the routine it calls, where the kernel's table
// has it, else as the message it is.
func (t *tracer) message(ev *kernel.Event) string {
	option := mach.MsgOption(ev.Args[1])
	result := mach.MsgReturn(ev.Result)
	req, sent := ipc.ParseHeader(ev.Request)
	if sent {
		if r := t.table.Lookup(req.ID); r != nil {
			if line, ok := t.call(ev, &r.Routine, &req, result); ok {
				return line
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "mach_msg(%v", option)
	if sent {
		fmt.Fprintf(&b, ", send id %d to %v, %d bytes", req.ID, req.Remote, ev.Args[2])
	}
	if option&mach.RcvMsg != 0 {
		fmt.Fprintf(&b, ", receive on %v", mach.Name(ev.Args[4]))
	}
	fmt.Fprintf(&b, ") = %v", result)
	if rep, ok := ipc.ParseHeader(ev.Reply); ok {
		fmt.Fprintf(&b, ", id %d, %d bytes, seqno %d", rep.ID, rep.Size, rep.Seqno)
		if r := t.table.Lookup(rep.ID); r != nil {
			if args, ok := r.ParseRequest(ev.Reply[:min(len(ev.Reply), int(rep.Size))]); ok {
				fmt.Fprintf(&b, ": %s(%s)", r.Name, r.FormatArgs(mig.In, args))
			}
		}
	}
	return b.String()
}

// call prints a remote procedure call; ok is false where the message is not
// one, although its id says so.
func (t *tracer) call(ev *kernel.Event, r *mig.Routine, req *ipc.Header, result mach.MsgReturn) (line string, ok bool) {
	in, ok := r.ParseRequest(ev.Request)
	if !ok {
		return "", false
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s(%v", r.Name, req.Remote)
	if args := r.FormatArgs(mig.In, in); args != "" {
		b.WriteString(", " + args)
	}
	b.WriteString(") = ")
	if ev.Reply == nil {
		fmt.Fprintf(&b, "%v", result)
		return b.String(), true
	}
	out, kr := r.ParseReply(ev.Reply)
	fmt.Fprintf(&b, "%v", kr)
	if args := r.FormatArgs(mig.Out, out); args != "" {
		b.WriteString(" " + args)
	}
	if result != mach.MsgSuccess {
		fmt.Fprintf(&b, " (%v)", result)
	}
	return b.String(), true
}
