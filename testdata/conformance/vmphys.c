/* vmphys: where memory lies in the machine, and memory in one piece. */
#include "suite.h"

#define PRIV host_priv_port
#define MIB ((vm_size_t)1 << 20)
#define ANY_PMAX ((rpc_phys_addr_t)1 << 40)

static kern_return_t phys_of(mach_port_name_t priv, mach_port_name_t task, vm_offset_t at,
			     vm_size_t size, rpc_phys_addr_t *first, mach_msg_type_number_t *got)
{
	rpc_phys_addr_t some[8], *pages = some;
	mach_msg_type_number_t i;
	kern_return_t kr;

	*got = 8;
	kr = vm_pages_phys(priv, task, at, size, &pages, got);
	if (kr != KERN_SUCCESS)
		return kr;
	for (i = 0; i < *got && i < 8; i++)
		first[i] = pages[i];
	if (pages != some)
		vm_deallocate(self, (vm_offset_t)pages, *got * sizeof(*pages));
	return kr;
}

/* Which pages have a place: their number, or - for none, = for the one before's. */
static void tell_phys(const char *what, mach_port_name_t task, vm_offset_t at, size_t pages)
{
	rpc_phys_addr_t place[8] = {0};
	mach_msg_type_number_t got = 0, i;
	kern_return_t kr = phys_of(PRIV, task, at, pages * PAGE, place, &got);

	if (kr != KERN_SUCCESS) {
		code(what, kr);
		return;
	}
	mach_printf("%s: %u:", what, got);
	for (i = 0; i < got && i < 8; i++)
		mach_printf(" %s", place[i] == 0 ? "none" : place[i] % PAGE != 0 ? "unaligned" : "there");
	mach_printf("\n");
}

static void phys_host(long kind, long unused, long unused2)
{
	mach_port_name_t name = make_kind((enum name_kind)kind);
	rpc_phys_addr_t place[8];
	mach_msg_type_number_t got;

	(void)unused, (void)unused2;
	code("answer", phys_of(name, self, island(1), PAGE, place, &got));
	tell_name("the name", name);
}
#define PHYS_HOST(name, kind) EACH("vm_pages_phys/host-is-" name, phys_host, kind, 0, 0)
PHYS_HOST("null", KIND_null)
PHYS_HOST("dead-name", KIND_dead_name)
PHYS_HOST("host", KIND_host)
PHYS_HOST("task", KIND_task)
PHYS_HOST("thread", KIND_thread)

static void phys_task(long kind, long unused, long unused2)
{
	mach_port_name_t name = make_kind((enum name_kind)kind);
	rpc_phys_addr_t place[8];
	mach_msg_type_number_t got;

	(void)unused, (void)unused2;
	code("answer", phys_of(PRIV, name, 0, PAGE, place, &got));
	tell_name("the name", name);
}
#define PHYS_TASK(name, kind) EACH("vm_pages_phys/task-is-" name, phys_task, kind, 0, 0)
PHYS_TASK("null", KIND_null)
PHYS_TASK("dead-port", KIND_dead_port)
PHYS_TASK("no-name", KIND_no_name)
PHYS_TASK("send", KIND_send)
PHYS_TASK("dead-name", KIND_dead_name)
PHYS_TASK("host", KIND_host)
PHYS_TASK("thread", KIND_thread)
PHYS_TASK("dead-task", KIND_dead_task)

static void phys_place(long relative, long at, long size)
{
	vm_offset_t base = terrain();
	rpc_phys_addr_t place[8];
	mach_msg_type_number_t got = 0;
	kern_return_t kr;

	kr = phys_of(PRIV, self, place_at(base, relative, at), (vm_size_t)size, place, &got);
	code("answer", kr);
	if (kr == KERN_SUCCESS)
		count("pages told", got);
}
#define PHYS(name, relative, at, size) EACH("vm_pages_phys/" name, phys_place, relative, at, size)
PHYS("page", 1, 0, 0x1000)
PHYS("no-bytes", 1, 0, 0)
PHYS("unaligned-address", 1, 8, 0x1000)
PHYS("unaligned-size", 1, 0, 0x1800)
PHYS("unaligned-size-of-a-hole", 1, 0x4000, 8)
PHYS("all-of-it", 1, 0, 0x9000)
PHYS("hole", 1, 0x4000, 0x1000)
PHYS("page-zero", 0, 0, 0x1000)
PHYS("map-end", 0, 0x800000000000, 0x1000)
PHYS("kernel-address", 0, 0xffffffff81000000, 0x1000)
PHYS("wraps", 0, 0xfffffffffffff000, 0x2000)
PHYS("a-mebibyte", 1, 0, 0x100000)
PHYS("512-pages", 1, 0, 0x200000)
PHYS("count-of-2-32", 1, 0, 0x100000000000)
PHYS("too-much", 1, 0, 0x4000000000)

CASE("vm_pages_phys/what-is-there")
{
	vm_offset_t at = terrain();

	tell_phys("terrain", self, at, 8);
	*(volatile char *)(at + 5 * PAGE) = 1;
	tell_phys("touched", self, at, 8);
}

CASE("vm_pages_phys/each-page-its-own")
{
	vm_offset_t at = island(4);
	rpc_phys_addr_t p[8], again[8];
	mach_msg_type_number_t got;
	size_t i, j, equal = 0;

	pattern_fill(at, 4 * PAGE, 1);
	must("vm_pages_phys", phys_of(PRIV, self, at, 4 * PAGE, p, &got));
	for (i = 0; i < 4; i++)
		for (j = 0; j < i; j++)
			equal += p[i] == p[j];
	count("equal", equal);
	must("vm_pages_phys", phys_of(PRIV, self, at + PAGE, PAGE, again, &got));
	fact("the second is where it was", again[0] == p[1]);
}

CASE("vm_pages_phys/a-copy")
{
	vm_offset_t at = island(1), data;
	rpc_phys_addr_t p[8], q[8];
	mach_msg_type_number_t got;

	pattern_fill(at, PAGE, 1);
	must("vm_read", read_memory(self, at, PAGE, &data, &got));
	must("vm_pages_phys", phys_of(PRIV, self, at, PAGE, p, &got));
	must("vm_pages_phys", phys_of(PRIV, self, data, PAGE, q, &got));
	fact("it is the source's page", p[0] == q[0]);
	*(volatile char *)at = 1;
	must("vm_pages_phys", phys_of(PRIV, self, at, PAGE, p, &got));
	must("vm_pages_phys", phys_of(PRIV, self, data, PAGE, q, &got));
	fact("after a write, too", p[0] == q[0]);
}

CASE("vm_pages_phys/shared-memory")
{
	vm_offset_t at = island(1);
	mach_port_name_t task;
	rpc_phys_addr_t p[8], q[8];
	mach_msg_type_number_t got;

	must("vm_inherit", vm_inherit(self, at, PAGE, VM_INHERIT_SHARE));
	task = make_task(TRUE);
	pattern_fill(at, PAGE, 1);
	must("vm_pages_phys", phys_of(PRIV, self, at, PAGE, p, &got));
	must("vm_pages_phys", phys_of(PRIV, task, at, PAGE, q, &got));
	fact("it is one page", p[0] != 0 && p[0] == q[0]);
}

CASE("vm_pages_phys/order-of-refusals")
{
	mach_port_name_t other = make_send();
	rpc_phys_addr_t place[8];
	mach_msg_type_number_t got;

	code("the host and the task", phys_of(host, other, 0, PAGE, place, &got));
	code("the task and the place", phys_of(PRIV, other, 1, PAGE, place, &got));
	code("the host and the place", phys_of(host, self, 1, PAGE, place, &got));
}

CASE("vm_allocate_contiguous/order-of-refusals")
{
	mach_port_name_t other = make_send();
	rpc_phys_addr_t place;
	vm_offset_t at;

	code("the host and the task",
	     vm_allocate_contiguous(host, other, &at, &place, PAGE, 0, ANY_PMAX, 0));
	code("the host and the alignment",
	     vm_allocate_contiguous(host, self, &at, &place, PAGE, 0, ANY_PMAX, 3));
}

/* ---- vm_allocate_contiguous. */

static kern_return_t contiguous(mach_port_name_t priv, mach_port_name_t task, vm_size_t size,
				rpc_phys_addr_t pmin, rpc_phys_addr_t pmax, rpc_phys_addr_t align,
				vm_offset_t *at, rpc_phys_addr_t *place)
{
	*at = 0;
	*place = 0;
	return vm_allocate_contiguous(priv, task, at, place, size, pmin, pmax, align);
}

static void contiguous_host(long kind, long unused, long unused2)
{
	mach_port_name_t name = make_kind((enum name_kind)kind);
	vm_offset_t at;
	rpc_phys_addr_t place;

	(void)unused, (void)unused2;
	code("answer", contiguous(name, self, PAGE, 0, ANY_PMAX, 0, &at, &place));
}
#define CONTIGUOUS_HOST(name, kind) \
	EACH("vm_allocate_contiguous/host-is-" name, contiguous_host, kind, 0, 0)
CONTIGUOUS_HOST("null", KIND_null)
CONTIGUOUS_HOST("host", KIND_host)
CONTIGUOUS_HOST("task", KIND_task)
CONTIGUOUS_HOST("thread", KIND_thread)

static void contiguous_task(long kind, long unused, long unused2)
{
	mach_port_name_t name = make_kind((enum name_kind)kind);
	vm_offset_t at;
	rpc_phys_addr_t place;

	(void)unused, (void)unused2;
	code("answer", contiguous(PRIV, name, PAGE, 0, ANY_PMAX, 0, &at, &place));
	code("and a bad alignment", contiguous(PRIV, name, PAGE, 0, ANY_PMAX, 3, &at, &place));
}
#define CONTIGUOUS_TASK(name, kind) \
	EACH("vm_allocate_contiguous/task-is-" name, contiguous_task, kind, 0, 0)
CONTIGUOUS_TASK("null", KIND_null)
CONTIGUOUS_TASK("no-name", KIND_no_name)
CONTIGUOUS_TASK("send", KIND_send)
CONTIGUOUS_TASK("dead-name", KIND_dead_name)
CONTIGUOUS_TASK("host", KIND_host)
CONTIGUOUS_TASK("dead-task", KIND_dead_task)

static void contiguous_ask(long size, long pmin, long align)
{
	vm_offset_t at;
	rpc_phys_addr_t place;
	mach_port_name_t task = make_task(FALSE);
	kern_return_t kr;

	kr = contiguous(PRIV, task, (vm_size_t)size, (rpc_phys_addr_t)pmin, ANY_PMAX,
			(rpc_phys_addr_t)align, &at, &place);
	code("answer", kr);
	if (kr != KERN_SUCCESS)
		return;
	fact("it lies somewhere", place != 0 && place % PAGE == 0);
	tell_memory_in(task, "memory", at, ((vm_size_t)size + PAGE - 1) / PAGE);
}
#define CONTIGUOUS(name, size, pmin, align) \
	EACH("vm_allocate_contiguous/" name, contiguous_ask, size, pmin, align)
CONTIGUOUS("page", 0x1000, 0, 0)
CONTIGUOUS("no-bytes", 0, 0, 0)
CONTIGUOUS("one-byte", 1, 0, 0)
CONTIGUOUS("three-pages", 0x3000, 0, 0x1000)
CONTIGUOUS("all-bytes", 0xffffffffffffffff, 0, 0)
CONTIGUOUS("a-lower-bound", 0x1000, 0x1000, 0)
CONTIGUOUS("aligned-to-one", 0x1000, 0, 1)
CONTIGUOUS("aligned-to-16", 0x1000, 0, 16)
CONTIGUOUS("aligned-to-3", 0x1000, 0, 3)
CONTIGUOUS("aligned-to-two-pages", 0x1000, 0, 0x2000)
CONTIGUOUS("no-bytes-and-a-lower-bound", 0, 0x1000, 0)
CONTIGUOUS("a-mebibyte", 0x100000, 0, 0)
CONTIGUOUS("65-pages", 65 * 4096, 0, 0)

CASE("vm_allocate_contiguous/in-one-piece")
{
	vm_offset_t at;
	rpc_phys_addr_t place, p[8];
	mach_msg_type_number_t got;
	size_t i, wrong = 0;

	must("vm_allocate_contiguous", contiguous(PRIV, self, 8 * PAGE, 0, ANY_PMAX, 0, &at, &place));
	keep_memory(at, 8 * PAGE);
	must("vm_pages_phys", phys_of(PRIV, self, at, 8 * PAGE, p, &got));
	for (i = 0; i < 8; i++)
		wrong += p[i] != place + i * PAGE;
	count("pages elsewhere", wrong);
	pattern_fill(at, 8 * PAGE, 3);
	count("wrong bytes", pattern_wrong(at, 8 * PAGE, 3));
	must("vm_pages_phys", phys_of(PRIV, self, at, 8 * PAGE, p, &got));
	for (i = wrong = 0; i < 8; i++)
		wrong += p[i] != place + i * PAGE;
	count("written, pages elsewhere", wrong);
}

CASE("vm_allocate_contiguous/stays-where-it-is")
{
	vm_offset_t at, data;
	rpc_phys_addr_t place, p[8];
	mach_msg_type_number_t got;
	mach_port_name_t task;

	must("vm_allocate_contiguous", contiguous(PRIV, self, 2 * PAGE, 0, ANY_PMAX, 0, &at, &place));
	keep_memory(at, 2 * PAGE);
	pattern_fill(at, 2 * PAGE, 3);
	must("vm_read", read_memory(self, at, 2 * PAGE, &data, &got));
	task = make_task(TRUE);
	*(volatile char *)at = 9;
	must("vm_pages_phys", phys_of(PRIV, self, at, 2 * PAGE, p, &got));
	fact("it is where it was", p[0] == place && p[1] == place + PAGE);
	must("vm_pages_phys", phys_of(PRIV, self, data, PAGE, p, &got));
	fact("a copy is elsewhere", p[0] != place);
	must("vm_pages_phys", phys_of(PRIV, task, at, PAGE, p, &got));
	fact("a child's is elsewhere", p[0] != place);
	count("wrong bytes in the copy", pattern_wrong(data, 2 * PAGE, 3));
}

CASE("vm_allocate_contiguous/is-wired")
{
	vm_statistics_data_t before, now;
	vm_offset_t at;
	rpc_phys_addr_t place;

	must("vm_statistics", vm_statistics(self, &before));
	must("vm_allocate_contiguous", contiguous(PRIV, self, 16 * PAGE, 0, ANY_PMAX, 0, &at, &place));
	must("vm_statistics", vm_statistics(self, &now));
	mach_printf("wired: %d more\n", now.wire_count - before.wire_count);
	must("vm_deallocate", vm_deallocate(self, at, 16 * PAGE));
	must("vm_statistics", vm_statistics(self, &now));
	mach_printf("gone: %d more\n", now.wire_count - before.wire_count);
}

CASE("vm_allocate_contiguous/maximum-protection")
{
	vm_offset_t at;
	rpc_phys_addr_t place;

	must("vm_allocate_contiguous", contiguous(PRIV, self, PAGE, 0, ANY_PMAX, 0, &at, &place));
	keep_memory(at, PAGE);
	code("execute", vm_protect(self, at, PAGE, FALSE, VM_PROT_ALL));
	code("read", vm_protect(self, at, PAGE, FALSE, VM_PROT_READ));
	code("write", vm_protect(self, at, PAGE, FALSE, RW));
}

static void contiguous_below(long pmax, long size, long unused)
{
	vm_offset_t at;
	rpc_phys_addr_t place;
	kern_return_t kr = contiguous(PRIV, self, (vm_size_t)size, 0, (rpc_phys_addr_t)pmax, 0, &at, &place);

	(void)unused;
	code("answer", kr);
	if (kr == KERN_SUCCESS) {
		keep_memory(at, (vm_size_t)size);
		fact("it lies below", place + (rpc_phys_addr_t)size <= (rpc_phys_addr_t)pmax);
	}
}
EACH("vm_allocate_contiguous/below-16-mib", contiguous_below, 16 << 20, 0x1000, 0)
EACH("vm_allocate_contiguous/below-4-gib", contiguous_below, 1L << 32, 0x1000, 0)
EACH("vm_allocate_contiguous/below-the-size", contiguous_below, 0x1000, 0x4000, 0)
EACH("vm_allocate_contiguous/below-nothing", contiguous_below, 0, 0x1000, 0)
EACH("vm_allocate_contiguous/more-than-there-is-below", contiguous_below, 16 << 20, 32 << 20, 0)
EACH("vm_allocate_contiguous/more-than-there-is", contiguous_below, 1L << 40, 1L << 33, 0)

CASE("vm_allocate_contiguous/no-room-in-the-task")
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t all = 0, at;
	rpc_phys_addr_t place;

	must("vm_map", vm_map(task, &all, MAP_END, 0, FALSE, MACH_PORT_NULL, 0, FALSE,
			      VM_PROT_NONE, VM_PROT_NONE, VM_INHERIT_NONE));
	code("answer", contiguous(PRIV, task, PAGE, 0, ANY_PMAX, 0, &at, &place));
}
