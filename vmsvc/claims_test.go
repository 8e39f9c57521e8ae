package vmsvc

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/rules"
	"machkernel/vm"
)

// The four manual pages that this server is made after, claim by claim: GNU
// Mach's Reference Manual, Data Transfer, and XNU's vm_read.html, vm_write.html and
// vm_copy.html. Each claim holds in the documented edition. Where a rule is
// named, the kernel is of another opinion, and the claim does not hold of it.

// claim is one sentence's promise, in our words.
type claim struct {
	says string
	// rule is where the kernel contradicts; empty if it keeps the promise, too.
	rule string
	// cases are conformance cases by clients, which manual.tsv judges by the same
	// sentence.
	cases []string
	holds func(w *world) bool
}

// gives is a claim's check that is one answer.
func gives(kr mach.KernReturn, do func(w *world) mach.KernReturn) func(w *world) bool {
	return func(w *world) bool { return do(w) == kr }
}

// filled is a page of one letter.
func filled(letter string) string { return strings.Repeat(letter, page) }

// received reads size bytes of the sender's at 0x200000+off and maps them.
func (w *world) received(off, size uint64) (mach.Addr, uint64, mach.KernReturn) {
	c, kr := w.Read(w.sender(), 0x200000+mach.Addr(off), size, w.m)
	if kr != ok {
		return 0, 0, kr
	}
	size = c.Size()
	at, kr := w.m.Copyout(c)
	return at, size, kr
}

// readThenWrite is vm_read and vm_write in one map.
func (w *world) readThenWrite(src mach.Addr, size uint64, dst mach.Addr) mach.KernReturn {
	c, kr := w.Read(w.m, src, size, nil)
	if kr == ok {
		kr = w.Write(w.m, dst, c)
	}
	c.Discard()
	return kr
}

// copiesLike compares vm_copy of overlapping ranges with vm_read and vm_write.
func copiesLike(size uint64, src, dst int) func(w *world) bool {
	return func(w *world) bool {
		for p := range 8 {
			w.write(w.at(p), filled(string(rune('a'+p))))
		}
		other, kr := w.m.Fork(nil)
		require.Equal(w.t, ok, kr)
		if w.other != nil {
			w.other.Terminate()
		}
		w.other = other
		same := w.Copy(w.m, w.at(src), size, w.at(dst))
		twin := *w
		twin.m = other
		if twin.readThenWrite(w.at(src), size, w.at(dst)) != same {
			return false
		}
		return w.read(w.base, 8*page) == twin.read(w.base, 8*page)
	}
}

func dataTransferClaims() []claim {
	return []claim{
		{says: "vm_read reads another task's memory", cases: []string{"vm_read/other-task-page"}, holds: func(w *world) bool {
			at, size, kr := w.received(0, page)
			return kr == ok && size == page && w.read(at, page) == filled("s")
		}},
		{
			says: "vm_read's address is on a page boundary, or KERN_INVALID_ARGUMENT", rule: "vm_read/unaligned", cases: []string{"vm_read/unaligned-address", "vm_read/one-byte-unaligned"},
			holds: gives(arg, func(w *world) mach.KernReturn { return w.vmRead(w.at(0)+8, page) }),
		},
		{
			says: "vm_read's size is an integral number of pages, or KERN_INVALID_ARGUMENT", rule: "vm_read/unaligned", cases: []string{"vm_read/unaligned-size"},
			holds: gives(arg, func(w *world) mach.KernReturn { return w.vmRead(w.at(0), page+1) }),
		},
		{says: "vm_read's count is an integral number of pages", rule: "vm_read/unaligned", holds: func(w *world) bool {
			for _, size := range []uint64{1, page, page + 1, 2 * page} {
				if _, count, kr := w.received(0, size); kr == ok && count%page != 0 {
					return false
				}
			}
			return true
		}},
		{says: "vm_read's data is in a newly allocated region, for the reader to deallocate", holds: func(w *world) bool {
			at, size, kr := w.received(0, 2*page)
			return kr == ok && (at+2*page <= w.base || at >= w.at(8)) &&
				w.Deallocate(w.m, at, size) == ok && !w.m.Holds(at)
		}},
		{
			says: "vm_read of memory that is not allocated gives KERN_INVALID_ADDRESS", cases: []string{"vm_read/hole"},
			holds: gives(adr, func(w *world) mach.KernReturn { return w.vmRead(w.at(100), page) }),
		},
		{
			says: "vm_read of an illegal address gives KERN_INVALID_ADDRESS", cases: []string{"vm_read/kernel-address", "vm_read/not-canonical"},
			holds: gives(adr, func(w *world) mach.KernReturn { return w.vmRead(w.m.Layout().Max, page) }),
		},
		{
			says: "vm_read of less than size bytes gives KERN_INVALID_ADDRESS", cases: []string{"vm_read/hole-in-middle"},
			holds: gives(adr, func(w *world) mach.KernReturn { return w.vmRead(w.at(7), 2*page) }),
		},
		{
			says: "vm_read of what is protected against reading gives KERN_PROTECTION_FAILURE", cases: []string{"vm_read/no-access", "vm_read/into-no-access"},
			holds: gives(prt, func(w *world) mach.KernReturn { return w.allow(0, mach.ProtNone).vmRead(w.at(0), page) }),
		},
		{
			says: "vm_read for a caller without room gives KERN_NO_SPACE", rule: "vm_read/no-room", cases: []string{"vm_read/no-room-page"},
			holds: gives(spc, func(w *world) mach.KernReturn {
				full := vm.NewMap(w.frames, nil)
				defer full.Terminate()
				_, kr := full.Allocate(0, uint64(mach.VMMaxAddress), false)
				require.Equal(w.t, ok, kr)
				_, kr = w.Read(w.m, w.at(0), page, full)
				return kr
			}),
		},
		{says: "vm_write writes count bytes of data to another task's memory", cases: []string{"vm_write/to-page"}, holds: func(w *world) bool {
			return w.vmWrite(w.at(1), page, 0) == ok && w.read(w.at(0), 3*page) == filled("\x00")+filled("s")+filled("\x00")
		}},
		{
			says: "vm_write's address is page aligned, or KERN_INVALID_ARGUMENT", cases: []string{"vm_write/to-unaligned-address"},
			holds: gives(arg, func(w *world) mach.KernReturn { return w.vmWrite(w.at(0)+8, page, 0) }),
		},
		{
			says: "vm_write's data is page aligned, or KERN_INVALID_ARGUMENT", cases: []string{"vm_write/from-unaligned-address"},
			holds: gives(arg, func(w *world) mach.KernReturn { return w.vmWrite(w.at(0), page, 8) }),
		},
		{
			says: "vm_write's count is page aligned, or KERN_INVALID_ARGUMENT", cases: []string{"vm_write/to-unaligned-size"},
			holds: gives(arg, func(w *world) mach.KernReturn { return w.vmWrite(w.at(0), page+8, 0) }),
		},
		{
			says: "vm_write to memory that is not allocated gives KERN_INVALID_ADDRESS", cases: []string{"vm_write/to-hole"},
			holds: gives(adr, func(w *world) mach.KernReturn { return w.vmWrite(w.at(100), page, 0) }),
		},
		{
			says: "vm_write to less than count bytes of memory gives KERN_INVALID_ADDRESS", cases: []string{"vm_write/to-hole-in-middle"},
			holds: gives(adr, func(w *world) mach.KernReturn { return w.vmWrite(w.at(7), 2*page, 0) }),
		},
		{
			says: "vm_write to what is protected against writing gives KERN_PROTECTION_FAILURE", cases: []string{"vm_write/to-read-only"},
			holds: gives(prt, func(w *world) mach.KernReturn { return w.allow(0, mach.ProtRead).vmWrite(w.at(0), page, 0) }),
		},
		{says: "vm_copy's ranges may overlap, as by vm_read and then vm_write, upwards", cases: []string{"vm_copy/overlap-one-page-up"}, holds: copiesLike(4*page, 0, 2)},
		{says: "vm_copy's ranges may overlap, as by vm_read and then vm_write, downwards", cases: []string{"vm_copy/overlap-one-page-down"}, holds: copiesLike(4*page, 2, 0)},
		{
			says: "vm_copy's source is page aligned, or KERN_INVALID_ARGUMENT", cases: []string{"vm_copy/from-unaligned-address"},
			holds: gives(arg, func(w *world) mach.KernReturn { return w.Copy(w.m, w.at(0)+8, page, w.at(4)) }),
		},
		{
			says: "vm_copy's count is page aligned, or KERN_INVALID_ARGUMENT", cases: []string{"vm_copy/to-unaligned-size"},
			holds: gives(arg, func(w *world) mach.KernReturn { return w.Copy(w.m, w.at(0), page+8, w.at(4)) }),
		},
		{
			says: "vm_copy's destination is page aligned, or KERN_INVALID_ARGUMENT", cases: []string{"vm_copy/to-unaligned-address"},
			holds: gives(arg, func(w *world) mach.KernReturn { return w.Copy(w.m, w.at(0), page, w.at(4)+8) }),
		},
		{
			says: "vm_copy from what is not allocated gives KERN_INVALID_ADDRESS", cases: []string{"vm_copy/from-hole"},
			holds: gives(adr, func(w *world) mach.KernReturn { return w.Copy(w.m, w.at(7), 2*page, w.at(0)) }),
		},
		{
			says: "vm_copy to what is not allocated gives KERN_INVALID_ADDRESS", cases: []string{"vm_copy/to-hole"},
			holds: gives(adr, func(w *world) mach.KernReturn { return w.Copy(w.m, w.at(0), 2*page, w.at(7)) }),
		},
		{
			says: "vm_copy of what is not readable gives KERN_PROTECTION_FAILURE", cases: []string{"vm_copy/from-no-access"},
			holds: gives(prt, func(w *world) mach.KernReturn { return w.allow(0, mach.ProtNone).Copy(w.m, w.at(0), page, w.at(4)) }),
		},
		{
			says: "vm_copy to what is not writable gives KERN_PROTECTION_FAILURE", cases: []string{"vm_copy/to-read-only"},
			holds: gives(prt, func(w *world) mach.KernReturn { return w.allow(4, mach.ProtRead).Copy(w.m, w.at(0), page, w.at(4)) }),
		},
	}
}

func xnuReadClaims() []claim {
	return []claim{
		{says: "vm_read reads any number of bytes at any address of another task's memory", holds: func(w *world) bool {
			at, size, kr := w.received(5, 77)
			return kr == ok && size == 77 && w.read(at, 77) == strings.Repeat("s", 77)
		}},
		{says: "vm_read's data is an array that was allocated", holds: func(w *world) bool {
			at, size, kr := w.received(5, large)
			return kr == ok && w.Deallocate(w.m, at, size) == ok && !w.m.Holds(at)
		}},
		{says: "vm_read's count is the size returned", holds: func(w *world) bool {
			_, size, kr := w.received(0, large+1)
			return kr == ok && size == large+1
		}},
		{says: "vm_read_overwrite places the data into the caller's buffer", holds: func(w *world) bool {
			return w.vmReadOverwrite(0x200000, page, w.at(1)) == ok && w.read(w.at(1), page) == filled("s") && w.read(w.at(2), 1) == "\x00"
		}},
		{
			says: "vm_read of what does not permit reading gives KERN_PROTECTION_FAILURE", rule: "vm_read/small-unreadable",
			holds: gives(prt, func(w *world) mach.KernReturn { return w.allow(0, mach.ProtNone).vmRead(w.at(0), 5) }),
		},
		{
			says:  "the same of much memory",
			holds: gives(prt, func(w *world) mach.KernReturn { return w.allow(5, mach.ProtNone).vmRead(w.at(0), large) }),
		},
		{
			says: "vm_read_overwrite from what does not permit reading gives KERN_PROTECTION_FAILURE",
			holds: gives(prt, func(w *world) mach.KernReturn {
				require.Equal(w.t, ok, w.sender().Protect(0x200000, page, false, mach.ProtNone))
				return w.vmReadOverwrite(0x200000, large, w.at(0))
			}),
		},
		{
			says:  "vm_read of an illegal address gives KERN_INVALID_ADDRESS",
			holds: gives(adr, func(w *world) mach.KernReturn { return w.vmRead(0, 1) }),
		},
		{
			says:  "vm_read of memory that is not allocated gives KERN_INVALID_ADDRESS",
			holds: gives(adr, func(w *world) mach.KernReturn { return w.vmRead(w.at(100), 1) }),
		},
		{
			says:  "vm_read of less than size bytes gives KERN_INVALID_ADDRESS",
			holds: gives(adr, func(w *world) mach.KernReturn { return w.vmRead(w.at(7), page+1) }),
		},
		{
			says:  "vm_read_overwrite to a buffer that cannot be written gives KERN_INVALID_ADDRESS",
			holds: gives(adr, func(w *world) mach.KernReturn { return w.allow(0, mach.ProtRead).vmReadOverwrite(0x200000, 5, w.at(0)) }),
		},
		{
			says: "the same of a large buffer", rule: "vm_read_overwrite/unwritable",
			holds: gives(adr, func(w *world) mach.KernReturn {
				return w.allow(0, mach.ProtRead).vmReadOverwrite(0x200000, large, w.at(0))
			}),
		},
		{
			says:  "vm_read_overwrite to a buffer that is not there gives KERN_INVALID_ADDRESS",
			holds: gives(adr, func(w *world) mach.KernReturn { return w.vmReadOverwrite(0x200000, large, w.at(4)) }),
		},
	}
}

func xnuWriteClaims() []claim {
	return []claim{
		{says: "vm_write writes the bytes of an array to another task's memory", holds: func(w *world) bool {
			return w.vmWrite(w.at(1)+3, 5, 0) == ok && w.read(w.at(1), 9) == "\x00\x00\x00sssss\x00"
		}},
		{
			says: "vm_write's array is page aligned", rule: "vm_write/unaligned-data",
			holds: gives(arg, func(w *world) mach.KernReturn { return w.vmWrite(w.at(0), 5, 8) }),
		},
		{says: "vm_write is as if the task had written itself: all who share the pages see it", holds: func(w *world) bool {
			require.Equal(w.t, ok, w.Inherit(w.m, w.base, 8*page, mach.InheritShare))
			child, kr := w.m.Fork(nil)
			require.Equal(w.t, ok, kr)
			defer child.Terminate()
			b := make([]byte, large)
			return w.vmWrite(w.at(0), large, 0) == ok && child.ReadBytes(w.base, b) == ok && string(b) == strings.Repeat("s", large)
		}},
		{
			says:  "vm_write needs write permission to the pages, not a maximum that would allow it",
			holds: gives(prt, func(w *world) mach.KernReturn { return w.allow(0, mach.ProtRead).vmWrite(w.at(0), large, 0) }),
		},
		{
			says: "vm_write to what does not permit writing gives KERN_PROTECTION_FAILURE", rule: "vm_write/small-unwritable",
			holds: gives(prt, func(w *world) mach.KernReturn { return w.allow(0, mach.ProtRead).vmWrite(w.at(0), 5, 0) }),
		},
		{
			says:  "vm_write to an illegal address gives KERN_INVALID_ADDRESS",
			holds: gives(adr, func(w *world) mach.KernReturn { return w.vmWrite(w.m.Layout().Max, 5, 0) }),
		},
		{
			says:  "vm_write to memory that is not allocated gives KERN_INVALID_ADDRESS",
			holds: gives(adr, func(w *world) mach.KernReturn { return w.hole(4).vmWrite(w.at(0), large, 0) }),
		},
	}
}

func xnuCopyClaims() []claim {
	return []claim{
		{says: "vm_copy copies within one task's memory", holds: func(w *world) bool {
			w.write(w.at(0), filled("x"))
			return w.Copy(w.m, w.at(0), page, w.at(3)) == ok && w.read(w.at(3), page) == filled("x")
		}},
		{
			says: "vm_copy's source is on a page boundary", rule: "vm_copy/unaligned",
			holds: gives(arg, func(w *world) mach.KernReturn { return w.Copy(w.m, w.at(0)+8, page, w.at(4)) }),
		},
		{
			says: "vm_copy's count is an integral number of pages", rule: "vm_copy/unaligned",
			holds: gives(arg, func(w *world) mach.KernReturn { return w.Copy(w.m, w.at(0), page+8, w.at(4)) }),
		},
		{
			says: "vm_copy's destination is on a page boundary", rule: "vm_copy/unaligned",
			holds: gives(arg, func(w *world) mach.KernReturn { return w.Copy(w.m, w.at(0), page, w.at(4)+8) }),
		},
		{says: "vm_copy is vm_read and then vm_write, where the ranges overlap upwards", holds: copiesLike(4*page, 0, 2)},
		{says: "vm_copy is vm_read and then vm_write, where the ranges overlap downwards", holds: copiesLike(large, 2, 0)},
		{
			says:  "vm_copy's destination is allocated, or KERN_INVALID_ADDRESS",
			holds: gives(adr, func(w *world) mach.KernReturn { return w.Copy(w.m, w.at(0), 2*page, w.at(7)) }),
		},
		{
			says:  "vm_copy from what is not allocated gives KERN_INVALID_ADDRESS",
			holds: gives(adr, func(w *world) mach.KernReturn { return w.Copy(w.m, w.at(7), 2*page, w.at(0)) }),
		},
		{
			says: "vm_copy of what is protected against reading gives KERN_PROTECTION_FAILURE", rule: "vm_read/small-unreadable",
			holds: gives(prt, func(w *world) mach.KernReturn { return w.allow(0, mach.ProtNone).Copy(w.m, w.at(0), page, w.at(4)) }),
		},
		{
			says: "vm_copy to what is protected against writing gives KERN_PROTECTION_FAILURE", rule: "vm_write/small-unwritable",
			holds: gives(prt, func(w *world) mach.KernReturn { return w.allow(4, mach.ProtRead).Copy(w.m, w.at(0), page, w.at(4)) }),
		},
	}
}

// One promise cannot be kept or broken: that vm_read_overwrite is told the
// buffer's size in its count. No field of its message carries it.
func TestManualsClaimByClaim(t *testing.T) {
	b, err := os.ReadFile("../testdata/conformance/manual.tsv")
	require.NoError(t, err)
	judged := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		name, _, _ := strings.Cut(line, "\t")
		judged[name] = true
	}
	known := map[string]rules.Row{}
	for _, r := range rules.All() {
		known[r.Row().Name] = r.Row()
	}
	for _, p := range []struct {
		page           string
		family         rules.Family
		manual, kernel *rules.Set
		claims         []claim
	}{
		{"GNU Mach Reference Manual, Data Transfer", rules.GNUMach, documented, observed, dataTransferClaims()},
		{"XNU vm_read.html", rules.XNU, xnuDocumented, xnuObserved, xnuReadClaims()},
		{"XNU vm_write.html", rules.XNU, xnuDocumented, xnuObserved, xnuWriteClaims()},
		{"XNU vm_copy.html", rules.XNU, xnuDocumented, xnuObserved, xnuCopyClaims()},
	} {
		for _, c := range p.claims {
			t.Run(p.page+": "+c.says, func(t *testing.T) {
				require.True(t, c.holds(newWorld(t, p.manual)), "in the documented edition")
				require.Equal(t, c.rule == "", c.holds(newWorld(t, p.kernel)), "in the observed edition")
				if c.rule != "" {
					require.True(t, known[c.rule].Disagree(p.family), "%s is no such rule", c.rule)
				}
				for _, name := range c.cases {
					require.True(t, judged[name], name)
				}
			})
		}
	}
}
