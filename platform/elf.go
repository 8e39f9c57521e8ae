package platform

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"machkernel/mach"
)

// Image is a static program: what is to be in memory where, and where it
// starts.
type Image struct {
	Entry    mach.Addr
	Segments []Segment // by address; they do not overlap, but two may share a page
}

// Segment is one piece of a program. The memory from Addr+len(Data) to
// Addr+MemSize is zero. Addr need not be page aligned.
type Segment struct {
	Addr    mach.Addr
	MemSize uint64
	Prot    mach.Prot
	Data    []byte
}

// Numbers of the ELF format (64 bits, little endian).
const (
	elfHeaderSize  = 64
	elfProgramSize = 56
	elfMaxPrograms = 128     // real programs have about ten
	elfMaxMemory   = 1 << 36 // of one segment; more is a damaged header

	elfClass64     = 2
	elfLittle      = 1
	elfVersion     = 1
	elfExec        = 2
	elfDyn         = 3
	elfMachineX64  = 62
	elfLoad        = 1
	elfDynamic     = 2
	elfInterpreter = 3

	elfExecute, elfWrite, elfRead = 1, 2, 4
)

// elfHeader is what we need of the file header.
type elfHeader struct {
	entry, programs uint64
	entrySize       uint16
	count           uint16
}

// elfProgram is one program header.
type elfProgram struct {
	kind, flags                   uint32
	offset, addr, fileSz, memSize uint64
}

// maxLoad bounds what is read of a program, in bytes.
const maxLoad = 1 << 30

// ParseELF reads a static x86-64 program from the first size bytes of r. It
// refuses, in one line, whatever cannot be run as it is: other machines,
// programs that need a dynamic linker or relocation, and segments that are
// truncated, overlap, or lie where this platform can have no code.
func ParseELF(r io.ReaderAt, size int64) (*Image, error) {
	img, err := parseELF(r, size)
	if err != nil {
		return nil, fmt.Errorf("not a program for this machine: %w", err)
	}
	return img, nil
}

func parseELF(r io.ReaderAt, size int64) (*Image, error) {
	h, err := readELFHeader(r, size)
	if err != nil {
		return nil, err
	}
	programs, err := readELFPrograms(r, size, h)
	if err != nil {
		return nil, err
	}
	img := &Image{Entry: mach.Addr(h.entry)}
	var total uint64
	for i, p := range programs {
		switch p.kind {
		case elfInterpreter:
			return nil, errors.New("it needs a dynamic linker (link it with -static)")
		case elfDynamic:
			return nil, errors.New("it is dynamically linked (link it with -static)")
		case elfLoad:
			if err := p.check(size); err != nil {
				return nil, fmt.Errorf("segment %d: %w", i, err)
			}
			if total += p.fileSz; total > uint64(size) {
				return nil, fmt.Errorf("segment %d: segments overlap in the file", i)
			}
			if total > maxLoad {
				return nil, fmt.Errorf("segment %d: more than %d MiB to be loaded", i, maxLoad>>20)
			}
			if p.memSize == 0 {
				continue
			}
			data := make([]byte, p.fileSz)
			if _, err := io.ReadFull(io.NewSectionReader(r, int64(p.offset), int64(p.fileSz)), data); err != nil {
				return nil, fmt.Errorf("segment %d: %w", i, err)
			}
			img.Segments = append(img.Segments, Segment{mach.Addr(p.addr), p.memSize, p.prot(), data})
		}
	}
	return img, img.check()
}

func readELFHeader(r io.ReaderAt, size int64) (h elfHeader, err error) {
	var b [elfHeaderSize]byte
	if size < elfHeaderSize {
		return h, errors.New("not an ELF file: it is too short for a header")
	}
	if _, err := io.ReadFull(io.NewSectionReader(r, 0, elfHeaderSize), b[:]); err != nil {
		return h, err
	}
	le := binary.LittleEndian
	kind, machine := le.Uint16(b[16:]), le.Uint16(b[18:])
	switch {
	case string(b[:4]) != "\x7fELF":
		return h, errors.New("no ELF file")
	case b[4] != elfClass64:
		return h, errors.New("a 32-bit ELF file")
	case b[5] != elfLittle:
		return h, errors.New("a big-endian ELF file")
	case b[6] != elfVersion || le.Uint32(b[20:]) != elfVersion:
		return h, errors.New("an unknown version of ELF")
	case machine != elfMachineX64:
		return h, fmt.Errorf("ELF for another processor (machine %d, not x86-64)", machine)
	case kind == elfDyn:
		return h, errors.New("a position-independent ELF file (link it with -static -no-pie)")
	case kind != elfExec:
		return h, fmt.Errorf("ELF but no executable (type %d)", kind)
	}
	return elfHeader{le.Uint64(b[24:]), le.Uint64(b[32:]), le.Uint16(b[54:]), le.Uint16(b[56:])}, nil
}

func readELFPrograms(r io.ReaderAt, size int64, h elfHeader) ([]elfProgram, error) {
	switch {
	case h.count == 0:
		return nil, errors.New("no program headers")
	case h.count > elfMaxPrograms:
		return nil, fmt.Errorf("%d program headers, more than %d", h.count, elfMaxPrograms)
	case h.entrySize != elfProgramSize:
		return nil, fmt.Errorf("program headers of %d bytes, not %d", h.entrySize, elfProgramSize)
	}
	length := uint64(h.count) * elfProgramSize
	if h.programs > uint64(size) || length > uint64(size)-h.programs {
		return nil, errors.New("truncated in the program headers")
	}
	b := make([]byte, length)
	if _, err := io.ReadFull(io.NewSectionReader(r, int64(h.programs), int64(length)), b); err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	programs := make([]elfProgram, h.count)
	for i := range programs {
		e := b[i*elfProgramSize:]
		programs[i] = elfProgram{
			le.Uint32(e), le.Uint32(e[4:]), le.Uint64(e[8:]), le.Uint64(e[16:]),
			le.Uint64(e[32:]), le.Uint64(e[40:]),
		}
	}
	return programs, nil
}

// check tests a segment on its own against the file and the address space.
func (p *elfProgram) check(size int64) error {
	end := p.addr + p.memSize
	switch {
	case p.fileSz > p.memSize:
		return fmt.Errorf("%d bytes in the file but %d in memory", p.fileSz, p.memSize)
	case p.memSize > elfMaxMemory:
		return fmt.Errorf("%#x bytes of memory, more than %#x", p.memSize, uint64(elfMaxMemory))
	case p.offset > uint64(size) || p.fileSz > uint64(size)-p.offset:
		return errors.New("truncated")
	case end < p.addr || end > uint64(UserEnd):
		return fmt.Errorf("%#x bytes at %#x exceed the address space, which ends at %v", p.memSize, p.addr, UserEnd)
	case p.memSize > 0 && p.addr < uint64(HoleEnd) && end > uint64(HoleStart):
		return fmt.Errorf("%#x bytes at %#x meet the platform's own range %v to %v", p.memSize, p.addr, HoleStart, HoleEnd)
	}
	return nil
}

func (p *elfProgram) prot() mach.Prot {
	var prot mach.Prot
	if p.flags&elfRead != 0 {
		prot |= mach.ProtRead
	}
	if p.flags&elfWrite != 0 {
		prot |= mach.ProtWrite
	}
	if p.flags&elfExecute != 0 {
		prot |= mach.ProtExecute
	}
	return prot
}

// check tests the segments together, and sorts them.
func (img *Image) check() error {
	slices.SortStableFunc(img.Segments, func(a, b Segment) int {
		if a.Addr < b.Addr {
			return -1
		}
		if a.Addr > b.Addr {
			return 1
		}
		return 0
	})
	started := false
	for i, s := range img.Segments {
		end := s.Addr + mach.Addr(s.MemSize)
		if i+1 < len(img.Segments) && img.Segments[i+1].Addr < end {
			return fmt.Errorf("segments overlap at %v", img.Segments[i+1].Addr)
		}
		if img.Entry >= s.Addr && img.Entry < end && s.Prot.Has(mach.ProtExecute) {
			started = true
		}
	}
	if !started {
		return fmt.Errorf("its entry %v is not in an executable segment", img.Entry)
	}
	return nil
}
