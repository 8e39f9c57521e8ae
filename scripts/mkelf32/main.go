// Mkelf32 repacks a 64-bit kernel image as a 32-bit ELF file.
//
// QEMU's -kernel option loads multiboot kernels but refuses a 64-bit ELF. The
// GNU Mach image is one, although it starts in 32-bit mode at a 32-bit
// address: so its loadable segments, placed at their physical addresses,
// behind 32-bit headers are all that is needed to boot it.
//
//	usage: mkelf32 IN OUT
//
// IN may be compressed with gzip.
package main

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

const (
	headerSize  = 52
	segmentSize = 32
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: mkelf32 IN OUT")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintf(os.Stderr, "mkelf32: %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

func run(in, out string) error {
	image, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	if bytes.HasPrefix(image, []byte{0x1f, 0x8b}) {
		if image, err = gunzip(image); err != nil {
			return err
		}
	}
	small, err := repack(image)
	if err != nil {
		return err
	}
	return os.WriteFile(out, small, 0o644)
}

func gunzip(data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// repack returns image's loadable segments in an ELF32 file whose virtual
// addresses are the physical ones.
func repack(image []byte) ([]byte, error) {
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return nil, err
	}
	if f.Class != elf.ELFCLASS64 || f.Machine != elf.EM_X86_64 {
		return nil, errors.New("not an x86-64 ELF file")
	}
	var loads []*elf.Prog
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD {
			loads = append(loads, p)
		}
	}
	if f.Entry > math.MaxUint32 {
		return nil, fmt.Errorf("entry %#x is beyond 32 bits", f.Entry)
	}

	header := elf.Header32{
		Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_386), Version: uint32(elf.EV_CURRENT),
		Entry: uint32(f.Entry), Phoff: headerSize, Ehsize: headerSize,
		Phentsize: segmentSize, Phnum: uint16(len(loads)),
	}
	copy(header.Ident[:], elf.ELFMAG)
	header.Ident[elf.EI_CLASS] = byte(elf.ELFCLASS32)
	header.Ident[elf.EI_DATA] = byte(elf.ELFDATA2LSB)
	header.Ident[elf.EI_VERSION] = byte(elf.EV_CURRENT)

	var table, body bytes.Buffer
	if err := binary.Write(&table, binary.LittleEndian, header); err != nil {
		return nil, err
	}
	for _, p := range loads {
		if p.Paddr+p.Memsz > math.MaxUint32 {
			return nil, fmt.Errorf("segment at %#x is beyond 32 bits", p.Paddr)
		}
		data, err := io.ReadAll(p.Open())
		if err != nil {
			return nil, err
		}
		err = binary.Write(&table, binary.LittleEndian, elf.Prog32{
			Type: uint32(elf.PT_LOAD), Off: uint32(headerSize + segmentSize*len(loads) + body.Len()),
			Vaddr: uint32(p.Paddr), Paddr: uint32(p.Paddr),
			Filesz: uint32(p.Filesz), Memsz: uint32(p.Memsz), Flags: uint32(p.Flags), Align: 1,
		})
		if err != nil {
			return nil, err
		}
		body.Write(data)
	}
	return append(table.Bytes(), body.Bytes()...), nil
}
