/* t5edges: what the real kernel does not survive, or only just. */
#include "suite.h"

#include <mach/thread_status.h>

#include "child.h"
#include "t5wrong.h"

CASE("trap_thread_set_self_state/null")
{
	code("trap", thread_set_self_state(i386_THREAD_STATE, NULL, i386_THREAD_STATE_COUNT));
}

CASE("trap_task_create/null")
{
	code("trap", syscall_task_create(self, FALSE, NULL));
}

static void trap_create_place(long at, long unused, long more_unused)
{
	vm_offset_t base = terrain();
	mach_port_name_t *where = (mach_port_name_t *)(base + (vm_offset_t)at);

	(void)unused;
	(void)more_unused;
	code("trap", syscall_task_create(self, FALSE, where));
	tell_memory("island", base, TERRAIN_PAGES);
}
EACH("trap_task_create/into-read-only", trap_create_place, 0x2000, 0, 0)
EACH("trap_task_create/into-a-hole", trap_create_place, 0x4000, 0, 0)
EACH("trap_task_create/across-pages", trap_create_place, 0xffe, 0, 0)

static void child_faults(struct child *c)
{
	*(volatile char *)c->at = 1;
}

CASE("task_set_essential/that-faults")
{
	child.at = island(1) - 8;
	child_make();
	must("task_set_essential", task_set_essential(child.task, TRUE));
	child_start(child_faults);
	fact("it is dead", dies(child.task));
}

static void child_starts_where_nothing_is(struct child *c)
{
	(void)c;
}

CASE("thread_resume/at-an-address-not-canonical")
{
	struct i386_thread_state state;
	mach_port_name_t thread;

	child_make();
	child.body = child_starts_where_nothing_is;
	thread = make_thread_in(child.task);
	memset(&state, 0, sizeof(state));
	state.rip = 0x900000000000;
	must("set", thread_set_state(thread, i386_THREAD_STATE, (thread_state_t)&state,
				     i386_THREAD_STATE_COUNT));
	code("thread_resume", thread_resume(thread));
	fact("its task is dead", dies(child.task));
}

/* Selectors that are no user's code: the thread never comes to its code. */
static void with_selectors(long cs, long ss, long unused)
{
	struct i386_thread_state state;
	mach_port_name_t thread;

	(void)unused;
	child_make();
	thread = make_thread_in(child.task);
	memset(&state, 0, sizeof(state));
	state.cs = (unsigned)cs;
	state.ss = (unsigned)ss;
	state.rip = (vm_offset_t)child_starts_where_nothing_is;
	state.ursp = child.stack + SECOND_STACK * PAGE - 8;
	must("set", thread_set_state(thread, i386_REGS_SEGS_STATE, (thread_state_t)&state,
				     i386_THREAD_STATE_COUNT));
	code("thread_resume", thread_resume(thread));
	fact("its task is dead", dies(child.task));
}
EACH("thread_resume/code-selector-of-data", with_selectors, 0x17, 0x17, 0)
EACH("thread_resume/code-selector-beyond-the-table", with_selectors, 0xfffb, 0x17, 0)
EACH("thread_resume/stack-selector-beyond-the-table", with_selectors, 0x1f, 0xfffb, 0)
