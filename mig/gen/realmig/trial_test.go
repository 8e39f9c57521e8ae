package realmig

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"machkernel/mach"
	"machkernel/mig/defs"
)

// trial is one case.
type trial struct {
	routine *defs.Routine
	server  bool
	what    string
	line    string   // what the drivers are told
	filler  byte     // of memory, before
	sent    *message // as it should be built
	input   []byte   // the reply or request that is judged
	items   []int    // where descriptors are in it, unless moved
}

// rounds of drawn arguments and results for a routine.
func rounds() int {
	if testing.Short() {
		return 4
	}
	return 24
}

// userTrials are those of a client's stub.
func userTrials(s *defs.Subsystem, r *defs.Routine, d dice) []trial {
	var list []trial
	good := d.reply(r, false)
	add := func(what string, filler byte, code uint32, reply []byte, wild bool) {
		tokens, request := d.arguments(r, wild)
		line := fmt.Sprintf("user %s.%s %x %x :%x %s", s.Name, r.Name, filler, code, reply, strings.Join(tokens, " "))
		list = append(list, trial{r, false, what, strings.TrimSpace(line), filler, request, reply, good.items})
	}
	if r.Kind.OneWay() {
		for range rounds() {
			add("arguments", 0, 0, nil, true)
			add("arguments", 0xff, 0, nil, true)
		}
		add("send fails", 0, uint32(mach.SendInvalidDest), nil, false)
		return list
	}
	for range rounds() {
		add("arguments", 0, 0, d.reply(r, false).b, true)
		add("arguments", 0xff, 0, d.reply(r, false).b, true)
	}
	for _, code := range []mach.MsgReturn{mach.SendInvalidDest, mach.SendTimedOut, mach.RcvTimedOut, mach.RcvTooLarge, mach.RcvInvalidName} {
		add(fmt.Sprintf("mach_msg fails: %v", code), 0, uint32(code), nil, false)
	}
	for _, code := range []uint32{0, 5, ^uint32(300 - 1), 0x10000003} {
		for _, bits := range []byte{0, complexBit >> 24} {
			m := newReply(r)
			m.code(code)
			m.finish().b[3] |= bits
			add(fmt.Sprintf("plain reply %d, %x", int32(code), bits), 0, 0, m.b, false)
			whole := d.reply(r, false)
			binary.LittleEndian.PutUint32(whole.b[headerSize+8:], code)
			whole.b[3] ^= bits
			add(fmt.Sprintf("whole reply %d, %x", int32(code), bits), 0, 0, whole.b, false)
		}
	}
	foreign := []uint32{uint32(r.ID), uint32(r.ID + 99), uint32(r.ID + 101), 71, 0, ^uint32(0)}
	for i, m := range d.mutants(good, foreign) {
		add(m.what, byte(i%2)*255, 0, m.b, false)
	}
	return list
}

// serverTrials are those of a server's stub.
func serverTrials(s *defs.Subsystem, r *defs.Routine, d dice) []trial {
	var list []trial
	good := d.request(r)
	add := func(what string, filler byte, code uint32, request []byte) {
		tokens, reply := d.results(r, code, mach.TypeName(request[0]))
		line := fmt.Sprintf("server %s %x %x :%x %s", s.Name, filler, code, request, strings.Join(tokens, " "))
		list = append(list, trial{r, true, what, strings.TrimSpace(line), filler, reply, request, good.items})
	}
	for range rounds() {
		add("results", 0, 0, d.request(r).b)
		add("results", 0xff, 0, d.request(r).b)
		add("failure", 0xff, pick(d, 5, ^uint32(305-1), 0x10000003), d.request(r).b)
	}
	foreign := []uint32{uint32(s.Base - 1), uint32(s.End), 0, ^uint32(0), uint32(s.Base) + 1<<31}
	for i, m := range d.mutants(good, foreign) {
		add(m.what, byte(i%2)*255, 0, m.b)
	}
	return list
}
