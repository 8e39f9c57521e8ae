#include "textflag.h"

// func spinWhileZero(word *uint64, pauses int) bool
TEXT ·spinWhileZero(SB), NOSPLIT, $0-17
	MOVQ word+0(FP), AX
	MOVQ pauses+8(FP), CX
loop:
	CMPQ (AX), $0
	JNE  seen
	PAUSE
	DECQ CX
	JG   loop
	MOVB $0, ret+16(FP)
	RET
seen:
	MOVB $1, ret+16(FP)
	RET
