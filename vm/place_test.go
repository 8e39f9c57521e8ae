package vm

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// place is Examine of a byte that can be read.
func (b *bed) place(m *Map, addr mach.Addr) Place {
	b.Helper()
	p, kr := m.Examine(addr, mach.ProtNone, nil)
	require.Equal(b, ok, kr)
	return p
}

func TestSharersOfMemorySeeOnePlace(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	b.alloc(m, base, 2)
	m.Inherit(base, page, mach.InheritShare)
	untouched := b.place(m, base+8)
	child := b.fork(m)
	grandchild := b.fork(child)
	for _, other := range []*Map{m, child, grandchild} {
		require.Equal(t, untouched, b.place(other, base+8))
	}
	b.store(child, base+8, "written")
	c := b.copyin(m, base, page)
	b.store(m, base+8, "again after a copy was taken")
	require.Equal(t, untouched, b.place(grandchild, base+8))
	require.NotEqual(t, untouched, b.place(m, base+12), "another byte")
	require.NotEqual(t, untouched, b.place(m, base+page+8), "another page")

	at, kr := m.Copyout(c)
	require.Equal(t, ok, kr)
	require.NotEqual(t, untouched, b.place(m, at+8), "a copy is other memory")
}

// What is waited for is still the same when a copy of it has been taken.
func TestCopiesDoNotMoveAPlace(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	b.alloc(m, base, 4)
	b.store(m, base, "one object")
	m.Inherit(base+page, page, mach.InheritNone) // of several entries
	var before [4]Place
	for i := range before {
		before[i] = b.place(m, base+mach.Addr(i)*page)
	}
	child := b.fork(m)
	b.copyin(m, base, 4*page)
	b.store(m, base, "written")
	seen := map[Place]bool{}
	for i := range before {
		require.Equal(t, before[i], b.place(m, base+mach.Addr(i)*page), "page %d", i)
		seen[before[i]] = true
	}
	require.Len(t, seen, 4)
	require.NotEqual(t, before[0], b.place(child, base))
}

// As on the real kernel.
func TestSharingAPartMovesItsPlaces(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	b.alloc(m, base, 2)
	b.store(m, base, "one object")
	b.store(m, base+page, "of two entries")
	m.Inherit(base+page, page, mach.InheritShare)
	before := b.place(m, base+page)
	child := b.fork(m)
	after := b.place(m, base+page)
	require.NotEqual(t, before, after)
	require.Equal(t, after, b.place(child, base+page))
	require.Equal(t, after, b.place(b.fork(m), base+page), "it is shared already")
}

func TestExamineReadsAndChecks(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	b.alloc(m, base, 5)
	m.Protect(base+2*page, page, false, mach.ProtRead)
	m.Protect(base+3*page, page, false, mach.ProtNone)
	m.Deallocate(base+4*page, page)
	rw := mach.ProtWrite
	for _, c := range []struct {
		name   string
		addr   mach.Addr
		access mach.Prot
		n      int
		want   mach.KernReturn
	}{
		{"one byte for reading", base, 0, 0, ok},
		{"for writing", base, rw, 8, ok},
		{"on into memory that is only read", base + 2*page - 4, rw, 8, ok},
		{"for writing what is only read", base + 2*page, rw, 0, mach.KernProtectionFailure},
		{"on into memory without access", base + 3*page - 4, 0, 8, mach.KernProtectionFailure},
		{"memory without access", base + 3*page, 0, 0, mach.KernProtectionFailure},
		{"a hole", base + 4*page, 0, 0, mach.KernInvalidAddress},
		{"past the end of all", ^mach.Addr(3), 0, 8, mach.KernInvalidAddress},
		{"the last byte of all", ^mach.Addr(0), 0, 0, mach.KernInvalidAddress},
	} {
		_, kr := m.Examine(c.addr, c.access, make([]byte, c.n))
		require.Equal(t, c.want, kr, c.name)
	}
	require.Zero(t, b.fr.Stats().Used, "looking makes nothing resident")

	b.store(m, base+page-4, "12345678")
	got := make([]byte, 8)
	_, kr := m.Examine(base+page-4, 0, got)
	require.Equal(t, ok, kr)
	require.Equal(t, "12345678", string(got))
	m.Terminate()
	_, kr = m.Examine(base, 0, nil)
	require.Equal(t, mach.KernInvalidAddress, kr)
}
