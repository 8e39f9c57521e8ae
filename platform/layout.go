package platform

import (
	"machkernel/mach"
)

// Where the stub lies in a task's range, [HoleStart, HoleEnd), and where the
// host's user space ends. Memory that a task has there can be used by messages
// and vm calls, but not by machine code. The task's own range ends one page
// above UserEnd.
const (
	HoleStart mach.Addr = 0x6ffe00000000
	HoleEnd   mach.Addr = 0x700000000000
	UserEnd   mach.Addr = 0x7ffffffff000
)

// The stub's layout: the constants of stub/layout.h, which a test compares.
// Offsets beginning with c are in the command area, h in the header slot, s in
// a thread's slot.
const (
	textCtl       = 0x6fff00001000
	textClient    = 0x6fff00002000
	textStart     = 0x6fff00003000
	textCallsSize = 0x2000

	cmdAddr     = 0x6fff08000000
	cmdSize     = 0x4000
	cCount      = 0x0
	cOps        = 0x40
	opSize      = 0x40
	opsMax      = 62
	cBytes      = 0x1000
	cFlags      = 0x1100
	cLoose      = 0x1110
	cStrict     = 0x1120
	cLooseCode  = 0x2000
	cStrictCode = 0x3000

	flagFSGSBase = 1
	flagDispatch = 2
	flagKeep     = 4

	mbAddr    = 0x6fff10000000
	slotShift = 16
	slotSize  = 0x10000
	slotCount = 1024

	hBell    = 0x0
	hSum     = 0x8
	hScratch = 0x10
	hMap     = 0x40

	bellGone  = 0
	bellArmed = 1
	bellRung  = 2

	sState = 0x0
	sFlags = 0x4
	sSP    = 0x8
	sFS    = 0x10
	sGS    = 0x18
	sSpin  = 0x20
	sStack = 0x1000

	stateRun    = 0
	statePosted = 1
	stateAsleep = 2

	setBases   = 1
	exitThread = 2

	startClean = 0
	startKept  = 1

	exitNNP     = 10
	exitSignals = 11
	exitMap     = 12
	exitFilter  = 13
	exitControl = 14

	fdFrames   = 3
	fdMailbox  = 4
	fdCommands = 5
	fdResult   = 6
	fdOrder    = 7

	cloneFlags = 0x250f00
)
