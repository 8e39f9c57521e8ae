package ports

import (
	"sync"
	"sync/atomic"

	"machkernel/mach"
)

// Zone is where all ports and spaces of one kernel come from, and holds the
// one lock that guards them. The zero value is not usable: see NewZone.
type Zone struct {
	mu      sync.Mutex
	hooks   Hooks
	nextID  atomic.Uint64
	ports   portList   // every live port, guarded by mu
	waiters waiterRing // every open waiter, guarded by mu
	live    int        // ports alive, guarded by mu
}

// Hooks are what this room needs of the one that knows what messages look
// like. All are called without the IPC lock.
type Hooks interface {
	// NewNotification makes the message of n, which takes over n's rights.
	NewNotification(n Notification) Message
	// KernelNotification gets a notification whose destination is a kernel
	// object, and consumes it.
	KernelNotification(m Message)
}

// Notification is a message that the kernel owes to a send-once right.
type Notification struct {
	ID    mach.MsgID
	To    Right     // the send-once right it is sent to
	Name  mach.Name // port-deleted, dead-name: the name that went or died
	Count uint32    // no-senders: the make-send count
	Port  Right     // port-destroyed: the receive right
}

// NewZone makes an empty zone. It needs its hooks before its first port dies.
func NewZone() *Zone {
	z := new(Zone)
	z.waiters.init()
	return z
}

// SetHooks tells the zone who makes its notifications. It is called once,
// before the zone is used.
func (z *Zone) SetHooks(h Hooks) { z.hooks = h }

// LivePorts is the number of ports alive.
func (z *Zone) LivePorts() int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.live
}

// job is something an operation left to be done once the lock is free: a
// message to destroy, or a notification to send.
type job struct {
	doomed Message
	note   Notification
}

// Reaper collects the jobs of one operation. Destroying one right can end in
// many destroyed messages and notifications; doing them from a list keeps the
// lock short and the stack flat whatever a client has nested in what.
//
// Order is Mach's: what an operation destroys is done in the order in which
// it came up, each message with all that is found in it; inside a message that
// is being destroyed notifications go out at once, and messages found in there
// wait until it is done with. A message that was never whole, or of which a part
// was received, goes right by right, each with all that is found in it: see
// Abandon.
//
// The messages of senders that waited at a port that dies go last of all: in Mach
// each sender destroys its own when it runs again.
type Reaper struct {
	z       *Zone
	jobs    []job
	late    []job
	byRight bool
}

func (r *Reaper) doom(m Message)        { r.jobs = append(r.jobs, job{doomed: m}) }
func (r *Reaper) doomLate(m Message)    { r.late = append(r.late, job{doomed: m}) }
func (r *Reaper) notify(n Notification) { r.jobs = append(r.jobs, job{note: n}) }

// sendOnceDestroyed owes the send-once notification for a send-once right of
// a live port that is destroyed unused.
func (r *Reaper) sendOnceDestroyed(p *Port) {
	r.notify(Notification{ID: mach.NotifySendOnce, To: Right{Port: p, Type: mach.TypePortSendOnce}})
}

// unlock ends the locked part of an operation and does its jobs. Locked: yes,
// released.
func (r *Reaper) unlock() {
	r.z.mu.Unlock()
	if len(r.jobs) == 0 && len(r.late) == 0 {
		return
	}
	big := &Reaper{z: r.z, jobs: r.jobs, late: r.late} // keeps r itself off the heap
	big.run()
}

func (r *Reaper) run() {
	r.runJobs()
	for len(r.late) > 0 {
		r.jobs, r.late = r.late, nil
		r.runJobs()
	}
}

// runJobs is run without those that are late.
func (r *Reaper) runJobs() {
	jobs := r.jobs
	r.jobs = nil
	for _, j := range jobs {
		r.do(j)
		for len(r.jobs) > 0 { // what was found in there
			j := r.jobs[0]
			r.jobs = r.jobs[1:]
			r.do(j)
		}
	}
}

func (r *Reaper) do(j job) {
	if j.doomed == nil {
		r.send(j.note)
		return
	}
	b := j.doomed.base()
	r.accepted(b)
	remote := b.Remote
	b.Remote = Right{}
	r.Discard(remote)
	j.doomed.ReleaseTo(r)
}

func (r *Reaper) send(n Notification) {
	m := r.z.hooks.NewNotification(n)
	if r.z.sendAlways(m, r) {
		r.z.hooks.KernelNotification(m)
	}
}

// Discard destroys a right that a message held. Messages call it from
// ReleaseTo, in the order of their items.
//
// Locks: none held; takes the IPC lock. Consumes right.
func (r *Reaper) Discard(right Right) {
	if right.Port == nil {
		return
	}
	if r.byRight {
		one := &Reaper{z: r.z}
		r.z.mu.Lock()
		r.z.release(one, right)
		r.z.mu.Unlock()
		one.runJobs()
		r.late = append(r.late, one.late...)
		return
	}
	r.z.mu.Lock()
	mark := len(r.jobs)
	r.z.release(r, right)
	r.z.mu.Unlock()
	if len(r.jobs) == mark {
		return
	}
	fresh := append([]job(nil), r.jobs[mark:]...)
	r.jobs = r.jobs[:mark]
	for _, j := range fresh {
		if j.doomed != nil {
			r.jobs = append(r.jobs, j)
		}
	}
	for _, j := range fresh {
		if j.doomed == nil {
			r.send(j.note)
		}
	}
}

// Destroy destroys a message that is in no queue, with all it holds, and all
// that goes with that. A nil message is nothing.
//
// Locks: none held; takes the IPC lock. Consumes m.
func (z *Zone) Destroy(m Message) {
	if m == nil {
		return
	}
	r := &Reaper{z: z, jobs: []job{{doomed: m}}}
	r.run()
}

// Abandon is Destroy for a message that the kernel has only in part: its sending
// failed half way, or its header was received without the rest. Each right in it
// ends with all that goes with that before the next one does.
//
// Locks: none held; takes the IPC lock. Consumes m.
func (z *Zone) Abandon(m Message) {
	r := &Reaper{z: z, byRight: true}
	r.do(job{doomed: m})
	r.byRight = false
	r.run()
}

// Release destroys one right held by the kernel: a send right is dropped, a
// send-once right owes its notification, a receive right dies with its port.
//
// Locks: none held; takes the IPC lock. Consumes right.
func (z *Zone) Release(right Right) {
	if right.Port == nil {
		return
	}
	r := Reaper{z: z}
	z.mu.Lock()
	z.release(&r, right)
	r.unlock()
}

// release is Release with the lock held.
func (z *Zone) release(r *Reaper, right Right) {
	p := right.Port
	switch right.Type {
	case mach.TypePortSend:
		p.dropSend(r)
	case mach.TypePortSendOnce:
		if p.alive() {
			r.sendOnceDestroyed(p)
		}
	case mach.TypePortReceive:
		if p.alive() {
			p.clearReceiver(r)
			p.destroy(r)
		}
	default:
		panic("BUG: releasing a right of type " + right.Type.String())
	}
}

// sendAlways queues m whatever the limit. It reports true when the receiver
// is a kernel object: the caller still has m then.
func (z *Zone) sendAlways(m Message, r *Reaper) (kernel bool) {
	z.mu.Lock()
	p := m.base().Remote.Port
	if p.state == stateKernel {
		z.mu.Unlock()
		return true
	}
	if !p.alive() {
		m.base().Remote = Right{}
		r.doom(m)
	} else {
		p.accept(r, m)
	}
	z.mu.Unlock()
	return false
}
