package gen

import (
	"fmt"
	"strings"

	"machkernel/mig/defs"
)

// User writes the client stubs of a subsystem: a function for each routine,
// which a thread that can trap calls.
func User(s *defs.Subsystem, o Options) ([]byte, error) {
	if err := supported(s); err != nil {
		return nil, err
	}
	p := newPrinter(s, o)
	for _, r := range s.Routines {
		p.userStub(r)
	}
	return p.file()
}

// userStub writes one function.
func (p *printer) userStub(r *defs.Routine) {
	req, rep := request(r), reply(r)
	params, results := p.userParams(r, &req, &rep)
	p.results = results[:len(results)-1]
	p.f("")
	p.f("// %s calls %s (%d).", camel(r.Name, true), r.Name, r.ID)
	p.f("func %s(%s) (%s) {", camel(r.Name, true), list(params), list(results))
	room := 0
	if !r.Kind.OneWay() {
		room = rep.most()
	}
	p.f("b := m.MigBuffer(%d)", max(req.most(), room))
	for i := range req.items {
		req.items[i].in = true
	}
	size := p.putRequest(&req)
	p.outgoing(r, &req)
	if r.Kind.OneWay() {
		p.f("return o.Send(m, b, %s)", size)
		p.f("}")
		return
	}
	p.f("r, kr := o.Call(m, b, %s, %d)", size, room)
	p.f("if kr == mach.KernSuccess {")
	p.f("kr = mig.CheckReply(r, %d, %t, %s)", rep.size(), !rep.varies(), carries[rep.carry(false)])
	p.f("}")
	if len(rep.items) == 0 {
		p.f("return kr")
		p.f("}")
		return
	}
	p.f("if kr != mach.KernSuccess { return %s }", p.ret("kr"))
	p.getReply(&rep)
	p.f("return %s", p.ret("mach.KernSuccess"))
	p.f("}")
}

var carries = map[carry]string{carryNothing: "mig.CarryNothing", carrySome: "mig.CarrySome", carryAny: "mig.CarryAny"}

// userParams are the function's parameters and results. The result of an inout
// argument has a name of its own.
func (p *printer) userParams(r *defs.Routine, req, rep *message) (params, results []param) {
	params = []param{{"m", "mig.Messenger"}}
	next := 0
	for _, a := range r.Args {
		v := variable(a.Name)
		switch a.Dir {
		case defs.RequestPort:
			params = append(params, param{v, "mach.Name"})
			if a.Type.In.Poly {
				params = append(params, param{v + "Poly", "mach.TypeName"})
			}
		case defs.ReplyPort, defs.UReplyPort:
			params = append(params, param{v, "mach.Name"})
			if a.Type.In.Poly {
				params = append(params, param{v + "Poly", "mach.TypeName"})
			}
		case defs.WaitTime:
			params = append(params, param{v, "uint32"})
		case defs.MsgOption:
			params = append(params, param{v, "mach.MsgOption"})
		}
		if next < len(req.items) && req.items[next].arg == a {
			params = append(params, p.Types.goArgs(&req.items[next], false, true)...)
			next++
		} else if a.Dir == defs.Out && a.Type.Variable && a.Type.Inline && !a.Type.Indefinite && !a.Type.String {
			params = append(params, param{v + "Cnt", "uint32"}) // the room the caller has
		}
	}
	for i := range rep.items {
		it := &rep.items[i]
		for _, q := range p.Types.goArgs(it, false, false) {
			if it.arg.Dir == defs.InOut {
				q.name += "Out"
			}
			results = append(results, q)
		}
	}
	return params, append(results, param{"kr", "mach.KernReturn"})
}

// putRequest writes the request's items and returns an expression for its size.
func (p *printer) putRequest(m *message) string {
	o := place{base: m.start}
	for i := range m.items {
		it := &m.items[i]
		v := variable(it.arg.Name)
		d := it.descriptor(it.typ.In)
		if it.typ.In.Poly {
			d += fmt.Sprintf("|uint64(%sPoly)", v)
		}
		at, data := o.String(), o.plus(typeSize)
		switch it.kind {
		case kindScalar:
			p.f("mig.Put64(b, %s, %s)", at, d)
			p.f("mig.Put64(b, %s, %s)", data, p.scalarWord(it, v))
		case kindPort:
			p.f("mig.Put64(b, %s, %s)", at, d)
			p.f("mig.Put64(b, %s, uint64(%s))", data, v)
		case kindOutLine:
			p.f("mig.Put64(b, %s, %s|mig.Number(%sCnt)%s)", at, d, v, dealloc(it, v))
			p.f("mig.Put64(b, %s, uint64(%s))", data, v)
		case kindFixed:
			p.f("mig.Put64(b, %s, %s)", at, d)
			if it.typ.String {
				p.f("mig.PutString(b, %s, %d, %s)", data, it.elem()*it.typ.Number, v)
			} else {
				p.f("mig.PutStruct(b, %s, &%s)", data, v)
			}
		case kindVariable, kindIndefinite:
			o = p.putArray(it, v, d, o)
			continue
		}
		o.base += typeSize + it.data()
	}
	return o.String()
}

// scalarWord is the word of scalar argument v; room for an array is bounded by
// the array.
func (p *printer) scalarWord(it *item, v string) string {
	if it.count {
		return fmt.Sprintf("uint64(min(%sCnt, %d))", v, most(it.arg.Type))
	}
	return word(v, p.Types.scalar(it.typ), it.bits())
}

// most is the number of elements of an array as its user counts them.
func most(t *defs.Type) int { return t.Number / max(t.Scale(), 1) }

func dealloc(it *item, v string) string {
	switch it.arg.Dealloc {
	case defs.DeallocYes:
		return "|mig.Dealloc(true)"
	case defs.DeallocMaybe:
		return "|mig.Dealloc(" + v + "Dealloc)"
	}
	return ""
}

// putArray writes an item of varying size; what follows it is beside at.
func (p *printer) putArray(it *item, v, d string, o place) place {
	at, data := o.String(), o.plus(typeSize)
	switch {
	case it.kind == kindIndefinite:
		p.f("if !%s.OutLine() && %s.Number > %d { return %s }", v, v, it.typ.Number, p.ret("mach.MigArrayTooLarge"))
		p.assignAt(o, fmt.Sprintf("%s + mig.Put%s(b, %s, %s, %s)", data, it.anywhere(), at, d+dealloc(it, v), v))
	case it.typ.String:
		n := it.typ.Number
		p.f("mig.Put64(b, %s, %s|mig.Number(mig.StringCount(%s, %d)))", at, d, v, n)
		p.f("mig.PutString(b, %s, int(mig.StringCount(%s, %d)), %s)", data, v, n, v)
		p.assignAt(o, fmt.Sprintf("%s + int(mig.Padded(mig.StringCount(%s, %d), 1))", data, v, n))
	case it.typ.IsPort():
		p.f("if len(%s) > %d { return %s }", v, it.typ.Number, p.ret("mach.MigArrayTooLarge"))
		p.f("mig.Put64(b, %s, %s|mig.Number(uint32(len(%s))))", at, d, v)
		p.assignAt(o, fmt.Sprintf("%s + mig.PutNames(b, %s, %s)", data, data, v))
	default:
		p.f("if len(%s) > %d { return %s }", v, it.typ.Number, p.ret("mach.MigArrayTooLarge"))
		p.f("mig.Put64(b, %s, %s|mig.Number(uint32(len(%s))))", at, d, v)
		p.assignAt(o, fmt.Sprintf("%s + mig.PutElements(b, %s, %s)", data, data, v))
	}
	return place{dynamic: true}
}

// ret is what a function returns, with the given code.
func (p *printer) ret(code string) string {
	return strings.Join(append(strings.Fields(strings.ReplaceAll(names(p.results), ",", "")), code), ", ")
}

// outgoing writes how the request is sent.
func (p *printer) outgoing(r *defs.Routine, req *message) {
	port := r.RequestPort
	v := variable(port.Name)
	fields := []string{fmt.Sprintf("ID: %d", r.ID), "Dest: " + v, "DestType: " + portType(port, v)}
	if c := complexExpr(req); c != "" {
		fields = append(fields, "Complex: "+c)
	}
	if t := timeout(r); t != "" {
		fields = append(fields, "Timeout: "+t)
	}
	if o := options(r); o != "" {
		fields = append(fields, "Option: "+o)
	}
	if a := r.UserReplyPort; a != nil {
		w := variable(a.Name)
		fields = append(fields, "Reply: "+w, "ReplyType: "+portType(a, w))
	}
	p.f("o := mig.Outgoing{%s}", strings.Join(fields, ", "))
}

func portType(a *defs.Arg, v string) string {
	if a.Type.In.Poly {
		return v + "Poly"
	}
	return typeName(a.Type.In.Name)
}

// complexExpr is the expression for the complex bit; empty is false.
func complexExpr(m *message) string {
	switch m.carry(true) {
	case carryNothing:
		return ""
	case carrySome:
		return "true"
	}
	var list []string
	for i := range m.items {
		it := &m.items[i]
		v := variable(it.arg.Name)
		if it.typ.In.Poly {
			list = append(list, v+"Poly.IsPort()")
		}
		if it.kind == kindIndefinite {
			list = append(list, v+".OutLine()")
		}
	}
	return strings.Join(list, " || ")
}

// getReply reads the reply's items into the results.
func (p *printer) getReply(m *message) {
	o := place{base: m.start}
	bad := func(cond string) { p.f("if %s { return %s }", cond, p.ret("mach.MigTypeError")) }
	for i := range m.items {
		it := &m.items[i]
		v := variable(it.arg.Name)
		if it.arg.Dir == defs.InOut {
			v += "Out"
		}
		d := it.descriptor(it.typ.Out)
		at, data := o.String(), o.plus(typeSize)
		bad(it.mismatch("r", at, d, "mig.IsComplex(r)"))
		if it.typ.Out.Poly {
			p.f("%sPoly = mach.TypeName(r[%s])", v, at)
		}
		if it.dynamic() {
			o = p.getArray(m, i, v, o, bad)
			continue
		}
		switch it.kind {
		case kindScalar:
			p.f("%s = %s", v, value("mig.Get64(r, "+data+")", p.Types.scalar(it.typ)))
		case kindPort:
			p.f("%s = mach.Name(mig.Get64(r, %s))", v, data)
		case kindOutLine:
			p.f("%s, %sCnt = mach.Addr(mig.Get64(r, %s)), mig.Count(r, %s)", v, v, data, at)
		case kindFixed:
			p.getFixed(it, v, "r", data)
		}
		o.base += typeSize + it.data()
	}
}

// getFixed reads a value of several elements into v.
func (p *printer) getFixed(it *item, v, b, data string) {
	if it.typ.String {
		p.f("%s = mig.FixedString(%s, %s, %d)", v, b, data, it.elem()*it.typ.Number)
	} else {
		p.f("mig.GetStruct(%s, %s, &%s)", b, data, v)
	}
}

// mismatch is the expression that is true where the descriptor in b is not what
// a stub expects.
func (i *item) mismatch(b, at, d, complexBit string) string {
	switch {
	case i.kind == kindPort && i.typ.Out.Poly:
		return fmt.Sprintf("!mig.IsPoly(%s, %s, %s, %s)", b, at, d, complexBit)
	case i.kind == kindIndefinite && i.typ.IsPort():
		return fmt.Sprintf("!mig.IsRights(%s, %s, %s)", b, at, d)
	case i.kind == kindIndefinite:
		return fmt.Sprintf("!mig.IsAnywhere(%s, %s, %s)", b, at, d)
	case i.kind == kindVariable, i.kind == kindOutLine:
		return fmt.Sprintf("!mig.IsArray(%s, %s, %s)", b, at, d)
	}
	if i.long() {
		return fmt.Sprintf("!mig.IsLong(%s, %s, %s)", b, at, d)
	}
	return fmt.Sprintf("!mig.Is(%s, %s, %s)", b, at, d)
}

// anywhere is what functions of the run-time call an array that is inline or
// out of line.
func (i *item) anywhere() string {
	if i.typ.IsPort() {
		return "Rights"
	}
	return "Array"
}

func (i *item) getAnywhere(b, at string) string {
	if i.typ.IsPort() {
		return fmt.Sprintf("mig.GetRights(%s, %s)", b, at)
	}
	return fmt.Sprintf("mig.GetArray(%s, %s, %d)", b, at, i.elem())
}

// getArray reads item n of the reply, of varying size; what follows it is
// beside at.
func (p *printer) getArray(m *message, n int, v string, o place, bad func(string)) place {
	it := &m.items[n]
	at, data := o.String(), o.plus(typeSize)
	count := fmt.Sprintf("mig.Count(r, %s)", at)
	bad(sizeTest(m, n, "r", o))
	switch {
	case it.kind == kindIndefinite:
		p.f("%s = %s", v, it.getAnywhere("r", at))
	case it.typ.String:
		p.f("%s = mig.String(r, %s, %s)", v, data, count)
	default:
		room := variable(it.arg.Name) + "Cnt"
		groups := count
		if s := it.typ.Scale(); s > 1 {
			room, groups = fmt.Sprintf("mig.Times(%s, %d)", room, s), fmt.Sprintf("%s/%d", count, s)
		}
		read := "mig.Elements[" + element(it.bits()) + "]"
		if it.typ.IsPort() {
			read = "mig.Names"
		}
		p.f("%s = %s(r, %s, min(%s, %s))", v, read, data, count, room)
		p.f("if %s > %sCnt { return %s }", groups, variable(it.arg.Name), p.ret("mach.MigArrayTooLarge"))
	}
	if n+1 < len(m.items) {
		p.assignAt(o, fmt.Sprintf("%s + int(%s)", data, it.size("r", at)))
	}
	return place{dynamic: true}
}

// assignAt sets the variable at, which an earlier item may have made.
func (p *printer) assignAt(o place, expr string) {
	if o.dynamic {
		p.f("at = %s", expr)
	} else {
		p.f("at := %s", expr)
	}
}

// sizeTest is the expression that is true where message b does not end where
// item n of m, of varying size, says: at the end exactly, where nothing that
// varies follows.
func sizeTest(m *message, n int, b string, o place) string {
	it := &m.items[n]
	rest, exact := 0, true
	for i := n + 1; i < len(m.items); i++ {
		rest += typeSize + m.items[i].data()
		exact = exact && !m.items[i].dynamic()
	}
	compare := "<"
	if exact {
		compare = "!="
	}
	return fmt.Sprintf("uint64(len(%s)) %s uint64(%s) + %s", b, compare, o.plus(typeSize+rest), it.size(b, o.String()))
}

// size is the expression for the bytes behind the descriptor of an item of
// varying size. They are padded, but for elements that fill words together.
func (i *item) size(b, at string) string {
	f := "Padded"
	if i.elem()*i.typ.Scale()%8 == 0 {
		f = "Unpadded"
	}
	bytes := fmt.Sprintf("mig.%s(mig.Count(%s, %s), %d)", f, b, at, i.elem())
	if i.kind == kindIndefinite {
		return fmt.Sprintf("mig.ArraySize(%s, %s, %s)", b, at, bytes)
	}
	return bytes
}
