/*
 * A task of one's own making that runs C code of this program: it has a copy of
 * our memory, our names for its own task and reply port, and a page shared with
 * us. Its code may use stubs and print; it never returns.
 */
#ifndef CHILD_H
#define CHILD_H

#include "second.h"

struct shared {
	volatile boolean_t steps[8];	/* who waits for what is said in the case */
	volatile long numbers[8];
};

struct child {
	mach_port_name_t task, thread;
	vm_offset_t stack;
	struct shared *shared;
	void (*body)(struct child *);
	mach_port_name_t port;		/* for the case */
	vm_offset_t at;
};

static struct child child __attribute__((aligned(128)));	/* in one page */

/* Both sides: say that a step is done, and wait until the other says so. */
static inline void step_done(int step)
{
	child.shared->steps[step] = TRUE;
}

static inline boolean_t step_comes(int step)
{
	return comes_true(&child.shared->steps[step]);
}

static inline void child_main(struct child *c)
{
	c->body(c);
	step_done(7);
	for (;;)
		nap(1000);
}

/* Memory for the child; what is to be inherited must be there before. */
static inline void child_make(void)
{
	mach_port_name_t reply = mach_reply_port();	/* gone before the case ends */

	child.shared = (struct shared *)island(1);
	must("vm_inherit", vm_inherit(self, (vm_offset_t)child.shared, PAGE, VM_INHERIT_SHARE));
	memset(child.shared, 0, sizeof(*child.shared));
	child.stack = island(SECOND_STACK);
	child.task = make_task(TRUE);
	must("its task", mach_port_insert_right(child.task, self, child.task,
						MACH_MSG_TYPE_COPY_SEND));
	must("its reply port", mach_port_insert_right(child.task, mig_get_reply_port(), reply,
						      MACH_MSG_TYPE_MOVE_RECEIVE));
}

/* Gives the child a right under the name it has with us. */
static inline void child_give(mach_port_name_t name, mach_msg_type_name_t type)
{
	must("mach_port_insert_right", mach_port_insert_right(child.task, name, name, type));
}

/* Runs body(&child) in the child; child's own copy of it is as it is now. */
static inline void child_start(void (*body)(struct child *))
{
	child.body = body;
	must("vm_write", vm_write(child.task, (vm_offset_t)&child & ~(PAGE - 1),
				  (vm_offset_t)&child & ~(PAGE - 1),
				  (mach_msg_type_number_t)PAGE));
	child.thread = keep_name(make_thread(child.task, (vm_offset_t)child_main,
					     (vm_offset_t)&child,
					     child.stack + SECOND_STACK * PAGE));
	must("thread_resume", thread_resume(child.thread));
}

static inline void child_ends(void)
{
	if (!step_comes(7))
		mach_printf("the child does not end\n");
}

/* Whether a task has died within two seconds. */
static inline boolean_t dies(mach_port_name_t task)
{
	mach_port_type_t type = 0;
	int i;

	for (i = 0; i < 2000; i++) {
		if (mach_port_type(self, task, &type) != KERN_SUCCESS ||
		    type & MACH_PORT_TYPE_DEAD_NAME)
			return TRUE;
		nap(1);
	}
	return FALSE;
}

#endif
