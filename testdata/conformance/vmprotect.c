/* vmprotect: vm_protect and vm_inherit. */
#include "suite.h"

static void protect_place(long relative, long at, long size)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t base = terrain_in(task);

	code("to read-only", vm_protect(task, place_at(base, relative, at),
					(vm_size_t)size, FALSE, VM_PROT_READ));
	tell_memory_in(task, "island", base, TERRAIN_PAGES);
}
#define PROTECT(name, ...) EACH("vm_protect/" name, protect_place, __VA_ARGS__)
PLACES(PROTECT)

static void protect_maximum_place(long relative, long at, long size)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t base = terrain_in(task);

	code("maximum to read and write", vm_protect(task, place_at(base, relative, at),
						     (vm_size_t)size, TRUE, RW));
	tell_memory_in(task, "island", base, TERRAIN_PAGES);
}
#define MAXIMUM(name, ...) EACH("vm_protect/maximum-" name, protect_maximum_place, __VA_ARGS__)
PLACES(MAXIMUM)

/* Each protection, as current and as maximum, on pages that allow all. */
static void protect_bits(long protection, long set_maximum, long size)
{
	vm_offset_t at = island(2);

	code("vm_protect", vm_protect(self, at, (vm_size_t)size, (boolean_t)set_maximum,
				      (vm_prot_t)protection));
	tell_memory("pages", at, 2);
}
#define BITS(X, ...)								\
	X("none", 0, ## __VA_ARGS__) X("r", 1, ## __VA_ARGS__)			\
	X("w", 2, ## __VA_ARGS__) X("rw", 3, ## __VA_ARGS__)			\
	X("x", 4, ## __VA_ARGS__) X("rx", 5, ## __VA_ARGS__)			\
	X("wx", 6, ## __VA_ARGS__) X("rwx", 7, ## __VA_ARGS__)			\
	X("0x8", 0x8, ## __VA_ARGS__) X("notify", 0x10, ## __VA_ARGS__)		\
	X("rw-notify", 0x13, ## __VA_ARGS__) X("0x20", 0x20, ## __VA_ARGS__)	\
	X("0x100", 0x100, ## __VA_ARGS__) X("all-bits", -1, ## __VA_ARGS__)	\
	X("sign-bit", -0x7fffffff - 1, ## __VA_ARGS__)
#define CURRENT_TO(name, bits) EACH("vm_protect/to-" name, protect_bits, bits, 0, 0x1000)
#define MAXIMUM_TO(name, bits) EACH("vm_protect/maximum-to-" name, protect_bits, bits, 1, 0x1000)
#define NO_BYTES_TO(name, bits) EACH("vm_protect/no-bytes-to-" name, protect_bits, bits, 0, 0)
BITS(CURRENT_TO)
BITS(MAXIMUM_TO)
BITS(NO_BYTES_TO)

/* Every maximum against every current. */
static void protect_beyond(long maximum, long current, long unused)
{
	vm_offset_t at = island(2);

	(void)unused;
	must("vm_protect", vm_protect(self, at, PAGE, TRUE, (vm_prot_t)maximum));
	code("current", vm_protect(self, at, 2 * PAGE, FALSE, (vm_prot_t)current));
	tell_memory("pages", at, 2);
	code("maximum", vm_protect(self, at, 2 * PAGE, TRUE, (vm_prot_t)current));
	tell_memory("pages", at, 2);
}
EACH("vm_protect/none-of-maximum-none", protect_beyond, 0, 0, 0)
EACH("vm_protect/r-of-maximum-none", protect_beyond, 0, 1, 0)
EACH("vm_protect/r-of-maximum-r", protect_beyond, 1, 1, 0)
EACH("vm_protect/w-of-maximum-r", protect_beyond, 1, 2, 0)
EACH("vm_protect/rw-of-maximum-r", protect_beyond, 1, 3, 0)
EACH("vm_protect/rw-of-maximum-rw", protect_beyond, 3, 3, 0)
EACH("vm_protect/rwx-of-maximum-rw", protect_beyond, 3, 7, 0)
EACH("vm_protect/x-of-maximum-rx", protect_beyond, 5, 4, 0)
EACH("vm_protect/notify-of-maximum-rwx", protect_beyond, 7, 0x10, 0)
EACH("vm_protect/notify-of-maximum-rw-notify", protect_beyond, 0x13, 0x10, 0)

CASE("vm_protect/last-page-refuses-all")
{
	vm_offset_t at = island(4);

	vm_protect(self, at + 3 * PAGE, PAGE, TRUE, VM_PROT_READ);
	code("to write", vm_protect(self, at, 4 * PAGE, FALSE, RW));
	tell_memory("pages", at, 4);
	code("to execute", vm_protect(self, at, 4 * PAGE, FALSE, VM_PROT_ALL));
	tell_memory("pages", at, 4);
}

CASE("vm_protect/bad-bits-in-a-hole")
{
	vm_offset_t at = island(1);

	code("vm_protect", vm_protect(self, at + PAGE, PAGE, FALSE, 0x100));
}

CASE("vm_protect/bad-bits-wrap")
{
	vm_offset_t at = island(1);

	code("vm_protect", vm_protect(self, at, LAST_PAGE, FALSE, 0x100));
}

CASE("vm_protect/set-maximum-other-than-one")
{
	vm_offset_t at = island(1);

	code("vm_protect", vm_protect(self, at, PAGE, 2, VM_PROT_READ));
	tell_memory("page", at, 1);
}

CASE("vm_protect/contents-survive")
{
	vm_offset_t at = island(2);

	pattern_fill(at, 2 * PAGE, 1);
	must("none", vm_protect(self, at, 2 * PAGE, FALSE, VM_PROT_NONE));
	must("read", vm_protect(self, at, 2 * PAGE, FALSE, VM_PROT_READ));
	count("wrong bytes", pattern_wrong(at, 2 * PAGE, 1));
	must("write", vm_protect(self, at, 2 * PAGE, FALSE, RW));
	pattern_fill(at, 2 * PAGE, 2);
	count("wrong bytes written since", pattern_wrong(at, 2 * PAGE, 2));
}

CASE("vm_protect/neighbours-become-one-entry-again")
{
	vm_offset_t at = island(3);
	struct region r;

	vm_protect(self, at + PAGE, PAGE, FALSE, VM_PROT_READ);
	must("vm_region", find_region(self, at, &r));
	count("pages of the first entry", r.size / PAGE);
	vm_protect(self, at + PAGE, PAGE, FALSE, RW);
	must("vm_region", find_region(self, at, &r));
	count("pages of the first entry", r.size / PAGE);
	vm_protect(self, at, 3 * PAGE, FALSE, VM_PROT_READ);
	must("vm_region", find_region(self, at, &r));
	count("pages of the first entry", r.size / PAGE);
}

CASE("vm_protect/copied-memory-read-only-then-writable")
{
	vm_offset_t at = island(1), data;
	mach_msg_type_number_t got;

	pattern_fill(at, PAGE, 1);
	must("vm_read", read_memory(self, at, PAGE, &data, &got));
	code("read-only", vm_protect(self, at, PAGE, FALSE, VM_PROT_READ));
	code("writable", vm_protect(self, at, PAGE, FALSE, RW));
	pattern_fill(at, PAGE, 2);
	count("wrong bytes in the copy", pattern_wrong(data, PAGE, 1));
	count("wrong bytes in the source", pattern_wrong(at, PAGE, 2));
}

static void inherit_place(long relative, long at, long size)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t base = terrain_in(task);

	code("to none", vm_inherit(task, place_at(base, relative, at),
				   (vm_size_t)size, VM_INHERIT_NONE));
	tell_memory_in(task, "island", base, TERRAIN_PAGES);
}
#define INHERIT(name, ...) EACH("vm_inherit/" name, inherit_place, __VA_ARGS__)
PLACES(INHERIT)

static void inherit_value(long value, long size, long hole)
{
	vm_offset_t at = island(2);

	code("vm_inherit", vm_inherit(self, hole ? at + 2 * PAGE : at, (vm_size_t)size,
				      (vm_inherit_t)value));
	tell_memory("pages", at, 2);
}
EACH("vm_inherit/to-share", inherit_value, 0, 0x1000, 0)
EACH("vm_inherit/to-copy", inherit_value, 1, 0x1000, 0)
EACH("vm_inherit/to-none", inherit_value, 2, 0x1000, 0)
EACH("vm_inherit/to-3", inherit_value, 3, 0x1000, 0)
EACH("vm_inherit/to-4", inherit_value, 4, 0x1000, 0)
EACH("vm_inherit/to-minus-1", inherit_value, -1, 0x1000, 0)
EACH("vm_inherit/no-bytes-to-share", inherit_value, 0, 0, 0)
EACH("vm_inherit/no-bytes-to-3", inherit_value, 3, 0, 0)
EACH("vm_inherit/hole-to-share", inherit_value, 0, 0x1000, 1)
EACH("vm_inherit/hole-to-3", inherit_value, 3, 0x1000, 1)
EACH("vm_inherit/wraps-to-3", inherit_value, 3, -0x1000, 0)
