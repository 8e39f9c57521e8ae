package platform

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// goLayout is every constant that Go shares with stub/layout.h.
var goLayout = map[string]uint64{
	"HOLE_START": uint64(HoleStart), "HOLE_END": uint64(HoleEnd), "USER_END": uint64(UserEnd),
	"TEXT_CTL": textCtl, "TEXT_CLIENT": textClient, "TEXT_START": textStart, "TEXT_CALLS_SIZE": textCallsSize,
	"CMD": cmdAddr, "CMD_SIZE": cmdSize, "C_COUNT": cCount, "C_OPS": cOps, "OP_SIZE": opSize, "OPS_MAX": opsMax,
	"C_BYTES": cBytes, "C_FLAGS": cFlags, "C_LOOSE": cLoose, "C_STRICT": cStrict,
	"C_LOOSE_CODE": cLooseCode, "C_STRICT_CODE": cStrictCode,
	"CF_FSGSBASE": flagFSGSBase, "CF_DISPATCH": flagDispatch, "CF_KEEP": flagKeep,
	"MB": mbAddr, "SLOT_SHIFT": slotShift, "SLOT_SIZE": slotSize, "SLOTS": slotCount,
	"H_BELL": hBell, "H_SUM": hSum, "H_SCRATCH": hScratch, "H_MAP": hMap,
	"BELL_GONE": bellGone, "BELL_ARMED": bellArmed, "BELL_RUNG": bellRung,
	"S_STATE": sState, "S_FLAGS": sFlags, "S_SP": sSP, "S_FS": sFS, "S_GS": sGS, "S_SPIN": sSpin, "S_STACK": sStack,
	"STATE_RUN": stateRun, "STATE_POSTED": statePosted, "STATE_ASLEEP": stateAsleep,
	"SF_BASES": setBases, "SF_EXIT": exitThread,
	"FD_FRAMES": fdFrames, "FD_MAILBOX": fdMailbox, "FD_COMMANDS": fdCommands,
	"FD_RESULT": fdResult, "FD_ORDER": fdOrder,
	"START_CLEAN": startClean, "START_KEPT": startKept,
	"EXIT_NNP": exitNNP, "EXIT_SIGNALS": exitSignals, "EXIT_MAP": exitMap,
	"EXIT_FILTER": exitFilter, "EXIT_CONTROL": exitControl,
	"CLONE_FLAGS": cloneFlags,
}

// headerLayout reads the numbers of stub/layout.h; system call numbers, which
// only the stub has, are left out.
func headerLayout(t *testing.T) map[string]uint64 {
	f, err := os.Open("stub/layout.h")
	require.NoError(t, err)
	defer f.Close()
	found := map[string]uint64{}
	s := bufio.NewScanner(f)
	for s.Scan() {
		words := strings.Fields(s.Text())
		if len(words) == 0 || words[0] != "#define" || strings.HasPrefix(words[1], "NR_") {
			continue
		}
		require.Len(t, words, 3, s.Text())
		found[words[1]], err = strconv.ParseUint(words[2], 0, 64)
		require.NoError(t, err, s.Text())
	}
	return found
}

func TestLayoutIsTheSameInCAndGo(t *testing.T) {
	require.Equal(t, headerLayout(t), goLayout)
}

func TestLayoutFits(t *testing.T) {
	require.Less(t, cOps+opSize*opsMax-1, cBytes, "orders overlap the constants")
	require.LessOrEqual(t, cBytes+256, cFlags)
	require.Less(t, hMap+slotCount/8, slotSize)
	require.EqualValues(t, slotSize, 1<<slotShift)
	require.LessOrEqual(t, uint64(mbAddr+slotSize*slotCount), uint64(HoleEnd))
	require.Less(t, uint64(HoleStart)+1<<32, uint64(textCtl), "the guard of 4 GiB")
	require.LessOrEqual(t, slotCount/64, 64, "the summary is one word")
}

// Committed binaries are what their source gives, with the tools that are
// recorded beside them.
func TestBinariesAreReproducible(t *testing.T) {
	for _, c := range []struct{ dir, name string }{{"stub", "stub"}, {"testdata", "guest"}} {
		t.Run(c.name, func(t *testing.T) {
			recorded, err := os.ReadFile(filepath.Join(c.dir, c.name+".tools"))
			require.NoError(t, err)
			if tools := buildTools(); tools != string(recorded) {
				t.Skipf("built with %q, here are %q: their bytes may differ", recorded, tools)
			}
			out := filepath.Join(t.TempDir(), "out")
			msg, err := exec.Command("sh", filepath.Join(c.dir, "build.sh"), out).CombinedOutput()
			require.NoError(t, err, "%s", msg)
			built, err := os.ReadFile(out)
			require.NoError(t, err)
			committed, err := os.ReadFile(filepath.Join(c.dir, c.name+".elf"))
			require.NoError(t, err)
			require.True(t, string(built) == string(committed), "%s/%s.elf is not what its source gives", c.dir, c.name)
		})
	}
}

// buildTools are the versions of compiler and linker, in the form that the
// build scripts record; empty without them.
func buildTools() string {
	if runtime.GOARCH != "amd64" {
		return ""
	}
	var lines string
	for _, tool := range []string{"gcc", "ld"} {
		out, err := exec.Command(tool, "--version").Output()
		if err != nil {
			return ""
		}
		line, _, _ := strings.Cut(string(out), "\n")
		lines += line + "\n"
	}
	return lines
}
