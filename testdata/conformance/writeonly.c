/*
 * writeonly: memory that may be written but not read, and what a processor
 * makes of it: machine code of a child, and the kernel's own writes for a user.
 */
#include "suite.h"

#include "child.h"

/* numbers[0] tells how far the child came. */
static void child_writes(struct child *c)
{
	*(volatile unsigned char *)c->at = 7;
	c->shared->numbers[0] = 1;
	step_done(0);
	step_comes(1);
	*(volatile unsigned char *)c->at = 8;
	c->shared->numbers[0] = 2;
	*(volatile unsigned char *)(c->at + PAGE) = 9;
	c->shared->numbers[0] = 3;
}

static void child_reads(struct child *c)
{
	c->shared->numbers[1] = *(volatile unsigned char *)c->at;
	c->shared->numbers[0] = 1;
	step_done(0);
	step_comes(1);
	c->shared->numbers[1] = *(volatile unsigned char *)c->at;
	c->shared->numbers[0] = 2;
	c->shared->numbers[1] = *(volatile unsigned char *)(c->at + PAGE);
	c->shared->numbers[0] = 3;
}

/* Whether the child comes to a step before it dies. */
static boolean_t comes_to(int step)
{
	mach_port_type_t type = 0;

	while (!child.shared->steps[step])
		if (mach_port_type(self, child.task, &type) != KERN_SUCCESS ||
		    type & MACH_PORT_TYPE_DEAD_NAME)
			return FALSE;
		else
			nap(1);
	return TRUE;
}

static void come_so_far(void (*body)(struct child *), vm_prot_t first, vm_prot_t then)
{
	vm_offset_t at = child.at = island(2);

	if (first != RW)
		must("vm_protect", vm_protect(self, at, 2 * PAGE, FALSE, first));
	child_make();
	child_start(body);
	if (comes_to(0)) {
		must("vm_protect", vm_protect(child.task, at, 2 * PAGE, FALSE, then));
		step_done(1);
	}
	fact("the child lives", comes_to(7));
	mach_printf("it came to %ld\n", child.shared->numbers[0]);
}

static void writes(long first, long then, long unused)
{
	(void)unused;
	come_so_far(child_writes, (vm_prot_t)first, (vm_prot_t)then);
}
EACH("page_fault/write-where-only-writing", writes, VM_PROT_WRITE, VM_PROT_WRITE, 0)
EACH("page_fault/write-where-not-reading", writes, VM_PROT_WRITE | VM_PROT_EXECUTE, RW, 0)
EACH("page_fault/write-when-only-writing", writes, RW, VM_PROT_WRITE, 0)
EACH("page_fault/write-when-not-reading", writes, RW, VM_PROT_WRITE | VM_PROT_EXECUTE, 0)
EACH("page_fault/write-when-all", writes, RW, VM_PROT_ALL, 0)

static void reads(long first, long then, long unused)
{
	(void)unused;
	come_so_far(child_reads, (vm_prot_t)first, (vm_prot_t)then);
}
EACH("page_fault/read-where-only-executing", reads, VM_PROT_EXECUTE, RW, 0)
EACH("page_fault/read-when-only-executing", reads, RW, VM_PROT_EXECUTE, 0)
EACH("page_fault/read-when-only-writing", reads, RW, VM_PROT_WRITE, 0)
EACH("page_fault/read-when-only-reading", reads, RW, VM_PROT_READ, 0)

/* What the kernel writes for a user, it writes as the user would. */
static void kernel_writes(long protection, long touched, long unused)
{
	vm_offset_t at = island(1);
	mach_port_name_t port = make_port();
	struct message msg = message_to(port);
	vm_offset_t *out = (vm_offset_t *)at;

	(void)unused;
	if (touched)
		*out = 1;
	must("send", send_sized(&msg, HEADER));
	must("vm_protect", vm_protect(self, at, PAGE, FALSE, (vm_prot_t)protection));
	code("receive", mach_msg_trap((mach_msg_header_t *)at, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
				      sizeof(msg), port, 0, MACH_PORT_NULL));
	count("messages left", drain(port));
	code("send", mach_msg_trap((mach_msg_header_t *)at, MACH_SEND_MSG | MACH_SEND_TIMEOUT,
				   HEADER, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL));
	code("vm_allocate", syscall_vm_allocate(self, out, PAGE, TRUE));
	code("mach_port_allocate",
	     syscall_mach_port_allocate(self, MACH_PORT_RIGHT_DEAD_NAME, (mach_port_name_t *)at));
	must("vm_protect", vm_protect(self, at, PAGE, FALSE, RW));
	fact("something was written", *out > 1);
}
EACH("page_fault/kernel-writes-where-only-writing", kernel_writes, VM_PROT_WRITE, 1, 0)
EACH("page_fault/kernel-writes-where-only-writing-untouched", kernel_writes, VM_PROT_WRITE, 0, 0)
EACH("page_fault/kernel-writes-where-not-reading", kernel_writes,
     VM_PROT_WRITE | VM_PROT_EXECUTE, 1, 0)
EACH("page_fault/kernel-writes-where-only-reading", kernel_writes, VM_PROT_READ, 1, 0)
EACH("page_fault/kernel-writes-where-only-executing", kernel_writes, VM_PROT_EXECUTE, 1, 0)
