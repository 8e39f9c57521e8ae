package vm

import (
	"fmt"
	"runtime/debug"
	"testing"
	"time"

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

// A copy taken from the middle of a large region.
func BenchmarkCopyinPart(b *testing.B) {
	m := benchMap(b, 65536, 70000)
	for b.Loop() {
		c, _ := m.Copyin(base+5*page, 40000*page, false)
		c.Discard()
	}
}

// sized is a transfer of n pages, repeated, of which the smallest is the floor:
// what the others cost more is told as times4KiB.
func sized(b *testing.B, make func(b *testing.B, pages int) (again func())) {
	var floor float64
	for _, c := range []struct {
		name  string
		pages int
	}{{"4KiB", 1}, {"64KiB", 16}, {"1MiB", 256}, {"64MiB", 16384}, {"1GiB", 262144}} {
		b.Run(c.name, func(b *testing.B) {
			again := make(b, c.pages)
			for b.Loop() {
				again()
			}
			per := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
			if c.pages == 1 {
				floor = per
			}
			if floor > 0 {
				b.ReportMetric(per/floor, "times4KiB")
			}
		})
	}
}

// vm_read, received and given back: the same for any size and alignment.
func BenchmarkRead(b *testing.B) {
	for _, in := range []mach.Addr{0, 5} {
		b.Run(fmt.Sprint("offset", in), func(b *testing.B) {
			sized(b, func(b *testing.B, pages int) func() {
				m := benchMap(b, pages+1, 300000)
				return func() {
					c, _ := m.Copyin(base+in, uint64(pages)*page, false)
					at, _ := m.Copyout(c)
					m.Deallocate(at, uint64(pages)*page)
				}
			})
		})
	}
}

// vm_write of data that was received: it is copied out of one map and replaces
// memory of another.
func BenchmarkWrite(b *testing.B) {
	sized(b, func(b *testing.B, pages int) func() {
		m := benchMap(b, pages, 600000)
		to := NewMap(m.fr, nil)
		b.Cleanup(to.Terminate)
		to.Allocate(base, uint64(pages)*page, false)
		return func() {
			c, _ := m.Copyin(base, uint64(pages)*page, false)
			to.Overwrite(base, c)
		}
	})
}

// vm_copy inside a map.
func BenchmarkCopy(b *testing.B) {
	sized(b, func(b *testing.B, pages int) func() {
		m := benchMap(b, pages, 600000)
		to := base + mach.Addr(2*pages)*page
		m.Allocate(to, uint64(pages)*page, false)
		return func() {
			c, _ := m.Copyin(base, uint64(pages)*page, false)
			m.Overwrite(to, c)
		}
	})
}

// cowFloor is what a copy-on-write fault cannot do without, in nanoseconds: a
// fault that gets a page a frame, and twice the copying of a page.
func cowFloor(b *testing.B) float64 {
	const rounds = 4096
	m := benchMap(b, 0, 2*rounds+16)
	m.Deallocate(base, page)
	m.Allocate(base, 2*rounds*page, false)
	from, to := make([]byte, rounds*page), make([]byte, rounds*page)
	copy(to, from) // so that the host has given the memory
	start := time.Now()
	for i := range rounds {
		m.Store(base+mach.Addr(2*i*page), []byte("x")) // every second: no page comes with another
	}
	faults := time.Since(start)
	start = time.Now()
	copy(to, from)
	return float64((faults + 2*time.Since(start)).Nanoseconds()) / rounds
}

// A copy-on-write fault costs the same after one copy as after a million, and
// after one page that was copied as after all of them. The floor is told with it:
// timesFloor is to stay under 2.
func BenchmarkCowFault(b *testing.B) {
	for _, copies := range []int{1, 1000, 1000000} {
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
			floor := cowFloor(b)
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
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/floor, "timesFloor")
		})
	}
}

// The same fault in a region of which few or most pages were copied before.
func BenchmarkCowFaultOfPagesCopied(b *testing.B) {
	for _, copied := range []int{0, 4096, 65536 - 64} {
		b.Run(fmt.Sprint(copied), func(b *testing.B) {
			const pages = 65536
			m := benchMap(b, pages, 2*pages+16)
			i := pages
			var c *Copy
			for b.Loop() {
				if i == pages {
					b.StopTimer()
					c.Discard()
					c, _ = m.Copyin(base, pages*page, false)
					for k := range copied {
						m.Store(base+mach.Addr(k*page), []byte("z"))
					}
					i = copied
					b.StartTimer()
				}
				m.Store(base+mach.Addr(i*page), []byte("z"))
				i++
			}
			c.Discard()
		})
	}
}

// Finding an entry among many, as every fault does.
func BenchmarkLookup(b *testing.B) {
	var floor float64
	for _, entries := range []int{100, 10000, 100000} {
		b.Run(fmt.Sprint(entries), func(b *testing.B) {
			m := benchMap(b, 0, 16)
			for i := range entries { // a hole behind each keeps them apart
				m.Allocate(base+mach.Addr(2*i)*page, page, false)
			}
			i := 0
			for b.Loop() {
				i = (i + 7919) % entries
				m.Region(base + mach.Addr(2*i)*page)
			}
			per := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
			if floor == 0 {
				floor = per
			}
			b.ReportMetric(per/floor, "times100")
		})
	}
}

// vm_map of one more entry among many, and its end.
func BenchmarkEnter(b *testing.B) {
	for _, entries := range []int{100, 10000, 100000} {
		b.Run(fmt.Sprint(entries), func(b *testing.B) {
			m := benchMap(b, 0, 16)
			for i := range entries {
				m.Allocate(base+mach.Addr(2*i)*page, page, false)
			}
			for b.Loop() {
				at, _ := m.Enter(0, 4*page, 0, true, mach.ProtRead, mach.ProtAll, mach.InheritCopy)
				m.Deallocate(at, 4*page)
			}
		})
	}
}

// Zero-filling 1 GiB page by page, and giving it back; the floor is a process that
// touches as much fresh memory of its own.
func BenchmarkZeroFillGiB(b *testing.B) {
	const pages = 262144
	m := benchMap(b, 0, pages+64)
	m.Deallocate(base, page)
	debug.FreeOSMemory() // so that the memory is fresh
	room, start := make([]byte, pages*page), time.Now()
	for i := range pages {
		room[i*page] = 1
	}
	floor := time.Since(start)
	room = nil
	for b.Loop() {
		m.Allocate(base, pages*page, false)
		for i := range mach.Addr(pages) {
			m.Store(base+i*page, []byte("z"))
		}
		m.Deallocate(base, pages*page)
	}
	per := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
	b.ReportMetric(per/float64(floor.Nanoseconds()), "timesTouch")
	b.ReportMetric(per/pages, "ns/page")
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
