package gen

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"machkernel/mach"
	"machkernel/mig/defs"
)

// Types says which Go type stands for a type of a .defs file, by its name there
// or, for what a translation function makes, by its C name.
type Types map[string]string

// builtin are Mach's own types. Arrays of them are slices.
var builtin = Types{
	"boolean_t":            "bool",
	"kern_return_t":        "mach.KernReturn",
	"vm_address_t":         "mach.Addr",
	"vm_prot_t":            "mach.Prot",
	"vm_inherit_t":         "mach.Inherit",
	"mach_port_name_t":     "mach.Name",
	"mach_port_right_t":    "mach.Right",
	"mach_port_type_t":     "mach.PortType",
	"mach_msg_id_t":        "mach.MsgID",
	"mach_port_status_t":   "mach.PortStatus",
	"vm_statistics_data_t": "mach.VMStatistics",
}

// ReadTypes reads a file of lines "c_type Go-type"; '#' starts a comment. name
// is for error messages.
func ReadTypes(name string, r io.Reader) (Types, error) {
	t := Types{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		f := strings.Fields(line)
		switch len(f) {
		case 0:
		case 2:
			t[f[0]] = f[1]
		default:
			return nil, fmt.Errorf("%s:%d: a line has a C type and a Go type", name, n)
		}
	}
	return t, lines.Err()
}

func (t Types) lookup(name string) string {
	if g := t[name]; g != "" {
		return g
	}
	return builtin[name]
}

// scalar is the Go type of a value of one element.
func (t Types) scalar(d *defs.Type) string {
	for e := d; e != nil; e = e.Elem {
		if g := t.lookup(e.Name); g != "" && e.Number == 1 {
			return g
		}
	}
	signed := d.In.Name != mach.TypeBoolean
	for e := d; e != nil; e = e.Elem {
		if strings.Contains(e.Name, "unsigned") || strings.HasPrefix(e.Name, "u") || e.Name == "natural_t" || strings.HasSuffix(e.Name, "size_t") {
			signed = false
		}
	}
	if strings.HasPrefix(d.UserType, "u") || d.UserType == "natural_t" {
		signed = false
	}
	switch {
	case d.Bits <= 8:
		return "byte"
	case d.Bits <= 16 && signed:
		return "int16"
	case d.Bits <= 16:
		return "uint16"
	case d.Bits <= 32 && signed:
		return "int32"
	case d.Bits <= 32:
		return "uint32"
	case signed:
		return "int64"
	}
	return "uint64"
}

// element is the Go type of an element of an array: unsigned, for its meaning
// depends on the array.
func element(bits int) string {
	switch {
	case bits <= 8:
		return "byte"
	case bits <= 16:
		return "uint16"
	case bits <= 32:
		return "uint32"
	}
	return "uint64"
}

// fixed is the Go type of a value of several elements, always as many.
func (t Types) fixed(i *item) string {
	if i.typ.String {
		return "string"
	}
	if g := t.lookup(i.typ.Name); g != "" {
		return g
	}
	if i.elem() > 8 {
		return fmt.Sprintf("[%d]byte", i.elem()*i.typ.Number)
	}
	return fmt.Sprintf("[%d]%s", i.typ.Number, element(i.bits()))
}

// param is one Go parameter or result.
type param struct{ name, typ string }

// goArgs are the Go values of an item, as the side that sends the message or
// the one that receives it has them. kernel is the kernel's side.
func (t Types) goArgs(i *item, kernel, sends bool) []param {
	v := variable(i.arg.Name)
	list := t.values(i, v, kernel)
	if i.typ.IsPort() && i.poly(sends, kernel) {
		list = append(list, param{v + "Poly", "mach.TypeName"})
	}
	if sends && !kernel && (i.kind == kindOutLine || i.kind == kindIndefinite) && i.arg.Dealloc == defs.DeallocMaybe {
		list = append(list, param{v + "Dealloc", "bool"}) // does the memory move?
	}
	return list
}

func (t Types) values(i *item, v string, kernel bool) []param {
	switch {
	case i.count:
		return []param{{v + "Cnt", "uint32"}}
	case i.kind == kindScalar:
		return []param{{v, t.scalar(i.typ)}}
	case i.kind == kindFixed:
		return []param{{v, t.fixed(i)}}
	case i.kind == kindPort:
		return t.port(i, v, kernel)
	case i.kind == kindOutLine && kernel && i.typ.IsPort():
		return []param{{v, "[]ports.Right"}}
	case i.kind == kindOutLine && kernel:
		return []param{{v, "ipc.Region"}, {v + "Cnt", "uint32"}}
	case i.kind == kindOutLine:
		return []param{{v, "mach.Addr"}, {v + "Cnt", "uint32"}}
	case i.kind == kindIndefinite && !kernel:
		return []param{{v, "mig.Array"}}
	case i.typ.String:
		return []param{{v, "string"}}
	case i.typ.IsPort() && kernel:
		return []param{{v, "[]ports.Right"}}
	case i.typ.IsPort():
		return []param{{v, "[]mach.Name"}}
	}
	return []param{{v, "[]" + element(i.bits())}}
}

func (t Types) port(i *item, v string, kernel bool) []param {
	switch {
	case !kernel:
		return []param{{v, "mach.Name"}}
	case i.in && i.typ.InTran != "", !i.in && i.typ.OutTran != "":
		return []param{{v, t.lookup(i.typ.TransType)}}
	}
	return []param{{v, "ports.Right"}}
}
