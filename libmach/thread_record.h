/*
 * What libmach knows of one thread. A thread finds its record by the address
 * of its stack, so neither segment base needs the kernel's help; the first
 * thread, whose stack the kernel made, is the one that matches no other.
 */
#ifndef LIBMACH_THREAD_RECORD_H
#define LIBMACH_THREAD_RECORD_H

#include <mach/machine/vm_types.h>
#include <mach/port.h>

struct thread_record {
	vm_offset_t stack;		/* lowest address; zero: not in use */
	mach_port_name_t reply_port;
	mach_port_name_t thread;
	void (*entry)(void *);
	void *argument;
};

struct thread_record *libmach_thread_record(void);

#endif
