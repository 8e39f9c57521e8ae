package realmach

import (
	"bytes"
	"debug/elf"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRepackPutsSegmentsAtTheirPhysicalAddresses(t *testing.T) {
	small, err := repack(image64(nil))
	require.NoError(t, err)
	f, err := elf.NewFile(bytes.NewReader(small))
	require.NoError(t, err)
	require.Equal(t, elf.ELFCLASS32, f.Class)
	require.Equal(t, elf.EM_386, f.Machine)
	require.EqualValues(t, testPaddr, f.Entry)
	require.Len(t, f.Progs, 2)
	for i, want := range [][]byte{kernelBody(), kernelBody()[:4]} {
		p := f.Progs[i]
		data, err := io.ReadAll(p.Open())
		require.NoError(t, err)
		require.Equal(t, want, data)
		require.EqualValues(t, (i+1)*testPaddr, p.Paddr)
		require.Equal(t, p.Paddr, p.Vaddr)
	}
	require.EqualValues(t, 8192, f.Progs[1].Memsz)
}

func TestRepackNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(h *elf.Header64, p []elf.Prog64)
		want string
	}{
		{"another machine", func(h *elf.Header64, _ []elf.Prog64) { h.Machine = uint16(elf.EM_AARCH64) }, "not an x86-64 ELF file"},
		{"a high entry", func(h *elf.Header64, _ []elf.Prog64) { h.Entry = 1 << 32 }, "entry 0x100000000 is beyond 32 bits"},
		{"a high segment", func(_ *elf.Header64, p []elf.Prog64) { p[1].Paddr = 1 << 40 }, "segment at 0x10000000000 is beyond 32 bits"},
		{"a segment that wraps", func(_ *elf.Header64, p []elf.Prog64) { p[1].Memsz = ^uint64(0) }, "is beyond 32 bits"},
		{"a segment not in the file", func(_ *elf.Header64, p []elf.Prog64) { p[0].Filesz, p[0].Memsz = 1<<20, 1<<20 }, "not all in the file"},
		{"an offset not in the file", func(_ *elf.Header64, p []elf.Prog64) { p[0].Off = 1 << 40 }, "not all in the file"},
		{"more file than memory", func(_ *elf.Header64, p []elf.Prog64) { p[1].Memsz = 2 }, "4 bytes of file for 2 bytes of memory"},
		{"no segments", func(_ *elf.Header64, p []elf.Prog64) {
			p[0].Type, p[1].Type = uint32(elf.PT_NOTE), uint32(elf.PT_NOTE)
		}, "0 loadable segments"},
		{"no multiboot header", func(_ *elf.Header64, p []elf.Prog64) { p[0].Off += 4; p[0].Filesz -= 4; p[1].Off += 4 }, "no multiboot header"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := repack(image64(c.edit))
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestRepackOfEveryPrefixIsAnError(t *testing.T) {
	whole := image64(nil)
	for n := range len(whole) {
		_, err := repack(whole[:n])
		require.Error(t, err, "%d bytes", n)
	}
}

func TestGunzip(t *testing.T) {
	data := zipped(t, []byte("kernel"))
	got, err := gunzip(data, 6)
	require.NoError(t, err)
	require.Equal(t, "kernel", string(got))
	_, err = gunzip(data[:len(data)-3], 6)
	require.ErrorContains(t, err, "damaged gzip file")
	_, err = gunzip([]byte("kernel, and not compressed"), 6)
	require.ErrorContains(t, err, "not a gzip file")
	_, err = gunzip(data, 5)
	require.ErrorContains(t, err, "larger than 5 bytes")
}

func FuzzRepack(f *testing.F) {
	f.Add(image64(nil))
	f.Fuzz(func(t *testing.T, image []byte) {
		small, err := repack(image)
		if err != nil {
			return
		}
		_, err = elf.NewFile(bytes.NewReader(small))
		require.NoError(t, err)
	})
}
