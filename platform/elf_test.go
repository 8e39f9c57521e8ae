package platform

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// elfFile is a small valid program: two segments, text with the entry and data
// with more memory than bytes.
type elfFile struct {
	header   [elfHeaderSize]byte
	programs [][elfProgramSize]byte
	body     []byte
}

func goodELF() *elfFile {
	f := &elfFile{body: []byte("textdata")}
	le := binary.LittleEndian
	copy(f.header[:], "\x7fELF\x02\x01\x01")
	le.PutUint16(f.header[16:], elfExec)
	le.PutUint16(f.header[18:], elfMachineX64)
	le.PutUint32(f.header[20:], elfVersion)
	le.PutUint64(f.header[24:], 0x400001)
	le.PutUint64(f.header[32:], elfHeaderSize)
	le.PutUint16(f.header[54:], elfProgramSize)
	le.PutUint16(f.header[56:], 2)
	const body = elfHeaderSize + 2*elfProgramSize
	f.program(elfLoad, elfRead|elfExecute, body, 0x400000, 4, 4)
	f.program(elfLoad, elfRead|elfWrite, body+4, 0x401004, 4, 0x2000)
	return f
}

func (f *elfFile) program(kind, flags uint32, offset, addr, fileSz, memSize uint64) {
	var p [elfProgramSize]byte
	le := binary.LittleEndian
	le.PutUint32(p[0:], kind)
	le.PutUint32(p[4:], flags)
	le.PutUint64(p[8:], offset)
	le.PutUint64(p[16:], addr)
	le.PutUint64(p[32:], fileSz)
	le.PutUint64(p[40:], memSize)
	f.programs = append(f.programs, p)
}

func (f *elfFile) bytes() []byte {
	b := f.header[:]
	for _, p := range f.programs {
		b = append(b, p[:]...)
	}
	return append(b, f.body...)
}

func parse(b []byte) (*Image, error) { return ParseELF(bytes.NewReader(b), int64(len(b))) }

func TestParseELF(t *testing.T) {
	img, err := parse(goodELF().bytes())
	require.NoError(t, err)
	require.Equal(t, &Image{Entry: 0x400001, Segments: []Segment{
		{0x400000, 4, mach.ProtRead | mach.ProtExecute, []byte("text")},
		{0x401004, 0x2000, mach.ProtDefault, []byte("data")},
	}}, img)
}

func TestParseELFReadsWhatTheLinkerWrites(t *testing.T) {
	b, err := os.ReadFile("testdata/guest.elf")
	require.NoError(t, err)
	img, err := parse(b)
	require.NoError(t, err)
	require.NotEmpty(t, img.Segments)
	require.Contains(t, string(img.Segments[0].Data), "\x0f\x05")
	_, err = parse([]byte(stubForTest(t)))
	require.ErrorContains(t, err, "platform's own range", "the stub is no client program")
}

func stubForTest(t *testing.T) string {
	b, err := os.ReadFile("stub/stub.elf")
	require.NoError(t, err)
	return string(b)
}

func TestParseELFRefuses(t *testing.T) {
	le := binary.LittleEndian
	header16 := func(at int, v uint16) func(*elfFile) {
		return func(f *elfFile) { le.PutUint16(f.header[at:], v) }
	}
	header64 := func(at int, v uint64) func(*elfFile) {
		return func(f *elfFile) { le.PutUint64(f.header[at:], v) }
	}
	segment := func(i, at int, v uint64) func(*elfFile) {
		return func(f *elfFile) { le.PutUint64(f.programs[i][at:], v) }
	}
	const offset, addr, fileSz, memSize = 8, 16, 32, 40
	for _, c := range []struct {
		change func(f *elfFile)
		want   string
	}{
		{func(f *elfFile) { f.header[0] = 0 }, "no ELF file"},
		{func(f *elfFile) { f.header[4] = 1 }, "32-bit"},
		{func(f *elfFile) { f.header[5] = 2 }, "big-endian"},
		{func(f *elfFile) { f.header[6] = 9 }, "version"},
		{func(f *elfFile) { f.header[20] = 9 }, "version"},
		{header16(18, 183), "another processor"},
		{header16(16, elfDyn), "position-independent"},
		{header16(16, 1), "no executable"},
		{header16(56, 0), "no program headers"},
		{header16(56, 0xffff), "program headers, more than"},
		{header16(56, 100), "truncated in the program headers"},
		{header16(54, 32), "program headers of 32 bytes"},
		{header64(32, 1<<63), "truncated in the program headers"},
		{header64(32, ^uint64(0)-8), "truncated in the program headers"},
		{header64(24, 0x401004), "not in an executable segment"},
		{header64(24, 0), "not in an executable segment"},
		{func(f *elfFile) { f.programs[1][0] = elfInterpreter }, "dynamic linker"},
		{func(f *elfFile) { f.programs[1][0] = elfDynamic }, "dynamically linked"},
		{func(f *elfFile) { f.body = f.body[:7] }, "truncated"},
		{segment(1, offset, 1<<63), "truncated"},
		{segment(1, offset, ^uint64(0)), "truncated"},
		{segment(1, fileSz, ^uint64(0)), "bytes in the file but"},
		{segment(1, memSize, 3), "4 bytes in the file but 3 in memory"},
		{segment(1, memSize, 1<<40), "bytes of memory, more than"},
		{segment(1, addr, ^uint64(0)-4), "exceed the address space"},
		{segment(1, addr, uint64(UserEnd)-4), "exceed the address space"},
		{segment(1, addr, uint64(HoleStart)-4), "platform's own range"},
		{segment(1, addr, uint64(HoleEnd)-4), "platform's own range"},
		{segment(1, addr, 0x400003), "segments overlap at 0x400003"},
		{segment(1, addr, 0x3ff000), "segments overlap at 0x400000"},
		{func(f *elfFile) {
			const whole = 180 // bytes of the file, mapped again and again
			for i := range uint64(3) {
				f.program(elfLoad, elfRead, 0, 0x500000+i<<20, whole, whole)
			}
			le.PutUint16(f.header[56:], 5)
			le.PutUint64(f.programs[0][offset:], 200)
			le.PutUint64(f.programs[1][offset:], 200)
		}, "segments overlap in the file"},
	} {
		f := goodELF()
		c.change(f)
		img, err := parse(f.bytes())
		require.ErrorContains(t, err, c.want)
		require.Nil(t, img)
		require.NotContains(t, err.Error(), "\n")
	}
	_, err := parse(nil)
	require.ErrorContains(t, err, "too short")
	good := goodELF().bytes()
	for n := range good {
		_, err := parse(good[:n])
		require.Error(t, err, "%d bytes", n)
	}
	_, err = ParseELF(bytes.NewReader(good[:100]), int64(len(good)))
	require.Error(t, err, "a file that is shorter than it was said to be")
}

// Whatever the bytes: no panic, and an image only if it keeps its promises.
func FuzzParseELF(f *testing.F) {
	good := goodELF().bytes()
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add([]byte(nil))
	f.Add([]byte(strings.Repeat("\x7fELF", 40)))
	for _, at := range []int{16, 24, 32, 54, 56, 64, 72, 80, 96, 104, 120, 136, 152, 160} {
		for _, v := range []byte{0, 1, 0x7f, 0x80, 0xff} {
			b := bytes.Clone(good)
			b[at], b[at+1] = v, v
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		img, err := parse(b)
		if err != nil {
			require.Nil(t, img)
			require.NotContains(t, err.Error(), "\n")
			return
		}
		total, inside := 0, false
		for i, s := range img.Segments {
			end := s.Addr + mach.Addr(s.MemSize)
			total += len(s.Data)
			require.True(t, end > s.Addr && end <= UserEnd)
			require.False(t, s.Addr < HoleEnd && end > HoleStart)
			require.LessOrEqual(t, uint64(len(s.Data)), s.MemSize)
			if i > 0 {
				prev := img.Segments[i-1]
				require.LessOrEqual(t, prev.Addr+mach.Addr(prev.MemSize), s.Addr)
			}
			inside = inside || img.Entry >= s.Addr && img.Entry < end && s.Prot.Has(mach.ProtExecute)
		}
		require.True(t, inside)
		require.LessOrEqual(t, total, len(b))
	})
}
