package mach

import "fmt"

// PageSize is the size of a page in bytes (C: PAGE_SIZE on x86).
const (
	PageShift = 12
	PageSize  = 1 << PageShift
	PageMask  = PageSize - 1
)

// Bounds of a GNU Mach x86_64 task's address space, in bytes.
const (
	VMMinAddress Addr = 0              // C: VM_MIN_ADDRESS
	VMMaxAddress Addr = 0x800000000000 // C: VM_MAX_ADDRESS, exclusive
)

// Addr is an address in some task's address space, in bytes (C: vm_address_t,
// vm_offset_t). As an argument from a client it is untrusted: it may be any
// 64-bit value, and sums with it may wrap.
type Addr uint64

// TruncPage rounds a down to a page boundary (C: trunc_page).
func (a Addr) TruncPage() Addr { return a &^ PageMask }

// RoundPage rounds a up to a page boundary (C: round_page). It wraps to zero
// for addresses in the last page of the 64-bit range, as the C macro does.
func (a Addr) RoundPage() Addr { return (a + PageMask) &^ PageMask }

// PageOffset is a's offset in its page, in bytes.
func (a Addr) PageOffset() uint64 { return uint64(a) & PageMask }

// PageAligned reports whether a is a multiple of the page size.
func (a Addr) PageAligned() bool { return a&PageMask == 0 }

func (a Addr) String() string { return fmt.Sprintf("%#x", uint64(a)) }

// Prot is a set of access rights to memory (C: vm_prot_t).
type Prot int32

// Protection bits.
const (
	ProtNone    Prot = 0    // C: VM_PROT_NONE
	ProtRead    Prot = 0x01 // C: VM_PROT_READ
	ProtWrite   Prot = 0x02 // C: VM_PROT_WRITE
	ProtExecute Prot = 0x04 // C: VM_PROT_EXECUTE
	ProtNotify  Prot = 0x10 // C: VM_PROT_NOTIFY

	ProtDefault = ProtRead | ProtWrite               // C: VM_PROT_DEFAULT
	ProtAll     = ProtRead | ProtWrite | ProtExecute // C: VM_PROT_ALL
)

// Has reports whether p includes all of want.
func (p Prot) Has(want Prot) bool { return p&want == want }

// String prints p as three letters, "r-x"; bits beyond those follow in hex.
func (p Prot) String() string {
	b := []byte("---")
	if p&ProtRead != 0 {
		b[0] = 'r'
	}
	if p&ProtWrite != 0 {
		b[1] = 'w'
	}
	if p&ProtExecute != 0 {
		b[2] = 'x'
	}
	if rest := p &^ ProtAll; rest != 0 {
		return fmt.Sprintf("%s|%#x", b, uint32(rest))
	}
	return string(b)
}

// Inherit says what a child task created with inherited memory gets of a
// region (C: vm_inherit_t).
type Inherit int32

// Inheritance values.
const (
	InheritShare Inherit = 0 // C: VM_INHERIT_SHARE
	InheritCopy  Inherit = 1 // C: VM_INHERIT_COPY
	InheritNone  Inherit = 2 // C: VM_INHERIT_NONE
)

// Valid reports whether i is one of the three inheritance values.
func (i Inherit) Valid() bool { return i >= InheritShare && i <= InheritNone }

func (i Inherit) String() string {
	switch i {
	case InheritShare:
		return "share"
	case InheritCopy:
		return "copy"
	case InheritNone:
		return "none"
	}
	return fmt.Sprintf("inherit(%d)", int32(i))
}
