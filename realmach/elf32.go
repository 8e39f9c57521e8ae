package realmach

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Bounds of a kernel image. The packaged one has two segments in 0.5 MiB.
const (
	maxImage    = 64 << 20 // bytes, decompressed
	maxSegments = 64
)

// Sizes in the format of a 32-bit ELF file, in bytes.
const (
	header32Size  = 52
	segment32Size = 32
)

// Where QEMU looks for the header by which it knows a multiboot kernel.
const (
	multibootMagic  = 0x1badb002
	multibootSearch = 8192 // bytes from the start of the file
)

// gunzip decompresses data, up to limit bytes.
func gunzip(data []byte, limit int) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("not a gzip file: %w", err)
	}
	out, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("damaged gzip file: %w", err)
	}
	if len(out) > limit {
		return nil, fmt.Errorf("the image is larger than %d bytes", limit)
	}
	return out, nil
}

// repack returns the loadable segments of a 64-bit kernel image in an ELF32
// file whose virtual addresses are the physical ones.
//
// QEMU's -kernel loads multiboot kernels but refuses a 64-bit ELF. The GNU Mach
// image is one, although it starts in 32-bit mode at a 32-bit address: so its
// segments behind 32-bit headers are all that is needed to boot it. The error
// says what is wrong with an image that cannot be repacked.
func repack(image []byte) ([]byte, error) {
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return nil, fmt.Errorf("not an ELF file: %w", err)
	}
	if f.Class != elf.ELFCLASS64 || f.Machine != elf.EM_X86_64 {
		return nil, fmt.Errorf("not an x86-64 ELF file: %v, %v", f.Class, f.Machine)
	}
	if f.Entry > math.MaxUint32 {
		return nil, fmt.Errorf("entry %#x is beyond 32 bits", f.Entry)
	}
	loads, err := loadable(f, len(image))
	if err != nil {
		return nil, err
	}
	out, err := write32(uint32(f.Entry), loads)
	if err != nil {
		return nil, err
	}
	if !multiboot(out) {
		return nil, errors.New("no multiboot header: not a kernel that QEMU boots")
	}
	return out, nil
}

// loadable returns f's loadable segments, checked against the file's size.
func loadable(f *elf.File, size int) ([]*elf.Prog, error) {
	var loads []*elf.Prog
	total := uint64(0)
	for _, p := range f.Progs {
		if p.Type != elf.PT_LOAD {
			continue
		}
		switch {
		case p.Off > uint64(size) || p.Filesz > uint64(size)-p.Off:
			return nil, fmt.Errorf("segment at %#x: its %d bytes at offset %d are not all in the file", p.Paddr, p.Filesz, p.Off)
		case p.Filesz > p.Memsz:
			return nil, fmt.Errorf("segment at %#x: %d bytes of file for %d bytes of memory", p.Paddr, p.Filesz, p.Memsz)
		case p.Paddr > math.MaxUint32 || p.Memsz > math.MaxUint32-p.Paddr:
			return nil, fmt.Errorf("segment at %#x is beyond 32 bits", p.Paddr)
		}
		if total += p.Filesz; total > maxImage {
			return nil, fmt.Errorf("the segments are larger than %d MiB", maxImage>>20)
		}
		loads = append(loads, p)
	}
	if len(loads) == 0 || len(loads) > maxSegments {
		return nil, fmt.Errorf("%d loadable segments: must be from 1 to %d", len(loads), maxSegments)
	}
	return loads, nil
}

// write32 writes an ELF32 file with segments that loadable has checked.
func write32(entry uint32, loads []*elf.Prog) ([]byte, error) {
	header := elf.Header32{
		Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_386), Version: uint32(elf.EV_CURRENT),
		Entry: entry, Phoff: header32Size, Ehsize: header32Size,
		Phentsize: segment32Size, Phnum: uint16(len(loads)),
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
		offset := header32Size + segment32Size*len(loads) + body.Len()
		if _, err := io.Copy(&body, p.Open()); err != nil {
			return nil, fmt.Errorf("segment at %#x: %w", p.Paddr, err)
		}
		err := binary.Write(&table, binary.LittleEndian, elf.Prog32{
			Type: uint32(elf.PT_LOAD), Off: uint32(offset),
			Vaddr: uint32(p.Paddr), Paddr: uint32(p.Paddr),
			Filesz: uint32(p.Filesz), Memsz: uint32(p.Memsz), Flags: uint32(p.Flags), Align: 1,
		})
		if err != nil {
			return nil, err
		}
	}
	return append(table.Bytes(), body.Bytes()...), nil
}

// multiboot says whether QEMU will find a multiboot header in file.
func multiboot(file []byte) bool {
	magic := binary.LittleEndian.AppendUint32(nil, multibootMagic)
	return bytes.Contains(file[:min(len(file), multibootSearch)], magic)
}
