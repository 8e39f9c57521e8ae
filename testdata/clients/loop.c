/*
 * loop: does one thing many times, for whoever measures how long it takes.
 *
 *	usage: loop WHAT COUNT
 *
 *	trap   mach_msg that neither sends nor receives
 *	rpc    mach_port_get_refs of the task's own port
 *	touch  the first write to a page of fresh memory
 */
#include <libmach/libmach.h>

#include "report.h"

/* Fresh memory is taken in lots, so that COUNT may be larger than memory. */
enum { LOT = 1024 };

static size_t parse_count(const char *digits)
{
	size_t n = 0;

	for (; *digits >= '0' && *digits <= '9'; digits++)
		n = n * 10 + (size_t)(*digits - '0');
	return n;
}

static void traps(size_t n)
{
	while (n-- > 0)
		mach_msg(NULL, MACH_MSG_OPTION_NONE, 0, 0, MACH_PORT_NULL,
			 MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL);
}

static void rpcs(size_t n)
{
	mach_port_name_t self = mach_task_self();
	mach_port_urefs_t refs;

	while (n-- > 0)
		must("mach_port_get_refs",
		     mach_port_get_refs(self, self, MACH_PORT_RIGHT_SEND, &refs));
}

static void touches(size_t n)
{
	mach_port_name_t self = mach_task_self();

	while (n > 0) {
		size_t i, lot = n < LOT ? n : LOT;
		vm_offset_t memory = must_allocate(self, LOT * vm_page_size);

		/* From the end, so that no page was made ready with its neighbour. */
		for (i = lot; i-- > 0;)
			*(volatile unsigned char *)(memory + i * vm_page_size) = 1;
		must("vm_deallocate", vm_deallocate(self, memory, LOT * vm_page_size));
		n -= lot;
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(size_t);
	} things[] = { { "trap", traps }, { "rpc", rpcs }, { "touch", touches } };
	size_t i;

	for (i = 0; argc == 3 && i < sizeof(things) / sizeof(things[0]); i++) {
		if (strcmp(argv[1], things[i].name) == 0) {
			things[i].run(parse_count(argv[2]));
			mach_printf("loop: done\n");
			return 0;
		}
	}
	mach_printf("usage: loop trap|rpc|touch COUNT\n");
	return 1;
}
