/* proxy: memory objects of the kernel that stand for a part of another. */
#include "suite.h"

#define ALL VM_PROT_ALL
#define TO_THE_END ((rpc_vm_size_t)-1)

/* ---- memory_object_create_proxy. */

static kern_return_t make_proxy(mach_port_name_t task, vm_prot_t prot, mach_port_name_t object,
				rpc_vm_offset_t offset, rpc_vm_offset_t start,
				rpc_vm_size_t len, mach_port_t *proxy)
{
	mach_port_t objects[1] = {object};
	kern_return_t kr;

	*proxy = MACH_PORT_NULL;
	kr = memory_object_create_proxy(task, prot, objects, MACH_MSG_TYPE_COPY_SEND, 1, &offset, 1, &start, 1, &len, 1, proxy);
	if (kr == KERN_SUCCESS)
		keep_name(*proxy);
	return kr;
}

CASE("memory_object_create_proxy/order-of-refusals")
{
	mach_port_t objects[2] = {make_port(), MACH_PORT_NULL}, proxy = MACH_PORT_NULL;
	rpc_vm_offset_t offset = 0, start = 0;
	rpc_vm_size_t len = PAGE;

	objects[1] = objects[0];
	code("the task and two objects",
	     memory_object_create_proxy(host, ALL, objects, MACH_MSG_TYPE_MAKE_SEND, 2, &offset, 1,
					&start, 1, &len, 1, &proxy));
	code("two objects",
	     memory_object_create_proxy(self, ALL, objects, MACH_MSG_TYPE_MAKE_SEND, 2, &offset, 1,
					&start, 1, &len, 1, &proxy));
}

static void proxy_task(long kind, long unused, long unused2)
{
	mach_port_name_t name = make_kind((enum name_kind)kind);
	mach_port_t proxy;

	(void)unused, (void)unused2;
	code("answer", make_proxy(name, ALL, make_port(), 0, 0, PAGE, &proxy));
	code("and a bad offset", make_proxy(name, ALL, make_port(), 1, 0, PAGE, &proxy));
	code("in the task itself", make_proxy(self, ALL, make_port(), 0, 0, PAGE, &proxy));
}
#define PROXY_TASK(name, kind) \
	EACH("memory_object_create_proxy/task-is-" name, proxy_task, kind, 0, 0)
PROXY_TASK("null", KIND_null)
PROXY_TASK("dead-name", KIND_dead_name)
PROXY_TASK("host", KIND_host)
PROXY_TASK("thread", KIND_thread)
PROXY_TASK("dead-task", KIND_dead_task)

static void proxy_object(long kind, long unused, long unused2)
{
	mach_port_name_t name = make_kind((enum name_kind)kind);
	mach_port_t proxy;
	kern_return_t kr = make_proxy(self, ALL, name, 0, 0, PAGE, &proxy);

	(void)unused, (void)unused2;
	code("answer", kr);
	if (kr == KERN_SUCCESS)
		tell_name("proxy", proxy);
	tell_name("the object", name);
}
#define PROXY_OBJECT(name, kind) \
	EACH("memory_object_create_proxy/object-is-" name, proxy_object, kind, 0, 0)
KINDS(PROXY_OBJECT)
PROXY_OBJECT("host", KIND_host)
PROXY_OBJECT("task", KIND_task)
PROXY_OBJECT("dead-task", KIND_dead_task)

static void proxy_range(long offset, long start, long len)
{
	mach_port_t proxy;

	code("answer", make_proxy(self, ALL, make_port(), (rpc_vm_offset_t)offset,
				  (rpc_vm_offset_t)start, (rpc_vm_size_t)len, &proxy));
	code("without an object", make_proxy(self, ALL, MACH_PORT_NULL, (rpc_vm_offset_t)offset,
					     (rpc_vm_offset_t)start, (rpc_vm_size_t)len, &proxy));
}
#define PROXY_RANGE(name, offset, start, len) \
	EACH("memory_object_create_proxy/" name, proxy_range, offset, start, len)
PROXY_RANGE("page", 0, 0, 0x1000)
PROXY_RANGE("no-bytes", 0, 0, 0)
PROXY_RANGE("unaligned", 0, 8, 8)
PROXY_RANGE("an-offset", 0x1000, 0, 0x1000)
PROXY_RANGE("all-bytes", 0, 0, 0xffffffffffffffff)
PROXY_RANGE("all-bytes-but-one", 0, 1, 0xfffffffffffffffe)
PROXY_RANGE("wraps", 0, 1, 0xffffffffffffffff)
PROXY_RANGE("wraps-to-the-start", 0, 0x1000, 0xffffffffffffffff)

static void proxy_prot(long prot, long unused, long unused2)
{
	mach_port_t proxy;

	(void)unused, (void)unused2;
	code("answer", make_proxy(self, (vm_prot_t)prot, make_port(), 0, 0, PAGE, &proxy));
}
EACH("memory_object_create_proxy/no-access", proxy_prot, 0, 0, 0)
EACH("memory_object_create_proxy/unknown-protection", proxy_prot, 0x40, 0, 0)
EACH("memory_object_create_proxy/all-protection-bits", proxy_prot, -1, 0, 0)

/* How many of each: objects, offsets, starts, lengths in decimal digits. */
static void proxy_counts(long counts, long unused, long unused2)
{
	mach_port_t objects[2] = {make_port(), make_port()}, proxy = MACH_PORT_NULL;
	rpc_vm_offset_t offsets[2] = {0, 0}, starts[2] = {0, 0};
	rpc_vm_size_t lens[2] = {PAGE, PAGE};

	(void)unused, (void)unused2;
	code("answer", memory_object_create_proxy(self, ALL,
		objects, MACH_MSG_TYPE_COPY_SEND, (mach_msg_type_number_t)(counts / 1000),
		offsets, (mach_msg_type_number_t)(counts / 100 % 10),
		starts, (mach_msg_type_number_t)(counts / 10 % 10),
		lens, (mach_msg_type_number_t)(counts % 10), &proxy));
	keep_name(proxy);
	tell_name("object", objects[0]);
}
#define PROXY_COUNTS(name, counts) \
	EACH("memory_object_create_proxy/" name, proxy_counts, counts, 0, 0)
PROXY_COUNTS("nothing", 0)
PROXY_COUNTS("two-objects", 2222)
PROXY_COUNTS("more-objects", 2111)
PROXY_COUNTS("no-offset", 1011)
PROXY_COUNTS("no-start", 1101)
PROXY_COUNTS("no-length", 1110)
PROXY_COUNTS("more-lengths", 1112)
PROXY_COUNTS("no-object", 111)

CASE("memory_object_create_proxy/two-of-one-object")
{
	mach_port_name_t object = make_port();
	mach_port_t a, b;

	code("first", make_proxy(self, ALL, object, 0, 0, PAGE, &a));
	code("second", make_proxy(self, ALL, object, 0, 0, PAGE, &b));
	fact("one proxy", a == b);
	tell_name("proxy", a);
	tell_name("object", object);
}

CASE("memory_object_create_proxy/given-up")
{
	mach_port_name_t object = make_receive();
	mach_port_status_t status;
	mach_port_t proxy;

	must("mach_port_insert_right", mach_port_insert_right(self, object, object, MACH_MSG_TYPE_MAKE_SEND));
	must("make_proxy", make_proxy(self, ALL, object, 0, 0, PAGE, &proxy));
	must("mach_port_mod_refs", mach_port_mod_refs(self, object, MACH_PORT_RIGHT_SEND, -1));
	must("status", mach_port_get_receive_status(self, object, &status));
	fact("the proxy holds a right", status.mps_srights);
	must("mach_port_deallocate", mach_port_deallocate(self, proxy));
	must("status", mach_port_get_receive_status(self, object, &status));
	fact("without the proxy", status.mps_srights);
}

CASE("memory_object_create_proxy/object-dies")
{
	mach_port_name_t object = make_port();
	mach_port_t proxy;

	must("make_proxy", make_proxy(self, ALL, object, 0, 0, PAGE, &proxy));
	must("mach_port_destroy", mach_port_destroy(self, object));
	tell_name("proxy", proxy);
}

CASE("memory_object_create_proxy/called")
{
	vm_offset_t at = 0;
	mach_port_t proxy;

	must("make_proxy", make_proxy(self, ALL, make_port(), 0, 0, PAGE, &proxy));
	code("vm_allocate", vm_allocate(proxy, &at, PAGE, TRUE));
	code("vm_object_sync", vm_object_sync(proxy, 0, PAGE, FALSE, FALSE, FALSE));
}

/* ---- What vm_map refuses of a proxy before it looks at what is behind. */

static void map_refused(long offset, long size, long copied)
{
	vm_offset_t at = 0;
	mach_port_t proxy;

	must("make_proxy", make_proxy(self, VM_PROT_WRITE, make_port(), 0, PAGE, 2 * PAGE, &proxy));
	code("answer", vm_map(self, &at, (vm_size_t)size, 0, TRUE, proxy, (vm_offset_t)offset,
			      (boolean_t)copied, RW, RW, VM_INHERIT_COPY));
	tell_name("proxy", proxy);
}
EACH("vm_map/proxy-beyond-its-range", map_refused, 0, 0x3000, FALSE)
EACH("vm_map/proxy-offset-beyond-its-range", map_refused, 0x2000, 0x1000, FALSE)
EACH("vm_map/proxy-offset-and-size-beyond", map_refused, 0x1000, 0x2000, FALSE)
EACH("vm_map/proxy-copied-without-reading", map_refused, 0, 0x1000, TRUE)
EACH("vm_map/proxy-copied-without-reading-beyond", map_refused, 0, 0x3000, TRUE)
EACH("vm_map/proxy-of-no-bytes", map_refused, 0, 0, FALSE)

static void map_of_kind(long kind, long unused, long unused2)
{
	mach_port_name_t name = make_kind((enum name_kind)kind);
	vm_offset_t at = 0;
	mach_port_t proxy;

	(void)unused, (void)unused2;
	must("make_proxy", make_proxy(self, ALL, name, 0, 0, PAGE, &proxy));
	code("answer", vm_map(self, &at, PAGE, 0, TRUE, proxy, 0, FALSE, RW, RW, VM_INHERIT_COPY));
}
EACH("vm_map/proxy-of-a-host", map_of_kind, KIND_host, 0, 0)
EACH("vm_map/proxy-of-a-task", map_of_kind, KIND_task, 0, 0)

/* ---- vm_region_create_proxy. */

/*
 * The real kernel first makes a pager of the default memory manager's for the
 * object, and waits for one if there is none; so there is one, that never
 * answers, for nothing is paged out.
 */
static void manager(void)
{
	mach_port_t port = make_port();

	vm_set_default_memory_manager(host_priv_port, &port);
	keep_name(port);
}

static vm_offset_t alone_in(mach_port_name_t task, size_t pages)
{
	static vm_offset_t next = 0x10000000000;
	vm_offset_t at = next;

	next += 0x100000;
	must("vm_allocate", vm_allocate(task, &at, pages * PAGE, FALSE));
	return at;
}

static vm_offset_t touched(size_t pages, unsigned int seed)
{
	vm_offset_t at = keep_memory(alone_in(self, pages), pages * PAGE);

	manager();
	pattern_fill(at, pages * PAGE, seed);
	return at;
}

static void put(vm_offset_t at, unsigned char value)
{
	*(volatile unsigned char *)at = value;
}

static unsigned char get(vm_offset_t at)
{
	return *(volatile unsigned char *)at;
}

static kern_return_t region_proxy(mach_port_name_t task, vm_offset_t at, vm_prot_t prot,
				  vm_size_t len, mach_port_t *proxy)
{
	kern_return_t kr;

	*proxy = MACH_PORT_NULL;
	kr = vm_region_create_proxy(task, at, prot, len, proxy);
	if (kr == KERN_SUCCESS)
		keep_name(*proxy);
	return kr;
}

static void region_task(long kind, long unused, long unused2)
{
	mach_port_name_t name = make_kind((enum name_kind)kind);
	mach_port_t proxy;

	(void)unused, (void)unused2;
	code("answer", region_proxy(name, 0, ALL, PAGE, &proxy));
	tell_name("the name", name);
}
#define REGION_TASK(name, kind) EACH("vm_region_create_proxy/task-is-" name, region_task, kind, 0, 0)
REGION_TASK("null", KIND_null)
REGION_TASK("dead-name", KIND_dead_name)
REGION_TASK("port-set", KIND_port_set)
REGION_TASK("host", KIND_host)
REGION_TASK("thread", KIND_thread)
REGION_TASK("dead-task", KIND_dead_task)

CASE("vm_region_create_proxy/empty-task")
{
	mach_port_t proxy;

	code("answer", region_proxy(make_task(FALSE), 0, ALL, PAGE, &proxy));
}

static void region_range(long at, long len, long unused)
{
	vm_offset_t base = touched(4, 1);
	mach_port_t proxy;
	kern_return_t kr;

	(void)unused;
	kr = region_proxy(self, base + (vm_offset_t)at, ALL, (vm_size_t)len, &proxy);
	code("answer", kr);
	if (kr == KERN_SUCCESS)
		tell_name("proxy", proxy);
}
#define REGION_RANGE(name, at, len) EACH("vm_region_create_proxy/" name, region_range, at, len, 0)
REGION_RANGE("all-of-it", 0, 0x4000)
REGION_RANGE("no-bytes", 0, 0)
REGION_RANGE("unaligned", 8, 8)
REGION_RANGE("more-than-the-entry", 0, 0x4001)
REGION_RANGE("beyond-the-entry-from-the-middle", 0x2000, 0x4000)
REGION_RANGE("beyond-the-entry-and-more", 0x2000, 0x4001)

CASE("vm_region_create_proxy/untouched-memory")
{
	vm_offset_t at = keep_memory(alone_in(self, 1), PAGE), there = 0;
	mach_port_t proxy;

	manager();
	code("answer", region_proxy(self, at, ALL, PAGE, &proxy));
	code("vm_map", vm_map(self, &there, PAGE, 0, TRUE, proxy, 0, FALSE, RW, RW, VM_INHERIT_COPY));
	keep_memory(there, PAGE);
	put(there, 7);
	count("byte", get(at));
}

/* ---- Mapping them. */

static vm_offset_t map_proxy(mach_port_name_t task, mach_port_t proxy, vm_offset_t offset,
			     vm_size_t size, boolean_t copied)
{
	vm_offset_t at = 0;

	must("vm_map", vm_map(task, &at, size, 0, TRUE, proxy, offset, copied, RW, RW,
			      VM_INHERIT_COPY));
	if (task == self)
		keep_memory(at, size);
	return at;
}

CASE("vm_map/proxy-is-the-same-memory")
{
	vm_offset_t at = touched(4, 1), there;
	mach_port_t proxy;

	must("vm_region_create_proxy", region_proxy(self, at, ALL, 4 * PAGE, &proxy));
	there = map_proxy(self, proxy, 0, 4 * PAGE, FALSE);
	count("differing", bytes_differing(at, there, 4 * PAGE));
	put(at + PAGE, 77);
	count("written here, there", get(there + PAGE));
	put(there + 2 * PAGE, 78);
	count("written there, here", get(at + 2 * PAGE));
	tell_memory("entry here", at, 4);
	tell_memory("entry there", there, 4);
}

CASE("vm_map/proxy-of-a-part")
{
	vm_offset_t at = touched(4, 1), there;
	mach_port_t proxy;

	must("vm_region_create_proxy", region_proxy(self, at + PAGE, ALL, 2 * PAGE, &proxy));
	there = map_proxy(self, proxy, 0, 2 * PAGE, FALSE);
	count("differing", bytes_differing(at + PAGE, there, 2 * PAGE));
	there = map_proxy(self, proxy, PAGE, PAGE, FALSE);
	count("differing with an offset", bytes_differing(at + 2 * PAGE, there, PAGE));
}

CASE("vm_map/proxy-in-another-task")
{
	vm_offset_t at = touched(2, 1), there, data;
	mach_port_name_t task = make_task(FALSE);
	mach_msg_type_number_t got;
	mach_port_t proxy;

	must("vm_region_create_proxy", region_proxy(self, at, ALL, 2 * PAGE, &proxy));
	there = map_proxy(task, proxy, 0, 2 * PAGE, FALSE);
	put(at, 99);
	must("vm_read", read_memory(task, there, 2 * PAGE, &data, &got));
	count("differing", bytes_differing(at, data, 2 * PAGE));
	tell_memory_in(task, "there", there, 2);
}

static void map_clipped(long proxied, long entry, long wanted)
{
	vm_offset_t at = touched(1, 1), there = 0;
	struct region r;
	mach_port_t proxy;
	kern_return_t kr;

	must("vm_protect", vm_protect(self, at, PAGE, TRUE, (vm_prot_t)entry));
	must("vm_region_create_proxy", region_proxy(self, at, (vm_prot_t)proxied, PAGE, &proxy));
	kr = vm_map(self, &there, PAGE, 0, TRUE, proxy, 0, FALSE, (vm_prot_t)wanted, ALL,
		    VM_INHERIT_SHARE);
	code("vm_map", kr);
	if (kr != KERN_SUCCESS)
		return;
	keep_memory(there, PAGE);
	must("vm_region", find_region(self, there, &r));
	mach_printf("current 0x%x, maximum 0x%x, inheritance %u, shared %u\n",
		    r.current, r.maximum, r.inheritance, r.shared);
	code("all access", vm_protect(self, there, PAGE, FALSE, ALL));
}
EACH("vm_map/proxy-for-reading", map_clipped, VM_PROT_READ, 7, 3)
EACH("vm_map/proxy-of-no-access", map_clipped, 0, 7, 3)
EACH("vm_map/proxy-of-read-only-memory", map_clipped, 7, VM_PROT_READ, 3)
EACH("vm_map/proxy-for-writing-of-read-only-memory", map_clipped, VM_PROT_WRITE, VM_PROT_READ, 3)
EACH("vm_map/proxy-with-unknown-protection", map_clipped, -1, 7, 3)

static void map_range(long offset, long size, long copied)
{
	vm_offset_t at = touched(4, 1), there = 0;
	mach_port_t proxy;
	kern_return_t kr;

	must("vm_region_create_proxy", region_proxy(self, at + PAGE, ALL, 2 * PAGE, &proxy));
	kr = vm_map(self, &there, (vm_size_t)size, 0, TRUE, proxy, (vm_offset_t)offset,
		    (boolean_t)copied, RW, RW, VM_INHERIT_COPY);
	code("answer", kr);
	if (kr == KERN_SUCCESS)
		keep_memory(there, (vm_size_t)size);
	tell_name("proxy", proxy);
}
#define MAP_RANGE(name, offset, size)						\
	EACH("vm_map/proxied-" name, map_range, offset, size, FALSE)		\
	EACH("vm_map/proxied-" name "-copied", map_range, offset, size, TRUE)
MAP_RANGE("range", 0, 0x2000)
MAP_RANGE("one-byte", 0, 1)
MAP_RANGE("last-page", 0x1000, 0x1000)
MAP_RANGE("one-byte-too-many", 0, 0x2001)
MAP_RANGE("unaligned-offset", 8, 0x1000)
MAP_RANGE("last-page-unaligned", 0x1008, 0xff8)
MAP_RANGE("offset-at-the-end", 0x2000, 0x1000)
MAP_RANGE("wrapping-offset", -0x1000, 0x1000)

CASE("vm_map/proxied-part-of-a-page")
{
	vm_offset_t at = touched(1, 1), there = 0;
	mach_port_t proxy;

	must("vm_region_create_proxy", region_proxy(self, at, ALL, 100, &proxy));
	code("vm_map", vm_map(self, &there, 100, 0, TRUE, proxy, 0, FALSE, RW, RW, VM_INHERIT_COPY));
}

CASE("vm_map/proxy-copied")
{
	vm_offset_t at = touched(2, 1), there;
	mach_port_t proxy;

	must("vm_region_create_proxy", region_proxy(self, at, VM_PROT_READ, 2 * PAGE, &proxy));
	there = map_proxy(self, proxy, 0, 2 * PAGE, TRUE);
	count("differing", bytes_differing(at, there, 2 * PAGE));
	put(at, 77);
	put(there + PAGE, 78);
	mach_printf("here %u, there %u\n", get(at + PAGE), get(there));
	tell_memory("there", there, 2);
}

CASE("vm_map/proxy-of-another-proxy")
{
	vm_offset_t at = touched(4, 1), there = 0;
	mach_port_t proxy, inner;

	must("vm_region_create_proxy", region_proxy(self, at, ALL, 4 * PAGE, &inner));
	must("make_proxy", make_proxy(self, VM_PROT_READ, inner, 0, PAGE, 2 * PAGE, &proxy));
	code("vm_map", vm_map(self, &there, 2 * PAGE, 0, TRUE, proxy, 0, FALSE, RW, RW, VM_INHERIT_COPY));
	keep_memory(there, 2 * PAGE);
	count("differing", bytes_differing(at + PAGE, there, 2 * PAGE));
	tell_memory("there", there, 2);
	there = 0;
	code("too much", vm_map(self, &there, 3 * PAGE, 0, TRUE, proxy, 0, FALSE, RW, RW, VM_INHERIT_COPY));
	must("make_proxy", make_proxy(self, ALL, inner, 0, 3 * PAGE, 4 * PAGE, &proxy));
	code("longer than the inner", vm_map(self, &there, 2 * PAGE, 0, TRUE, proxy, 0, FALSE, RW, RW,
					     VM_INHERIT_COPY));
}

CASE("vm_map/proxied-memory-outlives-its-first-mapping")
{
	vm_offset_t at = touched(2, 1), there;
	mach_port_t proxy;

	must("vm_region_create_proxy", region_proxy(self, at, ALL, 2 * PAGE, &proxy));
	there = map_proxy(self, proxy, 0, 2 * PAGE, FALSE);
	must("vm_deallocate", vm_deallocate(self, at, 2 * PAGE));
	count("wrong bytes", pattern_wrong(there, 2 * PAGE, 1));
	there = map_proxy(self, proxy, 0, 2 * PAGE, FALSE);
	count("mapped again, wrong bytes", pattern_wrong(there, 2 * PAGE, 1));
}

CASE("vm_map/mapping-outlives-the-proxy")
{
	vm_offset_t at = touched(2, 1), there;
	mach_port_t proxy;

	must("vm_region_create_proxy", region_proxy(self, at, ALL, 2 * PAGE, &proxy));
	there = map_proxy(self, proxy, 0, 2 * PAGE, FALSE);
	must("mach_port_deallocate", mach_port_deallocate(self, proxy));
	put(at, 77);
	count("written here, there", get(there));
}

CASE("vm_map/proxy-names-the-object")
{
	vm_offset_t at = touched(2, 1), there;
	struct region here_region = {0}, there_region = {0};
	mach_port_t proxy;

	must("vm_region_create_proxy", region_proxy(self, at + PAGE, ALL, PAGE, &proxy));
	there = map_proxy(self, proxy, 0, PAGE, FALSE);
	here_region.start = at;
	there_region.start = there;
	must("vm_region", vm_region(self, &here_region.start, &here_region.size, &here_region.current,
				    &here_region.maximum, &here_region.inheritance, &here_region.shared,
				    &here_region.object, &here_region.offset));
	must("vm_region", vm_region(self, &there_region.start, &there_region.size,
				    &there_region.current, &there_region.maximum,
				    &there_region.inheritance, &there_region.shared,
				    &there_region.object, &there_region.offset));
	keep_name(here_region.object);
	keep_name(there_region.object);
	fact("one object", here_region.object == there_region.object);
	count("offset here", here_region.offset);
	count("offset there", there_region.offset);
}

CASE("vm_map/allocated-behind-proxied-memory")
{
	vm_offset_t at = touched(1, 1), more = at + PAGE;
	mach_port_t proxy;

	must("vm_region_create_proxy", region_proxy(self, at, ALL, PAGE, &proxy));
	must("vm_allocate", vm_allocate(self, &more, PAGE, FALSE));
	keep_memory(more, PAGE);
	tell_memory("entries", at, 2);
}

CASE("vm_map/proxied-memory-read-and-written")
{
	vm_offset_t at = touched(2, 1), there, data;
	mach_msg_type_number_t got;
	mach_port_t proxy;

	must("vm_region_create_proxy", region_proxy(self, at, ALL, 2 * PAGE, &proxy));
	there = map_proxy(self, proxy, 0, 2 * PAGE, FALSE);
	must("vm_read", read_memory(self, at, 2 * PAGE, &data, &got));
	put(at, 77);
	put(there + PAGE, 78);
	mach_printf("here %u %u, there %u %u, copy %u %u\n", get(at), get(at + PAGE),
		    get(there), get(there + PAGE), get(data), get(data + PAGE));
}

CASE("vm_map/proxied-memory-overwritten")
{
	vm_offset_t at = touched(2, 1), there, data = touched(1, 2);
	mach_port_t proxy;

	must("vm_region_create_proxy", region_proxy(self, at, ALL, 2 * PAGE, &proxy));
	there = map_proxy(self, proxy, 0, 2 * PAGE, FALSE);
	must("vm_copy", vm_copy(self, data, PAGE, at));
	fact("here it is new", bytes_differing(at, data, PAGE) == 0);
	fact("there it is new", bytes_differing(there, data, PAGE) == 0);
	put(at + PAGE, 77);
	count("written here, there", get(there + PAGE));
}

CASE("vm_map/proxied-memory-of-a-dead-task")
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t at = alone_in(task, 1), data = touched(1, 3), there;
	mach_port_t proxy;

	must("vm_write", vm_write(task, at, data, (mach_msg_type_number_t)PAGE));
	must("vm_region_create_proxy", region_proxy(task, at, ALL, PAGE, &proxy));
	there = map_proxy(self, proxy, 0, PAGE, FALSE);
	must("task_terminate", task_terminate(task));
	count("wrong bytes", pattern_wrong(there, PAGE, 3));
}

CASE("vm_map/proxy-at-a-fixed-address")
{
	vm_offset_t at = touched(1, 1), there = at;
	mach_port_t proxy;

	must("vm_region_create_proxy", region_proxy(self, at, ALL, PAGE, &proxy));
	code("where there is memory", vm_map(self, &there, PAGE, 0, FALSE, proxy, 0, FALSE, RW, RW,
					     VM_INHERIT_COPY));
	there = at + 0x8000;
	code("where there is none", vm_map(self, &there, PAGE, 0, FALSE, proxy, 0, FALSE, RW, RW,
					   VM_INHERIT_COPY));
	keep_memory(there, PAGE);
	count("differing", bytes_differing(at, there, PAGE));
	tell_name("proxy", proxy);
}

CASE("vm_map/proxy-inherited")
{
	vm_offset_t at = touched(2, 1), there, data;
	mach_msg_type_number_t got;
	mach_port_name_t task;
	mach_port_t proxy;

	must("vm_region_create_proxy", region_proxy(self, at, ALL, 2 * PAGE, &proxy));
	there = map_proxy(self, proxy, 0, 2 * PAGE, FALSE);
	must("vm_inherit", vm_inherit(self, there, PAGE, VM_INHERIT_NONE));
	task = make_task(TRUE);
	put(at + PAGE, 77);
	must("vm_read", read_memory(task, there + PAGE, PAGE, &data, &got));
	count("the child's copy", get(data));
	tell_memory_in(task, "child", there, 2);
}

CASE("vm_statistics/mapped-proxies-are-looked-up")
{
	vm_offset_t at = touched(1, 1);
	vm_statistics_data_t before, now;
	mach_port_t proxy;

	must("vm_region_create_proxy", region_proxy(self, at, ALL, PAGE, &proxy));
	must("vm_statistics", vm_statistics(self, &before));
	map_proxy(self, proxy, 0, PAGE, FALSE);
	must("vm_statistics", vm_statistics(self, &now));
	mach_printf("lookups %d, hits %d\n", now.lookups - before.lookups, now.hits - before.hits);
}
