/*
 * fault: a program that ends in an exception nobody handles. The first
 * argument says which; "thread" before it lets a second thread do it.
 */
#include <libmach/libmach.h>

#include "report.h"

static void write_null(void)
{
	*(volatile int *)0 = 1;
}

static void read_unmapped(void)
{
	vm_offset_t memory = must_allocate(mach_task_self(), vm_page_size);

	must("vm_deallocate", vm_deallocate(mach_task_self(), memory, vm_page_size));
	(void)*(volatile int *)memory;
}

static void write_read_only(void)
{
	vm_offset_t memory = must_allocate(mach_task_self(), vm_page_size);

	must("vm_protect", vm_protect(mach_task_self(), memory, vm_page_size, FALSE,
				      VM_PROT_READ));
	*(volatile int *)memory = 1;
}

static void jump_nowhere(void)
{
	((void (*)(void))0x1000)();
}

static void undefined_instruction(void)
{
	__asm__ volatile("ud2");
}

static void divide_by_zero(void)
{
	__asm__ volatile("divl %%ecx" : : "a"(1), "d"(0), "c"(0));
}

static void breakpoint(void)
{
	__asm__ volatile("int3");
}

static void privileged_instruction(void)
{
	__asm__ volatile("hlt");
}

static void non_canonical_address(void)
{
	(void)*(volatile int *)0x8000000000000000UL;
}

static const struct fault {
	const char *name;
	void (*commit)(void);
} faults[] = {
	{ "null", write_null },
	{ "unmapped", read_unmapped },
	{ "read-only", write_read_only },
	{ "jump", jump_nowhere },
	{ "ud2", undefined_instruction },
	{ "divide", divide_by_zero },
	{ "int3", breakpoint },
	{ "hlt", privileged_instruction },
	{ "non-canonical", non_canonical_address },
};

static void commit(void *argument)
{
	const struct fault *fault = argument;

	mach_printf("fault %s\n", fault->name);
	fault->commit();
	mach_printf("fault %s did no harm\n", fault->name);
	mach_exit();
}

int main(int argc, char **argv)
{
	boolean_t in_thread = argc > 1 && strcmp(argv[1], "thread") == 0;
	const char *name = argc > 1 + in_thread ? argv[1 + in_thread] : "null";
	const struct fault *chosen = NULL;
	mach_port_name_t thread;
	mach_event_t never;
	size_t i;

	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (strcmp(name, faults[i].name) == 0)
			chosen = &faults[i];
	if (chosen == NULL) {
		mach_printf("no fault is called %s\n", name);
		return 0;
	}
	if (!in_thread)
		commit((void *)(uintptr_t)chosen);
	must("event", mach_event_create(&never));
	must("thread", mach_thread_spawn(commit, (void *)(uintptr_t)chosen, &thread));
	mach_event_wait(never);
	return 0;
}
