/*
 * The traps. The number goes, negated, into rax; syscall destroys rcx, so the
 * fourth argument travels in r10; a seventh lies where the C caller put it,
 * just above the return address, which is where the kernel looks for it.
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

	TRAP(mach_msg_trap, 25)
	TRAP(mach_reply_port, 26)
	TRAP(mach_thread_self, 27)
	TRAP(mach_task_self_trap, 28)
	TRAP(mach_host_self, 29)
	TRAP(mach_print, 30)
	TRAP(syscall_vm_allocate, 65)
	TRAP(syscall_vm_deallocate, 66)
	TRAP(syscall_mach_port_allocate, 72)
	TRAP(syscall_mach_port_deallocate, 73)

	.section .note.GNU-stack, "", @progbits
