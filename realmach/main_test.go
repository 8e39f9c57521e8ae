package realmach

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake puts shell scripts, by name, in front of PATH.
func fake(t *testing.T, scripts map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, body := range scripts {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body), 0o700))
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// emptyPath leaves no program to be found.
func emptyPath(t *testing.T) {
	t.Helper()
	t.Setenv("PATH", t.TempDir())
}

// writeFile makes a file for the test.
func writeFile(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

// Of the synthetic kernel.
const (
	testVersion = "GNU Mach 9.9-test"
	testPaddr   = 0x100000
)

// kernelBody is the first segment of the synthetic kernel.
func kernelBody() []byte {
	body := binary.LittleEndian.AppendUint32(nil, multibootMagic)
	return append(body, testVersion+"\x00"...)
}

// image64 is an x86-64 ELF file with two segments, which edit may spoil.
func image64(edit func(h *elf.Header64, p []elf.Prog64)) []byte {
	body := kernelBody()
	h := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Entry: testPaddr, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 2,
	}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)
	const high = 0xffffffff80000000
	p := []elf.Prog64{
		{
			Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Off: 64 + 2*56,
			Vaddr: high + testPaddr, Paddr: testPaddr, Filesz: uint64(len(body)), Memsz: uint64(len(body)), Align: 4096,
		},
		{
			Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W), Off: 64 + 2*56,
			Vaddr: high + 2*testPaddr, Paddr: 2 * testPaddr, Filesz: 4, Memsz: 8192, Align: 4096,
		},
	}
	if edit != nil {
		edit(&h, p)
	}
	var b bytes.Buffer
	_ = binary.Write(&b, binary.LittleEndian, h)
	_ = binary.Write(&b, binary.LittleEndian, p)
	b.Write(body)
	return b.Bytes()
}

func zipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}
