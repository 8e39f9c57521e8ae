package vm

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

	"machkernel/mach"
)

const (
	// chunkFrames is how many frames are looked for together, so that
	// neighbouring pages get neighbouring frames.
	chunkFrames = 16

	// poolFrames bounds the free frames that stay committed on the host.
	poolFrames = 1024
)

// Frames owns the page frames of one kernel: a budget of pages, in one piece
// of host memory that the kernel has mapped whole.
//
// A frame is in one of four states:
//
//	void       free, no host memory behind it; its bytes read as zero
//	pooled     free, host memory kept for the next user; its bytes are stale
//	used       held by one or more leaves of page trees; refs says how many
//	giving     no longer used, host memory being given back; then void
//
// void -> used commits host memory first, so that shortage is an error and
// not a signal at first touch. used -> pooled while the pool has room, else
// used -> giving -> void.
//
// Frames is safe for concurrent use.
type Frames struct {
	store *store
	stats Stats
	total int
	refs  []atomic.Int32 // per frame; 0 unless used

	objects atomic.Uint64 // made on these frames so far

	wireMu sync.Mutex // taken with no other lock of the room, but a map's
	wirers []*Map     // maps that have, or had, wired memory

	mu        sync.Mutex // innermost lock of the room
	settled   sync.Cond  // giving became 0
	free      int        // frames void or pooled
	pooled    int
	giving    int
	chunks    []chunk
	some      []uint64 // bit per chunk: a frame is free
	whole     []uint64 // bit per chunk: all its frames are free
	cursor    int      // word of whole or some where the last search ended
	committed int      // frames with host memory: used, pooled or giving
}

// chunk is the state of chunkFrames frames, one bit each.
type chunk struct {
	free      uint16 // void or pooled
	committed uint16 // not void
	all       uint16 // frames that exist (the last chunk may be short)
}

// FrameStats counts frames by state.
type FrameStats struct {
	Total         int // the budget
	Used          int // held by pages
	Free          int // Total - Used
	FreeCommitted int // free, but host memory is kept for the next user
	Committed     int // frames with host memory behind them
}

// NewFrames makes the frames of a kernel with a budget of the given number of
// pages. The host's memory is taken page by page, as frames are first used.
// The caller ends them with Close.
func NewFrames(pages int) (*Frames, error) {
	if pages <= 0 || uint64(pages) >= uint64(NoFrame) {
		return nil, fmt.Errorf("vm: a budget of %d pages is out of range", pages)
	}
	s, err := newStore(pages)
	if err != nil {
		return nil, fmt.Errorf("vm: memory for %d page frames: %w", pages, err)
	}
	n := (pages + chunkFrames - 1) / chunkFrames
	f := &Frames{
		store: s, total: pages, free: pages,
		refs:   make([]atomic.Int32, pages),
		chunks: make([]chunk, n),
		some:   make([]uint64, (n+63)/64),
		whole:  make([]uint64, (n+63)/64),
	}
	f.settled.L = &f.mu
	for i := range f.chunks {
		k := min(chunkFrames, pages-i*chunkFrames)
		all := uint16(1<<k - 1)
		f.chunks[i] = chunk{free: all, all: all}
		f.index(i)
	}
	return f, nil
}

// Close gives all memory back to the host. No Map or Copy of these frames may
// be used afterwards. It reports frames that are still used.
func (f *Frames) Close() error {
	used := f.Stats().Used
	err := f.store.close()
	if used != 0 {
		err = errors.Join(err, fmt.Errorf("vm: %d frames still used at close", used))
	}
	return err
}

// FD is the descriptor of the memory object that holds the frames, for pmaps
// that map it into other processes, or -1 where the host has none. Frames
// keeps ownership.
func (f *Frames) FD() int { return f.store.fd() }

// Bytes is the memory of frame x: one page. It may be touched only while the
// frame is known to be used, that is under the lock of an object holding it.
func (f *Frames) Bytes(x Frame) []byte {
	at := int(x) * mach.PageSize
	return f.store.mem[at : at+mach.PageSize : at+mach.PageSize]
}

// Stats counts the frames by state.
func (f *Frames) Stats() FrameStats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return FrameStats{
		Total: f.total, Free: f.free + f.giving, Used: f.total - f.free - f.giving,
		FreeCommitted: f.pooled, Committed: f.committed,
	}
}

// Counters are the event counts of all maps over these frames.
func (f *Frames) Counters() *Stats { return &f.stats }

// run is a result of alloc: n contiguous frames from first on, one reference
// on each. Bit i of stale says that frame first+i holds old bytes; the others
// are zero.
type run struct {
	first Frame
	n     int
	stale uint16
}

// alloc takes up to want contiguous frames, at least one, and gives each one
// reference, which the caller owns. hint is the frame liked best; without it
// (or when it is taken) a fresh chunk is opened at place pos, so that the
// pages around can follow. It fails when the budget or the host's memory is
// exhausted.
func (f *Frames) alloc(hint Frame, pos uint64, want int) (run, bool) {
	f.mu.Lock()
	for f.free == 0 && f.giving > 0 {
		f.settled.Wait()
	}
	if f.free == 0 {
		f.mu.Unlock()
		return run{}, false
	}
	r := f.take(f.pick(hint, int(pos%chunkFrames)), want)
	f.mu.Unlock()
	if f.commit(r) {
		return f.hold(r), true
	}
	// The host is short of memory: what the pool still has will do.
	f.mu.Lock()
	defer f.mu.Unlock()
	f.untake(r)
	if x := f.pickPooled(); x != NoFrame {
		return f.hold(f.take(x, 1)), true
	}
	return run{}, false
}

// hold gives each frame of a run its first reference.
func (f *Frames) hold(r run) run {
	for i := range r.n {
		f.refs[r.first+Frame(i)].Store(1)
	}
	return r
}

// pick chooses a free frame. Preconditions: f.mu held, f.free > 0.
func (f *Frames) pick(hint Frame, pos int) Frame {
	if hint < Frame(f.total) && f.chunks[hint/chunkFrames].free>>(hint%chunkFrames)&1 != 0 {
		return hint
	}
	if c := f.search(f.whole); c >= 0 {
		if f.chunks[c].all>>pos&1 == 0 {
			pos = 0
		}
		return Frame(c*chunkFrames + pos)
	}
	c := f.search(f.some)
	if c < 0 {
		panic("BUG: frames are free but no chunk has one")
	}
	return Frame(c*chunkFrames + bits.TrailingZeros16(f.chunks[c].free))
}

// search finds a chunk whose bit is set, from the cursor on, or -1.
func (f *Frames) search(set []uint64) int {
	for i := range set {
		w := (f.cursor + i) % len(set)
		if set[w] != 0 {
			f.cursor = w
			return w*64 + bits.TrailingZeros64(set[w])
		}
	}
	return -1
}

// pickPooled finds a free frame with host memory. Precondition: f.mu held.
func (f *Frames) pickPooled() Frame {
	if f.pooled == 0 {
		return NoFrame
	}
	for i, c := range f.chunks {
		if m := c.free & c.committed; m != 0 {
			return Frame(i*chunkFrames + bits.TrailingZeros16(m))
		}
	}
	panic("BUG: the frame pool's count is wrong")
}

// take makes the free frame x, and free frames after it in its chunk, used.
// The frames count as committed from here on. Precondition: f.mu held.
func (f *Frames) take(x Frame, want int) run {
	i, b := int(x/chunkFrames), int(x%chunkFrames)
	c := &f.chunks[i]
	r := run{first: x}
	for r.n < want && b+r.n < chunkFrames && c.free>>(b+r.n)&1 != 0 {
		bit := uint16(1) << (b + r.n)
		c.free &^= bit
		if c.committed&bit != 0 {
			r.stale |= 1 << r.n
			f.pooled--
		} else {
			f.committed++
		}
		c.committed |= bit
		r.n++
	}
	f.free -= r.n
	f.index(i)
	return r
}

// untake undoes take after the host refused. Precondition: f.mu held.
func (f *Frames) untake(r run) {
	for k := range r.n {
		f.setFree(r.first+Frame(k), r.stale>>k&1 != 0)
	}
}

// setFree makes a frame free: pooled if kept, else void.
// Precondition: f.mu held.
func (f *Frames) setFree(x Frame, kept bool) {
	i, bit := int(x/chunkFrames), uint16(1)<<(x%chunkFrames)
	c := &f.chunks[i]
	if c.free&bit != 0 {
		panic("BUG: frame freed twice")
	}
	c.free |= bit
	f.free++
	if kept {
		f.pooled++
	} else {
		c.committed &^= bit
		f.committed--
	}
	f.index(i)
}

// index brings the search bits of chunk i up to date.
func (f *Frames) index(i int) {
	c, w, bit := f.chunks[i], i/64, uint64(1)<<(i%64)
	f.some[w] &^= bit
	f.whole[w] &^= bit
	if c.free != 0 {
		f.some[w] |= bit
	}
	if c.free == c.all {
		f.whole[w] |= bit
	}
}

// commit gets host memory for the void frames of r.
func (f *Frames) commit(r run) bool {
	for i := 0; i < r.n; {
		if r.stale>>i&1 != 0 {
			i++
			continue
		}
		k := i + 1
		for k < r.n && r.stale>>k&1 == 0 {
			k++
		}
		if f.store.commit(r.first+Frame(i), k-i) != nil {
			return false
		}
		i = k
	}
	return true
}

// zeroed makes the bytes of frame i of r zero.
func (f *Frames) zeroed(r run, i int) Frame {
	x := r.first + Frame(i)
	if r.stale>>i&1 != 0 {
		clear(f.Bytes(x))
	}
	return x
}

// incref adds a reference to a used frame.
func (f *Frames) incref(x Frame) { f.refs[x].Add(1) }

// decref drops a reference. The last one puts the frame on dead; it stays
// used until dead is buried.
func (f *Frames) decref(x Frame, dead *reaper) {
	switch n := f.refs[x].Add(-1); {
	case n == 0:
		dead.frames = append(dead.frames, x)
	case n < 0:
		panic("BUG: frame has fewer references than holders")
	}
}

// reaper collects what lost its last holder while locks are held: frames, to be
// freed afterwards, and labels, to be told.
type reaper struct {
	frames []Frame
	labels []Label
}

// bury frees the frames on dead. No pmap may map them any more. May be called
// with or without object and map locks; better without, and only without where
// an object may have died.
func (f *Frames) bury(dead *reaper) {
	for _, l := range dead.labels {
		l.Dead()
	}
	dead.labels = nil
	if len(dead.frames) == 0 {
		return
	}
	f.mu.Lock()
	give := dead.frames[:0]
	for _, x := range dead.frames {
		if f.pooled < poolFrames {
			f.setFree(x, true)
		} else {
			give = append(give, x)
		}
	}
	f.giving += len(give)
	f.mu.Unlock()
	if len(give) > 0 {
		f.giveBack(give)
	}
	dead.frames = nil
}

// giveBack returns the host memory of the frames, in runs, and frees them.
func (f *Frames) giveBack(give []Frame) {
	slices.Sort(give) // for longer runs: the pages of a copy are its source's and its own by turns
	for i := 0; i < len(give); {
		k := i + 1
		for k < len(give) && give[k] == give[k-1]+1 {
			k++
		}
		f.store.giveBack(give[i], k-i)
		i = k
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range give {
		f.setFree(x, false)
	}
	f.giving -= len(give)
	if f.giving == 0 {
		f.settled.Broadcast()
	}
}
