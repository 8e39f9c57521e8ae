/*
 * Where a client begins. The kernel leaves the stack pointer at argc, with
 * argv, a null word, the environment and another null word above it.
 */
	.text
	.globl	_start
	.type	_start, @function
_start:
	xorl	%ebp, %ebp
	movq	%rsp, %rdi
	andq	$-16, %rsp
	call	libmach_start
	ud2
	.size	_start, . - _start

/*
 * Where a spawned thread begins: its record is in rdi, its stack is aligned.
 */
	.globl	libmach_thread_entry
	.type	libmach_thread_entry, @function
libmach_thread_entry:
	xorl	%ebp, %ebp
	call	libmach_thread_main
	ud2
	.size	libmach_thread_entry, . - libmach_thread_entry

	.section .note.GNU-stack, "", @progbits
