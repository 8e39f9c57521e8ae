package kernel

import (
	"flag"
	"maps"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/mig/gnumach"
)

// modelTask is a task beside its space in the model, and a thread that does what
// it is told.
type modelTask struct {
	task  *Task
	todo  chan func(*GoThread)
	s     *mSpace
	self  mach.Name
	peers []mach.Name // by number: the names of the tasks' ports
}

// do has the task's thread call f, and waits.
func (t *modelTask) do(f func(g *GoThread)) {
	done := make(chan struct{})
	t.todo <- func(g *GoThread) {
		defer close(done)
		f(g)
	}
	<-done
}

// call is do for routines: they need the thread's reply port.
func (t *modelTask) call(f func(g *GoThread) mach.KernReturn) (kr mach.KernReturn) {
	t.s.begin()
	t.do(func(g *GoThread) { kr = f(g) })
	return kr
}

// modelWorld is several tasks that can call on one another, and their model.
type modelWorld struct {
	k     *Kernel
	m     *model
	tasks []*modelTask
	steps int
}

const modelTasks = 3

func newModelWorld(t *rapid.T) *modelWorld {
	k, err := New(Config{Memory: 64 << 20})
	require.NoError(t, err)
	w := &modelWorld{k: k, m: &model{}, tasks: make([]*modelTask, modelTasks)}
	for i := range w.tasks {
		w.add(t, i)
	}
	return w
}

// add makes task i and tells the others.
func (w *modelWorld) add(t *rapid.T, i int) {
	task, err := w.k.NewTask("model")
	require.NoError(t, err)
	n := &modelTask{task: task, todo: make(chan func(*GoThread)), s: w.m.newSpace(), peers: make([]mach.Name, modelTasks)}
	_, err = task.Go(func(g *GoThread) {
		for {
			select {
			case f := <-n.todo:
				f(g)
			case <-g.Dying():
				return
			}
		}
	})
	require.NoError(t, err)
	w.tasks[i] = n
	n.do(func(g *GoThread) { n.self = g.TaskSelf() })
	require.Equal(t, n.s.place(n.s.self.makeSend()), n.self)
	n.peers[i] = n.self
	for j, o := range w.tasks {
		if o == nil || o == n {
			continue
		}
		w.introduce(t, n, j, o)
		w.introduce(t, o, i, n)
	}
}

// introduce gives to a right to the port of from, which is task i.
func (w *modelWorld) introduce(t *rapid.T, to *modelTask, i int, from *modelTask) {
	name, err := shareTask(w.k, from.task, to.task)
	require.NoError(t, err)
	require.Equal(t, to.s.place(from.s.self.makeSend()), name)
	to.peers[i] = name
}

// close ends the world; a failed one tells no more.
func (w *modelWorld) close(t *rapid.T) {
	err := w.k.Audit()
	for _, task := range w.tasks {
		task.task.Terminate()
		<-task.task.Done()
	}
	if !t.Failed() {
		require.NoError(t, err)
		require.NoError(t, w.k.Audit())
		require.Zero(t, w.k.MemoryUsed(), "memory that no task has")
	}
	err = w.k.Close()
	if !t.Failed() {
		require.NoError(t, err)
	}
}

// compare looks at all that a task can see without changing it.
func (w *modelWorld) compare(t *rapid.T) {
	for i, n := range w.tasks {
		names := map[mach.Name]mach.PortType{}
		kr := n.call(func(g *GoThread) mach.KernReturn {
			na, count, ta, _, kr := gnumach.MachPortNames(g, n.self)
			nb, tb := make([]byte, 4*count), make([]byte, 4*count)
			g.Read(na, nb)
			g.Read(ta, tb)
			for j := range int(count) {
				names[mach.Name(le.Uint32(nb[4*j:]))] = mach.PortType(le.Uint32(tb[4*j:]))
			}
			_, _ = gnumach.VMDeallocate(g, n.self, na, uint64(4*count)), gnumach.VMDeallocate(g, n.self, ta, uint64(4*count))
			return kr
		})
		require.Equal(t, mach.KernSuccess, kr)
		want := map[mach.Name]mach.PortType{}
		for name, e := range n.s.names {
			want[name] = e.visibleType()
		}
		require.Equal(t, want, names, "names of task %d", i)
		for name, e := range n.s.names {
			w.compareRefs(t, i, name, e)
			if !e.has(mach.TypeReceive) || name == n.s.reply {
				continue
			}
			var st mach.PortStatus
			kr := n.call(func(g *GoThread) (kr mach.KernReturn) {
				st, kr = gnumach.MachPortGetReceiveStatus(g, n.self, name)
				return kr
			})
			wantStatus, wantKR := n.s.status(name)
			require.Equal(t, wantKR, kr)
			require.Equal(t, wantStatus, st, "receive right %d of task %d", name, i)
		}
	}
}

// compareRefs compares references, unless to ask for them would tell the kernel
// that the name has died.
func (w *modelWorld) compareRefs(t *rapid.T, i int, name mach.Name, e *mEntry) {
	right := mach.RightSend
	switch {
	case e.typ == mach.TypeDeadName:
		right = mach.RightDeadName
	case !e.has(mach.TypeSend) || !e.port.alive:
		return
	}
	n := w.tasks[i]
	var refs uint32
	kr := n.call(func(g *GoThread) (kr mach.KernReturn) {
		refs, kr = gnumach.MachPortGetRefs(g, n.self, name, right)
		return kr
	})
	require.Equal(t, mach.KernSuccess, kr)
	require.EqualValues(t, e.refs, refs, "references of %s name %d of task %d", right, name, i)
}

// private says whether name is one that the test itself needs in task n.
func (n *modelTask) private(name mach.Name) bool {
	e := n.s.names[name]
	return name == n.s.reply || e != nil && e.port != nil && e.port.kernel && e.port.alive
}

// name draws a name for task n: mostly one with a right of type want.
func (n *modelTask) name(t *rapid.T, want mach.PortType, label string) mach.Name {
	var fit, all []mach.Name
	for _, name := range slices.Sorted(maps.Keys(n.s.names)) {
		if n.private(name) {
			continue
		}
		all = append(all, name)
		if n.s.names[name].typ&want != 0 {
			fit = append(fit, name)
		}
	}
	switch kind := rapid.IntRange(0, 31).Draw(t, label+" kind"); {
	case kind < 26 && len(fit) > 0:
		return rapid.SampledFrom(fit).Draw(t, label)
	case kind < 29 && len(all) > 0:
		return rapid.SampledFrom(all).Draw(t, label)
	case kind == 29:
		return mach.NameDead
	case kind == 30:
		return mach.NameNull
	}
	return n.number(t, label)
}

// number draws a number that is probably no name in task n.
func (n *modelTask) number(t *rapid.T, label string) mach.Name {
	name := mach.Name(rapid.OneOf(rapid.IntRange(1, 48), rapid.IntRange(1<<20, 1<<20+3), rapid.Just(0xfffffffe)).Draw(t, label))
	if n.private(name) {
		return mach.NameNull
	}
	return name
}

func (w *modelWorld) task(t *rapid.T, label string) *modelTask {
	return w.tasks[w.index(t, label)]
}

func (w *modelWorld) index(t *rapid.T, label string) int {
	return rapid.IntRange(0, modelTasks-1).Draw(t, label)
}

// target draws a task to call on: the caller itself, mostly.
func (w *modelWorld) target(t *rapid.T, caller int) int {
	return rapid.OneOf(rapid.Just(caller), rapid.Just(caller), rapid.IntRange(0, modelTasks-1)).Draw(t, "target")
}

var needs = map[mach.TypeName]mach.PortType{
	mach.TypeMoveReceive: mach.TypeReceive, mach.TypeMakeSend: mach.TypeReceive, mach.TypeMakeSendOnce: mach.TypeReceive,
	mach.TypeMoveSend: mach.TypeSend | mach.TypeDeadName, mach.TypeCopySend: mach.TypeSend | mach.TypeDeadName,
	mach.TypeMoveSendOnce: mach.TypeSendOnce | mach.TypeDeadName,
}

func anyRight(t *rapid.T, label string) mach.Right {
	return mach.Right(rapid.IntRange(0, 5).Draw(t, label))
}

func disposition(t *rapid.T, first int, label string) mach.TypeName {
	d := rapid.IntRange(first, 22).Draw(t, label)
	if d == 22 { // now and then something odd
		d = rapid.SampledFrom([]int{0, 15, 16, 22, 23, 200}).Draw(t, label+", odd")
	}
	return mach.TypeName(d)
}

// message draws a message that task n sends.
func (n *modelTask) message(t *rapid.T) *mSend {
	x := &mSend{rtype: disposition(t, 17, "remote type"), id: mach.MsgID(rapid.IntRange(9000, 9999).Draw(t, "id"))}
	if x.remote = n.name(t, needs[x.rtype], "remote"); rapid.IntRange(0, 15).Draw(t, "to the kernel") == 15 {
		x.rtype, x.remote = mach.TypeCopySend, rapid.SampledFrom(n.peers).Draw(t, "remote")
	}
	switch rapid.IntRange(0, 9).Draw(t, "reply") {
	case 0, 1, 2, 3:
	case 4:
		x.ltype, x.local = disposition(t, 17, "local type"), x.remote
		if n.private(x.local) && x.ltype != mach.TypeCopySend {
			x.ltype, x.local = 0, 0
		}
	default:
		x.ltype = disposition(t, 17, "local type")
		x.local = n.name(t, needs[x.ltype], "local")
	}
	items := rapid.IntRange(0, 3).Draw(t, "items")
	x.complex = rapid.IntRange(0, 9).Draw(t, "complex") > 1
	for range items {
		x.items = append(x.items, n.item(t, x.complex))
	}
	return x
}

func (n *modelTask) item(t *rapid.T, sound bool) mSendItem {
	it := mSendItem{name: mach.TypeByte, inline: rapid.Bool().Draw(t, "inline"), dealloc: rapid.Bool().Draw(t, "deallocate")}
	it.rights = rapid.IntRange(0, 3).Draw(t, "data") < 3
	if !sound {
		it.inline, it.rights = true, false
	}
	if it.rights {
		it.name = mach.TypeName(rapid.IntRange(16, 21).Draw(t, "disposition"))
		for range rapid.IntRange(0, 3).Draw(t, "rights") {
			it.names = append(it.names, n.name(t, needs[it.name], "right"))
			if it.name == mach.TypeCopySend && rapid.IntRange(0, 15).Draw(t, "of the kernel") == 15 {
				it.names[len(it.names)-1] = rapid.SampledFrom(n.peers).Draw(t, "right")
			}
		}
	} else {
		it.data = string(pattern(rapid.IntRange(0, 20).Draw(t, "bytes"), 3))
	}
	if sound && rapid.IntRange(0, 31).Draw(t, "fault?") == 31 {
		it.fault = mFault(rapid.IntRange(1, int(mFaultKind)-1).Draw(t, "fault"))
	}
	return it
}

// lay writes a message with its out-of-line parts; lost tells where these are.
func (n *modelTask) lay(x *mSend) (raw []byte, lost []mach.Addr) {
	raw = x.encode(func(it *mSendItem) (at mach.Addr) {
		if it.fault == mNoMemory {
			return mach.VMMaxAddress - mach.PageSize
		}
		n.call(func(g *GoThread) (kr mach.KernReturn) {
			at, kr = gnumach.VMAllocate(g, n.self, 0, mach.PageSize, true)
			b := []byte(it.data)
			for _, name := range it.names {
				b = le.AppendUint32(b, uint32(name))
			}
			g.Write(at, b)
			return kr
		})
		lost = append(lost, at)
		return at
	})
	return raw, lost
}

// msg does mach_msg in task n and reads what there is to read afterwards.
func (n *modelTask) msg(buf []byte, option mach.MsgOption, sendSize, rcvSize int, name, notify mach.Name) (got mGot) {
	n.do(func(g *GoThread) {
		got.mr = g.Msg(buf, option|mach.SendTimeout|mach.RcvTimeout, sendSize, rcvSize, name, 0, notify)
		h, _ := ipc.ParseHeader(buf)
		switch got.mr {
		case mach.RcvTooLarge:
			if option&mach.RcvLarge != 0 {
				got.header.Size = h.Size
				return
			}
		case mach.RcvInvalidNotify:
		case mach.MsgSuccess, mach.SendTimedOut:
			if got.mr == mach.MsgSuccess && option&mach.RcvMsg == 0 {
				return
			}
			defer func() { n.open(g, buf[ipc.HeaderSize:h.Size], &got) }()
		default:
			return
		}
		got.header = h
	})
	return got
}

// open reads a body, and gives back the memory that came with it.
func (n *modelTask) open(g *GoThread, b []byte, got *mGot) {
	if !got.header.Bits.Complex() {
		got.body = string(b)
		return
	}
	for len(b) > 0 {
		d := ipc.ParseDescriptor(b)
		it := mGotItem{name: d.Name, inline: d.Inline, dealloc: d.Dealloc, size: d.Size}
		size, stride := int(d.Number)*int(d.Size)/8, int(d.Size)/8
		b = b[8:]
		data := b
		if !d.Inline {
			at := mach.Addr(le.Uint64(b))
			data = make([]byte, size)
			if size > 0 {
				g.Read(at, data)
				n.s.begin()
				gnumach.VMDeallocate(g, n.self, at, uint64(size))
			} else if at != 0 {
				it.data = "an address for nothing"
			}
			b = b[8:]
		} else {
			b = b[(size+7)&^7:]
		}
		if d.Name.IsPort() {
			for i := range int(d.Number) {
				it.names = append(it.names, mach.Name(le.Uint32(data[i*stride:])))
			}
		} else {
			it.data += string(data[:size])
		}
		got.items = append(got.items, it)
	}
}

// transfer sends or receives, or does both in one call.
func (w *modelWorld) transfer(t *rapid.T, send, receive bool) {
	n := w.task(t, "task")
	buf := make([]byte, 1024)
	option, sent, room := mach.MsgOption(0), 0, 0
	var x *mSend
	var lost []mach.Addr
	var from, notify mach.Name
	if send {
		option |= mach.SendMsg
		x = n.message(t)
		var raw []byte
		raw, lost = n.lay(x)
		sent = copy(buf, raw)
		if rapid.IntRange(0, 7).Draw(t, "cancel") == 7 {
			option |= mach.SendCancel
			notify = n.name(t, mach.TypeReceive, "notify")
		}
	}
	if receive {
		option |= mach.RcvMsg
		from = n.name(t, mach.TypeReceive|mach.TypePortSet, "from")
		room = len(buf)
		if rapid.IntRange(0, 7).Draw(t, "small") == 7 {
			room = rapid.SampledFrom([]int{0, 31, 32, 40, 47, 48, 64}).Draw(t, "room")
		}
		if rapid.Bool().Draw(t, "large") {
			option |= mach.RcvLarge
		}
		if rapid.IntRange(0, 3).Draw(t, "request") == 3 {
			option |= mach.RcvNotify
			if notify == mach.NameNull {
				notify = n.name(t, mach.TypeReceive, "notify")
			}
		}
	}
	var want mGot
	switch {
	case !send:
	case option&mach.SendCancel != 0 && notify == mach.NameNull:
		want.mr = mach.SendInvalidNotify
	case option&mach.SendCancel != 0:
		want = n.s.send(x, buf[:sent], notify)
	default:
		want = n.s.send(x, buf[:sent], mach.NameNull)
	}
	if receive && want.mr == mach.MsgSuccess {
		want = n.s.receive(from, room, option, notify)
	}
	got := n.msg(buf, option, sent, room, from, notify)
	for _, at := range lost {
		n.call(func(g *GoThread) mach.KernReturn { return gnumach.VMDeallocate(g, n.self, at, mach.PageSize) })
	}
	require.Equal(t, want, got)
}

// modelSteps counts the operations of a run.
var modelSteps atomic.Int64

// actions are the operations. What has several names comes more often.
func (w *modelWorld) actions() map[string]func(*rapid.T) {
	send := func(t *rapid.T) { w.transfer(t, true, false) }
	receive := func(t *rapid.T) { w.transfer(t, false, true) }
	allocate := func(t *rapid.T) {
		n, right := w.task(t, "task"), mach.Right(rapid.SampledFrom([]int{1, 1, 1, 3, 4, 0}).Draw(t, "right"))
		if right == mach.RightReceive && n.crowded() {
			t.SkipNow()
		}
		n.s.begin()
		want, wantKR := n.s.allocate(right)
		var got mach.Name
		kr := n.call(func(g *GoThread) (kr mach.KernReturn) {
			got, kr = gnumach.MachPortAllocate(g, n.self, right)
			return kr
		})
		require.Equal(t, wantKR, kr)
		require.Equal(t, want, got)
	}
	return map[string]func(*rapid.T){
		"": func(t *rapid.T) {
			modelSteps.Add(1)
			w.compare(t)
			if w.steps++; w.steps%64 == 0 {
				require.NoError(t, w.k.Audit())
			}
		},
		"allocate":   allocate,
		"allocate 2": allocate,
		"send":       send, "send 2": send, "send 3": send, "send 4": send, "send 5": send,
		"receive": receive, "receive 2": receive, "receive 3": receive,
		"send and receive": func(t *rapid.T) { w.transfer(t, true, true) },
		"insert right":     w.insertRight, "insert right 2": w.insertRight,
		"extract right": w.extractRight,
		"request":       w.request, "request 2": w.request, "request 3": w.request,
		"watch": w.watch, "watch 2": w.watch,
		"brim": w.brim, "give up": w.giveUp, "give up 2": w.giveUp,
		"terminate": w.terminate,
		"allocate name": func(t *rapid.T) {
			right := mach.Right(rapid.SampledFrom([]int{1, 1, 3, 4, 2}).Draw(t, "right"))
			w.onName(t, 0, func(g *GoThread, c, to mach.Name, name mach.Name) mach.KernReturn {
				return gnumach.MachPortAllocateName(g, to, right, name)
			}, func(s *mSpace, name mach.Name) mach.KernReturn { return s.allocateName(right, name) })
		},
		"destroy": func(t *rapid.T) {
			w.onName(t, mach.TypeAllRights, func(g *GoThread, _, to, name mach.Name) mach.KernReturn {
				return gnumach.MachPortDestroy(g, to, name)
			}, (*mSpace).destroyRPC)
		},
		"deallocate": func(t *rapid.T) {
			w.onName(t, mach.TypeSend|mach.TypeSendOnce|mach.TypeDeadName, func(g *GoThread, _, to, name mach.Name) mach.KernReturn {
				return gnumach.MachPortDeallocate(g, to, name)
			}, (*mSpace).deallocate)
		},
		"modify references": func(t *rapid.T) {
			right := anyRight(t, "right")
			delta := rapid.SampledFrom([]int{-1, 0, 1, 2, -2, -65534, -65535, 1 << 30}).Draw(t, "delta")
			full := rapid.SampledFrom([]int{0, 0, 0, 65533, 65534, 65535, 65536}).Draw(t, "up to")
			w.onName(t, right.Type(), func(g *GoThread, _, to, name mach.Name) mach.KernReturn {
				return gnumach.MachPortModRefs(g, to, name, right, int32(delta))
			}, func(s *mSpace, name mach.Name) mach.KernReturn {
				if e := s.names[name]; e != nil && full != 0 && right != mach.RightReceive {
					delta = full - e.refs
				}
				return s.modRefs(name, right, delta)
			})
		},
		"get references": func(t *rapid.T) {
			right := anyRight(t, "right")
			var got, want uint32
			w.onName(t, right.Type(), func(g *GoThread, _, to, name mach.Name) (kr mach.KernReturn) {
				got, kr = gnumach.MachPortGetRefs(g, to, name, right)
				return kr
			}, func(s *mSpace, name mach.Name) (kr mach.KernReturn) {
				want, kr = s.getRefs(name, right)
				return kr
			})
			require.Equal(t, want, got)
		},
		"rename": func(t *rapid.T) {
			n := w.task(t, "task")
			from, to := n.name(t, mach.TypeAllRights, "from"), n.number(t, "to")
			n.s.begin()
			want := n.s.rename(from, to)
			require.Equal(t, want, n.call(func(g *GoThread) mach.KernReturn { return gnumach.MachPortRename(g, n.self, from, to) }))
		},
		"move member": func(t *rapid.T) {
			n := w.task(t, "task")
			member, after := n.name(t, mach.TypeReceive, "member"), n.name(t, mach.TypePortSet, "set")
			n.s.begin()
			want := n.s.moveMember(member, after)
			require.Equal(t, want, n.call(func(g *GoThread) mach.KernReturn { return gnumach.MachPortMoveMember(g, n.self, member, after) }))
		},
		"members": func(t *rapid.T) {
			var got, want []mach.Name
			w.onName(t, mach.TypePortSet, func(g *GoThread, c, to, name mach.Name) mach.KernReturn {
				at, count, kr := gnumach.MachPortGetSetStatus(g, to, name)
				b := make([]byte, 4*count)
				g.Read(at, b)
				for ; len(b) > 0; b = b[4:] {
					got = append(got, mach.Name(le.Uint32(b)))
				}
				_ = gnumach.VMDeallocate(g, c, at, uint64(4*count))
				return kr
			}, func(s *mSpace, name mach.Name) (kr mach.KernReturn) {
				want, kr = s.members(name)
				return kr
			})
			slices.Sort(got)
			require.Equal(t, want, got)
		},
		"set queue limit": func(t *rapid.T) {
			n := uint32(rapid.IntRange(0, 17).Draw(t, "limit"))
			w.onName(t, mach.TypeReceive, func(g *GoThread, _, to, name mach.Name) mach.KernReturn {
				return gnumach.MachPortSetQlimit(g, to, name, n)
			}, func(s *mSpace, name mach.Name) mach.KernReturn {
				if n > mach.QLimitMax {
					return mach.KernInvalidValue
				}
				p, kr := s.receiver(name)
				if p != nil {
					p.limit = int(n)
				}
				return kr
			})
		},
		"set counts": func(t *rapid.T) {
			n, seqno := rapid.Uint32().Draw(t, "count"), rapid.Bool().Draw(t, "seqno")
			w.onName(t, mach.TypeReceive, func(g *GoThread, _, to, name mach.Name) mach.KernReturn {
				if seqno {
					return gnumach.MachPortSetSeqno(g, to, name, n)
				}
				return gnumach.MachPortSetMscount(g, to, name, n)
			}, func(s *mSpace, name mach.Name) mach.KernReturn {
				p, kr := s.receiver(name)
				switch {
				case p == nil:
				case seqno:
					p.seqno = n
				default:
					p.makes = n
				}
				return kr
			})
		},
	}
}

// onName calls a routine that has one name for its argument, on any task.
func (w *modelWorld) onName(t *rapid.T, want mach.PortType,
	call func(g *GoThread, self, to, name mach.Name) mach.KernReturn, model func(*mSpace, mach.Name) mach.KernReturn,
) {
	c := w.index(t, "caller")
	on := w.target(t, c)
	caller, target := w.tasks[c], w.tasks[on]
	name := target.name(t, want, "name")
	caller.s.begin()
	wantKR := model(target.s, name)
	kr := caller.call(func(g *GoThread) mach.KernReturn { return call(g, caller.self, caller.peers[on], name) })
	require.Equal(t, wantKR, kr)
}

func (w *modelWorld) insertRight(t *rapid.T) {
	c := w.index(t, "caller")
	on := w.target(t, c)
	caller, target := w.tasks[c], w.tasks[on]
	d := mach.TypeName(rapid.IntRange(16, 21).Draw(t, "disposition"))
	poly := caller.name(t, needs[d], "right")
	name := poly
	if caller != target || rapid.Bool().Draw(t, "elsewhere") {
		name = target.name(t, mach.TypeAllRights, "name")
		if rapid.Bool().Draw(t, "new") {
			name = target.number(t, "new name")
		}
	}
	caller.s.begin()
	want := caller.s.insertRight(target.s, name, poly, d)
	kr := mach.KernSuccess
	caller.do(func(g *GoThread) { kr = gnumach.MachPortInsertRight(g, caller.peers[on], name, poly, d) })
	require.Equal(t, want, kr)
}

func (w *modelWorld) extractRight(t *rapid.T) {
	c := w.index(t, "caller")
	on := w.target(t, c)
	caller, target := w.tasks[c], w.tasks[on]
	d := disposition(t, 16, "disposition")
	name := target.name(t, needs[d], "name")
	want, wantKR := caller.s.extractRight(target.s, name, d)
	var got mach.Name
	var as mach.TypeName
	kr := mach.KernSuccess
	caller.do(func(g *GoThread) { got, as, kr = gnumach.MachPortExtractRight(g, caller.peers[on], name, uint32(d)) })
	require.Equal(t, wantKR, kr)
	require.Equal(t, want, got)
	if kr == mach.KernSuccess {
		require.Equal(t, received(d), as)
	}
}

func (w *modelWorld) request(t *rapid.T) {
	c := w.index(t, "caller")
	on := w.target(t, c)
	caller, target := w.tasks[c], w.tasks[on]
	id := mach.MsgID(rapid.SampledFrom([]int{0o110, 0o110, 0o106, 0o105, 0o107}).Draw(t, "id"))
	wants := mach.TypeReceive
	if id == mach.NotifyDeadName {
		wants = mach.TypePortOrDead
	}
	name := target.name(t, wants, "name")
	sync := uint32(rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "sync"))
	d := rapid.SampledFrom([]mach.TypeName{mach.TypeMakeSendOnce, mach.TypeMoveSendOnce}).Draw(t, "disposition")
	notify := caller.name(t, needs[d], "notify")
	want, wantKR := caller.s.request(target.s, name, id, sync, notify, d)
	var got mach.Name
	kr := mach.KernSuccess
	caller.do(func(g *GoThread) {
		got, kr = gnumach.MachPortRequestNotification(g, caller.peers[on], name, id, sync, notify, d)
	})
	require.Equal(t, wantKR, kr)
	require.Equal(t, want, got)
}

// crowded says whether the task has enough receive rights: with more of them,
// the operations would seldom meet.
func (n *modelTask) crowded() bool {
	count := 0
	for _, e := range n.s.names {
		if e.has(mach.TypeReceive) {
			count++
		}
	}
	return count > 5
}

// watch gives several send-once rights to one port names, and asks to be told of
// the death of each.
func (w *modelWorld) watch(t *rapid.T) {
	n := w.task(t, "task")
	name, notify := n.name(t, mach.TypeReceive, "name"), n.name(t, mach.TypeReceive, "notify")
	for range rapid.IntRange(1, 5).Draw(t, "rights") {
		want, wantKR := n.s.extractRight(n.s, name, mach.TypeMakeSendOnce)
		var got mach.Name
		kr := n.call(func(g *GoThread) (kr mach.KernReturn) {
			got, _, kr = gnumach.MachPortExtractRight(g, n.self, name, uint32(mach.TypeMakeSendOnce))
			return kr
		})
		require.Equal(t, wantKR, kr)
		require.Equal(t, want, got)
		if kr != mach.KernSuccess {
			return
		}
		_, wantKR = n.s.request(n.s, got, mach.NotifyDeadName, 0, notify, mach.TypeMakeSendOnce)
		kr = mach.KernSuccess
		n.do(func(g *GoThread) {
			_, kr = gnumach.MachPortRequestNotification(g, n.self, got, mach.NotifyDeadName, 0, notify, mach.TypeMakeSendOnce)
		})
		require.Equal(t, wantKR, kr)
		if kr >= mach.KernReturn(mach.SendInvalidData) {
			return
		}
	}
}

// brim gives a send right all references it may have, and one more in a message.
func (w *modelWorld) brim(t *rapid.T) {
	n := w.task(t, "task")
	name := n.name(t, mach.TypeSend, "name")
	e := n.s.names[name]
	if !e.has(mach.TypeSend) || !e.port.alive {
		t.SkipNow()
	}
	delta := mach.UrefsMax - 1 - e.refs
	require.Equal(t, mach.KernSuccess, n.s.modRefs(name, mach.RightSend, delta))
	require.Equal(t, mach.KernSuccess, n.call(func(g *GoThread) mach.KernReturn {
		return gnumach.MachPortModRefs(g, n.self, name, mach.RightSend, int32(delta))
	}))
	want, wantKR := n.s.extractRight(n.s, name, mach.TypeCopySend)
	var got mach.Name
	kr := n.call(func(g *GoThread) (kr mach.KernReturn) {
		got, _, kr = gnumach.MachPortExtractRight(g, n.self, name, uint32(mach.TypeCopySend))
		return kr
	})
	require.Equal(t, wantKR, kr)
	require.Equal(t, want, got)
}

// giveUp gives up a receive right, and nothing else under its name.
func (w *modelWorld) giveUp(t *rapid.T) {
	w.onName(t, mach.TypeReceive, func(g *GoThread, _, to, name mach.Name) mach.KernReturn {
		return gnumach.MachPortModRefs(g, to, name, mach.RightReceive, -1)
	}, func(s *mSpace, name mach.Name) mach.KernReturn { return s.modRefs(name, mach.RightReceive, -1) })
}

// terminate ends a task, now and then, and puts another in its place.
func (w *modelWorld) terminate(t *rapid.T) {
	i := w.index(t, "task")
	if rapid.IntRange(0, 3).Draw(t, "really") != 3 {
		return
	}
	n := w.tasks[i]
	n.s.terminate()
	n.task.Terminate()
	<-n.task.Done()
	w.tasks[i] = nil
	w.add(t, i)
}

// A run is 100 sequences of about 100 operations, unless flags say otherwise.
func init() { _ = flag.Set("rapid.steps", "100") }

// TestModel runs random operations of several tasks on a kernel and on a model
// of it: each answer, each name the kernel chooses, and all that the tasks can
// see after each operation are the same. A sequence that fails is made shorter.
//
//	go test ./kernel -run 'TestModel$' -v -rapid.checks=1000
//
// is 100,000 operations.
func TestModel(t *testing.T) {
	before := modelSteps.Load()
	rapid.Check(t, func(t *rapid.T) {
		w := newModelWorld(t)
		defer w.close(t)
		t.Repeat(w.actions())
	})
	t.Logf("%d operations", modelSteps.Load()-before)
}
