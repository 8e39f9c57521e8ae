package ports

import (
	"machkernel/mach"
)

// request is a dead-name request: when the port dies, to is notified that name
// died.
//
//	state  to   name   next
//	armed  set  valid  -
//	free   nil  -      the next free slot, 0 for none
type request struct {
	to   *Port
	name mach.Name
	next uint32
}

// requestTable is a port's dead-name requests. Slot i is slots[i-1]; entries
// hold that number. When the port dies, they are told in the order of their
// slots. Which slot a request gets is the real kernel's choice, for a client
// can tell: the one freed last; of those that came with a larger table, the
// last.
type requestTable struct {
	slots []request
	free  uint32 // the first free slot, 0 for none
}

// requestSizes are how many slots a table may have, as it grows: what fits,
// beside one that the table needs itself, in memory of the sizes that the real
// kernel asks for (C: ipc_table_dnrequests): powers of two up to the page, then
// one page more each time, then two, four, eight.
var requestSizes = func() (sizes [63]int) {
	const slot, page = 16, 4096
	size, step := 2*slot, 0
	for i := range sizes {
		sizes[i] = size/slot - 1
		if size < page {
			size *= 2
			continue
		}
		size += page << min(step/15, 3)
		step++
	}
	return sizes
}()

// add arms a request, consuming the send-once right to. It is 0, and right is
// the caller's still, when the table cannot grow.
func (t *requestTable) add(name mach.Name, to *Port) uint32 {
	if t.free == 0 && !t.grow() {
		return 0
	}
	i := t.free
	q := &t.slots[i-1]
	t.free = q.next
	*q = request{to: to, name: name}
	return i
}

func (t *requestTable) grow() bool {
	for _, size := range requestSizes {
		old := len(t.slots)
		if size <= old {
			continue
		}
		slots := make([]request, size)
		copy(slots, t.slots)
		t.slots = slots
		for i := old; i < size; i++ {
			slots[i].next, t.free = t.free, uint32(i+1)
		}
		return true
	}
	return false
}

// remove disarms a request and returns the port of its send-once right, which
// the caller now owns.
func (t *requestTable) remove(i uint32) *Port {
	q := &t.slots[i-1]
	to := q.to
	*q = request{next: t.free}
	t.free = i
	return to
}

// at is the name that request i is about; null if there is none.
func (t *requestTable) at(i uint32) mach.Name {
	if int(i) > len(t.slots) || t.slots[i-1].to == nil {
		return mach.NameNull
	}
	return t.slots[i-1].name
}

// cancelRequest disarms the dead-name request of an entry and returns the
// port of its send-once right, which the caller now owns; nil if none is
// armed.
func (p *Port) cancelRequest(e *entry) *Port {
	i := e.request
	if i == 0 {
		return nil
	}
	e.request = 0
	return p.requests.remove(i)
}
