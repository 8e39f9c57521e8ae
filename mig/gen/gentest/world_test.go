package gentest

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/ports"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a message system with one caller and one kernel port, served by a
// table.
type world struct {
	t     *testing.T
	zone  *ports.Zone
	sys   *ipc.System
	table *mig.Table
	space *ports.Space
	wait  *ports.Waiter
	buf   [1 << 14]byte // all of the caller's memory
	name  mach.Name     // its name of the kernel port
	reply mach.Name

	// tamper, if not nil, changes what is sent and its size.
	tamper func(buf []byte, size int) ([]byte, int)
}

func (w *world) Space() *ports.Space   { return w.space }
func (w *world) Memory() ipc.Memory    { return w }
func (w *world) Waiter() *ports.Waiter { return w.wait }

func (w *world) Serve(c ipc.Caller, k *ipc.Kmsg) *ipc.Kmsg {
	return w.table.Serve(c, k.Dest().KObject(), k)
}

func (w *world) ReadBytes(a mach.Addr, p []byte) mach.KernReturn {
	if uint64(a)+uint64(len(p)) > uint64(len(w.buf)) {
		return mach.KernInvalidAddress
	}
	copy(p, w.buf[a:])
	return mach.KernSuccess
}

func (w *world) WriteBytes(a mach.Addr, p []byte) mach.KernReturn {
	if uint64(a)+uint64(len(p)) > uint64(len(w.buf)) {
		return mach.KernInvalidAddress
	}
	copy(w.buf[a:], p)
	return mach.KernSuccess
}

// bytes is out-of-line memory that counts how many are alive.
type bytes struct {
	data []byte
	live *int
}

func (b *bytes) Size() uint64 { return uint64(len(b.data)) }
func (b *bytes) Discard()     { *b.live-- }
func (b *bytes) ReadAt(p []byte, off uint64) mach.KernReturn {
	copy(p, b.data[off:])
	return mach.KernSuccess
}

var live int // regions alive, in a test's run

func (w *world) CopyinRegion(_ mach.Addr, size uint64, _ bool) (ipc.Region, mach.KernReturn) {
	live++
	return &bytes{make([]byte, size), &live}, mach.KernSuccess
}

func (w *world) CopyoutRegion(r ipc.Region) (mach.Addr, mach.KernReturn) {
	r.Discard()
	return 0x7000, mach.KernSuccess
}

func (w *world) NewRegion(data []byte) (ipc.Region, mach.KernReturn) {
	live++
	return &bytes{data, &live}, mach.KernSuccess
}

func (w *world) Deallocate(mach.Addr, uint64) mach.KernReturn { return mach.KernSuccess }

func (w *world) MachMsg(buf []byte, option mach.MsgOption, sendSize, rcvSize int, rcvName mach.Name, _ uint32) mach.MsgReturn {
	if w.tamper != nil {
		buf, sendSize = w.tamper(buf, sendSize)
	}
	copy(w.buf[:], buf[:sendSize])
	mr := w.sys.MsgTrap(w, 0, option|mach.RcvTimeout, uint32(sendSize), uint32(rcvSize), rcvName, 0, mach.NameNull)
	copy(buf, w.buf[:])
	return mr
}

func (w *world) MigBuffer(n int) []byte     { return make([]byte, n, 2*n) }
func (w *world) MigReplyPort() mach.Name    { return w.reply }
func (w *world) MigDropReplyPort(mach.Name) {}

// Object is what kernel ports stand for here.
type Object struct {
	zone *ports.Zone
	port *ports.Port
}

func convertPortToObject(object any) *Object {
	o, _ := object.(*Object)
	return o
}

func convertObjectToPort(o *Object) ports.Right { return o.zone.MakeSend(o.port) }

// newWorld serves routines; when the test ends, nothing may be left.
func newWorld(t *testing.T, s ktestServer) *world {
	w := &world{t: t, zone: ports.NewZone(), table: mig.NewTable(ktestDemux(Utest, s))}
	live = 0
	w.sys = ipc.NewSystem(w.zone, w)
	w.space = w.zone.NewSpace()
	w.wait = ports.NewWaiter(w.zone, nil)
	object := &Object{zone: w.zone}
	port := w.zone.NewKernelPort(object)
	object.port = port
	var kr mach.KernReturn
	w.name, kr = w.space.Copyout(w.zone.MakeSend(port))
	require.Equal(t, mach.KernSuccess, kr)
	w.reply, kr = w.space.Allocate(mach.RightReceive)
	require.Equal(t, mach.KernSuccess, kr)
	t.Cleanup(func() {
		require.NoError(t, w.zone.Audit(ports.Roots{
			Spaces: []*ports.Space{w.space},
			Held: func(yield func(ports.Right) bool) {
				yield(ports.Right{Port: port, Type: mach.TypePortReceive})
			},
		}))
		w.space.Destroy()
		w.zone.DestroyPort(port)
		w.wait.Close()
		require.Zero(t, w.zone.LivePorts())
		require.Zero(t, live, "out-of-line memory that nobody has")
	})
	return w
}
