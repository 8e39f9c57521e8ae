package vm

import (
	"sync"

	"machkernel/mach"
)

// softSlots is the number of translations a SoftPmap remembers.
const softSlots = 1024

// SoftPmap is the Pmap of a task whose threads are Go functions: a cache of
// translations that Map.Load and Map.Store go through. An access holds the
// read lock while it copies, so Protect, Remove and Destroy return only when
// no access under the old translation is under way.
type SoftPmap struct {
	fr *Frames // immutable

	mu    sync.RWMutex // innermost
	slots [softSlots]softSlot
	dead  bool
}

// softSlot is a translation: slot page%softSlots of a page, if prot is not
// ProtNone.
type softSlot struct {
	page  uint64
	frame Frame
	prot  mach.Prot
}

var _ Pmap = (*SoftPmap)(nil)

// NewSoftPmap makes an empty SoftPmap for a map over the same frames.
func NewSoftPmap(fr *Frames) *SoftPmap { return &SoftPmap{fr: fr} }

func pageOf(a mach.Addr) uint64 { return uint64(a) >> mach.PageShift }

// Enter remembers the translations of the runs.
func (s *SoftPmap) Enter(runs []Mapping) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return nil
	}
	for _, r := range runs {
		for i := range r.Pages {
			page := pageOf(r.VA) + uint64(i)
			s.slots[page%softSlots] = softSlot{page, r.Frame + Frame(i), r.Prot}
		}
	}
	return nil
}

// Protect lowers the access to [start, end).
func (s *SoftPmap) Protect(start, end mach.Addr, prot mach.Prot) {
	s.each(start, end, func(t *softSlot) { t.prot &= prot })
}

// Remove forgets [start, end).
func (s *SoftPmap) Remove(start, end mach.Addr) {
	s.each(start, end, func(t *softSlot) { t.prot = mach.ProtNone })
}

// Destroy forgets everything, for good.
func (s *SoftPmap) Destroy() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slots, s.dead = [softSlots]softSlot{}, true
}

// each calls fn for the translations of [start, end).
func (s *SoftPmap) each(start, end mach.Addr, fn func(*softSlot)) {
	lo, hi := pageOf(start), pageOf(end)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := uint64(0); i < min(hi-lo, softSlots); i++ {
		if t := &s.slots[(lo+i)%softSlots]; t.page >= lo && t.page < hi {
			fn(t)
		}
	}
}

// access reads (into p) or writes (from p) bytes of one page, if the cache
// allows it.
func (s *SoftPmap) access(addr mach.Addr, p []byte, access mach.Prot) bool {
	page := pageOf(addr)
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.slots[page%softSlots]
	if t.page != page || !t.prot.Has(access) {
		return false
	}
	b := s.fr.Bytes(t.frame)[addr.PageOffset():]
	if access.Has(mach.ProtWrite) {
		copy(b, p)
	} else {
		copy(p, b)
	}
	return true
}
