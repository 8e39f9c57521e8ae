// Pieces of client code for the tests. Each global label is one piece; a test
// starts a thread there with the registers it wants. Trap numbers: -25 is a
// trap like any other, -100 reports rdi (and rsi), -101 says that all is done.

	.text
	.macro trap n
	mov $\n,%rax
	syscall
	.endm
	.macro piece name
	.globl \name
	.balign 16
\name:
	.endm

// Pieces that trap.
piece trap_once			// number in rax
	syscall
	ud2
piece trap_loop
1:	trap -25
	jmp 1b
piece trap_count		// traps rbx times, then is done
1:	trap -25
	dec %rbx
	jnz 1b
	trap -101
	ud2
piece sweep			// numbers from rbx upward
1:	mov %rbx,%rax
	syscall
	inc %rbx
	jmp 1b
piece red_zone
	movq $0x5a5a,-8(%rsp)
	movq $0x6b6b,-128(%rsp)
	trap -25
	mov (%r8),%rax		// and a page fault
	mov -8(%rsp),%rdi
	mov -128(%rsp),%rsi
	trap -100
	ud2
piece vectors			// xmm5 = rdi, xmm15 = rsi, over a trap and a fault
	movq %rdi,%xmm5
	movq %rsi,%xmm15
	movddup %xmm15,%xmm15
	trap -25
	mov (%r8),%rax
	movq %xmm5,%rdi
	movhlps %xmm15,%xmm0
	movq %xmm0,%rsi
	trap -100
	ud2
piece set_bases
	wrfsbase %rdi
	wrgsbase %rsi
	trap -25
piece get_bases
	rdfsbase %rdi
	rdgsbase %rsi
	trap -100
	ud2

// Pieces that touch memory.
piece load			// (rdi), then report
	mov (%rdi),%rax
	mov %rax,%rdi
	trap -100
	ud2
piece store			// rax into (rdi), then report
	mov %rax,(%rdi)
	trap -100
	ud2
piece jump
	jmp *%rdi
piece touch			// writes one byte in each of rsi pages from rdi on, for ever anew
1:	mov %rdi,%rbx
	mov %rsi,%rcx
2:	movb $1,(%rbx)
	add $0x1000,%rbx
	dec %rcx
	jnz 2b
	mov %rsi,%r12
	trap -101
	mov %r12,%rsi
	jmp 1b
piece spin
1:	inc %rax
	jmp 1b
piece write_loop
1:	incq (%rdi)
	jmp 1b

// Pieces that raise exceptions.
piece divide
	xor %edx,%edx
	xor %ecx,%ecx
	mov $1,%eax
	div %ecx
piece breakpoint
	int3
piece overflow
	int $4
piece undefined
	ud2
piece halt
	hlt
piece disable
	cli
piece int80
	int $0x80
piece int82
	int $0x82
piece nops
	nop
	nop
	nop
	ud2
piece push_rax
	push %rax
piece x87
	fninit
	movw $0x0340,-8(%rsp)
	fldcw -8(%rsp)
	fldz
	fld1
	fdivp
	fwait
	ud2
piece simd
	movl $0x1d80,-8(%rsp)	// divide by zero unmasked
	ldmxcsr -8(%rsp)
	xorps %xmm0,%xmm0
	mov $1,%eax
	cvtsi2ss %eax,%xmm1
	divss %xmm0,%xmm1
	ud2
piece enter_kernel_32
	sysenter
	ud2

piece int1
	.byte 0xf1
	ud2
piece int1_long			// with prefixes
	.byte 0x66,0x48,0xf1
	ud2
piece int1_row			// by a jump behind one, two in a row, an int3, one more
	jmp 1f
	.byte 0xf1
1:	.byte 0xf1,0xf1
	int3
	.byte 0xf1
	ud2
piece int3_long			// two bytes, and not int3
	.byte 0xcd,3
piece int5
	int $5
piece far_call			// to the selector and offset at (rdi)
	lcall *(%rdi)
piece load_data_segment		// from ax
	mov %eax,%ds
piece load_stack_segment	// from ax
	mov %eax,%ss
piece return_far		// to the selector rax
	push %rax
	push $0
	lretq
piece set_flags			// from rax
	push %rax
	popfq
	nop
	nop
	ud2
piece lock_out			// protection keys: eax are the rights, then (rdi)
	xor %ecx,%ecx
	xor %edx,%edx
	wrpkru
	mov (%rdi),%rax
	trap -100
	ud2
piece stay
1:	jmp 1b

// Pieces about extended state.
piece save_extended		// all components to (rdi), then report
	mov $-1,%eax
	mov $-1,%edx
	xsave64 (%rdi)
	trap -100
	ud2
piece load_extended		// the components rsi from (rdi), then report
	mov %esi,%eax
	xor %edx,%edx
	xrstor64 (%rdi)
	trap -100
	ud2
piece wait_float
	fwait
	ud2
piece add_vectors
	addss %xmm0,%xmm0
	ud2
piece save_fx
	fxsave64 (%rdi)
	trap -100
	ud2

// Pieces that attack the stub.
piece fill			// [rdi, rsi) with rdx, then traps for ever
1:	mov %rdx,(%rdi)
	add $8,%rdi
	cmp %rsi,%rdi
	jb 1b
	jmp trap_loop
piece scribble			// writes all over [rdi, rdi + rsi) for ever, from seed rbx
1:	imul $1664525,%rbx,%rbx
	add $1013904223,%rbx
	mov %rbx,%rax
	shr $8,%rax
	xor %edx,%edx
	div %rsi
	and $-8,%rdx
	mov %rbx,(%rdi,%rdx)
	jmp 1b
piece flood			// forges events: state rdi, summary rsi, bitmap rdx, bell rcx
1:	movl $1,(%rdi)
	movq $-1,(%rdx)
	movq $-1,(%rsi)
	movl %eax,(%rcx)
	inc %eax
	jmp 1b
