package kernel

import (
	"machkernel/mach"
	"machkernel/ports"
	"machkernel/vmsvc"
)

// Short forms of vm_map, the task RPCs and two of mach_port's; see the traps of
// memory and ports for what they have in common.

// trapVMMap is vm_map with the memory object by its name in the caller's space.
func trapVMMap(th *Thread, a *[maxArgs]uint64) uint64 {
	t := th.taskNamed(mach.Name(a[0]))
	if t == nil {
		return uint64(mach.SendInterrupted)
	}
	object, kr := th.copyin(mach.Name(a[5]), mach.TypeCopySend)
	if kr != mach.KernSuccess {
		return uint64(kr)
	}
	defer th.k.zone.Release(object)
	out := mach.Addr(a[1])
	var b [8]byte
	_ = th.mem.ReadBytes(out, b[:])
	addr, kr := th.k.memory.Map(t.VMMap(), vmsvc.Mapping{
		Addr: mach.Addr(le.Uint64(b[:])), Size: a[2], Mask: a[3], Anywhere: uint32(a[4]) != 0,
		Object: object, Offset: a[6], Copy: uint32(a[7]) != 0,
		Prot: mach.Prot(a[8]), MaxProt: mach.Prot(a[9]), Inherit: mach.Inherit(a[10]),
	})
	if kr == mach.KernSuccess {
		le.PutUint64(b[:], uint64(addr))
		_ = th.mem.WriteBytes(out, b[:])
	}
	return uint64(kr)
}

func trapTaskCreate(th *Thread, a *[maxArgs]uint64) uint64 {
	parent := th.taskNamed(mach.Name(a[0]))
	if parent == nil {
		return uint64(mach.SendInterrupted)
	}
	child, kr := parent.newChild(uint32(a[1]) != 0)
	if kr == mach.KernSuccess {
		th.storeName(mach.Addr(a[2]), th.copyout(convertTaskToPort(child)))
	}
	return uint64(kr)
}

func trapTaskTerminate(th *Thread, a *[maxArgs]uint64) uint64 {
	t := th.taskNamed(mach.Name(a[0]))
	if t == nil {
		return uint64(mach.SendInterrupted)
	}
	return uint64(th.terminateTask(t))
}

func trapTaskSuspend(th *Thread, a *[maxArgs]uint64) uint64 {
	t := th.taskNamed(mach.Name(a[0]))
	if t == nil {
		return uint64(mach.SendInterrupted)
	}
	return uint64(t.suspend(th))
}

func trapTaskSetSpecialPort(th *Thread, a *[maxArgs]uint64) uint64 {
	t := th.taskNamed(mach.Name(a[0]))
	if t == nil {
		return uint64(mach.SendInterrupted)
	}
	right, kr := th.copyin(mach.Name(a[2]), mach.TypeCopySend)
	if kr != mach.KernSuccess {
		return uint64(kr)
	}
	if kr = t.setSpecial(int32(a[1]), right); kr != mach.KernSuccess {
		th.k.zone.Release(right)
	}
	return uint64(kr)
}

func trapPortInsertRight(th *Thread, a *[maxArgs]uint64) uint64 {
	t := th.taskNamed(mach.Name(a[0]))
	if t == nil {
		return uint64(mach.SendInterrupted)
	}
	disposition := mach.TypeName(a[3])
	if uint32(a[3]) > 0xff || !disposition.IsPort() {
		return uint64(mach.KernInvalidValue)
	}
	right, kr := th.copyin(mach.Name(a[2]), disposition)
	if kr != mach.KernSuccess {
		return uint64(kr)
	}
	if kr = t.space.InsertRight(mach.Name(a[1]), right); kr != mach.KernSuccess {
		th.k.zone.Release(right)
	}
	return uint64(kr)
}

func trapPortAllocateName(th *Thread, a *[maxArgs]uint64) uint64 {
	t := th.taskNamed(mach.Name(a[0]))
	if t == nil {
		return uint64(mach.SendInterrupted)
	}
	return uint64(t.space.AllocateName(mach.Right(a[1]), mach.Name(a[2])))
}

// copyin takes a right by its name in the thread's task. A null or dead name is
// a right, too.
//
//	KERN_INVALID_NAME   name denotes nothing
//	KERN_INVALID_RIGHT  name does not denote the right the disposition needs
func (th *Thread) copyin(name mach.Name, disposition mach.TypeName) (ports.Right, mach.KernReturn) {
	if !name.Valid() {
		return ports.Right{Dead: name == mach.NameDead}, mach.KernSuccess
	}
	return th.task.space.ExtractRight(name, disposition)
}

// copyout gives the thread's task a right and answers its name,
// MACH_PORT_NULL where there is no room for one.
func (th *Thread) copyout(right ports.Right) mach.Name {
	name, kr := th.task.space.Copyout(right)
	if kr != mach.KernSuccess {
		th.k.zone.Release(right)
		return mach.NameNull
	}
	return name
}

// storeName writes a name where the trap's caller wants it. A bad address goes
// unnoticed.
func (th *Thread) storeName(at mach.Addr, name mach.Name) {
	var b [4]byte
	le.PutUint32(b[:], uint32(name))
	_ = th.mem.WriteBytes(at, b[:])
}
