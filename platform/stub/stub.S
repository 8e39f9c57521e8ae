// The stub's two text pages that may call Linux. Whatever code lies here a
// client can jump to, with registers of its choice: what keeps it harmless is
// never this code, but the filter of the thread that runs it.

#include "layout.h"

// ---------------------------------------------------------------- control
//
// The control thread keeps its state in registers only and has no stack: every
// writable page of this process belongs to the client. Orders come from the
// read-only command page; results leave as bytes on a pipe that client threads
// cannot write, each taken from the read-only table of all bytes.
//
//	r12 order   r13 orders in the batch   r14 orders done
//	rbp result bytes, lowest first         r15 how many of them

	.section .ctl,"ax"
	.globl ctl_report, ctl_sys

ctl_report:
	movzbl %bpl,%esi
	movabs $(CMD+C_BYTES),%rax
	add %rax,%rsi
	mov $NR_WRITE,%eax
	mov $FD_RESULT,%edi
	mov $1,%edx
	syscall
	cmp $1,%rax
	jne ctl_die
	shr $8,%rbp
	dec %r15
	jnz ctl_report

	// Sleep until the kernel has written a batch. The byte read is not
	// looked at; it lands in memory that anybody may write.
	xor %eax,%eax
	mov $FD_ORDER,%edi
	movabs $(MB+H_SCRATCH),%rsi
	mov $1,%edx
	syscall
	cmp $1,%rax
	jne ctl_die

	movabs $CMD,%r12
	mov C_COUNT(%r12),%r13
	add $C_OPS,%r12
	xor %r14d,%r14d
ctl_next:
	cmp %r13,%r14
	jae ctl_done
	mov 0x00(%r12),%rax
	mov 0x08(%r12),%rdi
	mov 0x10(%r12),%rsi
	mov 0x18(%r12),%rdx
	mov 0x20(%r12),%r10
	mov 0x28(%r12),%r8
	mov 0x30(%r12),%r9
	cmp $NR_CLONE,%rax
	je ctl_clone
	syscall
	cmp $-4096,%rax
	ja ctl_failed
	inc %r14
	add $OP_SIZE,%r12
	jmp ctl_next

ctl_done:			// one byte: 0
	xor %ebp,%ebp
	mov $1,%r15d
	jmp ctl_report

ctl_failed:			// two bytes: errno, number of orders done
	neg %rax
	movzbl %al,%ebp
	mov %r14,%rax
	shl $8,%rax
	or %rax,%rbp
	mov $2,%r15d
	jmp ctl_report

ctl_clone:			// four bytes: 0, thread id in three
	syscall
	cmp $-4096,%rax
	ja ctl_failed
	test %rax,%rax
	jz client_start
	mov %rax,%rbp
	shl $8,%rbp
	mov $4,%r15d
	jmp ctl_report

// A new client thread. rsp is a signal frame that the kernel made, in the
// thread's own slot; all signals are blocked. It gives up every call and then
// waits in the client page as if it had posted an event.
client_start:
	mov $0x2b,%eax		// compatibility-mode code needs real data selectors
	mov %eax,%ds
	mov %eax,%es
	movabs $CMD,%r12
	testl $CF_DISPATCH,C_FLAGS(%r12)
	jz 1f
	mov $NR_PRCTL,%eax	// PR_SET_SYSCALL_USER_DISPATCH: catches the
	mov $59,%edi		// numbers that skip seccomp. Both text pages are
	mov $1,%esi		// exempt, for the filter call below
	movabs $TEXT_CTL,%rdx
	mov $TEXT_CALLS_SIZE,%r10d
	xor %r8d,%r8d
	syscall
1:	mov $NR_SECCOMP,%eax	// SECCOMP_SET_MODE_FILTER: strict
	mov $1,%edi
	xor %esi,%esi
	movabs $(CMD+C_STRICT),%rdx
	syscall
	test %rax,%rax
	jnz ctl_die
	mov %rsp,%rbx
	and $-SLOT_SIZE,%rbx
	movabs $client_wait,%rax
	jmp *%rax

ctl_die:
	mov $NR_EXIT_GROUP,%eax
	mov $EXIT_CONTROL,%edi
	syscall
	hlt

// long ctl_sys(nr, a, b, c): for the start code, once the filter is on.
ctl_sys:
	mov %rdi,%rax
	mov %rsi,%rdi
	mov %rdx,%rsi
	mov %rcx,%rdx
	syscall
	ret

// ---------------------------------------------------------------- client
//
// The handler of all signals. It runs with every signal blocked on the
// thread's signal stack, and finds its mailbox from the stack address: FS and
// GS are the client's. It keeps nothing on the stack. Memory accesses are
// aligned, for the client's alignment-check flag stays on in here.
//
//	rbx mailbox   r12 command area   r13 mailbox area

	.section .client,"ax"
	.globl handler, restorer

	// At TEXT_CLIENT: the kernel sends a first thread here, to see where the
	// host says that it is afterwards.
	.byte 0xf1		// int1
	hlt

handler:
	mov %rsp,%rbx
	and $-SLOT_SIZE,%rbx
	movabs $CMD,%r12
	movabs $MB,%r13
	mov %rsp,S_SP(%rbx)
	testl $CF_FSGSBASE,C_FLAGS(%r12)
	jz get_bases_slowly
	rdfsbase %rax
	mov %rax,S_FS(%rbx)
	rdgsbase %rax
	mov %rax,S_GS(%rbx)
post:
	movl $STATE_POSTED,S_STATE(%rbx)
	mov %rbx,%rax		// slot bit, then its word's bit in the summary
	sub %r13,%rax
	shr $SLOT_SHIFT,%rax
	lock bts %rax,H_MAP(%r13)
	shr $6,%rax
	lock bts %rax,H_SUM(%r13)
	mov $BELL_ARMED,%eax	// ring only a waiter that sleeps
	mov $BELL_RUNG,%ecx
	lock cmpxchg %ecx,H_BELL(%r13)
	jne client_wait
	lea H_BELL(%r13),%rdi
	mov $1,%esi		// FUTEX_WAKE
	mov $0x7fffffff,%edx
	mov $NR_FUTEX,%eax
	syscall

client_wait:
	mov S_SPIN(%rbx),%ecx
1:	cmpl $STATE_RUN,S_STATE(%rbx)
	je client_go
	dec %ecx
	js 2f
	pause
	jmp 1b
2:	mov $STATE_POSTED,%eax
	mov $STATE_ASLEEP,%ecx
	lock cmpxchg %ecx,S_STATE(%rbx)
3:	cmpl $STATE_RUN,S_STATE(%rbx)
	je client_go
	lea S_STATE(%rbx),%rdi
	xor %esi,%esi		// FUTEX_WAIT
	mov $STATE_ASLEEP,%edx
	xor %r10d,%r10d
	mov $NR_FUTEX,%eax
	syscall
	jmp 3b

client_go:
	mov S_FLAGS(%rbx),%ecx
	test $SF_EXIT,%ecx
	jnz client_exit
	test $SF_BASES,%ecx
	jz 1f
	movabs $CMD,%r12
	testl $CF_FSGSBASE,C_FLAGS(%r12)
	jz set_bases_slowly
	mov S_FS(%rbx),%rax
	wrfsbase %rax
	mov S_GS(%rbx),%rax
	wrgsbase %rax
1:	add $8,%rsp
restorer:
	mov $NR_SIGRETURN,%eax
	syscall
	hlt

client_exit:
	mov $NR_EXIT,%eax
	xor %edi,%edi
	syscall
	hlt

// Hosts without the FSGSBASE instructions: arch_prctl.
get_bases_slowly:
	mov $NR_ARCH_PRCTL,%eax
	mov $0x1003,%edi	// ARCH_GET_FS
	lea S_FS(%rbx),%rsi
	syscall
	mov $NR_ARCH_PRCTL,%eax
	mov $0x1004,%edi	// ARCH_GET_GS
	lea S_GS(%rbx),%rsi
	syscall
	jmp post
set_bases_slowly:
	mov $NR_ARCH_PRCTL,%eax
	mov $0x1002,%edi	// ARCH_SET_FS
	mov S_FS(%rbx),%rsi
	syscall
	mov $NR_ARCH_PRCTL,%eax
	mov $0x1001,%edi	// ARCH_SET_GS
	mov S_GS(%rbx),%rsi
	syscall
	add $8,%rsp
	jmp restorer

	.section .note.GNU-stack,"",@progbits
