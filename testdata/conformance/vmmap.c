/* vmmap: vm_map without a pager, wiring, and what else concerns mapped memory. */
#include "suite.h"

#include <mach/vm_sync.h>
#include <mach/vm_wire.h>

#define PRIV host_priv_port
#define MIB ((vm_size_t)1 << 20)

CASE("vm_cache_statistics/nothing-is-cached")
{
	vm_cache_statistics_data_t cache;

	memset(&cache, 7, sizeof(cache));
	code("vm_cache_statistics", vm_cache_statistics(self, &cache));
	count("objects", (size_t)cache.cache_object_count);
	count("pages", (size_t)cache.cache_count);
	count("active", (size_t)cache.active_tmp_count);
	count("dirty", (size_t)cache.dirty_count);
	count("reclaimable", (size_t)cache.slab_reclaim_count);
	code("of a host", vm_cache_statistics(host, &cache));
}

/* ---- vm_map. */

/* Reading, reading and writing at most, no inheritance: what new memory has not. */
static kern_return_t map_memory(mach_port_name_t task, vm_offset_t *at, vm_size_t size,
				vm_offset_t mask, boolean_t anywhere)
{
	return vm_map(task, at, size, mask, anywhere, MACH_PORT_NULL, 0, FALSE,
		      VM_PROT_READ, RW, VM_INHERIT_NONE);
}

static void map_in(long kind, long unused, long unused2)
{
	mach_port_name_t name = make_kind((enum name_kind)kind);
	vm_offset_t at = 0;
	kern_return_t kr = map_memory(name, &at, PAGE, 0, TRUE);

	(void)unused, (void)unused2;
	code("answer", kr);
	if (kr == KERN_SUCCESS)
		keep_memory(at, PAGE);
	tell_name("the name", name);
}
#define MAP_IN(name, kind) EACH("vm_map/task-is-" name, map_in, kind, 0, 0)
MAP_IN("null", KIND_null)
MAP_IN("dead-port", KIND_dead_port)
MAP_IN("no-name", KIND_no_name)
MAP_IN("receive", KIND_receive)
MAP_IN("dead-name", KIND_dead_name)
MAP_IN("died", KIND_died)
MAP_IN("port-set", KIND_port_set)
MAP_IN("host", KIND_host)
MAP_IN("thread", KIND_thread)
MAP_IN("dead-task", KIND_dead_task)

static void map_place(long relative, long offset, long size)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t base = terrain_in(task), at = place_at(base, relative, offset);

	code("fixed", map_memory(task, &at, (vm_size_t)size, 0, FALSE));
	fact("the address is as it was", at == place_at(base, relative, offset));
	tell_memory_in(task, "island", base, TERRAIN_PAGES);
}
#define MAP_PLACE(name, ...) EACH("vm_map/fixed-" name, map_place, __VA_ARGS__)
PLACES(MAP_PLACE)

static void map_anywhere(long hint, long size, long unused)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t at = (vm_offset_t)hint;
	kern_return_t kr = map_memory(task, &at, (vm_size_t)size, 0, TRUE);

	(void)unused;
	code("anywhere", kr);
	if (kr != KERN_SUCCESS)
		return;
	fact("at the map's first page", at == 0);
	tell_memory_in(task, "memory", at, ((vm_size_t)size + PAGE - 1) / PAGE);
}
EACH("vm_map/anywhere-page", map_anywhere, 0, 0x1000, 0)
EACH("vm_map/anywhere-one-byte", map_anywhere, 0, 1, 0)
EACH("vm_map/anywhere-no-bytes", map_anywhere, 0, 0, 0)
EACH("vm_map/anywhere-hint", map_anywhere, 0x10000000, 0x1000, 0)
EACH("vm_map/anywhere-hint-unaligned", map_anywhere, 0x12345, 0x1000, 0)
EACH("vm_map/anywhere-hint-not-canonical", map_anywhere, 0x900000000000, 0x1000, 0)
EACH("vm_map/anywhere-whole-map", map_anywhere, 0, 0x800000000000, 0)
EACH("vm_map/anywhere-more-than-the-map", map_anywhere, 0, 0x800000001000, 0)
EACH("vm_map/anywhere-largest-page-multiple", map_anywhere, 0, -0x1000, 0)
EACH("vm_map/anywhere-size-rounds-to-zero", map_anywhere, 0, -0xfff, 0)
EACH("vm_map/anywhere-largest-size", map_anywhere, 0, -1, 0)

/* In a task whose second page is taken; fixed if there is an address. */
static void map_mask(long mask, long fixed, long pages)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t taken = PAGE, at = (vm_offset_t)fixed;
	kern_return_t kr;

	must("vm_allocate", vm_allocate(task, &taken, PAGE, FALSE));
	kr = map_memory(task, &at, (vm_size_t)pages * PAGE, (vm_offset_t)mask, fixed == 0);
	code("vm_map", kr);
	if (kr == KERN_SUCCESS)
		mach_printf("address: 0x%lx\n", (unsigned long)at);
}
EACH("vm_map/mask-none", map_mask, 0, 0, 1)
EACH("vm_map/mask-page", map_mask, 0xfff, 0, 1)
EACH("vm_map/mask-16-pages", map_mask, 0xffff, 0, 1)
EACH("vm_map/mask-2mib", map_mask, 0x1fffff, 0, 3)
EACH("vm_map/mask-half-the-map", map_mask, 0x3fffffffffff, 0, 1)
EACH("vm_map/mask-the-map", map_mask, 0x7fffffffffff, 0, 1)
EACH("vm_map/mask-63-bits", map_mask, 0x7fffffffffffffff, 0, 1)
EACH("vm_map/mask-31-bits", map_mask, 0x7fffffff, 0, 1)
EACH("vm_map/mask-below-64kib", map_mask, -0x10000, 0, 1)
EACH("vm_map/mask-below-64kib-all-of-it", map_mask, -0x10000, 0, 14)
EACH("vm_map/mask-below-64kib-and-aligned", map_mask, -0x10000 + 0x3fff, 0, 1)
EACH("vm_map/mask-below-2gib", map_mask, -0x80000000L, 0, 1)
EACH("vm_map/mask-fixed-aligned", map_mask, 0xffff, 0x20000, 1)
EACH("vm_map/mask-fixed-not-aligned", map_mask, 0xffff, 0x21000, 1)
EACH("vm_map/mask-fixed-below", map_mask, -0x10000, 0x2000, 1)
EACH("vm_map/mask-fixed-above", map_mask, -0x10000, 0x12000, 1)
EACH("vm_map/mask-fixed-in-the-page-only", map_mask, 0xfff, 0x5123, 1)
EACH("vm_map/mask-fixed-taken", map_mask, 0xfff, 0x1000, 1)
EACH("vm_map/mask-before-outside-the-map", map_mask, 0x1000, 0x900000001000, 1)
EACH("vm_map/outside-the-map", map_mask, 0, 0x900000001000, 1)

/* Protections, inheritance, and the arguments that mean nothing without a pager. */
static void map_attributes(long current, long maximum, long inheritance)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t at = 0;
	kern_return_t kr = vm_map(task, &at, PAGE, 0, TRUE, MACH_PORT_NULL, 0, FALSE,
				  (vm_prot_t)current, (vm_prot_t)maximum, (vm_inherit_t)inheritance);

	code("vm_map", kr);
	tell_memory_in(task, "memory", 0, 1);
	if (kr != KERN_SUCCESS)
		return;
	code("vm_protect to read", vm_protect(task, at, PAGE, FALSE, VM_PROT_READ));
	code("vm_protect to all", vm_protect(task, at, PAGE, FALSE, VM_PROT_ALL));
}
EACH("vm_map/nothing-allowed", map_attributes, 0, 0, 1)
EACH("vm_map/read-of-read", map_attributes, 1, 1, 0)
EACH("vm_map/execute-of-all", map_attributes, 4, 7, 2)
EACH("vm_map/current-above-maximum", map_attributes, 3, 1, 1)
EACH("vm_map/all-of-nothing", map_attributes, 7, 0, 1)
EACH("vm_map/current-8", map_attributes, 8, 7, 1)
EACH("vm_map/current-notify", map_attributes, 0x11, 7, 1)
EACH("vm_map/current-negative", map_attributes, -1, 7, 1)
EACH("vm_map/maximum-8", map_attributes, 3, 15, 1)
EACH("vm_map/maximum-notify", map_attributes, 3, 0x17, 1)
EACH("vm_map/inheritance-3", map_attributes, 3, 7, 3)
EACH("vm_map/inheritance-4", map_attributes, 3, 7, 4)
EACH("vm_map/inheritance-negative", map_attributes, 3, 7, -1)

static void map_object_part(long offset, long copy, long unused)
{
	vm_offset_t at = 0;
	kern_return_t kr = vm_map(self, &at, 2 * PAGE, 0, TRUE, MACH_PORT_NULL, (vm_offset_t)offset,
				  (boolean_t)copy, RW, RW, VM_INHERIT_COPY);

	(void)unused;
	code("vm_map", kr);
	if (kr != KERN_SUCCESS)
		return;
	keep_memory(at, 2 * PAGE);
	count("bytes not zero", bytes_set(at, 2 * PAGE));
	pattern_fill(at, 2 * PAGE, 3);
	count("wrong bytes", pattern_wrong(at, 2 * PAGE, 3));
}
EACH("vm_map/no-object", map_object_part, 0, 0, 0)
EACH("vm_map/no-object-copy", map_object_part, 0, 1, 0)
EACH("vm_map/no-object-offset", map_object_part, 0x5000, 0, 0)
EACH("vm_map/no-object-offset-unaligned", map_object_part, 0x123, 0, 0)
EACH("vm_map/no-object-offset-highest-copy", map_object_part, -1, 1, 0)

/* A port as memory object: what is mapped then, and what becomes of the name. */
static void map_object(long kind, long taken, long copy)
{
	mach_port_name_t task = make_task(FALSE), name = make_kind((enum name_kind)kind);
	vm_offset_t at = PAGE;

	if (taken)
		must("vm_allocate", vm_allocate(task, &at, PAGE, FALSE));
	code("vm_map", vm_map(task, &at, PAGE, 0, FALSE, name, 0, (boolean_t)copy,
			      VM_PROT_READ, RW, VM_INHERIT_NONE));
	tell_memory_in(task, "memory", PAGE, 1);
	if (kind != KIND_task && kind != KIND_host && kind != KIND_thread)
		tell_name("the name", name);
}
#define MAP_OBJECT(name, kind)						\
	EACH("vm_map/object-" name, map_object, kind, 0, 0)		\
	EACH("vm_map/object-" name "-taken", map_object, kind, 1, 0)
MAP_OBJECT("null", KIND_null)
MAP_OBJECT("dead-port", KIND_dead_port)
MAP_OBJECT("no-name", KIND_no_name)
MAP_OBJECT("receive", KIND_receive)
MAP_OBJECT("send-once", KIND_send_once)
MAP_OBJECT("dead-name", KIND_dead_name)
MAP_OBJECT("died", KIND_died)
MAP_OBJECT("port-set", KIND_port_set)
MAP_OBJECT("host", KIND_host)
MAP_OBJECT("task", KIND_task)
MAP_OBJECT("thread", KIND_thread)
EACH("vm_map/object-dead-name-copy", map_object, KIND_dead_name, 0, 1)
EACH("vm_map/object-task-copy", map_object, KIND_task, 0, 1)

CASE("vm_map/object-is-a-port")
{
	mach_port_name_t task = make_task(FALSE), port = make_port();
	mach_port_status_t status;
	vm_offset_t at = PAGE;

	code("vm_map", vm_map(task, &at, PAGE, 0, FALSE, port, 0, FALSE, VM_PROT_READ, RW,
			      VM_INHERIT_NONE));
	tell_memory_in(task, "memory", PAGE, 1);
	must("mach_port_get_receive_status", mach_port_get_receive_status(self, port, &status));
	count("messages for it", status.mps_msgcount);
}

/* Beside a page of new memory: whether the two are one entry. */
static void map_beside(long before, long current, long inheritance)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t page = 4 * PAGE, at = before ? 3 * PAGE : 5 * PAGE;
	struct region r;

	must("vm_allocate", vm_allocate(task, &page, PAGE, FALSE));
	must("vm_protect", vm_protect(task, page, PAGE, FALSE, VM_PROT_READ));
	code("vm_map", vm_map(task, &at, PAGE, 0, FALSE, MACH_PORT_NULL, 0, FALSE,
			      (vm_prot_t)current, VM_PROT_ALL, (vm_inherit_t)inheritance));
	must("vm_region", find_region(task, 0, &r));
	count("pages of the first entry", r.size / PAGE);
	count("its offset", r.offset);
}
EACH("vm_map/behind-its-like", map_beside, 0, 1, 1)
EACH("vm_map/before-its-like", map_beside, 1, 1, 1)
EACH("vm_map/behind-another-protection", map_beside, 0, 5, 1)
EACH("vm_map/before-another-protection", map_beside, 1, 5, 1)
EACH("vm_map/behind-another-inheritance", map_beside, 0, 1, 0)

CASE("vm_map/inherited")
{
	mach_port_name_t parent = make_task(FALSE), child;
	vm_offset_t at = PAGE;
	vm_inherit_t in;

	for (in = VM_INHERIT_SHARE; in <= VM_INHERIT_NONE; in++, at += PAGE)
		must("vm_map", vm_map(parent, &at, PAGE, 0, FALSE, MACH_PORT_NULL, 0, FALSE,
				      VM_PROT_READ, RW, in));
	must("task_create", task_create(parent, TRUE, &child));
	tell_memory_in(child, "the child's", PAGE, 3);
	tell_memory_in(parent, "the parent's", PAGE, 3);
	task_terminate(keep_name(child));
}

/* ---- vm_wire. */

/* The entries of a task, by their pages. */
static void tell_entries(const char *what, mach_port_name_t task, vm_offset_t at)
{
	struct region r;

	mach_printf("%s:", what);
	for (; find_region(task, at, &r) == KERN_SUCCESS; at = r.start + r.size)
		mach_printf(" %zu", (size_t)(r.size / PAGE));
	mach_printf("\n");
}

static void wire_place(long relative, long offset, long size)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t base = terrain_in(task), at = place_at(base, relative, offset);

	code("vm_wire", vm_wire(PRIV, task, at, (vm_size_t)size, RW));
	tell_memory_in(task, "island", base, TERRAIN_PAGES);
	tell_entries("entries", task, base);
	code("unprivileged", vm_wire(host, task, at, (vm_size_t)size, VM_PROT_EXECUTE));
	code("unwire", vm_wire(host, task, at, (vm_size_t)size, VM_PROT_NONE));
	tell_entries("entries", task, base);
}
#define WIRE_PLACE(name, ...) EACH("vm_wire/at-" name, wire_place, __VA_ARGS__)
PLACES(WIRE_PLACE)
EACH("vm_wire/at-half-of-an-entry-no-bytes", wire_place, 1, 0x1000, 0)
EACH("vm_wire/at-address-behind-what-wraps", wire_place, 1, 0x2000, -0x1000)

static void wire_access(long access, long protection, long unused)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t at = island_in(task, 1);

	(void)unused;
	must("vm_protect", vm_protect(task, at, PAGE, FALSE, (vm_prot_t)protection));
	code("vm_wire", vm_wire(PRIV, task, at, PAGE, (vm_prot_t)access));
}
EACH("vm_wire/access-all", wire_access, 7, 7, 0)
EACH("vm_wire/access-all-of-rw", wire_access, 7, 3, 0)
EACH("vm_wire/access-execute", wire_access, 4, 5, 0)
EACH("vm_wire/access-none-of-nothing", wire_access, 0, 0, 0)
EACH("vm_wire/access-8", wire_access, 8, 7, 0)
EACH("vm_wire/access-notify", wire_access, 0x10, 7, 0)
EACH("vm_wire/access-negative", wire_access, -1, 7, 0)

CASE("vm_wire/order-of-refusals")
{
	mach_port_name_t thread = keep_name(mach_thread_self());

	code("no host, no task, bad access", vm_wire(self, thread, 0, PAGE, 8));
	code("no task, bad access", vm_wire(PRIV, thread, 0, PAGE, 8));
	code("bad access, too much, hole", vm_wire(host, make_task(FALSE), 0, 9 * MIB, 8));
	code("too much, hole", vm_wire(host, make_task(FALSE), 0, 9 * MIB, 1));
	code("hole", vm_wire(PRIV, make_task(FALSE), 0, 9 * MIB, 1));
	code("too much to unwire, hole", vm_wire(host, make_task(FALSE), 0, 9 * MIB, 0));
}

static mach_port_name_t wired_task(vm_offset_t *at, vm_size_t size)
{
	mach_port_name_t task = make_task(FALSE);

	*at = MIB;
	must("vm_allocate", vm_allocate(task, at, size, FALSE));
	return task;
}

CASE("vm_wire/limit-at-once")
{
	vm_offset_t at;
	mach_port_name_t task = wired_task(&at, 9 * MIB);

	code("a byte too much", vm_wire(host, task, at, 8 * MIB + 1, RW));
	code("as much as is allowed", vm_wire(host, task, at, 8 * MIB, RW));
	code("the same again", vm_wire(host, task, at, 8 * MIB, RW));
	code("a page more", vm_wire(host, task, at + 8 * MIB, PAGE, RW));
	code("no bytes more", vm_wire(host, task, at + 8 * MIB, 0, RW));
	code("a page more, privileged", vm_wire(PRIV, task, at + 8 * MIB, PAGE, RW));
	code("no bytes more", vm_wire(host, task, at + 8 * MIB, 0, RW));
	code("unwire", vm_wire(host, task, at, 9 * MIB, VM_PROT_NONE));
	code("as much as is allowed", vm_wire(host, task, at, 8 * MIB, RW));
}

CASE("vm_wire/limit-in-parts")
{
	vm_offset_t at;
	mach_port_name_t task = wired_task(&at, 10 * MIB);

	code("5 MiB", vm_wire(host, task, at, 5 * MIB, VM_PROT_READ));
	code("4 MiB more", vm_wire(host, task, at + 5 * MIB, 4 * MIB, VM_PROT_READ));
	code("3 MiB more", vm_wire(host, task, at + 5 * MIB, 3 * MIB, VM_PROT_READ));
	must("vm_deallocate", vm_deallocate(task, at, MIB));
	code("1 MiB is gone, 2 more", vm_wire(host, task, at + 8 * MIB, 2 * MIB, VM_PROT_READ));
	must("vm_protect", vm_protect(task, at + MIB, MIB, FALSE, VM_PROT_NONE));
	code("1 MiB is barred, 2 more", vm_wire(host, task, at + 8 * MIB, 2 * MIB, VM_PROT_READ));
	must("vm_protect", vm_protect(task, at + MIB, MIB, FALSE, VM_PROT_READ));
	code("it is open again", vm_wire(host, task, at, PAGE, VM_PROT_READ));
	code("it is open again, no bytes", vm_wire(host, task, at + 2 * MIB, 0, VM_PROT_READ));
	code("a size that wraps", vm_wire(host, task, at, -(8 * MIB), VM_PROT_READ));
}

CASE("vm_wire/entries-of-wired-pages")
{
	vm_offset_t at = 0;
	mach_port_name_t task = wired_task(&at, 6 * PAGE);

	code("vm_wire 1", vm_wire(PRIV, task, at + PAGE, PAGE, RW));
	code("vm_wire 2", vm_wire(PRIV, task, at + 2 * PAGE, PAGE, VM_PROT_READ));
	tell_entries("wired", task, 0);
	must("vm_inherit", vm_inherit(task, at + PAGE, 2 * PAGE, VM_INHERIT_NONE));
	tell_entries("inheritance changed", task, 0);
	code("vm_wire 4", vm_wire(PRIV, task, at + 4 * PAGE, PAGE, RW));
	code("vm_wire 4", vm_wire(PRIV, task, at + 4 * PAGE, PAGE, RW));
	code("vm_wire 5", vm_wire(PRIV, task, at + 5 * PAGE, PAGE, RW));
	must("vm_inherit", vm_inherit(task, at + 4 * PAGE, 2 * PAGE, VM_INHERIT_NONE));
	tell_entries("one wired twice", task, 0);
	code("vm_wire 5", vm_wire(PRIV, task, at + 5 * PAGE, PAGE, RW));
	must("vm_inherit", vm_inherit(task, at + 4 * PAGE, 2 * PAGE, VM_INHERIT_COPY));
	tell_entries("both wired twice", task, 0);
	code("unwire", vm_wire(PRIV, task, at, 6 * PAGE, VM_PROT_NONE));
	tell_entries("unwired", task, 0);
	must("vm_inherit", vm_inherit(task, at, 6 * PAGE, VM_INHERIT_SHARE));
	tell_entries("inheritance changed", task, 0);
}

CASE("vm_wire/failure-leaves-entries-split")
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t base = terrain_in(task);

	code("vm_wire", vm_wire(PRIV, task, base + PAGE, 2 * PAGE, RW));
	tell_entries("entries", task, base);
	code("vm_wire", vm_wire(PRIV, task, base + 5 * PAGE, 2 * PAGE, RW));
	tell_entries("entries", task, base);
}

CASE("vm_wire/memory-is-as-it-was")
{
	vm_offset_t at = island(3);

	pattern_fill(at, PAGE, 5);
	code("vm_wire", vm_wire(PRIV, self, at, 3 * PAGE, RW));
	count("wrong bytes", pattern_wrong(at, PAGE, 5));
	count("bytes not zero in the rest", bytes_set(at + PAGE, 2 * PAGE));
	pattern_fill(at, 3 * PAGE, 6);
	code("unwire", vm_wire(PRIV, self, at, 3 * PAGE, VM_PROT_NONE));
	count("wrong bytes", pattern_wrong(at, 3 * PAGE, 6));
}

/* ---- vm_wire_all. */

static void wire_flags(long flags, long unused, long unused2)
{
	vm_offset_t at, more;
	mach_port_name_t task = wired_task(&at, 7 * MIB);

	(void)unused, (void)unused2;
	code("vm_wire_all", vm_wire_all(PRIV, task, (vm_wire_t)flags));
	code("2 MiB more", vm_wire(host, task, at, 2 * MIB, VM_PROT_READ));
	more = 16 * MIB;
	must("vm_allocate", vm_allocate(task, &more, 2 * MIB, FALSE));
	code("7 MiB more", vm_wire(host, task, at, 7 * MIB, VM_PROT_READ));
	must("vm_allocate", (more += 2 * MIB, vm_allocate(task, &more, PAGE, FALSE)));
	tell_entries("entries", task, 0);
	code("none", vm_wire_all(PRIV, task, VM_WIRE_NONE));
	must("vm_allocate", (more += PAGE, vm_allocate(task, &more, PAGE, FALSE)));
	tell_entries("entries", task, 0);
	code("8 MiB more", vm_wire(host, task, at, 8 * MIB, VM_PROT_READ));
	code("7 MiB more", vm_wire(host, task, at, 7 * MIB, VM_PROT_READ));
}
EACH("vm_wire_all/flags-none", wire_flags, VM_WIRE_NONE, 0, 0)
EACH("vm_wire_all/flags-current", wire_flags, VM_WIRE_CURRENT, 0, 0)
EACH("vm_wire_all/flags-future", wire_flags, VM_WIRE_FUTURE, 0, 0)
EACH("vm_wire_all/flags-all", wire_flags, VM_WIRE_ALL, 0, 0)
EACH("vm_wire_all/flags-4", wire_flags, 4, 0, 0)
EACH("vm_wire_all/flags-negative", wire_flags, -1, 0, 0)

CASE("vm_wire_all/every-protection")
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t base = terrain_in(task);

	code("all", vm_wire_all(PRIV, task, VM_WIRE_ALL));
	tell_memory_in(task, "island", base, TERRAIN_PAGES);
	must("vm_allocate", vm_allocate(task, &(vm_offset_t){ base + 4 * PAGE }, PAGE, FALSE));
	tell_entries("a page in the hole", task, base);
	must("vm_protect", vm_protect(task, base + 3 * PAGE, PAGE, FALSE, RW));
	tell_entries("the barred page opened", task, base);
	code("none", vm_wire_all(PRIV, task, VM_WIRE_NONE));
	tell_entries("unwired", task, base);
}

CASE("vm_wire_all/future-beside-what-is-not-wired")
{
	vm_offset_t at, more;
	mach_port_name_t task = wired_task(&at, 7 * MIB);

	must("vm_wire_all", vm_wire_all(PRIV, task, VM_WIRE_FUTURE));
	more = at + 7 * MIB;
	must("vm_allocate", vm_allocate(task, &more, 2 * MIB, FALSE));
	tell_entries("entries", task, 0);
	code("8 MiB", vm_wire(host, task, at, 8 * MIB, VM_PROT_READ));
}

CASE("vm_wire_all/future-is-not-inherited")
{
	vm_offset_t at;
	mach_port_name_t task = wired_task(&at, PAGE), child;

	must("vm_wire_all", vm_wire_all(PRIV, task, VM_WIRE_ALL));
	must("task_create", task_create(task, TRUE, &child));
	at = 4 * MIB;
	must("vm_allocate", vm_allocate(child, &at, MIB, FALSE));
	code("8 MiB", vm_wire(host, child, at, 8 * MIB, VM_PROT_READ));
	code("1 MiB", vm_wire(host, child, at, MIB, VM_PROT_READ));
	task_terminate(keep_name(child));
}

CASE("vm_wire_all/order-of-refusals")
{
	mach_port_name_t thread = keep_name(mach_thread_self());

	code("no host, no task, bad flags", vm_wire_all(host, thread, 8));
	code("no task, bad flags", vm_wire_all(PRIV, thread, 8));
	code("bad flags", vm_wire_all(PRIV, make_task(FALSE), 8));
}

/* ---- vm_machine_attribute, vm_msync. */

static void attribute(long at, long size, long what)
{
	vm_machine_attribute_val_t value = MATTR_VAL_GET;

	code("vm_machine_attribute",
	     vm_machine_attribute(make_task(TRUE), at == 1 ? island(2) : (vm_offset_t)at,
				  (vm_size_t)size, (vm_machine_attribute_t)what, &value));
	fact("the value is as it was", value == MATTR_VAL_GET);
}
EACH("vm_machine_attribute/cache", attribute, 1, 0x1000, MATTR_CACHE)
EACH("vm_machine_attribute/migrate", attribute, 1, 0x1000, MATTR_MIGRATE)
EACH("vm_machine_attribute/attribute-0", attribute, 1, 0x1000, 0)
EACH("vm_machine_attribute/no-bytes", attribute, 1, 0, MATTR_CACHE)
EACH("vm_machine_attribute/hole", attribute, 0x700000000000, 0x1000, MATTR_CACHE)
EACH("vm_machine_attribute/whole-map", attribute, 0, 0x800000000000, MATTR_CACHE)
EACH("vm_machine_attribute/more-than-the-map", attribute, 0, 0x800000000001, MATTR_CACHE)
EACH("vm_machine_attribute/outside", attribute, 0x900000000000, 0x1000, MATTR_CACHE)
EACH("vm_machine_attribute/wraps", attribute, 0x1000, -0x1000, MATTR_CACHE)

CASE("vm_machine_attribute/task-is-a-host")
{
	vm_machine_attribute_val_t value = MATTR_VAL_GET;

	code("answer", vm_machine_attribute(host, 0, PAGE, MATTR_CACHE, &value));
}

static void synchronise(long flags, long at, long size)
{
	code("vm_msync", vm_msync(self, island(2) + (vm_offset_t)at, (vm_size_t)size,
				  (vm_sync_t)flags));
}
EACH("vm_msync/page", synchronise, VM_SYNC_SYNCHRONOUS, 0, 0x1000)
EACH("vm_msync/page-asynchronously", synchronise, VM_SYNC_ASYNCHRONOUS, 0, 0x1000)
EACH("vm_msync/page-both-ways", synchronise, 3, 0, 0x1000)
EACH("vm_msync/page-no-flags", synchronise, 0, 0, 0x1000)
EACH("vm_msync/no-bytes", synchronise, VM_SYNC_SYNCHRONOUS, 0, 0)
EACH("vm_msync/no-bytes-invalidate", synchronise, VM_SYNC_INVALIDATE, 0, 0)
EACH("vm_msync/no-bytes-unknown-flags", synchronise, 0xf0, 0, 0)
EACH("vm_msync/no-bytes-both-ways", synchronise, 3, 0, 0)
EACH("vm_msync/no-bytes-unaligned", synchronise, VM_SYNC_SYNCHRONOUS, 8, 0)
EACH("vm_msync/no-bytes-in-a-hole", synchronise, VM_SYNC_SYNCHRONOUS, 0x2000, 0)
EACH("vm_msync/nearly-all-bytes-there-are", synchronise, VM_SYNC_SYNCHRONOUS, 8, -8)

CASE("vm_msync/task-is-a-host")
{
	code("answer", vm_msync(host, 0, 0, 0));
}
