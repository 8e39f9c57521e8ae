package ipc

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// Every disposition of a right in a body, inline and in an array out of line,
// for every kind of name: what it needs, and how it arrives. Null and dead
// names pass for all of them.
func TestBodyDispositions(t *testing.T) {
	type kind struct {
		name  string
		make  func(a, b *task) mach.Name
		works map[mach.TypeName]bool
		dead  bool
	}
	kinds := []kind{
		{"receive", func(a, _ *task) mach.Name { return a.receiveRight() }, map[mach.TypeName]bool{mvRcv: true, mkSend: true, mkOnce: true}, false},
		{"send", func(a, b *task) mach.Name { return b.give(b.receiveRight(), mkSend, a) }, map[mach.TypeName]bool{mvSend: true, cpSend: true}, false},
		{"send-once", func(a, b *task) mach.Name { return b.give(b.receiveRight(), mkOnce, a) }, map[mach.TypeName]bool{mvOnce: true}, false},
		{"dead name", func(a, _ *task) mach.Name { return a.allocate(mach.RightDeadName) }, map[mach.TypeName]bool{mvSend: true, mvOnce: true, cpSend: true}, true},
		{"port set", func(a, _ *task) mach.Name { return a.allocate(mach.RightPortSet) }, nil, false},
		{"nothing", func(*task, *task) mach.Name { return 99 }, nil, false},
	}
	for _, k := range kinds {
		for d := mvRcv; d <= mkOnce; d++ {
			for _, inline := range []bool{true, false} {
				w := newWorld(t)
				a, b := w.task(), w.task()
				dest := b.receiveRight()
				to := b.give(dest, mkSend, a)
				n := k.make(a, b)
				var it []byte
				if inline {
					it = rights(d, 0, n, mach.NameDead)
				} else {
					at := a.mem.allocate(12)
					a.mem.WriteBytes(at, words(0, uint32(n), uint32(mach.NameDead)))
					it = oolRights(d, at, 3, false)
				}
				mr := a.send(message(hdr{bits: mach.Bits(cpSend, 0) | mach.BitsComplex, remote: to}, it))
				if !k.works[d] {
					require.Equal(t, mach.SendInvalidRight, mr, "%s %s", k.name, d)
					w.audit()
					continue
				}
				require.Equal(t, mach.MsgSuccess, mr, "%s %s", k.name, d)
				require.Equal(t, mach.MsgSuccess, b.receive(dest))
				_, body := b.got()
				var names [3]mach.Name
				for i := range names {
					if inline {
						names[i] = mach.Name(le.Uint64(body[8+8*i:]))
					} else {
						names[i] = mach.Name(le.Uint32(b.bytes(mach.Addr(le.Uint64(body[8:]))+mach.Addr(4*i), 4)))
					}
				}
				got := ParseDescriptor(body)
				require.Equal(t, d.Received(), got.Name)
				require.Equal(t, !inline, got.Dealloc)
				require.Equal(t, mach.NameNull, names[0])
				require.Equal(t, mach.NameDead, names[2])
				if k.dead {
					require.Equal(t, mach.NameDead, names[1])
				} else {
					typ, _ := b.space.Type(names[1])
					require.NotZero(t, typ&mach.Right(map[mach.TypeName]mach.Right{
						mvRcv: mach.RightReceive, mvSend: mach.RightSend, mvOnce: mach.RightSendOnce,
					}[d.Received()]).Type())
				}
				w.audit()
			}
		}
	}
}

// Descriptors and sizes that a complex body refuses, and that everything taken
// by then is destroyed: the reply right tells its port.
func TestBodyErrors(t *testing.T) {
	d := func(name mach.TypeName, size uint16, number uint32, inline, dealloc bool) Descriptor {
		return Descriptor{Name: name, Size: size, Number: number, Inline: inline, Dealloc: dealloc}
	}
	unused := ints(1)
	unused[3] |= 1 // bit 24
	cases := []struct {
		what string
		body []byte
		want mach.MsgReturn
	}{
		{"data past the end", item(d(2, 32, 3, true, false), words(1, 2)), mach.SendMsgTooSmall},
		{"huge inline data", item(d(2, 0xffff, 0xffffffff, true, false), words(1, 2)), mach.SendMsgTooSmall},
		{"rights past the end", item(d(cpSend, 64, 2, true, false), longs(0)), mach.SendMsgTooSmall},
		{"no address", item(d(9, 8, 4, false, false), nil), mach.SendMsgTooSmall},
		{"unused bit", unused, mach.SendInvalidType},
		{"deallocate inline", item(d(2, 32, 1, true, true), words(1)), mach.SendInvalidType},
		{"inline right of 32 bits", item(d(cpSend, 32, 1, true, false), longs(0)), mach.SendInvalidType},
		{"right out of line of 64 bits", item(d(cpSend, 64, 1, false, false), longs(uint64(bufAddr))), mach.SendInvalidType},
		{"type before size", item(d(cpSend, 32, 1000, true, false), longs(0)), mach.SendInvalidType},
		{"unreadable data", ool(0x666000, 8, false), mach.SendInvalidMemory},
		{"unreadable rights", oolRights(cpSend, 0x666000, 2, true), mach.SendInvalidMemory},
		{"too many rights", oolRights(cpSend, bufAddr, -1, false), mach.SendInvalidMemory},
		{"data around the end of memory", ool(^mach.Addr(3), 8, false), mach.SendInvalidMemory},
		{"unknown name", rights(cpSend, 99), mach.SendInvalidRight},
		{"second of three unknown", rights(mkSend, 3, 99, 3), mach.SendInvalidRight},
	}
	for _, c := range cases {
		t.Run(c.what, func(t *testing.T) {
			w := newWorld(t)
			a := w.task()
			n, reply := a.receiveRight(), a.receiveRight()
			inner := a.receiveRight()
			require.Equal(t, mach.Name(3), inner)
			other := a.receiveRight()
			once := a.give(other, mkOnce, a)
			addr, data := a.pattern(64, 8)
			msg := message(hdr{bits: mach.Bits(mkSend, mkOnce) | mach.BitsComplex, remote: n, local: reply},
				rights(mvOnce, once), ool(addr, len(data), true), c.body)
			require.Equal(t, c.want, a.send(msg))
			require.Equal(t, msg, a.bytes(bufAddr, len(msg)), "the buffer is not written")
			require.Equal(t, []mach.MsgID{mach.NotifySendOnce}, a.ids(reply))
			require.Equal(t, []mach.MsgID{mach.NotifySendOnce}, a.ids(other))
			require.Empty(t, a.ids(n))
			require.NotEqual(t, mach.KernSuccess, a.mem.ReadBytes(addr, data), "deallocated for good")
		})
	}
}

// A descriptor that does not fit at the end.
func TestBodyErrorAtEnd(t *testing.T) {
	w := newWorld(t)
	a := w.task()
	n := a.receiveRight()
	msg := append(message(hdr{bits: mach.Bits(mkSend, 0) | mach.BitsComplex, remote: n}), item(Descriptor{Name: 9, Size: 8, Number: 1}, nil)...)
	require.Equal(t, mach.SendMsgTooSmall, a.send(msg))
}

// Out-of-line memory arrives as a copy, with the deallocate bit; the sender's
// pages go if it says so. Long form changes nothing. Without length address
// and deallocate bit are ignored.
func TestOutOfLineData(t *testing.T) {
	for _, dealloc := range []bool{false, true} {
		w := newWorld(t)
		a, b := w.task(), w.task()
		n := b.receiveRight()
		to := b.give(n, mkSend, a)
		addr, data := a.pattern(3*mach.PageSize, 40)
		d := Descriptor{Name: mach.TypeByte, Size: 8, Number: uint32(len(data)), Dealloc: dealloc, Long: true}
		msg := message(hdr{bits: mach.Bits(cpSend, 0) | mach.BitsComplex, remote: to},
			item(d, longs(uint64(addr))), ool(0x666, 0, true), oolRights(cpSend, 0x666, 0, true))
		require.Equal(t, mach.MsgSuccess, a.send(msg))
		require.Equal(t, dealloc, a.mem.ReadBytes(addr, make([]byte, 1)) != mach.KernSuccess)
		require.Equal(t, mach.MsgSuccess, b.receive(n))
		h, body := b.got()
		require.True(t, h.bits.Complex())
		d.Dealloc = true
		at := mach.Addr(le.Uint64(body[8:]))
		require.Equal(t, item(d, longs(uint64(at))), body[:16])
		require.Equal(t, data, b.bytes(at, len(data)))
		require.Equal(t, append(ool(0, 0, true), oolRights(mvSend, 0, 0, true)...), body[16:])
	}
}

// A simple message is opaque: names in it are not translated, nothing in it is
// checked. A complex one without rights or memory arrives as simple.
func TestSimpleAndComplex(t *testing.T) {
	w := newWorld(t)
	a := w.task()
	n := a.receiveRight()
	body := append(rights(cpSend, 99), 1, 2, 3, 4, 5, 6, 7, 8)
	require.Equal(t, mach.MsgSuccess, a.send(message(hdr{bits: mach.Bits(mkSend, 0), remote: n}, body)))
	require.Equal(t, mach.MsgSuccess, a.receive(n))
	h, got := a.got()
	require.Equal(t, body, got)
	require.False(t, h.bits.Complex())
	require.Equal(t, mach.MsgSuccess, a.send(message(hdr{bits: mach.Bits(mkSend, 0) | mach.BitsComplex, remote: n}, ints(1))))
	require.Equal(t, mach.MsgSuccess, a.receive(n))
	h, got = a.got()
	require.Equal(t, ints(1), got)
	require.False(t, h.bits.Complex())
	// A right item without rights keeps it complex.
	require.Equal(t, mach.MsgSuccess, a.send(message(hdr{bits: mach.Bits(mkSend, 0) | mach.BitsComplex, remote: n}, rights(cpSend))))
	require.Equal(t, mach.MsgSuccess, a.receive(n))
	h, _ = a.got()
	require.True(t, h.bits.Complex())
}

// PORT_NAME items are data.
func TestPortNameIsData(t *testing.T) {
	w := newWorld(t)
	a := w.task()
	n := a.receiveRight()
	body := append(item(Descriptor{Name: mach.TypePortName, Size: 32, Number: 1, Inline: true}, words(99)), rights(mkSend, n)...)
	require.Equal(t, mach.MsgSuccess, a.send(message(hdr{bits: mach.Bits(mkSend, 0) | mach.BitsComplex, remote: n}, body)))
	require.Equal(t, mach.MsgSuccess, a.receive(n))
	_, got := a.got()
	require.Equal(t, body[:16], got[:16])
	require.Equal(t, rights(mvSend, n)[:8], got[16:24])
	require.Equal(t, uint64(n), le.Uint64(got[24:]))
}

// Many rights at once cross more than one hold of the lock.
func TestManyRights(t *testing.T) {
	w := newWorld(t)
	a, b := w.task(), w.task()
	n := b.receiveRight()
	to := b.give(n, mkSend, a)
	var names []mach.Name
	for range 500 {
		names = append(names, a.receiveRight())
	}
	require.Equal(t, mach.MsgSuccess, a.send(message(hdr{bits: mach.Bits(cpSend, 0) | mach.BitsComplex, remote: to}, rights(mvRcv, names...))))
	require.Equal(t, mach.MsgSuccess, b.receive(n))
	_, body := b.got()
	for i := range names {
		typ, _ := b.space.Type(mach.Name(le.Uint64(body[8+8*i:])))
		require.Equal(t, mach.TypeReceive, typ)
	}
	require.Equal(t, mach.MsgSuccess, a.send(message(hdr{bits: mach.Bits(cpSend, 0) | mach.BitsComplex, remote: to}, rights(mkSend, a.receiveRight()))))
	names = append(names, 99)
	require.Equal(t, mach.SendInvalidRight, a.send(message(hdr{bits: mach.Bits(cpSend, 0) | mach.BitsComplex, remote: to}, rights(mkSend, names...))))
}
