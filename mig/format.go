package mig

import (
	"fmt"
	"strings"

	"machkernel/mach"
)

// Format writes the value of an argument for people: addresses in hex, names
// and protections by their meaning, arrays by their length.
func (t *Type) Format(v Value) string {
	if t.Form == Anywhere && v.Data == nil {
		return fmt.Sprintf("%#x[%d]", v.Word, v.Size)
	}
	switch t.Form {
	case OutLine:
		return fmt.Sprintf("%#x[%d]", v.Word, v.Size)
	case PortArg:
		return fmt.Sprintf("%v:%v", v.Type, v.Name)
	case Variable, Anywhere:
		return fmt.Sprintf("{%d × %s}", len(v.Data)/t.ElemSize(), elementName(t))
	}
	if t.Number > 1 {
		return fmt.Sprintf("{%d × %s}", t.Number, elementName(t))
	}
	switch t.C {
	case "boolean_t":
		return fmt.Sprint(uint32(v.Word) != 0)
	case "vm_prot_t":
		return mach.Prot(v.Word).String()
	case "vm_inherit_t":
		return mach.Inherit(v.Word).String()
	case "mach_port_name_t":
		return mach.Name(v.Word).String()
	case "mach_port_right_t":
		return mach.Right(v.Word).String()
	case "mach_port_type_t":
		return mach.PortType(v.Word).String()
	case "vm_address_t", "vm_offset_t":
		return mach.Addr(v.Word).String()
	case "vm_size_t", "mach_port_urefs_t", "natural_t":
		return fmt.Sprint(v.Word)
	}
	if t.Bits == 32 {
		return fmt.Sprint(int32(v.Word))
	}
	return fmt.Sprint(int64(v.Word))
}

func elementName(t *Type) string {
	if t.Bits == 8 {
		return "byte"
	}
	return fmt.Sprintf("%d bit", t.Bits)
}

// FormatArgs writes the arguments of direction dir as "name=value, …"; vs are
// their values in order.
func (r *Routine) FormatArgs(dir Dir, vs []Value) string {
	var b strings.Builder
	next := 0
	for i := range r.Args {
		a := &r.Args[i]
		if a.Dir&dir == 0 || next >= len(vs) {
			continue
		}
		if next > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s=%s", a.Name, a.Type.Format(vs[next]))
		next++
	}
	return b.String()
}

// Signature writes the routine's name and arguments, the outs after an arrow.
func (r *Routine) Signature() string {
	var in, out []string
	for i := range r.Args {
		a := &r.Args[i]
		s := a.Name + " " + a.Type.C
		if a.Dir&In != 0 {
			in = append(in, s)
		}
		if a.Dir&Out != 0 {
			out = append(out, s)
		}
	}
	s := r.Name + "(" + strings.Join(in, ", ") + ")"
	if len(out) > 0 {
		s += " → " + strings.Join(out, ", ")
	}
	return s
}
