package kernel

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/mig"
)

func TestEditionNames(t *testing.T) {
	for _, e := range []Edition{Observed, Documented} {
		got, err := ParseEdition(e.String())
		require.NoError(t, err)
		require.Equal(t, e, got)
	}
	_, err := ParseEdition("manual")
	require.ErrorContains(t, err, "must be observed or documented")
}

// The values are those of package rules.
func TestEditionsDisagree(t *testing.T) {
	const page = mach.PageSize
	for edition, want := range map[Edition]map[string]mach.KernReturn{
		Observed: {
			"vm_read": mach.KernSuccess, "vm_deallocate": mach.KernSuccess, "vm_protect": mach.KernSuccess,
			"vm_inherit": mach.KernSuccess, "vm_allocate": mach.KernInvalidArgument, "task_create": mach.KernInvalidTask,
		},
		Documented: {
			"vm_read": mach.KernInvalidArgument, "vm_deallocate": mach.KernInvalidAddress, "vm_protect": mach.KernInvalidAddress,
			"vm_inherit": mach.KernInvalidAddress, "vm_allocate": mach.KernNoSpace, "task_create": mach.KernInvalidArgument,
		},
	} {
		t.Run(edition.String(), func(t *testing.T) {
			inTask(t, start(t, Config{Edition: edition}), func(g *GoThread) {
				self := g.TaskSelf()
				at := allocate(t, g, self, 2*page)
				_, kr := g.Call("vm_deallocate", self, addr(at+page), word(page))
				require.Equal(t, mach.KernSuccess, kr)
				got := map[string]mach.KernReturn{}
				for name, args := range map[string][]mig.Value{
					"vm_read":       {addr(at + 8), word(8)},
					"vm_deallocate": {addr(at + page), word(page)},
					"vm_protect":    {addr(at + page), word(page), word(0), word(1)},
					"vm_inherit":    {addr(at + page), word(page), word(0)},
					"vm_allocate":   {word(0), word(^uint64(0)), word(1)},
				} {
					_, got[name] = g.Call(name, self, args...)
				}
				_, got["task_create"] = g.Call("task_create", mach.Name(g.Trap(-29)), word(0))
				require.Equal(t, want, got)
			})
		})
	}
}

func TestDocumentedReadWithoutRoom(t *testing.T) {
	inTask(t, start(t, Config{Edition: Documented}), func(g *GoThread) {
		self := g.TaskSelf()
		at := allocate(t, g, self, mach.PageSize)
		for size := uint64(mach.VMMaxAddress) / 2; size >= mach.PageSize; {
			if _, kr := g.Call("vm_allocate", self, word(0), word(size), word(1)); kr != mach.KernSuccess {
				size /= 2
			}
		}
		_, kr := g.Call("vm_read", self, addr(at), word(mach.PageSize))
		require.Equal(t, mach.KernNoSpace, kr)
	})
}

// Ids of routines that a version does not have answer MIG_BAD_ID.
func TestVersionsServeWhatTheyHave(t *testing.T) {
	for version, want := range map[mach.Version]mach.KernReturn{
		0:                     mach.MigBadID,
		mach.VersionPackaged:  mach.MigBadID,
		20251227:              mach.MigBadID,
		mach.VersionSizeLimit: mach.KernSuccess,
		mach.VersionNewest:    mach.KernSuccess,
	} {
		const memory = 64 << 20
		inTask(t, start(t, Config{Version: version, Memory: memory}), func(g *GoThread) {
			out, kr := g.Call("vm_get_size_limit", g.TaskSelf())
			require.Equal(t, want, kr, version)
			if kr == mach.KernSuccess {
				require.EqualValues(t, memory/2, out[0].Word, "half the memory, as vm_map_setup has it")
				require.Equal(t, out[0].Word, out[1].Word)
			}
		})
	}
}
