/* Threads of the calling task. */
#ifndef LIBMACH_THREAD_H
#define LIBMACH_THREAD_H

#include <mach/kern_return.h>
#include <mach/port.h>

enum {
	MACH_THREADS_MAX = 64,		/* spawned in a task's life */
	MACH_THREAD_STACK_SIZE = 64 * 1024,
};

/*
 * Starts a thread at entry(argument); returning from it ends the thread. Only
 * one thread may spawn at a time. KERN_RESOURCE_SHORTAGE when
 * MACH_THREADS_MAX have been spawned, else what the kernel answers.
 */
kern_return_t mach_thread_spawn(void (*entry)(void *), void *argument,
				mach_port_name_t *thread);

/* Ends the calling thread. */
_Noreturn void mach_thread_exit(void);

#endif
