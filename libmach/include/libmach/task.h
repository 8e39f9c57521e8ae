/* The task a client runs in: its ports, its beginning and its end. */
#ifndef LIBMACH_TASK_H
#define LIBMACH_TASK_H

#include <mach/machine/vm_types.h>
#include <mach/port.h>

/* Mach asks the kernel for it elsewhere; on x86-64 there is one answer. */
#define vm_page_size ((vm_size_t)4096)

/*
 * This task's port. The trap adds a user reference each time it is called, so
 * the name is asked for once and kept.
 */
mach_port_name_t mach_task_self(void);

/*
 * The privileged ports the kernel hands to a client that was started with
 * "${host-port} ${device-port}"; null when it was not.
 */
extern mach_port_name_t host_priv_port;
extern mach_port_name_t device_master_port;

/*
 * Ends the run: with the privileged host port by asking the machine to stop,
 * which is the only way to leave a real kernel, and otherwise by terminating
 * this task.
 */
_Noreturn void mach_exit(void);

/*
 * The client. argv[0] is the program's name; the two words that named the
 * privileged ports have been taken out. Returning is mach_exit().
 */
int main(int argc, char **argv);

#endif
