/*
 * How a client tells what it saw: one fact a line, none of which depends on
 * addresses, port names or time, so that two kernels' reports can be compared
 * byte by byte.
 */
#ifndef REPORT_H
#define REPORT_H

#include <libmach/libmach.h>

static inline void chapter(const char *title)
{
	mach_printf("\n== %s\n", title);
}

static inline void code(const char *what, kern_return_t kr)
{
	mach_printf("%s: %s\n", what, mach_error_string(kr));
}

static inline void count(const char *what, size_t n)
{
	mach_printf("%s: %zu\n", what, n);
}

static inline void fact(const char *what, boolean_t holds)
{
	mach_printf("%s: %s\n", what, holds ? "yes" : "no");
}

/* What a client cannot go on without. */
static inline void must(const char *what, kern_return_t kr)
{
	if (kr == KERN_SUCCESS)
		return;
	code(what, kr);
	mach_exit();
}

static inline vm_offset_t must_allocate(mach_port_name_t task, vm_size_t size)
{
	vm_offset_t memory = 0;

	must("vm_allocate", vm_allocate(task, &memory, size, TRUE));
	return memory;
}

#endif
