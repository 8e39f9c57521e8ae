package realmach

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// kvmDevice is where Linux offers the processor's virtualization.
const kvmDevice = "/dev/kvm"

// probeTime bounds the probe of KVM. Where that works, a boot takes less than a
// second.
const probeTime = 10 * time.Second

// accel chooses the accelerator that choice asks for; m is the machine it is
// for.
func (k *Kernel) accel(ctx context.Context, m *machine, choice string) (string, error) {
	switch choice {
	case "", AccelTCG:
		return AccelTCG, nil
	case AccelKVM:
		if !openable(kvmDevice) {
			return "", fmt.Errorf("cannot open %s: use another accelerator than %s", kvmDevice, AccelKVM)
		}
		return AccelKVM, nil
	case AccelAuto:
		return k.probed(ctx, m, kvmDevice), ctx.Err()
	}
	return "", fmt.Errorf("accelerator %q: must be %s, %s or %s", choice, AccelTCG, AccelKVM, AccelAuto)
}

// probed tries KVM once in a Kernel's life and says what to use. It is not
// enough that the device is there: KVM inside another virtual machine may fail
// as soon as the kernel runs.
func (k *Kernel) probed(ctx context.Context, m *machine, device string) string {
	k.probe.Lock()
	defer k.probe.Unlock()
	if k.kvm == nil {
		works := openable(device) && boots(ctx, m)
		if ctx.Err() != nil {
			return AccelTCG // the probe has found nothing
		}
		k.kvm = &works
	}
	if *k.kvm {
		return AccelKVM
	}
	return AccelTCG
}

func openable(device string) bool {
	f, err := os.OpenFile(device, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	f.Close()
	return true
}

// boots runs the kernel under KVM without a client. It has then come through
// its whole start when it says that it has nothing to run, and panics.
func boots(ctx context.Context, m *machine) bool {
	probe := *m
	probe.accel, probe.module = AccelKVM, ""
	r, err := probe.run(ctx, "", probeTime, nil)
	return err == nil && r.Panicked && strings.Contains(r.Panic, "No bootstrap code")
}
