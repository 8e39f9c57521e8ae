//go:build linux && amd64

package platform

import (
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/vm"
)

// rounds is how many batches the control thread got while f ran.
func (k *task) rounds(f func()) int {
	count := func() int {
		k.p.control.mu.Lock()
		defer k.p.control.mu.Unlock()
		return k.p.control.batches
	}
	before := count()
	f()
	return count() - before
}

// enter maps pages of the task's memory.
func (k *task) enter(addr mach.Addr, frame vm.Frame, pages int, prot mach.Prot) {
	k.t.Helper()
	require.NoError(k.t, k.p.Enter([]vm.Mapping{{VA: addr, Frame: frame, Pages: pages, Prot: prot}}))
}

// access is what a thread can do to addr: the access that its instructions
// get, without anybody resolving faults.
func (k *task) access(th *Thread, addr mach.Addr) mach.Prot {
	k.t.Helper()
	prot := mach.ProtNone
	for piece, bit := range map[string]mach.Prot{"load": mach.ProtRead, "store": mach.ProtWrite, "jump": mach.ProtExecute} {
		r := k.regs(piece)
		r.RDI, r.RAX = uint64(addr), 0x9090909090909090 // nops, should they be executed
		for {
			ev := th.Run(r)
			if ev.Kind == EventPageFault && ev.Addr != addr && k.fault(ev) {
				continue // the guest's own text
			}
			require.NotEqual(k.t, EventDied, ev.Kind, ev.Reason)
			if ev.Kind != EventPageFault || ev.Addr != addr {
				prot |= bit
			}
			break
		}
	}
	return prot
}

func TestEnterGivesTheAccess(t *testing.T) {
	k := newTask(openTest(t))
	th := k.thread()
	frame := k.frames.take(1)
	for in, want := range map[mach.Prot]mach.Prot{
		mach.ProtNone:    mach.ProtNone,
		mach.ProtRead:    mach.ProtRead,
		mach.ProtWrite:   mach.ProtDefault,                 // the processor has no write-only
		mach.ProtExecute: mach.ProtRead | mach.ProtExecute, // executable pages are readable
		mach.ProtDefault: mach.ProtDefault,
		mach.ProtAll:     mach.ProtAll,
	} {
		k.enter(dataAt, frame, 1, in)
		require.Equal(t, want, k.access(th, dataAt), "%v", in)
	}
	k.enter(dataAt, k.frames.take(1), 1, mach.ProtRead) // replaced by another frame
	require.Equal(t, mach.ProtRead, k.access(th, dataAt))
}

func TestProtectLowersOnly(t *testing.T) {
	k := newTask(openTest(t))
	th := k.thread()
	frame := k.frames.take(4)
	k.enter(dataAt, frame, 4, mach.ProtDefault)
	k.p.Protect(dataAt+mach.PageSize, dataAt+2*mach.PageSize, mach.ProtRead)
	k.p.Protect(dataAt+2*mach.PageSize, dataAt+3*mach.PageSize, mach.ProtNone)
	k.p.Protect(dataAt, dataAt+4*mach.PageSize, mach.ProtAll) // raises nothing
	for i, want := range []mach.Prot{mach.ProtDefault, mach.ProtRead, mach.ProtNone, mach.ProtDefault} {
		require.Equal(t, want, k.access(th, dataAt+mach.Addr(i)*mach.PageSize), "page %d", i)
	}
}

func TestRemoveDropsTheRangeAndNothingElse(t *testing.T) {
	k := newTask(openTest(t))
	th := k.thread()
	frame := k.frames.take(4)
	k.enter(dataAt, frame, 4, mach.ProtDefault)
	k.p.Remove(dataAt+mach.PageSize, dataAt+3*mach.PageSize)
	for i, want := range []mach.Prot{mach.ProtDefault, mach.ProtNone, mach.ProtNone, mach.ProtDefault} {
		require.Equal(t, want, k.access(th, dataAt+mach.Addr(i)*mach.PageSize), "page %d", i)
	}
	// everything, on both sides of the hole
	k.enter(HoleEnd, frame, 1, mach.ProtRead)
	k.enter(HoleStart-mach.PageSize, frame, 1, mach.ProtRead)
	k.enter(UserEnd-mach.PageSize, frame, 1, mach.ProtRead)
	k.p.Remove(0, mach.VMMaxAddress)
	require.Empty(t, k.p.pmap.record.windows)
	for _, a := range []mach.Addr{dataAt, HoleEnd, HoleStart - mach.PageSize, UserEnd - mach.PageSize} {
		require.Equal(t, mach.ProtNone, k.access(th, a), "%v", a)
	}
}

// What changes nothing costs nothing.
func TestNoRoundTripWithoutNeed(t *testing.T) {
	k := newTask(openTest(t))
	frame := k.frames.take(200)
	const end = dataAt + 200*mach.PageSize
	require.Zero(t, k.rounds(func() {
		k.p.Remove(0, mach.VMMaxAddress)
		k.p.Protect(0, mach.VMMaxAddress, mach.ProtRead)
	}), "nothing is mapped")
	require.Equal(t, 1, k.rounds(func() { k.enter(dataAt, frame, 200, mach.ProtDefault) }))
	require.Zero(t, k.rounds(func() { k.enter(dataAt+mach.PageSize, frame+1, 5, mach.ProtDefault) }), "mapped so already")
	require.Equal(t, 1, k.rounds(func() { k.p.Protect(dataAt, end, mach.ProtRead) }))
	require.Zero(t, k.rounds(func() {
		k.p.Protect(dataAt, end, mach.ProtRead)
		k.p.Protect(dataAt, end, mach.ProtAll)
	}), "read-only already")
	require.Equal(t, 1, k.rounds(func() { k.p.Remove(0, end) }))
	require.Zero(t, k.rounds(func() { k.p.Remove(0, end) }))

	var runs []vm.Mapping
	for i := range opsMax + 1 {
		runs = append(runs, vm.Mapping{VA: dataAt + mach.Addr(2*i)*mach.PageSize, Frame: frame, Pages: 1, Prot: mach.ProtRead})
	}
	require.Equal(t, 2, k.rounds(func() { require.NoError(t, k.p.Enter(runs)) }), "batches are bounded")
	require.Equal(t, 1, k.rounds(func() { k.p.Remove(0, end) }), "gaps are free")
}

func TestEnterNamesWhatCannotBeMapped(t *testing.T) {
	k := newTask(openTest(t))
	frame := k.frames.take(2)
	for addr, want := range map[mach.Addr]string{
		0:                             "below the host's lowest",
		k.p.m.minAddr - mach.PageSize: "below the host's lowest",
		HoleStart:                     "platform's own range",
		HoleStart - mach.PageSize:     "platform's own range", // the second page
		HoleEnd - mach.PageSize:       "platform's own range",
		textClient &^ mach.PageMask:   "platform's own range",
		UserEnd:                       "beyond the host's user space",
		UserEnd - mach.PageSize:       "beyond the host's user space",
		mach.VMMaxAddress:             "beyond the host's user space",
		0xffff800000000000:            "beyond the host's user space",
	} {
		err := k.p.Enter([]vm.Mapping{
			{VA: dataAt, Frame: frame, Pages: 1, Prot: mach.ProtRead},
			{VA: addr, Frame: frame, Pages: 2, Prot: mach.ProtRead},
		})
		require.ErrorContains(t, err, want, "%v", addr)
		require.NotContains(t, err.Error(), "\n")
	}
	require.Empty(t, k.p.pmap.record.windows, "a refused call changes nothing")
	k.enter(k.p.m.minAddr, frame, 1, mach.ProtRead)
	require.Equal(t, mach.ProtRead, k.access(k.thread(), k.p.m.minAddr), "the lowest address works")
}

// After Remove has returned, no client thread can write the frame any more,
// wherever it is in its loop.
func TestFrameIsFreeAfterRemove(t *testing.T) {
	frameIsFreeAfter(t, func(k *task) { k.p.Remove(dataAt, dataAt+mach.PageSize) })
}

// The same for Protect: a copy taken after it returned is never late.
func TestFrameIsStillAfterProtect(t *testing.T) {
	frameIsFreeAfter(t, func(k *task) { k.p.Protect(dataAt, dataAt+mach.PageSize, mach.ProtRead) })
}

func frameIsFreeAfter(t *testing.T, lower func(k *task)) {
	k := newTask(openTest(t))
	frame := k.frames.take(1)
	page := k.frames.page(frame)
	faulted := make(chan chan struct{}, 4) // room for two that fault once more while the process dies
	var wg sync.WaitGroup
	for i := range 2 {
		th, r := k.thread(), k.regs("write_loop")
		r.RDI = uint64(dataAt) + 64*uint64(i)
		wg.Go(func() {
			for {
				ev := th.Run(r)
				switch {
				case ev.Kind == EventDied:
					return
				case ev.Kind == EventPageFault && ev.Addr.TruncPage() == dataAt:
					goOn := make(chan struct{})
					faulted <- goOn
					select {
					case <-goOn:
					case <-k.p.Done():
					}
				case !k.fault(ev):
					t.Errorf("unexpected %+v", ev)
					return
				}
			}
		})
	}
	rounds := 250
	if testing.Short() || raceEnabled {
		rounds = 50
	}
	busy := 0
	waiting := []chan struct{}{<-faulted, <-faulted}
	for range rounds {
		k.enter(dataAt, frame, 1, mach.ProtDefault)
		for _, c := range waiting {
			close(c)
		}
		before := page[0]
		for waited := 0; page[0] == before && waited < 100; waited++ {
			time.Sleep(20 * time.Microsecond)
		}
		if page[0] != before {
			busy++
		}
		lower(k)
		for i := range page {
			page[i] = 0xee
		}
		waiting = []chan struct{}{<-faulted, <-faulted} // both have been stopped by the hardware
		for i := range page {
			require.EqualValues(t, 0xee, page[i], "late write")
		}
		k.p.Remove(dataAt, dataAt+mach.PageSize)
	}
	t.Logf("the frame was being written in %d of %d rounds", busy, rounds)
	require.NotZero(t, busy)
	for _, c := range waiting {
		close(c)
	}
	k.p.Destroy()
	within(t, "threads", wg.Wait)
}

// The host allows a process about 65,500 mappings. Beyond that the pmap drops
// others; no call fails, and record and host agree.
func TestMappingLimit(t *testing.T) {
	const pages = 70000
	_, m, f := openTest(t)
	k := newTask(t, m, f)
	th := k.thread()
	frame := k.frames.take(600)
	// one long mapping, to be split when there is no room for it
	const long = dataAt - 0x4000000
	k.enter(long, frame, 600, mach.ProtDefault)
	began := time.Now()
	var runs []vm.Mapping
	for i := range pages {
		runs = append(runs, vm.Mapping{VA: dataAt + mach.Addr(2*i)*mach.PageSize, Frame: frame, Pages: 1, Prot: mach.ProtRead})
		if len(runs) == opsMax {
			require.NoError(t, k.p.Enter(runs))
			runs = runs[:0]
		}
	}
	t.Logf("%v for each of %d mappings", time.Since(began)/pages, pages)
	last := dataAt + mach.Addr(2*(pages-opsMax))*mach.PageSize
	require.Equal(t, mach.ProtRead, k.access(th, last))
	k.agree()

	k.p.Protect(long+300*mach.PageSize, long+301*mach.PageSize, mach.ProtRead)
	require.False(t, k.access(th, long+300*mach.PageSize).Has(mach.ProtWrite))
	k.fillToLimit(frame)
	k.p.Remove(long+100*mach.PageSize, long+101*mach.PageSize)
	require.Equal(t, mach.ProtNone, k.access(th, long+100*mach.PageSize))
	k.fillToLimit(frame)
	k.enter(long+200*mach.PageSize, frame, 1, mach.ProtRead)
	require.Equal(t, mach.ProtRead, k.access(th, long+200*mach.PageSize))
	k.agree()

	if testing.Short() || raceEnabled {
		return
	}
	// one request that is itself too large for the host ends all the same
	runs = nil
	for i := range pages {
		runs = append(runs, vm.Mapping{VA: dataAt + mach.Addr(2*i)*mach.PageSize, Frame: frame, Pages: 1, Prot: mach.ProtDefault})
	}
	require.NoError(t, k.p.Enter(runs))
	k.agree()
	require.Equal(t, mach.ProtNone, k.access(th, dataAt+mach.PageSize))
}

// fillToLimit maps single pages until the host has no more room, past the
// pmap's remedy.
func (k *task) fillToLimit(frame vm.Frame) {
	k.t.Helper()
	const area mach.Addr = 0x5000000000
	k.p.pmap.mu.Lock()
	defer k.p.pmap.mu.Unlock()
	for i := 0; ; {
		var plan []change
		for range opsMax {
			a := area + mach.Addr(2*i)*mach.PageSize
			if k.p.pmap.record.at(a).prot == mach.ProtNone {
				plan = append(plan, change{changeMap, extent{a, a + mach.PageSize}, frame, mach.ProtRead})
			}
			i++
		}
		if _, err := k.p.perform(plan); err != nil {
			return
		}
	}
}

// agree checks that the host has mapped what the record says, where this user
// may look.
func (k *task) agree() {
	k.t.Helper()
	if os.Getuid() != 0 {
		return
	}
	k.p.pmap.mu.Lock()
	defer k.p.pmap.mu.Unlock()
	var host []extent
	for _, x := range hostMappings(k.t, k.p.PID()) {
		if x.end > UserEnd || x.meets(extent{HoleStart, HoleEnd}) {
			continue
		}
		if n := len(host); n > 0 && host[n-1].end == x.start {
			host[n-1].end = x.end
			continue
		}
		host = append(host, x)
	}
	require.Equal(k.t, k.p.pmap.record.runs(0, UserEnd), host)
	for key, w := range k.p.pmap.record.windows {
		mapped := 0
		for _, p := range w.pages {
			if p.prot != mach.ProtNone {
				mapped++
			}
		}
		require.Equal(k.t, w.mapped, mapped, "window %#x", key)
		require.NotZero(k.t, mapped)
	}
}

// Random requests, checked page by page against a plain table.
func TestRequestsAgainstModel(t *testing.T) {
	k := newTask(openTest(t))
	frame := k.frames.take(64)
	random := rand.New(rand.NewPCG(3, 4))
	const pages = 1200 // over three windows
	const start = dataAt + 0x1f0000
	model := map[mach.Addr]pageEntry{}
	prots := []mach.Prot{mach.ProtNone, mach.ProtRead, mach.ProtDefault, mach.ProtExecute, mach.ProtAll}
	for range 400 {
		from := random.IntN(pages)
		n := 1 + random.IntN(min(64, pages-from))
		prot := prots[random.IntN(len(prots))]
		a, end := start+mach.Addr(from)*mach.PageSize, start+mach.Addr(from+n)*mach.PageSize
		kind := random.IntN(4)
		switch kind {
		case 0, 1:
			k.enter(a, frame, n, prot)
		case 2:
			k.p.Protect(a, end, prot)
		case 3:
			k.p.Remove(a, end)
		}
		for i := range n {
			va := a + mach.Addr(i)*mach.PageSize
			e, mapped := model[va]
			switch kind {
			case 0, 1:
				e = pageEntry{frame + vm.Frame(i), reachable(prot)}
			case 2:
				e.prot = reachable(e.prot & reachable(prot))
			case 3:
				mapped, e.prot = false, mach.ProtNone
			}
			if e.prot == mach.ProtNone {
				delete(model, va)
			} else if mapped || kind < 2 {
				model[va] = e
			}
		}
	}
	for i := range pages {
		va := start + mach.Addr(i)*mach.PageSize
		require.Equal(t, model[va], k.p.pmap.record.at(va), "%v", va)
	}
	k.agree()
}

// Pmap calls from several goroutines, while threads run in the memory.
func TestRequestsAtOnce(t *testing.T) {
	k := newTask(openTest(t))
	frame := k.frames.take(64)
	var wg sync.WaitGroup
	for range 2 {
		th, r := k.thread(), k.regs("touch")
		r.RDI, r.RSI = uint64(dataAt), 64
		wg.Go(func() {
			for {
				ev := th.Run(r)
				if ev.Kind == EventDied {
					return
				}
				if ev.Kind == EventPageFault && !k.fault(ev) {
					k.p.Enter([]vm.Mapping{{VA: dataAt, Frame: frame, Pages: 64, Prot: mach.ProtDefault}})
				}
			}
		})
	}
	var callers sync.WaitGroup
	for i := range 3 {
		callers.Go(func() {
			for j := range 200 {
				a := dataAt + mach.Addr((i*7+j)%60)*mach.PageSize
				switch j % 3 {
				case 0:
					k.p.Remove(a, a+4*mach.PageSize)
				case 1:
					k.p.Protect(a, a+4*mach.PageSize, mach.ProtRead)
				case 2:
					k.enter(a, frame+vm.Frame((a-dataAt)/mach.PageSize), 4, mach.ProtDefault)
				}
			}
		})
	}
	within(t, "callers", callers.Wait)
	k.p.Destroy()
	within(t, "threads", wg.Wait)
}
