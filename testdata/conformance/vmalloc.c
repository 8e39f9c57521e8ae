/* vmalloc: vm_allocate and vm_deallocate. */
#include "suite.h"

/* Allocates at a place among a task's memory, and tells what is there then. */
static void allocate_place(long relative, long at, long size)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t base = terrain_in(task), address = place_at(base, relative, at);

	code("fixed", vm_allocate(task, &address, (vm_size_t)size, FALSE));
	mach_printf("address: %s\n", address == 0 ? "zero" :
		    address == place_at(base, relative, at) ? "as asked" :
		    address == (place_at(base, relative, at) & ~(PAGE - 1)) ? "its page" :
		    "another");
	tell_memory_in(task, "island", base, TERRAIN_PAGES);
}
#define ALLOCATE(name, ...) EACH("vm_allocate/fixed-" name, allocate_place, __VA_ARGS__)
PLACES(ALLOCATE)

static void allocate_anywhere(long hint, long size, long write)
{
	vm_offset_t at = (vm_offset_t)hint;
	kern_return_t kr = vm_allocate(self, &at, (vm_size_t)size, TRUE);

	code("anywhere", kr);
	if (kr != KERN_SUCCESS)
		return;
	keep_memory(at, (vm_size_t)size);
	fact("address is zero", at == 0);
	if (at == 0)
		return;
	count("offset in the page", at % PAGE);
	if (write) {
		count("bytes not zero", bytes_set(at, (size_t)size));
		pattern_fill(at, (size_t)size, 3);
		count("wrong bytes", pattern_wrong(at, (size_t)size, 3));
	}
}
EACH("vm_allocate/anywhere-no-bytes", allocate_anywhere, 0, 0, 0)
EACH("vm_allocate/anywhere-no-bytes-with-hint", allocate_anywhere, 0x5000, 0, 0)
EACH("vm_allocate/anywhere-one-byte", allocate_anywhere, 0, 1, 1)
EACH("vm_allocate/anywhere-page", allocate_anywhere, 0, 0x1000, 1)
EACH("vm_allocate/anywhere-page-and-a-byte", allocate_anywhere, 0, 0x1001, 1)
EACH("vm_allocate/anywhere-64-pages", allocate_anywhere, 0, 0x40000, 1)
EACH("vm_allocate/anywhere-hint-unaligned", allocate_anywhere, 0x12345, 0x1000, 1)
EACH("vm_allocate/anywhere-hint-not-canonical", allocate_anywhere, 0x900000000000, 0x1000, 1)
EACH("vm_allocate/anywhere-hint-last-page", allocate_anywhere, -0x1000, 0x1000, 1)
EACH("vm_allocate/anywhere-4gib", allocate_anywhere, 0, 0x100000000, 0)
EACH("vm_allocate/anywhere-64tib", allocate_anywhere, 0, 0x400000000000, 0)
EACH("vm_allocate/anywhere-whole-map", allocate_anywhere, 0, 0x800000000000, 0)
EACH("vm_allocate/anywhere-more-than-the-map", allocate_anywhere, 0, 0x800000001000, 0)
EACH("vm_allocate/anywhere-largest-page-multiple", allocate_anywhere, 0, -0x1000, 0)
EACH("vm_allocate/anywhere-size-rounds-to-zero", allocate_anywhere, 0, -0xfff, 0)
EACH("vm_allocate/anywhere-largest-size", allocate_anywhere, 0, -1, 0)

CASE("vm_allocate/not-a-task-size-rounds-to-zero")
{
	vm_offset_t at = 0;

	code("vm_allocate", vm_allocate(host, &at, -(vm_size_t)0xfff, TRUE));
}

static void allocate_in_empty(long at, long size, long anywhere)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t address = (vm_offset_t)at;
	struct region r;

	code("vm_allocate", vm_allocate(task, &address, (vm_size_t)size, (boolean_t)anywhere));
	if (find_region(task, 0, &r) != KERN_SUCCESS)
		return;
	count("pages", r.size / PAGE);
	fact("from the map's first page on", r.start == 0);
	fact("up to the map's end", r.start + r.size == MAP_END);
	fact("the address is the region's", r.start == address);
}
EACH("vm_allocate/empty-task-anywhere", allocate_in_empty, 0, 0x1000, 1)
EACH("vm_allocate/empty-task-anywhere-hint-ignored", allocate_in_empty, 0x10000000, 0x1000, 1)
EACH("vm_allocate/empty-task-whole-map-anywhere", allocate_in_empty, 0, 0x800000000000, 1)
EACH("vm_allocate/empty-task-whole-map-fixed", allocate_in_empty, 0, 0x800000000000, 0)
EACH("vm_allocate/empty-task-a-page-more-than-the-map", allocate_in_empty, 0, 0x800000001000, 1)
EACH("vm_allocate/empty-task-last-page-fixed", allocate_in_empty, 0x7ffffffff000, 0x1000, 0)
EACH("vm_allocate/empty-task-last-page-and-one-more", allocate_in_empty, 0x7ffffffff000, 0x2000, 0)
EACH("vm_allocate/empty-task-last-byte-fixed", allocate_in_empty, 0x7fffffffffff, 1, 0)

CASE("vm_allocate/attributes-of-new-memory")
{
	tell_memory("memory", island(2), 2);
}

CASE("vm_allocate/full-map")
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t at = 0;

	must("vm_allocate", vm_allocate(task, &at, MAP_END, FALSE));
	code("anywhere", vm_allocate(task, &at, PAGE, TRUE));
	code("anywhere, no bytes", vm_allocate(task, &at, 0, TRUE));
	at = 0x10000;
	code("fixed", vm_allocate(task, &at, PAGE, FALSE));
	must("vm_deallocate", vm_deallocate(task, 0x10000, PAGE));
	code("two pages, a hole of one", vm_allocate(task, &at, 2 * PAGE, TRUE));
	code("one page, a hole of one", vm_allocate(task, &at, PAGE, TRUE));
	fact("it is the hole", at == 0x10000);
}

CASE("vm_allocate/same-page-twice")
{
	vm_offset_t at = island(1);

	code("again", vm_allocate(self, &at, PAGE, FALSE));
}

CASE("vm_allocate/partly-occupied-allocates-nothing")
{
	vm_offset_t at = island(3), hole = at + PAGE;

	vm_deallocate(self, at, 2 * PAGE);
	code("hole and occupied", vm_allocate(self, &hole, 2 * PAGE, FALSE));
	tell_memory("pages", at, 3);
}

CASE("vm_allocate/freed-memory-comes-back-zero")
{
	vm_offset_t at = island(2);

	pattern_fill(at, PAGE, 9);
	pattern_fill(at + PAGE, PAGE, 10);
	vm_deallocate(self, at, PAGE);
	code("again", vm_allocate(self, &at, PAGE, FALSE));
	count("bytes not zero", bytes_set(at, PAGE));
	count("wrong bytes in the next page", pattern_wrong(at + PAGE, PAGE, 10));
}

/* Deallocates a place of another task's memory, and tells what is left. */
static void deallocate_place(long relative, long at, long size)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t base = terrain_in(task);

	code("vm_deallocate",
	     vm_deallocate(task, place_at(base, relative, at), (vm_size_t)size));
	tell_memory_in(task, "island", base, TERRAIN_PAGES);
	code("again", vm_deallocate(task, place_at(base, relative, at), (vm_size_t)size));
	tell_memory_in(task, "island", base, TERRAIN_PAGES);
}
#define DEALLOCATE(name, ...) EACH("vm_deallocate/" name, deallocate_place, __VA_ARGS__)
PLACES(DEALLOCATE)

CASE("vm_deallocate/to-the-map-end")
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t base = terrain_in(task);

	code("vm_deallocate", vm_deallocate(task, base + PAGE, MAP_END - base - PAGE));
	tell_memory_in(task, "island", base, TERRAIN_PAGES);
}

CASE("vm_deallocate/beyond-the-map-end")
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t base = terrain_in(task);

	code("vm_deallocate", vm_deallocate(task, base + PAGE, MAP_END));
	tell_memory_in(task, "island", base, TERRAIN_PAGES);
}

CASE("vm_deallocate/whole-map")
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t base = terrain_in(task);

	code("vm_deallocate", vm_deallocate(task, 0, MAP_END));
	tell_memory_in(task, "island", base, TERRAIN_PAGES);
}

CASE("vm_deallocate/source-of-a-copy")
{
	vm_offset_t at = island(2), data;
	mach_msg_type_number_t got;

	pattern_fill(at, 2 * PAGE, 4);
	must("vm_read", read_memory(self, at, 2 * PAGE, &data, &got));
	code("vm_deallocate", vm_deallocate(self, at, 2 * PAGE));
	count("wrong bytes in the copy", pattern_wrong(data, 2 * PAGE, 4));
}

CASE("vm_deallocate/copy-of-a-source")
{
	vm_offset_t at = island(2), data;
	mach_msg_type_number_t got;

	pattern_fill(at, 2 * PAGE, 4);
	must("vm_read", read_memory(self, at, 2 * PAGE, &data, &got));
	code("vm_deallocate", vm_deallocate(self, data, got));
	count("wrong bytes in the source", pattern_wrong(at, 2 * PAGE, 4));
	pattern_fill(at, 2 * PAGE, 5);
	count("wrong bytes written since", pattern_wrong(at, 2 * PAGE, 5));
}
