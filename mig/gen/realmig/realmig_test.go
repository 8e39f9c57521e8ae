package realmig

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os/exec"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"machkernel/mach"
	"machkernel/mig/defs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// trial is one case: what the drivers are told, and which bytes of the message
// that they build are defined.
type trial struct {
	routine *defs.Routine
	server  bool
	what    string
	line    string
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
		list = append(list, trial{r, false, what, strings.TrimSpace(line), request, reply, good.items})
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
		list = append(list, trial{r, true, what, strings.TrimSpace(line), reply, request, good.items})
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

// play has a driver work through trials and returns its line for each.
func play(t *testing.T, driver string, trials []trial) []string {
	t.Helper()
	var in, out strings.Builder
	for _, c := range trials {
		in.WriteString(c.line + "\n")
	}
	c := exec.CommandContext(t.Context(), driver)
	c.Stdin, c.Stdout = strings.NewReader(in.String()), &out
	var errs strings.Builder
	c.Stderr = &errs
	err := c.Run()
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if err != nil || len(lines) != len(trials) {
		t.Fatalf("%s: %v, %d lines for %d cases, the next is %.300s\n%s", driver, err, len(lines), len(trials), trials[min(len(lines), len(trials)-1)].line, errs.String())
	}
	return lines
}

// masked is a line with what is undefined in the message that it shows taken
// out.
func (c *trial) masked(line string) string {
	fields := strings.Fields(line)
	for i, f := range fields {
		isMessage := i > 0 && strings.HasPrefix(fields[i-1], "notify=") || i > 0 && strings.HasPrefix(fields[i-1], "known=")
		if !isMessage {
			continue
		}
		b, err := hex.DecodeString(f[1:])
		if err != nil {
			continue
		}
		defined := c.sent.defined
		if len(b) == plainSize && len(b) != len(defined) {
			defined = plainMask()
		}
		if len(b) != len(defined) {
			fields[i] = fmt.Sprintf("%s(%d bytes, not %d)", f, len(b), len(defined))
			continue
		}
		for j := range b {
			if !defined[j] {
				b[j] = 0
			}
		}
		fields[i] = fmt.Sprintf(":%x", b)
	}
	return strings.Join(fields, " ")
}

func plainMask() []bool {
	m := newMessage(0, 0, 0)
	m.code(0)
	return m.defined
}

func TestStubs(t *testing.T) {
	tc := findToolchain(t)
	subjects, types := tc.interfaces(t)
	every, err := tc.parse(t.Context(), "testdata/every.defs")
	require.NoError(t, err)
	subjects = append(subjects, every)
	d := build(t, tc, subjects)
	routines, cases := 0, 0
	intended := map[string]int{}
	for _, s := range subjects {
		routines += len(s.Routines)
		t.Run(s.Name, func(t *testing.T) {
			var trials []trial
			for _, r := range s.Routines {
				trials = append(trials, userTrials(s.Subsystem, r, newDice(uint64(r.ID)))...)
				trials = append(trials, serverTrials(s.Subsystem, r, newDice(uint64(r.ID)))...)
			}
			cases += len(trials)
			compare(t, trials, play(t, d.c, trials), play(t, d.goo, trials), intended)
		})
	}
	t.Logf("%d .defs (%d of types alone), %d routines, %d cases compared", len(subjects)+len(types), len(types), routines, cases)
	for _, reason := range sorted(intended) {
		t.Logf("%d differ as intended: %s", intended[reason], reason)
	}
}

func sorted(m map[string]int) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// compare reports every difference that is not intended.
func compare(t *testing.T, trials []trial, c, goo []string, intended map[string]int) {
	t.Helper()
	bad, shown := 0, map[string]int{}
	for i := range trials {
		x := &trials[i]
		a, b := x.masked(c[i]), x.masked(goo[i])
		if a == b {
			continue
		}
		if reason := x.intended(a, b); reason != "" {
			intended[reason]++
			continue
		}
		bad++
		key := fmt.Sprint(x.routine.Name, x.server)
		if shown[key]++; shown[key] <= 2 {
			t.Errorf("%s, %s:\n%.600s\nC:  %.900s\nGo: %.900s", x.routine.Name, x.what, x.line, a, b)
		}
	}
	require.Zero(t, bad, "differences in the %d cases", len(trials))
}
