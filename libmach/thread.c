#include <libmach/libmach.h>

#include "thread_record.h"

/* records[0] is the first thread's; the others are used once, in order. */
static struct thread_record records[1 + MACH_THREADS_MAX];
static unsigned int spawned;

struct thread_record *libmach_thread_record(void)
{
	vm_offset_t here = (vm_offset_t)__builtin_frame_address(0);
	unsigned int i;

	for (i = 1; i <= __atomic_load_n(&spawned, __ATOMIC_ACQUIRE); i++)
		if (here - records[i].stack < MACH_THREAD_STACK_SIZE)
			return &records[i];
	return &records[0];
}

void libmach_thread_entry(void);
_Noreturn void libmach_thread_main(struct thread_record *self);

_Noreturn void libmach_thread_main(struct thread_record *self)
{
	self->entry(self->argument);
	mach_thread_exit();
}

_Noreturn void mach_thread_exit(void)
{
	for (;;)
		thread_terminate(mach_thread_self());
}

kern_return_t mach_thread_spawn(void (*entry)(void *), void *argument,
				mach_port_name_t *thread)
{
	struct i386_thread_state state;
	struct thread_record *new;
	vm_offset_t stack = 0;
	kern_return_t kr;

	if (spawned == MACH_THREADS_MAX)
		return KERN_RESOURCE_SHORTAGE;
	kr = vm_allocate(mach_task_self(), &stack, MACH_THREAD_STACK_SIZE, TRUE);
	if (kr != KERN_SUCCESS)
		return kr;
	kr = thread_create(mach_task_self(), thread);
	if (kr != KERN_SUCCESS)
		goto no_thread;

	new = &records[1 + spawned];
	*new = (struct thread_record){
		.stack = stack,
		.thread = *thread,
		.entry = entry,
		.argument = argument,
	};

	/*
	 * The flavor that leaves the selectors as thread_create made them.
	 * The stack pointer that counts is ursp; rsp is a relic.
	 */
	memset(&state, 0, sizeof(state));
	state.rip = (vm_offset_t)libmach_thread_entry;
	state.rdi = (vm_offset_t)new;
	state.ursp = stack + MACH_THREAD_STACK_SIZE;
	kr = thread_set_state(*thread, i386_THREAD_STATE, (thread_state_t)&state,
			      i386_THREAD_STATE_COUNT);
	if (kr != KERN_SUCCESS)
		goto no_start;

	/* The thread looks for its record as soon as it runs. */
	__atomic_store_n(&spawned, spawned + 1, __ATOMIC_RELEASE);
	kr = thread_resume(*thread);
	if (kr == KERN_SUCCESS)
		return KERN_SUCCESS;
	__atomic_store_n(&spawned, spawned - 1, __ATOMIC_RELEASE);

no_start:
	thread_terminate(*thread);
	mach_port_deallocate(mach_task_self(), *thread);
no_thread:
	vm_deallocate(mach_task_self(), stack, MACH_THREAD_STACK_SIZE);
	return kr;
}
