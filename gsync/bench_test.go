package gsync

import "testing"

// What the calls cost that find nothing to do: the common case of a lock.

func BenchmarkWakeNobody(b *testing.B) {
	for name, flags := range map[string]Flags{"private": 0, "shared": Shared, "mutate": Mutate} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b)
			w.set(w.m, base, 1)
			b.ReportAllocs()
			for b.Loop() {
				w.Wake(w.m, base, 1, flags)
			}
		})
	}
}

func BenchmarkWaitForAnotherValue(b *testing.B) {
	w := newWorld(b)
	wt := w.waiter()
	b.ReportAllocs()
	for b.Loop() {
		w.Wait(wt, w.m, base, 7, 0, 0, 0)
	}
}
