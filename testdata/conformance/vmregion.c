/* vmregion: vm_region and vm_statistics. */
#include "suite.h"

/* Looks a place of another task's memory up. */
static void region_place(long relative, long at, long unused)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t base = terrain_in(task), address = place_at(base, relative, at);
	struct region r;
	kern_return_t kr = find_region(task, address, &r);

	(void)unused;
	code("vm_region", kr);
	if (kr != KERN_SUCCESS)
		return;
	mach_printf("starts at page %ld of the island, %zu pages\n",
		    (long)(r.start - base) / (long)PAGE, r.size / PAGE);
	mach_printf("current 0x%x, maximum 0x%x, inheritance %u, shared %u\n",
		    r.current, r.maximum, r.inheritance, r.shared);
	fact("an object is named", r.object != MACH_PORT_NULL);
	count("offset in the object", r.offset);
}
#define REGION(name, ...) EACH("vm_region/" name, region_place, __VA_ARGS__)
PLACES(REGION)

CASE("vm_region/empty-task")
{
	struct region r;

	code("vm_region", find_region(make_task(FALSE), 0, &r));
}

CASE("vm_region/last-byte-of-the-map")
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t at = MAP_END - PAGE;
	struct region r;

	must("vm_allocate", vm_allocate(task, &at, PAGE, FALSE));
	code("vm_region", find_region(task, MAP_END - 1, &r));
	fact("it is the last page", r.start == MAP_END - PAGE && r.size == PAGE);
	code("the map's end", find_region(task, MAP_END, &r));
}

CASE("vm_region/the-stack")
{
	volatile int here = 0;
	struct region r;

	code("vm_region", find_region(self, (vm_offset_t)&here, &r));
	count("pages", r.size / PAGE);
	mach_printf("current 0x%x, maximum 0x%x, inheritance %u, shared %u\n",
		    r.current, r.maximum, r.inheritance, r.shared);
}

CASE("vm_region/own-code")
{
	struct region r;

	code("vm_region", find_region(self, (vm_offset_t)&main, &r));
	mach_printf("current 0x%x, maximum 0x%x, inheritance %u, shared %u\n",
		    r.current, r.maximum, r.inheritance, r.shared);
}

/* Two allocations side by side: one entry or two, by what tells them apart. */
static void neighbours(long touch, long protection, long inheritance)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t first = island_in(task, 2), second = first + PAGE;
	vm_offset_t data = island(1);

	must("vm_deallocate", vm_deallocate(task, second, PAGE));
	if (touch)
		must("vm_write", vm_write(task, first, data, 4096));
	if (protection != 3)
		must("vm_protect", vm_protect(task, first, PAGE, FALSE,
					      (vm_prot_t)protection));
	if (inheritance != 1)
		must("vm_inherit", vm_inherit(task, first, PAGE, (vm_inherit_t)inheritance));
	must("vm_allocate", vm_allocate(task, &second, PAGE, FALSE));
	tell_memory_in(task, "entries", first, 2);
	code("made alike", vm_protect(task, first, 2 * PAGE, FALSE, VM_PROT_READ));
	tell_memory_in(task, "entries", first, 2);
	code("inherited alike", vm_inherit(task, first, 2 * PAGE, VM_INHERIT_COPY));
	tell_memory_in(task, "entries", first, 2);
}
EACH("vm_region/neighbours-alike", neighbours, 0, 3, 1)
EACH("vm_region/neighbours-one-touched", neighbours, 1, 3, 1)
EACH("vm_region/neighbours-one-read-only", neighbours, 0, 1, 1)
EACH("vm_region/neighbours-one-not-inherited", neighbours, 0, 3, 2)
EACH("vm_region/neighbours-one-shared", neighbours, 0, 3, 0)

CASE("vm_region/allocated-downwards")
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t first = island_in(task, 2);

	must("vm_deallocate", vm_deallocate(task, first, PAGE));
	must("vm_allocate", vm_allocate(task, &first, PAGE, FALSE));
	tell_memory_in(task, "entries", first, 2);
}

CASE("vm_region/hole-of-one-page-filled")
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t first = island_in(task, 3), hole = first + PAGE;

	must("vm_deallocate", vm_deallocate(task, hole, PAGE));
	must("vm_allocate", vm_allocate(task, &hole, PAGE, FALSE));
	tell_memory_in(task, "entries", first, 3);
}

CASE("vm_region/offset-in-the-middle-of-an-entry")
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t at = island_in(task, 4);
	struct region r;

	vm_protect(task, at + PAGE, PAGE, FALSE, VM_PROT_READ);
	must("vm_region", find_region(task, at + 2 * PAGE, &r));
	count("pages", r.size / PAGE);
	count("offset", r.offset);
	fact("an object is named", r.object != MACH_PORT_NULL);
}

CASE("vm_region/object-of-touched-memory")
{
	vm_offset_t at = island(1);
	struct region r;

	pattern_fill(at, PAGE, 1);
	must("vm_region", find_region(self, at, &r));
	fact("an object is named", r.object != MACH_PORT_NULL);
	count("offset", r.offset);
}

CASE("vm_statistics/page-size")
{
	vm_statistics_data_t now;

	code("vm_statistics", vm_statistics(self, &now));
	count("page size", (size_t)now.pagesize);
	fact("pages are free", now.free_count > 0);
}

CASE("vm_statistics/another-task")
{
	vm_statistics_data_t now;

	code("vm_statistics", vm_statistics(make_task(FALSE), &now));
	count("page size", (size_t)now.pagesize);
}
