/*
 * The kernel's traps, one C function each. mach_msg_trap() is declared by
 * <mach/message.h>. Names with the prefix syscall_ are the kernel's short cuts
 * for calls that also exist as RPCs: a caller that gets MACH_SEND_INTERRUPTED
 * from one of them is meant to make the RPC instead.
 */
#ifndef LIBMACH_TRAPS_H
#define LIBMACH_TRAPS_H

#include <mach/boolean.h>
#include <mach/kern_return.h>
#include <mach/machine/vm_types.h>
#include <mach/port.h>

mach_port_name_t mach_reply_port(void);			/* -26 */
mach_port_name_t mach_thread_self(void);		/* -27 */
mach_port_name_t mach_task_self_trap(void);		/* -28 */
mach_port_name_t mach_host_self(void);			/* -29 */
void mach_print(const char *text);			/* -30 */

kern_return_t syscall_vm_allocate(mach_port_name_t task, vm_offset_t *addr,
				  vm_size_t size, boolean_t anywhere);	/* -65 */
kern_return_t syscall_vm_deallocate(mach_port_name_t task, vm_offset_t addr,
				    vm_size_t size);			/* -66 */
kern_return_t syscall_mach_port_allocate(mach_port_name_t task,
					 mach_port_right_t right,
					 mach_port_name_t *name);	/* -72 */
kern_return_t syscall_mach_port_deallocate(mach_port_name_t task,
					   mach_port_name_t name);	/* -73 */

/* Scheduling, tasks and the caller's own registers. */
kern_return_t evc_wait(unsigned int event);			/* -17 */
kern_return_t evc_wait_clear(unsigned int event);		/* -18 */
boolean_t swtch_pri(int priority);				/* -59 */
boolean_t swtch(void);						/* -60 */
kern_return_t thread_switch(mach_port_name_t thread, int option,
			    unsigned int milliseconds);		/* -61 */
kern_return_t syscall_task_create(mach_port_name_t parent, boolean_t inherit,
				  mach_port_name_t *child);	/* -68 */
kern_return_t syscall_task_terminate(mach_port_name_t task);	/* -69 */
kern_return_t syscall_task_suspend(mach_port_name_t task);	/* -70 */
kern_return_t syscall_task_set_special_port(mach_port_name_t task, int which,
					    mach_port_name_t port);	/* -71 */
kern_return_t syscall_thread_depress_abort(mach_port_name_t thread);	/* -76 */
kern_return_t thread_set_self_state(int flavor, const void *state,
				    unsigned int count);	/* -77 */

#endif
