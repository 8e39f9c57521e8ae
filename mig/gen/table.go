package gen

import (
	"fmt"

	"machkernel/mig/defs"
)

// Table writes what is on the wire of a subsystem, as data.
func Table(s *defs.Subsystem, o Options) ([]byte, error) {
	if err := supported(s); err != nil {
		return nil, err
	}
	p := newPrinter(s, o)
	name := camel(s.Name, true)
	p.f("\n// %s is subsystem %s, ids %d to %d.", name, s.Name, s.Base, s.End-1)
	p.f("var %s = &mig.Subsystem{Name: %q, Base: %d, Number: %d, Routines: []mig.Routine{", name, s.Name, s.Base, s.End-s.Base)
	for _, r := range s.Routines {
		p.f("{")
		p.f("Name: %q, ID: %d,", r.Name, r.ID)
		if r.Kind.OneWay() {
			p.f("Simple: true,")
		}
		p.tableArgs(r)
		p.f("},")
	}
	p.f("}}")
	return p.file()
}

func (p *printer) tableArgs(r *defs.Routine) {
	req, rep := request(r), reply(r)
	if len(req.items)+len(rep.items) == 0 {
		return
	}
	p.f("Args: []mig.Arg{")
	next := 0
	for _, a := range r.Args {
		if next < len(req.items) && req.items[next].arg == a {
			it := &req.items[next]
			next++
			switch {
			case it.count:
				p.tableArg(it, a.Name+"Cnt", "mig.In")
			case a.Dir == defs.InOut:
				p.tableArg(it, a.Name, "mig.InOut")
			default:
				p.tableArg(it, a.Name, "mig.In")
			}
		}
		if a.Dir == defs.Out {
			it := newItem(a)
			p.tableArg(&it, a.Name, "mig.Out")
		}
	}
	p.f("},")
}

var forms = map[kind]string{
	kindScalar: "mig.Scalar", kindFixed: "mig.Scalar", kindVariable: "mig.Variable",
	kindIndefinite: "mig.Anywhere", kindOutLine: "mig.OutLine", kindPort: "mig.PortArg",
}

func (p *printer) tableArg(it *item, name, dir string) {
	t := fmt.Sprintf("C: %q", wireName(it.typ))
	if it.kind != kindScalar && it.kind != kindFixed {
		t += ", Form: " + forms[it.kind]
	}
	if it.typ.Poly() {
		t += ", Poly: true"
	} else {
		t += ", Name: " + typeName(it.typ.Out.Name.Received())
	}
	t += fmt.Sprintf(", Bits: %d", it.bits())
	if n := it.typ.Number; n > 0 && it.kind != kindOutLine {
		t += fmt.Sprintf(", Number: %d", n)
	}
	if it.long() {
		t += ", Long: true"
	}
	p.f("{Name: %q, Dir: %s, Type: mig.Type{%s}},", name, dir, t)
}

// wireName is the type's name in the .defs file; of a type declared in an
// argument, that of what it was made from.
func wireName(t *defs.Type) string {
	for e := t; e != nil; e = e.Elem {
		if e.Name != "" {
			return e.Name
		}
	}
	return t.Out.C
}
