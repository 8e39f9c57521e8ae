package vm

import (
	"fmt"
	"testing"

	"machkernel/mach"
)

// benchMap is a map with n touched pages at base.
func benchMap(b *testing.B, n, budget int) *Map {
	fr, err := NewFrames(budget)
	if err != nil {
		b.Fatal(err)
	}
	m := NewMap(fr, NewSoftPmap(fr))
	b.Cleanup(func() {
		m.Terminate()
		if err := fr.Close(); err != nil {
			b.Fatal(err)
		}
	})
	m.Allocate(base, uint64(n)*page, false)
	for i := range mach.Addr(n) {
		if _, kr := m.Store(base+i*page, []byte("x")); kr != ok {
			b.Fatal(kr)
		}
	}
	return m
}

// Copyin costs the same for any size.
func BenchmarkCopyin(b *testing.B) {
	for _, c := range []struct {
		name  string
		pages int
	}{{"4KiB", 1}, {"1MiB", 256}, {"64MiB", 16384}, {"1GiB", 262144}} {
		b.Run(c.name, func(b *testing.B) {
			m := benchMap(b, c.pages, 300000)
			for b.Loop() {
				c, _ := m.Copyin(base, uint64(c.pages)*page, false)
				c.Discard()
			}
		})
	}
}

// A copy taken from the middle of a large region.
func BenchmarkCopyinPart(b *testing.B) {
	m := benchMap(b, 65536, 70000)
	for b.Loop() {
		c, _ := m.Copyin(base+5*page, 40000*page, false)
		c.Discard()
	}
}

// A copy-on-write fault costs the same after one copy as after 100,000.
func BenchmarkCowFault(b *testing.B) {
	for _, copies := range []int{1, 1000, 100000} {
		b.Run(fmt.Sprint(copies), func(b *testing.B) {
			const pages = 4096
			m := benchMap(b, pages, 3*pages)
			at := base
			for i := range copies { // a copy of the copy of the copy
				c, _ := m.Copyin(at, pages*page, true)
				at, _ = m.Copyout(c)
				d, _ := m.Copyin(at, pages*page, false)
				m.Store(at+mach.Addr(i%pages*page), []byte("y"))
				d.Discard()
			}
			c, _ := m.Copyin(at, pages*page, false)
			i := 0
			for b.Loop() {
				if i == pages {
					b.StopTimer()
					c.Discard()
					c, _ = m.Copyin(at, pages*page, false)
					i = 0
					b.StartTimer()
				}
				m.Store(at+mach.Addr(i*page), []byte("z"))
				i++
			}
			c.Discard()
		})
	}
}

func BenchmarkZeroFill(b *testing.B) {
	const pages = 8192
	for _, step := range []int{1, 2} {
		b.Run([]string{"", "sequential", "scattered"}[step], func(b *testing.B) {
			m := benchMap(b, 0, 4*pages)
			m.Deallocate(base, pages*page)
			m.Allocate(base, pages*page, false)
			i := 0
			for b.Loop() {
				if i >= pages {
					b.StopTimer()
					m.Deallocate(base, pages*page)
					m.Allocate(base, pages*page, false)
					i = 0
					b.StartTimer()
				}
				m.Store(base+mach.Addr(i*page), []byte("z"))
				i += step
			}
		})
	}
}

func BenchmarkSoftAccess(b *testing.B) {
	m := benchMap(b, 1, 16)
	p := make([]byte, 8)
	for b.Loop() {
		m.Load(base, p)
	}
}

// vm_write of one page to private and to shared memory.
func BenchmarkOverwritePage(b *testing.B) {
	m := benchMap(b, 64, 256)
	for b.Loop() {
		c, _ := m.Copyin(base, page, false)
		m.Overwrite(base+7*page, c)
	}
}
