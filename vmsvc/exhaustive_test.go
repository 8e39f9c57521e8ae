package vmsvc

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/ports"
	"machkernel/vm"
)

// Every call of every routine that eight pages give: all addresses and sizes to
// half a page, and those that wrap, over islands with holes and protections. What
// each must answer and do is said here once more, page by page, and as simply as
// the reference says it (GNU Mach's vm/vm_user.c and vm/vm_map.c, and the
// recordings); nothing of package vm is used for that.

// cell is a page of the model. text is what every byte of it is.
type cell struct {
	prot, max mach.Prot
	inherit   mach.Inherit
	text      byte
}

// space is an address space of the model: pages by number.
type space map[uint64]cell

// island is where the eight pages lie, page letters in a row. The pages beside
// them are free.
const islandPage = 0x100

var islands = []string{"wwwwwwww", "ww.wr.ww", "wrnxwM.w", ".w.w.w.w", "rwrw.nww", "xwwwRwww"}

// letter is what a page's letter stands for.
func letter(c byte) cell {
	p := cell{mach.ProtDefault, mach.ProtAll, mach.InheritCopy, 0}
	switch c {
	case 'r':
		p.prot = mach.ProtRead
	case 'n':
		p.prot = mach.ProtNone
	case 'x':
		p.prot = mach.ProtExecute
	case 'M':
		p.prot, p.max = mach.ProtNone, mach.ProtNone
	case 'R':
		p.prot, p.max = mach.ProtRead, mach.ProtRead
	}
	return p
}

// scope is a server with one map in the making, again and again.
type scope struct {
	*testing.T
	s      *Server
	frames *vm.Frames
	m      *vm.Map
	model  space
}

func eachIsland(t *testing.T, try func(w *scope)) {
	frames, err := vm.NewFrames(256)
	require.NoError(t, err)
	for _, island := range islands {
		t.Run(island, func(t *testing.T) {
			w := &scope{T: t, s: New(Config{Rules: observed, Frames: frames}), frames: frames}
			w.build(island)
			try(w)
			w.m.Terminate()
			require.Zero(t, frames.Stats().Used)
		})
	}
	require.NoError(t, frames.Close())
}

// build makes the map and the model of an island.
func (w *scope) build(island string) {
	w.m, w.model = vm.NewMap(w.frames, nil), space{}
	for i := range island {
		c := letter(island[i])
		if island[i] == '.' {
			continue
		}
		n, at := uint64(islandPage+i), mach.Addr(islandPage+i)<<mach.PageShift
		_, kr := w.m.Allocate(at, mach.PageSize, false)
		require.Equal(w, mach.KernSuccess, kr)
		if i%3 != 2 { // every third page is never touched
			c.text = byte('a' + i)
			var page [mach.PageSize]byte
			for k := range page {
				page[k] = c.text
			}
			require.Equal(w, mach.KernSuccess, w.m.WriteBytes(at, page[:]))
		}
		require.Equal(w, mach.KernSuccess, w.m.Protect(at, mach.PageSize, true, c.max))
		require.Equal(w, mach.KernSuccess, w.m.Protect(at, mach.PageSize, false, c.prot))
		w.model[n] = c
	}
}

// on makes a fresh child of the island, which is inherited by copy, for one call.
func (w *scope) on(call func(m *vm.Map, model space)) {
	m, kr := w.m.Fork(nil)
	require.Equal(w, mach.KernSuccess, kr)
	model := make(space, len(w.model)+8)
	for n, c := range w.model {
		model[n] = c
	}
	call(m, model)
	m.Terminate()
}

// same compares a map with the model: what there is, its attributes, its bytes.
func (w *scope) same(m *vm.Map, model space, of ...any) {
	pages := 0
	for _, r := range m.Entries() {
		for at := r.Start; at < r.Start+mach.Addr(r.Size); at += mach.PageSize {
			c, there := model[uint64(at)>>mach.PageShift]
			if pages++; !there || c.prot != r.Prot || c.max != r.MaxProt || c.inherit != r.Inherit {
				require.Fail(w, "attributes", "%v: page %#x is %v/%v %v, want %v", of, uint64(at)>>mach.PageShift, r.Prot, r.MaxProt, r.Inherit, c)
			}
			if !c.max.Has(mach.ProtRead) {
				continue
			}
			m.Protect(at, mach.PageSize, false, mach.ProtRead)
			var b [3]byte
			for i, off := range []mach.Addr{0, mach.PageSize/2 - 1, mach.PageSize - 1} {
				m.ReadBytes(at+off, b[i:i+1])
			}
			if b != [3]byte{c.text, c.text, c.text} {
				require.Fail(w, "bytes", "%v: page %#x is %q, want %q", of, uint64(at)>>mach.PageShift, b, c.text)
			}
		}
	}
	if pages != len(model) {
		require.Fail(w, "pages", "%v: %d, want %d", of, pages, len(model))
	}
}

const half = mach.PageSize / 2

// addresses are all half pages from before the island to behind it, and the ends
// of the address space.
func addresses() (all []uint64) {
	for at := uint64(islandPage-1) * 2; at <= (islandPage+9)*2; at++ {
		all = append(all, at*half)
	}
	return append(all, 0, uint64(mach.VMMaxAddress)-mach.PageSize, uint64(mach.VMMaxAddress), ^uint64(mach.PageMask), ^uint64(0))
}

// sizes are all half pages up to more than the island, and those that wrap.
func sizes() (all []uint64) {
	for n := uint64(0); n <= 9*2; n++ {
		all = append(all, n*half)
	}
	return append(all, 1, ^uint64(0), ^uint64(mach.PageMask), ^uint64(mach.PageMask)+1-islandPage*mach.PageSize, 1<<63)
}

func trunc(a uint64) uint64 { return a &^ mach.PageMask }

func round(a uint64) uint64 { return (a + mach.PageMask) &^ mach.PageMask }

// clamped are the page numbers of a range, rounded outwards, inside the map: none
// where it wraps.
func clamped(addr, size uint64) (lo, hi uint64) {
	lo, hi = trunc(addr), min(round(addr+size), uint64(mach.VMMaxAddress))
	return lo >> mach.PageShift, max(lo, hi) >> mach.PageShift
}

// readable is what vm_read answers.
func (s space) readable(addr, size uint64) mach.KernReturn {
	end := addr + size
	switch {
	case size == 0:
		return mach.KernSuccess
	case end <= addr, round(end) == 0:
		return mach.KernInvalidAddress
	}
	return s.allow(addr, end, mach.ProtRead)
}

// writable is what vm_write answers of size bytes that lie at data.
func (s space) writable(addr, size, data uint64) mach.KernReturn {
	switch {
	case size == 0:
		return mach.KernSuccess
	case (addr|size|data)&mach.PageMask != 0:
		return mach.KernInvalidArgument
	case addr+size <= addr:
		return mach.KernInvalidAddress
	}
	return s.allow(addr, addr+size, mach.ProtWrite)
}

// allow finds the first page in [addr, end) that is not there or lacks the access.
func (s space) allow(addr, end uint64, access mach.Prot) mach.KernReturn {
	for n := addr >> mach.PageShift; n < round(end)>>mach.PageShift; n++ {
		c, there := s[n]
		if !there {
			return mach.KernInvalidAddress
		}
		if !c.prot.Has(access) {
			return mach.KernProtectionFailure
		}
	}
	return mach.KernSuccess
}

// free is what a fixed place answers.
func (s space) free(addr, size uint64) mach.KernReturn {
	end := addr + size
	if end > uint64(mach.VMMaxAddress) || addr >= end {
		return mach.KernInvalidAddress
	}
	for n := range s {
		if n >= addr>>mach.PageShift && n < end>>mach.PageShift {
			return mach.KernNoSpace
		}
	}
	return mach.KernSuccess
}

// fill makes new pages.
func (s space) fill(addr, size uint64, c cell) {
	for n := addr >> mach.PageShift; n < (addr+size)>>mach.PageShift; n++ {
		s[n] = c
	}
}

func TestEveryProtect(t *testing.T) {
	eachIsland(t, func(w *scope) {
		for _, addr := range addresses() {
			for _, size := range sizes() {
				for k := range 34 { // every protection, bad ones and NOTIFY too
					prot, setMax := mach.Prot(k/2), k%2 == 1
					w.on(func(m *vm.Map, model space) {
						want := mach.KernSuccess
						lo, hi := clamped(addr, size)
						if prot&^(mach.ProtAll|mach.ProtNotify) != 0 {
							want = mach.KernInvalidArgument
						}
						for n, c := range model {
							if want == mach.KernSuccess && n >= lo && n < hi && !(c.max | mach.ProtNotify).Has(prot) {
								want = mach.KernProtectionFailure
							}
						}
						for n, c := range model {
							if want == mach.KernSuccess && n >= lo && n < hi {
								if setMax {
									c.max, c.prot = prot, c.prot&prot
								} else {
									c.prot = prot
								}
								model[n] = c
							}
						}
						w.answer(want, w.s.Protect(m, mach.Addr(addr), size, setMax, prot), "protect", addr, size, setMax, prot)
						w.same(m, model, "protect", addr, size, setMax, prot)
					})
				}
			}
		}
	})
}

// answer compares codes; require.Equal would be too slow for so many.
func (w *scope) answer(want, got mach.KernReturn, of ...any) {
	if want != got {
		require.Fail(w, "answer", "%v: %v, want %v", fmt.Sprintf("%#x", of), got, want)
	}
}

func TestEveryInheritAndDeallocate(t *testing.T) {
	eachIsland(t, func(w *scope) {
		for _, addr := range addresses() {
			for _, size := range sizes() {
				lo, hi := clamped(addr, size)
				for in := mach.Inherit(0); in < 4; in++ {
					w.on(func(m *vm.Map, model space) {
						want := mach.KernSuccess
						if in == 3 {
							want = mach.KernInvalidArgument
						} else {
							for n, c := range model {
								if n >= lo && n < hi {
									c.inherit = in
									model[n] = c
								}
							}
						}
						w.answer(want, w.s.Inherit(m, mach.Addr(addr), size, in), "inherit", addr, size, in)
						w.same(m, model, "inherit", addr, size, in)
					})
				}
				w.on(func(m *vm.Map, model space) {
					for n := range model {
						if size != 0 && n >= lo && n < hi {
							delete(model, n)
						}
					}
					w.answer(mach.KernSuccess, w.s.Deallocate(m, mach.Addr(addr), size), "deallocate", addr, size)
					w.same(m, model, "deallocate", addr, size)
				})
			}
		}
	})
}

func TestEveryAllocateAndMap(t *testing.T) {
	eachIsland(t, func(w *scope) {
		for _, addr := range addresses() {
			for _, size := range sizes() {
				w.on(func(m *vm.Map, model space) {
					want, at := mach.KernSuccess, trunc(addr)
					switch {
					case size == 0:
						at = 0
					case round(size) == 0:
						want = mach.KernInvalidArgument
					default:
						want = model.free(at, round(size))
					}
					if want == mach.KernSuccess {
						model.fill(at, round(size)*min(size, 1), cell{mach.ProtDefault, mach.ProtAll, mach.InheritCopy, 0})
					}
					got, kr := w.s.Allocate(m, mach.Addr(addr), size, false)
					w.answer(want, kr, "allocate", addr, size)
					require.True(w, kr != mach.KernSuccess || uint64(got) == at)
					w.same(m, model, "allocate", addr, size)
				})
				for _, prots := range [][2]mach.Prot{{1, 3}, {7, 0}, {0, 7}, {8, 7}, {1, 9}} {
					w.on(func(m *vm.Map, model space) {
						want, at := mach.KernSuccess, trunc(addr)
						switch {
						case (prots[0]|prots[1])&^mach.ProtAll != 0, size == 0, round(size) == 0:
							want = mach.KernInvalidArgument
						default:
							want = model.free(at, round(size))
						}
						if want == mach.KernSuccess {
							model.fill(at, round(size), cell{prots[0], prots[1], mach.InheritNone, 0})
						}
						_, kr := w.s.Map(m, Mapping{
							Addr: mach.Addr(addr), Size: size, Object: ports.Right{}, Offset: 5,
							Prot: prots[0], MaxProt: prots[1], Inherit: mach.InheritNone,
						})
						w.answer(want, kr, "map", addr, size, prots)
						w.same(m, model, "map", addr, size, prots)
					})
				}
			}
		}
	})
}

func TestEveryReadAndRegion(t *testing.T) {
	eachIsland(t, func(w *scope) {
		for _, addr := range addresses() {
			for _, size := range sizes() {
				w.on(func(m *vm.Map, model space) {
					want := model.readable(addr, size)
					c, kr := w.s.Read(m, mach.Addr(addr), size, nil)
					w.answer(want, kr, "read", addr, size)
					if kr == mach.KernSuccess {
						require.Equal(w, size, c.Size())
						got := make([]byte, size)
						require.Equal(w, len(got), c.ReadAt(got, 0))
						for i, b := range got {
							if want := model[(addr+uint64(i))>>mach.PageShift].text; b != want {
								require.Fail(w, "bytes", "read %#x+%#x: byte %#x is %q, want %q", addr, size, i, b, want)
							}
						}
						c.Discard()
					}
					w.same(m, model, "read", addr, size)
				})
			}
			first, found := uint64(0), false
			for n := range w.model {
				if n >= addr>>mach.PageShift && (!found || n < first) {
					first, found = n, true
				}
			}
			r, kr := w.s.Region(w.m, mach.Addr(addr))
			if !found {
				w.answer(mach.KernNoSpace, kr, "region", addr)
				continue
			}
			w.answer(mach.KernSuccess, kr, "region", addr)
			c, at := w.model[first], mach.Addr(first)<<mach.PageShift
			require.True(w, r.Start <= at && at < r.Start+mach.Addr(r.Size), "the entry that holds the first page")
			require.Equal(w, c, cell{r.Prot, r.MaxProt, r.Inherit, c.text})
		}
	})
}

func TestEveryCopyAndWrite(t *testing.T) {
	eachIsland(t, func(w *scope) {
		for _, from := range addresses() {
			for _, size := range sizes() {
				for _, to := range addresses() {
					w.on(func(m *vm.Map, model space) {
						want := model.readable(from, size)
						if want == mach.KernSuccess {
							want = model.writable(to, size, from)
						}
						if want == mach.KernSuccess {
							was := make(space, len(model))
							for n, c := range model {
								was[n] = c
							}
							for i := range size >> mach.PageShift {
								c := model[to>>mach.PageShift+i]
								c.text = was[from>>mach.PageShift+i].text
								model[to>>mach.PageShift+i] = c
							}
						}
						w.answer(want, w.s.Copy(m, mach.Addr(from), size, mach.Addr(to)), "copy", from, size, to)
						w.same(m, model, "copy", from, size, to)
					})
				}
			}
		}
		for _, to := range addresses() {
			for _, size := range sizes()[:20] {
				w.on(func(m *vm.Map, model space) {
					text := make([]byte, size)
					for i := range text {
						text[i] = 'Z'
					}
					data, kr := vm.NewCopy(w.frames, text)
					require.Equal(w, mach.KernSuccess, kr)
					want := model.writable(to, size, 0)
					if want == mach.KernSuccess {
						for i := range size >> mach.PageShift {
							c := model[to>>mach.PageShift+i]
							c.text = 'Z'
							model[to>>mach.PageShift+i] = c
						}
					}
					w.answer(want, w.s.Write(m, mach.Addr(to), data), "write", to, size)
					data.Discard()
					w.same(m, model, "write", to, size)
				})
			}
		}
	})
}

func TestEveryWire(t *testing.T) {
	eachIsland(t, func(w *scope) {
		for _, addr := range addresses() {
			for _, size := range sizes() {
				for access := mach.Prot(0); access < 9; access++ {
					w.on(func(m *vm.Map, model space) {
						want := mach.KernSuccess
						lo, hi := trunc(addr), min(round(addr+size), uint64(mach.VMMaxAddress))
						lo = min(lo, hi) // so it is where the sum wraps: the page behind is looked at
						switch _, there := model[lo>>mach.PageShift]; {
						case access == 8:
							want = mach.KernInvalidArgument
						case !there, lo < hi && model.allow(lo, hi, access) != mach.KernSuccess:
							want = mach.KernNoSpace
						}
						w.answer(want, w.s.Wire(m, mach.Addr(addr), size, access, true), "wire", addr, size, access)
						w.same(m, model, "wire", addr, size, access)
					})
				}
			}
		}
	})
}
