package gen

import (
	"fmt"
	"strings"

	"machkernel/mig/defs"
)

// Server writes the server's side of a subsystem: an interface with a method
// for each routine, a stub for each that unpacks a request, calls it and packs
// the reply, and the function that makes a demultiplexer of an implementation.
func Server(s *defs.Subsystem, o Options) ([]byte, error) {
	if err := supported(s); err != nil {
		return nil, err
	}
	p := &serverPrinter{printer: newPrinter(s, o), kernel: s.KernelServer}
	p.call, p.demux, p.stub = "*mig.Incoming", "mig.TaskDemux", "mig.TaskStub"
	if p.kernel {
		p.call, p.demux, p.stub = "*mig.Call", "mig.Demux", "mig.Stub"
	}
	p.server, p.stubs = camel(s.Name, !p.kernel)+"Server", camel(s.Name, false)+"Stubs"
	for _, r := range s.Routines {
		if err := p.translatable(r); err != nil {
			return nil, err
		}
	}
	p.iface()
	p.table()
	for _, r := range s.Routines {
		p.serverStub(r)
	}
	return p.file()
}

type serverPrinter struct {
	*printer
	kernel            bool
	server, stubs     string // names of the interface and of what has the stubs
	call, demux, stub string // types of the run-time
}

// translatable reports a translation whose Go type nobody named.
func (p *serverPrinter) translatable(r *defs.Routine) error {
	for _, a := range r.Args {
		t := a.Type
		if p.kernel && t.IsPort() && (t.InTran != "" || t.OutTran != "") && p.Types.lookup(t.TransType) == "" {
			return refuse(a.Pos, "%s: no Go type is known for %s; name it in the file of types", a.Name, t.TransType)
		}
	}
	return nil
}

// iface writes the interface.
func (p *serverPrinter) iface() {
	p.f("\n// %s serves subsystem %s, ids %d to %d. A method whose answer is not", p.server, p.sub.Name, p.sub.Base, p.sub.End-1)
	p.f("// KERN_SUCCESS takes nothing of what it got, and its results are not looked at.")
	p.f("type %s interface {", p.server)
	for _, r := range p.sub.Routines {
		params, results := p.methodParams(r)
		p.f("// %s is %s (%d).", camel(r.Name, true), r.Name, r.ID)
		if len(results) == 1 {
			p.f("%s(%s) mach.KernReturn\n", camel(r.Name, true), list(params))
		} else {
			p.f("%s(%s) (%s)\n", camel(r.Name, true), list(params), list(results))
		}
	}
	p.f("}")
}

// methodParams are a method's parameters and results.
func (p *serverPrinter) methodParams(r *defs.Routine) (params, results []param) {
	req, rep := request(r), reply(r)
	params = []param{{"c", p.call}}
	next := 0
	for _, a := range r.Args {
		v := variable(a.Name)
		switch a.Dir {
		case defs.RequestPort:
			params = append(params, param{v, p.requestType(a)})
		case defs.ReplyPort, defs.SReplyPort:
			typ := "mach.Name"
			if p.kernel {
				typ = "ports.Right"
			}
			params = append(params, param{v, typ})
			if a.Type.Out.Poly {
				params = append(params, param{v + "Poly", "mach.TypeName"})
			}
		case defs.MsgSeqno:
			params = append(params, param{v, "uint32"})
		}
		if next < len(req.items) && req.items[next].arg == a {
			it := &req.items[next]
			it.in = true
			params = append(params, p.Types.goArgs(it, p.kernel, false)...)
			next++
		}
	}
	for i := range rep.items {
		it := &rep.items[i]
		for _, q := range p.Types.goArgs(it, p.kernel, true) {
			if it.arg.Dir == defs.InOut {
				q.name += "Out"
			}
			results = append(results, q)
		}
	}
	return params, append(results, param{"kr", "mach.KernReturn"})
}

func (p *serverPrinter) requestType(a *defs.Arg) string {
	switch {
	case !p.kernel:
		return "mach.Name"
	case a.Type.InTran != "":
		return p.Types.lookup(a.Type.TransType)
	}
	return "any"
}

// table writes the demultiplexer.
func (p *serverPrinter) table() {
	p.f("\n// %s are the stubs of an implementation.", p.stubs)
	p.f("type %s struct{ s %s }", p.stubs, p.server)
	name := camel(p.sub.Name, !p.kernel) + "Demux"
	p.f("\n// %s makes the demultiplexer of an implementation; sub says what is on the wire.", name)
	p.f("func %s(sub *mig.Subsystem, s %s) %s {", name, p.server, p.demux)
	p.f("m := %s{s}", p.stubs)
	p.f("return %s{Subsystem: sub, Stubs: []%s{", p.demux, p.stub)
	for _, r := range p.sub.Routines {
		p.f("%d: m.%s,", r.Number, camel(r.Name, false))
	}
	p.f("}}\n}")
}

// serverStub writes one stub.
func (p *serverPrinter) serverStub(r *defs.Routine) {
	req, rep := request(r), reply(r)
	req.start = 0 // bodies have no header
	for i := range req.items {
		req.items[i].in = true
	}
	p.f("\nfunc (m %s) %s(c %s) mach.KernReturn {", p.stubs, camel(r.Name, false), p.call)
	if len(req.items) > 0 {
		p.f("b := c.Body()")
	}
	args := p.unpack(r, &req)
	_, results := p.methodParams(r)
	call := fmt.Sprintf("m.s.%s(%s)", camel(r.Name, true), strings.Join(args, ", "))
	took := p.took(&req)
	if len(rep.items) == 0 && took == nil && !p.takesReply(r) {
		p.f("return %s", call)
		p.f("}")
		return
	}
	p.f("%s := %s", names(results), call)
	if p.takesReply(r) {
		p.f("if kr == mach.MigNoReply { c.TookReply() }")
	}
	p.f("if kr != mach.KernSuccess { return kr }")
	for _, line := range took {
		p.f("%s", line)
	}
	for i := range rep.items {
		p.long(&rep.items[i])
	}
	for i := range rep.items {
		p.putResult(&rep.items[i])
	}
	p.f("return kr")
	p.f("}")
}

func (p *serverPrinter) takesReply(r *defs.Routine) bool { return p.kernel && r.ServerReplyPort != nil }

// took says which items' contents a server that succeeded has taken.
func (p *serverPrinter) took(m *message) []string {
	if !p.kernel {
		return nil
	}
	var lines []string
	for i := range m.items {
		it := &m.items[i]
		carries := it.kind == kindOutLine || it.typ.IsPort()
		if carries && it.typ.InTran == "" && it.typ.Destructor == "" {
			lines = append(lines, fmt.Sprintf("c.Took(%d)", i))
		}
	}
	return lines
}

// unpack writes the checks of a request and returns the method's arguments.
func (p *serverPrinter) unpack(r *defs.Routine, m *message) []string {
	size := fmt.Sprintf("len(b) != %d", m.size())
	switch {
	case len(m.items) == 0:
		size = "len(c.Body()) != 0"
	case m.varies():
		size = fmt.Sprintf("len(b) < %d", m.size())
	}
	tests := []string{size}
	switch m.carry(false) {
	case carryNothing:
		tests = append(tests, "c.Complex()")
	case carrySome:
		tests = append(tests, "!c.Complex()")
	}
	flush := func() {
		if len(tests) > 0 {
			p.f("if %s {\nreturn mach.MigBadArguments\n}", strings.Join(tests, " ||\n"))
			tests = nil
		}
	}
	args := []string{"c"}
	values := make([]string, len(m.items))
	o := place{}
	for i := range m.items {
		it := &m.items[i]
		at, data := o.String(), o.plus(typeSize)
		tests = append(tests, it.mismatch("b", at, it.descriptor(it.typ.Out), "c.Complex()"))
		if it.dynamic() {
			tests = append(tests, sizeTest(m, i, "b", o))
			flush()
			values[i] = p.array(it, i, at, data)
			if i+1 < len(m.items) {
				p.assignAt(o, fmt.Sprintf("%s + int(%s)", data, it.size("b", at)))
			}
			o = place{dynamic: true}
			continue
		}
		if o.dynamic || it.kind == kindFixed {
			flush() // what follows reads the message
		}
		values[i] = p.fixedValue(it, i, at, data)
		o.base += typeSize + it.data()
	}
	flush()
	next := 0
	for _, a := range r.Args {
		args = append(args, p.headerArg(a)...)
		if next < len(m.items) && m.items[next].arg == a {
			args = append(args, values[next])
			next++
		}
	}
	return args
}

// headerArg is the value of an argument that the header carries.
func (p *serverPrinter) headerArg(a *defs.Arg) []string {
	switch a.Dir {
	case defs.RequestPort:
		switch {
		case !p.kernel:
			return []string{"c.Header.Local"}
		case a.Type.InTran != "":
			return []string{camel(a.Type.InTran, false) + "(c.Object)"}
		}
		return []string{"c.Object"}
	case defs.ReplyPort, defs.SReplyPort:
		v, poly := "c.Header.Remote", "c.Header.Bits.Remote()"
		if p.kernel {
			v, poly = "c.ReplyRight()", "c.ReplyRight().Type"
		}
		if a.Type.Out.Poly {
			return []string{v, poly}
		}
		return []string{v}
	case defs.MsgSeqno:
		if p.kernel {
			return []string{"c.Seqno()"}
		}
		return []string{"c.Header.Seqno"}
	}
	return nil
}

// fixedValue is the expression for an item of fixed size.
func (p *serverPrinter) fixedValue(it *item, n int, at, data string) string {
	word := "mig.Get64(b, " + data + ")"
	switch it.kind {
	case kindPort:
		v := "mach.Name(" + word + ")"
		switch {
		case p.kernel && it.typ.InTran != "":
			v = fmt.Sprintf("%s(c.KObject(%d))", camel(it.typ.InTran, false), n)
		case p.kernel:
			v = fmt.Sprintf("c.Right(%d)", n)
		}
		if it.typ.Out.Poly {
			v += fmt.Sprintf(", mach.TypeName(b[%s])", at)
		}
		return v
	case kindOutLine:
		switch {
		case p.kernel && it.typ.IsPort():
			return fmt.Sprintf("c.Rights(%d)", n)
		case p.kernel:
			return fmt.Sprintf("c.Region(%d), mig.Count(b, %s)", n, at)
		}
		return fmt.Sprintf("mach.Addr(%s), mig.Count(b, %s)", word, at)
	case kindFixed:
		v := variable(it.arg.Name)
		p.f("var %s %s", v, p.Types.fixed(it))
		p.getFixed(it, v, "b", data)
		return v
	}
	if it.count {
		return fmt.Sprintf("min(uint32(%s), %d)", word, most(it.arg.Type))
	}
	return value(word, p.Types.scalar(it.typ))
}

// array is the expression for an item of varying size.
func (p *serverPrinter) array(it *item, n int, at, data string) string {
	v := variable(it.arg.Name)
	switch {
	case it.kind == kindIndefinite && p.kernel:
		p.f("%sBytes, ok := c.Bytes(%d, %s, uint64(mig.Count(b, %s))*%d)", v, n, data, at, it.elem())
		p.f("if !ok { return mach.KernInvalidArgument }")
		p.f("%s := mig.Elements[%s](%sBytes, 0, mig.Count(b, %s))", v, element(it.bits()), v, at)
	case it.kind == kindIndefinite:
		p.f("%s := %s", v, it.getAnywhere("b", at))
	case it.typ.String:
		p.f("%s := mig.String(b, %s, mig.Count(b, %s))", v, data, at)
	case it.typ.IsPort() && p.kernel:
		return fmt.Sprintf("c.Rights(%d)", n)
	case it.typ.IsPort():
		p.f("%s := mig.Names(b, %s, mig.Count(b, %s))", v, data, at)
	default:
		p.f("%s := mig.Elements[%s](b, %s, mig.Count(b, %s))", v, element(it.bits()), data, at)
	}
	return v
}

// long makes memory of an array that is too long to be inline.
func (p *serverPrinter) long(it *item) {
	if p.kernel && it.kind == kindIndefinite {
		v := variable(it.arg.Name)
		p.f("%sLong, kr := mig.Long(c, %s, %d)", v, v, it.typ.Number)
		p.f("if kr != mach.KernSuccess { return kr }")
	}
}

// putResult appends a result to the reply.
func (p *serverPrinter) putResult(it *item) {
	v := variable(it.arg.Name)
	if it.arg.Dir == defs.InOut {
		v += "Out"
	}
	wire := it.typ.In
	if p.kernel {
		wire = it.typ.Out // the kernel holds what it sends
		wire.Name = wire.Name.Received()
	}
	d := it.descriptor(wire) + dealloc(it, v)
	if wire.Poly && !p.kernel {
		d += fmt.Sprintf("|uint64(%sPoly)", v)
	}
	switch it.kind {
	case kindScalar:
		p.f("c.Put64(%s, %s)", d, word(v, p.Types.scalar(it.typ), it.bits()))
	case kindFixed:
		n := it.elem() * it.typ.Number
		if it.typ.String {
			p.f("mig.PutString(c.Place(%s, %d), 0, %d, %s)", d, n, n, v)
		} else {
			p.f("mig.PutStruct(c.Place(%s, %d), 0, &%s)", d, n, v)
		}
	case kindPort:
		p.putPort(it, v, d, wire)
	case kindOutLine:
		p.putMemory(it, v, d, wire)
	case kindVariable:
		p.putElements(it, v, d)
	case kindIndefinite:
		if p.kernel {
			p.f("mig.PutAnywhere(c, %s, %s, %sLong)", d, v, v)
		} else {
			p.f("c.Put%s(%s, %s)", it.anywhere(), d, v)
		}
	}
}

func (p *serverPrinter) putElements(it *item, v, d string) {
	if it.typ.String {
		n := it.typ.Number
		count := fmt.Sprintf("mig.StringCount(%s, %d)", v, n)
		p.f("mig.PutString(c.Place(%s|mig.Number(%s), int(%s)), 0, int(%s), %s)", d, count, count, count, v)
		return
	}
	if it.typ.IsPort() {
		p.f("c.PutNames(%s, %s)", d, v)
		return
	}
	p.f("mig.PutElements(c.Place(%s|mig.Number(uint32(len(%s))), %d*len(%s)), 0, %s)", d, v, it.elem(), v, v)
}

func (p *serverPrinter) putPort(it *item, v, d string, wire defs.Wire) {
	switch {
	case p.kernel && it.typ.OutTran != "":
		v = fmt.Sprintf("%s(%s)", camel(it.typ.OutTran, false), v)
		p.f("c.PutRight(%s, %s)", typeName(wire.Name), v)
	case p.kernel && it.typ.Out.Poly:
		p.f("c.PutRight(%sPoly, %s)", v, v)
	case p.kernel:
		p.f("c.PutRight(%s, %s)", typeName(wire.Name), v)
	default:
		p.f("c.PutName(%s, %s)", d, v)
	}
}

func (p *serverPrinter) putMemory(it *item, v, d string, wire defs.Wire) {
	switch {
	case p.kernel && it.typ.IsPort():
		p.f("c.PutRights(%s, %s)", typeName(wire.Name), v)
	case p.kernel:
		p.f("c.PutRegion(%s, %d, %sCnt, %s)", typeName(wire.Name), it.bits(), v, v)
	default:
		p.f("c.PutMemory(%s|mig.Number(%sCnt), %s)", d, v, v)
	}
}
