package defs

import "strings"

// Flags are what the text states of a type or an argument, before defaults.
type Flags uint16

// Flags of types and arguments.
const (
	FlagLong         Flags = 1 << iota // islong
	FlagNotLong                        // isnotlong
	FlagDealloc                        // dealloc
	FlagNotDealloc                     // notdealloc
	FlagMaybeDealloc                   // dealloc[]
	FlagServerCopy                     // servercopy
	FlagCountInOut                     // countinout
	FlagSameCount                      // samecount
	FlagPhysicalCopy                   // physicalcopy
	FlagOverwrite                      // overwrite
	FlagRetCode                        // retcode
	FlagAuto                           // auto
	FlagConst                          // const
	flagEnd
)

// names of the flags in the language, in the order of their bits.
func (f Flags) name() string {
	switch f {
	case FlagLong:
		return "islong"
	case FlagNotLong:
		return "isnotlong"
	case FlagDealloc:
		return "dealloc"
	case FlagNotDealloc:
		return "notdealloc"
	case FlagMaybeDealloc:
		return "dealloc[]"
	case FlagServerCopy:
		return "servercopy"
	case FlagCountInOut:
		return "countinout"
	case FlagSameCount:
		return "samecount"
	case FlagPhysicalCopy:
		return "physicalcopy"
	case FlagOverwrite:
		return "overwrite"
	case FlagRetCode:
		return "retcode"
	case FlagAuto:
		return "auto"
	case FlagConst:
		return "const"
	}
	return ""
}

// String lists the flags as the language writes them, each after a comma.
func (f Flags) String() string {
	var b strings.Builder
	for bit := Flags(1); bit < flagEnd; bit <<= 1 {
		if f&bit != 0 {
			b.WriteString(", " + bit.name())
		}
	}
	return b.String()
}

// known reports whether the dialect has the flag.
func (f Flags) known(t Target) bool {
	switch f {
	case FlagLong, FlagNotLong, FlagServerCopy:
		return t.Typed()
	case FlagSameCount, FlagPhysicalCopy, FlagOverwrite, FlagAuto, FlagConst:
		return !t.Typed()
	}
	return true
}

// flags reads: { , flag }
func (p *parser) flags() Flags {
	var all Flags
	for p.got(',') {
		t := p.want(tokWord, "as a flag")
		if t.kind != tokWord {
			break
		}
		flag := Flags(0)
		for bit := Flags(1); bit < flagEnd; bit <<= 1 {
			if strings.EqualFold(t.text, bit.name()) {
				flag = bit
			}
		}
		switch {
		case flag == 0:
			p.errorf(t.pos, "%s is not a flag", t.text)
		case !flag.known(p.sub.Target):
			p.errorf(t.pos, "%s is a flag of the other MIG: %s", t.text, otherDialect(p.sub.Target))
		}
		if p.got('[') {
			p.want(']', "after [")
			if flag != FlagDealloc {
				p.warnf(t.pos, "%s cannot be variable, only dealloc can", t.text)
				continue
			}
			flag = FlagMaybeDealloc
		}
		if all&flag != 0 {
			p.warnf(t.pos, "%s is stated twice", t.text)
		}
		all |= flag
	}
	return all
}

func otherDialect(t Target) string {
	if t.Typed() {
		return "XNU's"
	}
	return "GNU's"
}
