package kernel

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/ipc"
	"machkernel/mach"
)

// Where a hostile thread's messages lie, from its base, and the memory they
// point to.
const (
	fuzzBuffer = 8 * mach.PageSize
	fuzzMemory = 13 * mach.PageSize
)

// right is mostly a name in use, with a disposition that the name allows.
func (h *hostile) right() (mach.Name, mach.TypeName) {
	b := h.byte()
	if b >= 224 {
		return []mach.Name{mach.NameNull, mach.NameDead, mach.Name(h.byte())}[b%3], h.disposition()
	}
	names, _ := h.g.th.task.space.Names()
	if len(names) == 0 {
		return mach.NameNull, h.disposition()
	}
	n := names[int(b)%len(names)]
	var fit []mach.TypeName
	for d := mach.TypeMoveReceive; d <= mach.TypeMakeSendOnce; d++ {
		if n.Type&needs[d] != 0 {
			fit = append(fit, d)
		}
	}
	if len(fit) == 0 || h.byte() >= 240 {
		return n.Name, h.disposition()
	}
	return n.Name, fit[int(h.byte())%len(fit)]
}

// source is mostly a name to receive from.
func (h *hostile) source() mach.Name {
	b := h.byte()
	var fit []mach.Name
	names, _ := h.g.th.task.space.Names()
	for _, n := range names {
		if b >= 240 || n.Type&(mach.TypeReceive|mach.TypePortSet) != 0 {
			fit = append(fit, n.Name)
		}
	}
	if len(fit) == 0 {
		return mach.NameNull
	}
	return fit[int(b)%len(fit)]
}

// disposition is mostly a legal one.
func (h *hostile) disposition() mach.TypeName {
	if b := h.byte(); b < 248 {
		return mach.TypeMoveReceive + mach.TypeName(b%6)
	}
	return mach.TypeName(h.byte())
}

// never are requests that stop or end what they please, as they should: of
// task_terminate, thread_terminate, task_suspend, thread_suspend, host_reboot.
var never = map[mach.MsgID]bool{2008: true, 2016: true, 2056: true, 2062: true, 2635: true}

// id is mostly one that a kernel port knows.
func (h *hostile) id() mach.MsgID {
	id := mach.MsgID([]int32{3200, 3200, 2000, 2600, 9000}[h.byte()%5] + int32(h.byte()%128))
	if never[id] {
		return 9000
	}
	return id
}

// item is one item of a message, sound at first.
func (h *hostile) item() mSendItem {
	it := mSendItem{inline: h.byte()%2 == 0, dealloc: h.byte()%8 == 0, rights: h.byte()%3 != 0}
	if !it.rights {
		it.name, it.data = mach.TypeInteger32, string(make([]byte, h.byte()%64))
		return it
	}
	for range h.byte() % 4 {
		name, d := h.right()
		it.name = d
		it.names = append(it.names, name)
	}
	if len(it.names) == 0 {
		it.name = h.disposition()
	}
	return it
}

// message is a message as a client would send it, and then, often, something
// about it is changed: a field of the header, of a descriptor, any byte, the
// size.
func (h *hostile) message() []byte {
	x := mSend{id: h.id(), complex: h.byte()%4 != 0}
	x.remote, x.rtype = h.right()
	x.local, x.ltype = h.right()
	if h.byte()%3 == 0 {
		x.local, x.ltype = 0, 0
	}
	for range h.byte() % 4 {
		x.items = append(x.items, h.item())
	}
	at := h.base + fuzzMemory
	b := x.encode(func(it *mSendItem) mach.Addr {
		var names []byte
		for _, n := range it.names {
			names = le.AppendUint32(names, uint32(n))
		}
		a := at + mach.Addr(h.byte()%16)*4
		h.g.Write(a, append(names, it.data...))
		at += 256
		return a
	})
	body := len(b) - ipc.HeaderSize
	switch h.byte() % 16 {
	case 0:
		b[h.byte()%ipc.HeaderSize] ^= h.byte()
	case 1:
		if body > 0 { // a descriptor, if the message has but small items
			b[ipc.HeaderSize+int(h.byte())*8%body+int(h.byte()%8)] ^= 1 << (h.byte() % 8)
		}
	case 2:
		b[int(h.byte())*int(h.byte())%len(b)] ^= h.byte()
	case 3:
		b = b[:int(h.byte())%len(b)]
	case 4:
		b = append(b, make([]byte, h.byte())...)
	case 5:
		if body >= 16 {
			le.PutUint64(b[len(b)-8:], h.word())
		}
	}
	return b
}

// options are any of mach_msg's that do not wait for others.
func (h *hostile) options() mach.MsgOption {
	o := mach.SendTimeout | mach.RcvTimeout
	if h.byte()%4 == 0 {
		o |= mach.MsgOption(h.byte())<<8 | mach.MsgOption(h.byte())&0xe0
	}
	switch h.byte() % 4 {
	case 0:
		return o | mach.RcvMsg
	case 1:
		return o | mach.SendMsg | mach.RcvMsg
	}
	return o | mach.SendMsg
}

// msg is one call of mach_msg with a message of its own.
func (h *hostile) msg() (mr mach.MsgReturn, option mach.MsgOption, size int) {
	b := h.message()
	at := h.base + fuzzBuffer
	h.g.Write(at, b)
	room := uint64(h.byte()) * 8
	option, size = h.options(), len(b)
	mr = mach.MsgReturn(h.g.Trap(-25, uint64(at), uint64(option), uint64(size), room,
		uint64(h.source()), uint64(h.byte()%2), uint64(h.source())))
	return mr, option, size
}

// furnish gives a task rights of all kinds, and some to the ports of others.
func furnish(t *testing.T, tasks []*Task) {
	for i, task := range tasks {
		for j := range 4 {
			n, kr := task.space.Allocate(mach.RightReceive)
			require.Equal(t, mach.KernSuccess, kr)
			for _, to := range []*Task{task, tasks[(i+1)%len(tasks)], tasks[(i+2)%len(tasks)]} {
				_, err := task.Share(n, to)
				require.NoError(t, err)
			}
			require.Equal(t, mach.KernSuccess, task.space.SetQLimit(n, uint32(j))) // a queue that is full soon
			if j > 1 {
				right, kr := task.space.ExtractRight(n, mach.TypeMakeSendOnce)
				require.Equal(t, mach.KernSuccess, kr)
				_, kr = tasks[(i+j)%len(tasks)].space.Copyout(right)
				require.Equal(t, mach.KernSuccess, kr)
			}
		}
		for _, kind := range []mach.Right{mach.RightPortSet, mach.RightDeadName} {
			_, kr := task.space.Allocate(kind)
			require.Equal(t, mach.KernSuccess, kr)
		}
		_, err := shareTask(task.k, tasks[(i+1)%len(tasks)], task)
		require.NoError(t, err)
	}
}

// attackTogether splits the input among threads of several tasks that run at the
// same time, two in each. What they leave is audited.
func attackTogether(t *testing.T, input []byte) {
	k := start(t, Config{Memory: 64 << 20})
	tasks := []*Task{newTask(t, k), newTask(t, k), newTask(t, k)}
	furnish(t, tasks)
	const threads = 6
	var bases [threads]mach.Addr
	for i := range bases {
		a, kr := k.memory.Allocate(tasks[i%len(tasks)].VMMap(), 0, 16*mach.PageSize, true)
		require.Equal(t, mach.KernSuccess, kr)
		bases[i] = a
	}
	var wg sync.WaitGroup
	for i := range threads {
		part := input[len(input)*i/threads : len(input)*(i+1)/threads]
		wg.Add(1)
		_, err := tasks[i%len(tasks)].Go(func(g *GoThread) {
			defer wg.Done()
			h := &hostile{g: g, input: part, base: bases[i]}
			for len(h.input) > 0 {
				switch h.byte() % 8 {
				case 0:
					h.rpc(k)
				case 1:
					h.trap()
				default:
					h.msg()
				}
			}
		})
		if err != nil {
			wg.Done()
		}
	}
	wg.Wait()
	require.NoError(t, k.Audit())
}

// standing is what a task has: names and their references, the state of its
// ports, its memory, and what the kernel holds in all.
func standing(g *GoThread) (all []string, ports int, memory uint64) {
	s := g.th.task.space
	names, _ := s.Names()
	for _, n := range names {
		line := fmt.Sprint(n.Name, n.Type)
		for right := range mach.RightNumber {
			refs, _ := s.GetRefs(n.Name, right)
			line += fmt.Sprint(" ", refs)
		}
		st, _ := s.ReceiveStatus(n.Name)
		members, _ := s.SetMembers(n.Name)
		all = append(all, line+fmt.Sprint(st, members))
	}
	var at mach.Addr
	for {
		r, kr := g.th.task.vmap.Region(at)
		if kr != mach.KernSuccess {
			return all, g.th.k.zone.LivePorts(), memory
		}
		all = append(all, fmt.Sprint(r.Start, r.Size))
		memory += r.Size
		at = r.Start + mach.Addr(r.Size)
	}
}

// attackAlone runs the input as one thread and looks at what each message that
// was refused left behind: a refusal before anything happened leaves all equal, a
// message that came back lost nothing.
func attackAlone(t *testing.T, input []byte) {
	k := start(t, Config{Memory: 64 << 20})
	tasks := []*Task{newTask(t, k), newTask(t, k), newTask(t, k)}
	furnish(t, tasks)
	require.NoError(t, tasks[0].Run(func(g *GoThread) {
		h := &hostile{g: g, input: input}
		h.base = allocate(t, g, g.TaskSelf(), 16*mach.PageSize)
		for len(h.input) > 0 {
			standing(g) // a name that died unseen becomes a dead one
			before, ports, memory := standing(g)
			mr, option, size := h.msg()
			after, portsAfter, memoryAfter := standing(g)
			switch base := mr.Base(); {
			case base == mach.SendInvalidHeader, base == mach.SendInvalidDest, base == mach.SendInvalidReply,
				base == mach.SendInvalidData, base == mach.SendNoBuffer,
				base == mach.SendMsgTooSmall && (size < ipc.HeaderSize || size%ipc.Alignment != 0),
				option&mach.SendMsg == 0 && (base == mach.RcvInvalidName || base == mach.RcvInSet || base == mach.RcvTimedOut ||
					base == mach.RcvTooLarge && option&mach.RcvLarge != 0):
				require.Equal(t, before, after, mr)
				require.Equal(t, ports, portsAfter, mr)
			case base == mach.SendTimedOut && mr == base:
				require.Equal(t, ports, portsAfter, "a port died with a message that came back")
				require.GreaterOrEqual(t, memoryAfter, memory)
			}
		}
	}))
	require.NoError(t, k.Audit())
}

func addRandom(f *testing.F, seed uint64, n, size int) {
	r := rand.New(rand.NewPCG(seed, 2))
	for range n {
		b := make([]byte, size)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		f.Add(b)
	}
}

// FuzzMessages: whatever several tasks send each other and the kernel at the same
// time, the answers are return codes and the books balance. It runs for long with
//
//	go test ./kernel -run '^$' -fuzz 'FuzzMessages$' -fuzztime 30m -fuzzminimizetime 1x
//
// and so do the others; minimizing is no use where threads run as they like.
func FuzzMessages(f *testing.F) {
	addRandom(f, 7, 32, 6<<10)
	f.Fuzz(attackTogether)
}

// FuzzRefusedMessages: a message that is refused leaves things as they were.
func FuzzRefusedMessages(f *testing.F) {
	addRandom(f, 8, 32, 2<<10)
	f.Fuzz(attackAlone)
}
