package ports

import (
	"fmt"
	"runtime"
	"testing"
	"unsafe"

	"machkernel/mach"
)

// A round trip between two threads, beside the same over two channels.
func BenchmarkRoundTrip(b *testing.B) {
	b.Run("channel", func(b *testing.B) {
		ping, pong := make(chan int), make(chan int)
		go func() {
			for v := range ping {
				pong <- v
			}
		}()
		for b.Loop() {
			ping <- 1
			<-pong
		}
		close(ping)
	})
	b.Run("ports", func(b *testing.B) {
		z := NewZone()
		s := z.NewSpace()
		ping, _ := s.Allocate(mach.RightReceive)
		pong, _ := s.Allocate(mach.RightReceive)
		send := func(n mach.Name, m *note, w *Waiter) {
			m.Remote, _ = s.ExtractRight(n, mach.TypeMakeSendOnce)
			z.Send(m, w, Limit{}, false)
		}
		recv := func(n mach.Name, w *Waiter) *note {
			m, _, mr := s.Receive(n, w, 100, Limit{})
			if mr != mach.MsgSuccess {
				return nil
			}
			s.CopyoutDest(m.base().Remote)
			return m.(*note)
		}
		done := make(chan bool)
		go func() {
			w := NewWaiter(z, nil)
			for m := recv(ping, w); m != nil; m = recv(ping, w) {
				send(pong, m, w)
			}
			done <- true
		}()
		w := NewWaiter(z, nil)
		m := new(note)
		for b.Loop() {
			send(ping, m, w)
			m = recv(pong, w)
		}
		s.Destroy()
		<-done
	})
}

// Names cost the same in small and large spaces.
func BenchmarkNames(b *testing.B) {
	for _, size := range []int{10, 10_000, 1_000_000} {
		z := NewZone()
		s := z.NewSpace()
		other := z.NewSpace()
		n, _ := other.Allocate(mach.RightReceive)
		for range size {
			_, _ = s.Allocate(mach.RightDeadName)
		}
		b.Run(fmt.Sprintf("lookup/%d", size), func(b *testing.B) {
			i := 0
			for b.Loop() {
				if _, kr := s.Type(mach.Name(i*7919%size + 1)); kr != mach.KernSuccess {
					b.Fatal(kr)
				}
				i++
			}
		})
		b.Run(fmt.Sprintf("allocate+destroy/%d", size), func(b *testing.B) {
			for b.Loop() {
				n, _ := s.Allocate(mach.RightReceive)
				s.DestroyName(n)
			}
		})
		b.Run(fmt.Sprintf("send right in+out/%d", size), func(b *testing.B) {
			for b.Loop() {
				r, _ := other.ExtractRight(n, mach.TypeMakeSend)
				got, _ := s.Copyout(r)
				s.Deallocate(got)
			}
		})
	}
}

// What an idle port and a name cost.
func BenchmarkMemory(b *testing.B) {
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const n = 1 << 20
	for b.Loop() {
		z := NewZone()
		s, other := z.NewSpace(), z.NewSpace()
		before := heap()
		for range n {
			_, _ = s.Allocate(mach.RightReceive)
		}
		withPorts := heap()
		for i := range n {
			r, _ := s.ExtractRight(mach.Name(i+1), mach.TypeMakeSend)
			_, _ = other.Copyout(r)
		}
		withNames := heap()
		b.ReportMetric(float64(withPorts-before)/n, "B/port+name")
		b.ReportMetric(float64(withNames-withPorts)/n, "B/send-name")
		b.ReportMetric(float64(unsafe.Sizeof(Port{})), "B/Port")
		runtime.KeepAlive(s)
		runtime.KeepAlive(other)
	}
}
