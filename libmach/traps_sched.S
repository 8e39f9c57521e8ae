/*
 * Traps that only some clients use, in a file of their own: a client that does
 * not call them does not have them. How a trap is made: traps.S.
 */
#define TRAP(name, number)		\
	.text;				\
	.globl	name;			\
	.type	name, @function;	\
name:					\
	movq	$-number, %rax;		\
	movq	%rcx, %r10;		\
	syscall;			\
	ret;				\
	.size	name, . - name

	TRAP(evc_wait, 17)
	TRAP(evc_wait_clear, 18)
	TRAP(swtch_pri, 59)
	TRAP(swtch, 60)
	TRAP(thread_switch, 61)
	TRAP(syscall_task_create, 68)
	TRAP(syscall_task_terminate, 69)
	TRAP(syscall_task_suspend, 70)
	TRAP(syscall_task_set_special_port, 71)
	TRAP(syscall_thread_depress_abort, 76)
	TRAP(thread_set_self_state, 77)

	.section .note.GNU-stack, "", @progbits
