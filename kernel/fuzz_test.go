package kernel

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/gsync"
	"machkernel/mach"
	"machkernel/mig"
)

// hostile is a thread that passes whatever its bytes say to the traps: numbers,
// names near to those that exist, addresses near to its memory, and messages
// whose parts are sometimes as they should be.
type hostile struct {
	g     *GoThread
	input []byte
	base  mach.Addr // of 16 pages of its own memory
	peer  mach.Name // a port that another task serves
}

// impatient is a thread whose calls time out: nobody may answer them.
type impatient struct{ *GoThread }

func (i impatient) MachMsg(buf []byte, option mach.MsgOption, sendSize, rcvSize int, rcvName mach.Name, _ uint32) mach.MsgReturn {
	return i.Msg(buf, option|mach.SendTimeout|mach.RcvTimeout, sendSize, rcvSize, rcvName, 1, mach.NameNull)
}

func (h *hostile) byte() byte {
	if len(h.input) == 0 {
		return 0
	}
	b := h.input[0]
	h.input = h.input[1:]
	return b
}

func (h *hostile) word() uint64 {
	switch b := h.byte(); b % 8 {
	case 0:
		return uint64(h.byte())
	case 1:
		return uint64(h.base) + uint64(h.byte())<<8
	case 2:
		return ^uint64(h.byte())
	case 3:
		return uint64(mach.VMMaxAddress) - uint64(h.byte())<<4
	case 4:
		return uint64(h.g.TaskSelf())
	case 5:
		return uint64(h.byte()) << 12
	case 6:
		return uint64(h.peer)
	default:
		return binary.LittleEndian.Uint64([]byte{h.byte(), h.byte(), h.byte(), h.byte(), h.byte(), h.byte(), h.byte(), h.byte()})
	}
}

// rpc sends a request of the kernel's table with arguments of the wrong
// values, and sometimes of the wrong types.
func (h *hostile) rpc(k *Kernel) {
	list := slices.DeleteFunc(slices.Clone(k.Table().Entries()), func(e *mig.Entry) bool { return !e.Served() })
	r := list[int(h.byte())%len(list)].Routine
	switch r.Name {
	case "task_terminate", "thread_terminate", "thread_terminate_release", "host_reboot", "task_suspend", "thread_suspend":
		return // they work: that is no test of bad input
	}
	args := append([]mig.Arg(nil), r.Args...)
	var in []mig.Value
	for i := range args {
		if h.byte()%16 == 0 {
			args[i].Type.Name ^= mach.TypeName(h.byte())
		}
		if args[i].Dir&mig.In == 0 {
			continue
		}
		v := mig.Value{Word: h.word(), Name: mach.Name(h.word()), Type: mach.TypeName(h.byte()%8 + 15), Size: uint32(h.byte()) << 8}
		if args[i].Type.Form == mig.Variable {
			v.Data = make([]byte, 4*int(h.byte()))
		}
		in = append(in, v)
	}
	if r.Name == "gsync_wait" && len(in) >= 2 { // Nobody need wake it.
		in[len(in)-2].Word &= 1
		in[len(in)-1].Word |= uint64(gsync.Timed)
	}
	r.Args = args
	out, kr := mig.Invoke(impatient{h.g}, mach.Name(h.word()), &r, in...)
	if r.Name == "task_create" && kr == mach.KernSuccess {
		// Another name of the same task may have been used.
		_, _ = mig.Invoke(impatient{h.g}, out[0].Name, &k.Table().ByName("task_terminate").Routine)
	}
}

func (h *hostile) run(k *Kernel) {
	for len(h.input) > 0 {
		if h.byte()%2 == 0 {
			h.rpc(k)
			continue
		}
		h.trap()
	}
}

// trap is any trap with any seven words.
func (h *hostile) trap() {
	n := -int32(h.byte()) % 80
	a := [7]uint64{h.word(), h.word(), h.word(), h.word(), h.word(), h.word(), h.word()}
	switch n { // Never wait: no one wakes this thread.
	case -70: // task_suspend
		return
	case -25:
		a[1] |= uint64(mach.SendTimeout | mach.RcvTimeout)
		a[5] &= 1
	case -61:
		a[2] &= 1
	}
	h.g.Trap(n, a[:]...)
}

// attack runs the input as a hostile thread and audits what it left, alive and
// dead.
func attack(t *testing.T, input []byte) {
	k := start(t, Config{Memory: 64 << 20})
	victim, hostileTask := newTask(t, k), newTask(t, k)
	peer := connect(t, k, victim, hostileTask, echo)
	require.NoError(t, hostileTask.Run(func(g *GoThread) {
		h := &hostile{g: g, input: input, peer: peer}
		h.base = allocate(t, g, g.TaskSelf(), 16*mach.PageSize)
		h.run(k)
	}))
	require.NoError(t, k.Audit())
}

// FuzzTraps: whatever a client passes to a trap, the answer is a return code
// and the books balance.
func FuzzTraps(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 64 {
		b := make([]byte, 2048)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(attack)
}
