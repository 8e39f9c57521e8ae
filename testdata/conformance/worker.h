/*
 * Threads that cases watch. They use nothing of libmach's that keeps a record
 * per thread: only traps, and messages of their own making, so that a case may
 * end them anywhere, and they run as well in a task that inherited this one's
 * memory.
 */
#ifndef WORKER_H
#define WORKER_H

#include <libmach/libmach.h>
#include <mach/notify.h>
#include <mach/thread_info.h>
#include <mach/thread_special_ports.h>
#include <mach/thread_status.h>
#include <mach/task_special_ports.h>

#include "fixture.h"

enum { WORKER_STACK = 16 * 1024 };

/* Any trap, with what it wants in registers. */
static inline long trap6(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result), "+r"(r10), "+r"(r8), "+r"(r9)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}

static inline long trap3(long number, long a, long b, long c)
{
	return trap6(number, a, b, c, 0, 0, 0);
}

/* Lets another thread run. */
static inline void yield(void)
{
	trap3(-59, 0, 0, 0);
}

static inline int run_state(mach_port_name_t thread)
{
	struct thread_basic_info info;
	mach_msg_type_number_t n = THREAD_BASIC_INFO_COUNT;

	if (thread_info(thread, THREAD_BASIC_INFO, (thread_info_t)&info, &n) != KERN_SUCCESS)
		return 0;
	return info.run_state;
}

/* Until the thread waits in the kernel; false when it ends or never waits. */
static inline boolean_t until_waiting(mach_port_name_t thread)
{
	int i;

	for (i = 0; i < 100000; i++) {
		int state = run_state(thread);

		if (state == TH_STATE_WAITING)
			return TRUE;
		if (state == 0)
			return FALSE;
		yield();
	}
	mach_printf("the thread does not wait\n");
	return FALSE;
}

static inline boolean_t until_set(volatile int *flag, int value)
{
	int i;

	for (i = 0; i < 200000; i++) {
		if (__atomic_load_n(flag, __ATOMIC_ACQUIRE) == value)
			return TRUE;
		yield();
	}
	return FALSE;
}

/* A thread that stands at the entry, with its argument and a stack; not running. */
static inline mach_port_name_t make_worker_in(mach_port_name_t task, vm_offset_t stack,
					      void (*entry)(void *), void *argument)
{
	struct i386_thread_state state;
	mach_port_name_t thread = MACH_PORT_NULL;

	must("thread_create", thread_create(task, &thread));
	memset(&state, 0, sizeof(state));
	state.rip = (vm_offset_t)entry;
	state.rdi = (vm_offset_t)argument;
	state.ursp = stack + WORKER_STACK - 8;
	must("thread_set_state",
	     thread_set_state(thread, i386_THREAD_STATE, (thread_state_t)&state,
			      i386_THREAD_STATE_COUNT));
	return keep_name(thread);
}

static inline mach_port_name_t make_worker(void (*entry)(void *), void *argument)
{
	vm_offset_t stack = keep_memory(must_allocate(self, WORKER_STACK), WORKER_STACK);

	return make_worker_in(self, stack, entry, argument);
}

/* Never returns: what a worker does when it is done. It makes no names. */
_Noreturn static inline void worker_stop(void)
{
	for (;;)
		trap3(-61, 0, 2, 1000000);
}

static inline void get_state(mach_port_name_t thread, struct i386_thread_state *state)
{
	mach_msg_type_number_t n = i386_THREAD_STATE_COUNT;

	must("thread_get_state",
	     thread_get_state(thread, i386_REGS_SEGS_STATE, (thread_state_t)state, &n));
}

static inline void set_state(mach_port_name_t thread, struct i386_thread_state *state)
{
	must("thread_set_state",
	     thread_set_state(thread, i386_REGS_SEGS_STATE, (thread_state_t)state,
			      i386_THREAD_STATE_COUNT));
}

/* Asks to be told of the name's death, and whether that comes. */
static inline mach_port_name_t watch_death(mach_port_name_t name)
{
	mach_port_name_t notify = make_receive(), previous = MACH_PORT_NULL;

	must("mach_port_request_notification",
	     mach_port_request_notification(self, name, MACH_NOTIFY_DEAD_NAME, 1, notify,
					    MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous));
	return notify;
}

static inline boolean_t died(mach_port_name_t notify)
{
	union {
		mach_msg_header_t head;
		unsigned char room[128];
	} msg;

	return mach_msg(&msg.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(msg), notify,
			5000, MACH_PORT_NULL) == MACH_MSG_SUCCESS;
}

#endif
