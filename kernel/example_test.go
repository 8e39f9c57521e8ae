package kernel_test

import (
	"fmt"
	"os"
	"strings"

	"machkernel/ipc"
	"machkernel/kernel"
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/testdata"
)

// A kernel in a Go program: a task whose thread is a Go function allocates
// memory and reads it back with the kernel's own remote procedure calls.
func Example() {
	k, err := kernel.New(kernel.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer k.Close()
	task, err := k.NewTask("example")
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = task.Run(func(g *kernel.GoThread) {
		self := g.TaskSelf()
		out, kr := g.Call("vm_allocate", self, mig.Value{}, mig.Value{Word: mach.PageSize}, mig.Value{Word: 1})
		fmt.Println("vm_allocate:", kr)
		memory := mach.Addr(out[0].Word)
		g.Write(memory, []byte("Mach"))

		out, kr = g.Call("vm_read", self, mig.Value{Word: uint64(memory)}, mig.Value{Word: 4})
		fmt.Println("vm_read:", kr, out[0].Size, "bytes")
		text := make([]byte, out[0].Size)
		g.Read(mach.Addr(out[0].Word), text)
		fmt.Println(string(text))
	})
	fmt.Println("audit:", k.Audit())
	// Output:
	// vm_allocate: KERN_SUCCESS
	// vm_read: KERN_SUCCESS 4 bytes
	// Mach
	// audit: <nil>
}

// line is a message with one string in it, as a client sends it.
var line = mig.Routine{Name: "ask", ID: 5000, Args: []mig.Arg{
	{Name: "text", Dir: mig.InOut, Type: mig.Type{C: "line_t", Form: mig.Variable, Name: mach.TypeString, Bits: 8, Number: 128}},
}}

// greet serves one message on port: it answers with the text it got.
func greet(g *kernel.GoThread, port mach.Name) {
	buf := make([]byte, 512)
	if g.Msg(buf, mach.RcvMsg, 0, len(buf), port, 0, mach.NameNull) != mach.MsgSuccess {
		return
	}
	h, _ := ipc.ParseHeader(buf)
	in, ok := line.ParseRequest(buf[:h.Size])
	if !ok {
		return
	}
	question := strings.TrimRight(string(in[0].Data), "\x00")
	answer := line.AppendArgs(make([]byte, 32), mig.Out, mig.Value{Data: []byte("a Go server; you said " + question + "\x00")})
	reply := ipc.Header{
		Bits: mach.Bits(h.Bits.Remote(), 0), Size: uint32(len(answer)),
		Remote: h.Remote, ID: h.ID + mach.ReplyIDOffset,
	}
	reply.Put(answer)
	g.Msg(answer, mach.SendMsg, len(answer), 0, mach.NameNull, 0, mach.NameNull)
}

// A C client against a Go server: the server is a thread of a task with a port
// of its own, the client is the built program testdata/clients/ask.c, which is
// given a send right to that port with its arguments.
func Example_server() {
	k, err := kernel.New(kernel.Config{Console: os.Stdout})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer k.Close()
	server, err := k.NewTask("greeter")
	if err != nil {
		fmt.Println(err)
		return
	}
	port := make(chan mach.Name)
	if _, err = server.Go(func(g *kernel.GoThread) {
		name := g.ReplyPort()
		port <- name
		greet(g, name)
	}); err != nil {
		fmt.Println(err)
		return
	}
	if err = k.Define("greeter", server, <-port); err != nil {
		fmt.Println(err)
		return
	}
	image, _ := testdata.Client("ask")
	client, err := k.Boot("ask", strings.NewReader(image), int64(len(image)),
		[]string{"${host-port}", "${device-port}", "${greeter}", "hello"})
	if err != nil {
		fmt.Println(err)
		return
	}
	<-client.Done()
	// Output:
	// asked: hello
	// answered: a Go server; you said hello
}
