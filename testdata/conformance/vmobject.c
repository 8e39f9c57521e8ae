/* vmobject: the memory objects behind a task's memory, as their names show them. */
#include "suite.h"

/* Like find_region, but the object's name is kept. */
static struct region named_region(mach_port_name_t task, vm_offset_t at)
{
	struct region r;

	r.start = at;
	r.object = MACH_PORT_NULL;
	must("vm_region", vm_region(task, &r.start, &r.size, &r.current, &r.maximum,
				    &r.inheritance, &r.shared, &r.object, &r.offset));
	keep_name(r.object);
	return r;
}

static mach_port_name_t name_of(vm_offset_t at)
{
	return named_region(self, at).object;
}

/* The entries of a range: pages, offset from the first one's, and which object. */
static void tell_objects_in(mach_port_name_t task, const char *what, vm_offset_t at,
			    size_t pages)
{
	vm_offset_t end = at + pages * PAGE, base = 0;
	mach_port_name_t seen[16];
	size_t known = 0, i;
	boolean_t first = TRUE;

	mach_printf("%s:", what);
	while (at < end) {
		struct region r = named_region(task, at);
		vm_offset_t stop;

		if (r.start >= end)
			break;
		if (r.start > at)
			at = r.start;
		if (first)
			base = r.offset;
		stop = r.start + r.size < end ? r.start + r.size : end;
		mach_printf("%s %zu%s", first ? "" : ",", (stop - at) / PAGE,
			    r.shared ? " shared" : "");
		first = FALSE;
		if (r.object == MACH_PORT_NULL)
			mach_printf(" none");
		else {
			for (i = 0; i < known && seen[i] != r.object; i++)
				;
			if (i == known && known < 16)
				seen[known++] = r.object;
			mach_printf(" object %zu at %ld", i,
				    ((long)r.offset + (long)(at - r.start) - (long)base) / (long)PAGE);
		}
		at = stop;
	}
	mach_printf("\n");
}

static void tell_objects(const char *what, vm_offset_t at, size_t pages)
{
	tell_objects_in(self, what, at, pages);
}

/* Memory that never had a neighbour, so that its object is nobody else's. */
static vm_offset_t alone_in(mach_port_name_t task, size_t pages)
{
	static vm_offset_t next = 0x10000000000;
	vm_offset_t at = next;

	next += 0x100000;
	must("vm_allocate", vm_allocate(task, &at, pages * PAGE, FALSE));
	return at;
}

static vm_offset_t alone(size_t pages)
{
	return keep_memory(alone_in(self, pages), pages * PAGE);
}

/* The same, touched. */
static vm_offset_t touched(size_t pages, unsigned int seed)
{
	vm_offset_t at = alone(pages);

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

CASE("vm_region/object-is-named-when-touched")
{
	vm_offset_t at = alone(2);

	fact("untouched has a name", name_of(at) != MACH_PORT_NULL);
	put(at, 1);
	fact("touched has one", name_of(at) != MACH_PORT_NULL);
	fact("it is the same the next time", name_of(at) == name_of(at));
	tell_name("the name", name_of(at));
}

CASE("vm_region/object-of-two-islands")
{
	vm_offset_t a = touched(1, 1), b = touched(1, 2);

	fact("one name", name_of(a) == name_of(b));
}

CASE("vm_region/object-touched-by-reading")
{
	vm_offset_t at = alone(1);

	count("byte", get(at));
	fact("it has a name", name_of(at) != MACH_PORT_NULL);
}

CASE("vm_region/object-of-an-entry-in-two")
{
	vm_offset_t at = touched(4, 1);

	must("vm_protect", vm_protect(self, at + PAGE, PAGE, FALSE, VM_PROT_READ));
	tell_objects("objects", at, 4);
}

CASE("vm_region/object-of-a-copy")
{
	vm_offset_t at = touched(2, 1), data;
	mach_msg_type_number_t got;

	must("vm_read", read_memory(self, at, 2 * PAGE, &data, &got));
	fact("the copy has the source's", name_of(at) == name_of(data));
	put(at, 9);
	fact("after the source was written", name_of(at) == name_of(data));
	put(data, 9);
	fact("after the copy was written", name_of(at) == name_of(data));
}

CASE("vm_region/object-after-its-copy-is-gone")
{
	vm_offset_t at = touched(2, 1), data;
	mach_msg_type_number_t got;
	mach_port_name_t name = name_of(at);

	must("vm_read", vm_read(self, at, 2 * PAGE, &data, &got));
	put(at, 9);
	must("vm_deallocate", vm_deallocate(self, data, 2 * PAGE));
	put(at + PAGE, 9);
	fact("the name is the same", name == name_of(at));
}

CASE("vm_region/object-after-the-source-is-gone")
{
	vm_offset_t at = touched(2, 1), data;
	mach_msg_type_number_t got;
	mach_port_name_t name = name_of(at);

	must("vm_read", read_memory(self, at, 2 * PAGE, &data, &got));
	must("vm_deallocate", vm_deallocate(self, at, 2 * PAGE));
	fact("the copy has its name", name == name_of(data));
	put(data, 1);
	fact("when written, too", name == name_of(data));
}

CASE("vm_region/name-dies-with-the-memory")
{
	vm_offset_t at = touched(1, 1);
	mach_port_name_t name = name_of(at);

	must("vm_deallocate", vm_deallocate(self, at, PAGE));
	tell_name("the name", name);
}

CASE("vm_region/name-dies-with-the-task")
{
	mach_port_name_t task = make_task(FALSE), name;
	vm_offset_t at = alone_in(task, 2), data = alone(2);

	pattern_fill(data, 2 * PAGE, 1);
	must("vm_write", vm_write(task, at, data, (mach_msg_type_number_t)(2 * PAGE)));
	name = named_region(task, at).object;
	fact("the name is the source's", name == name_of(data));
	put(data, 3);
	must("task_terminate", task_terminate(task));
	tell_name("the name", name);
	must("vm_deallocate", vm_deallocate(self, data, 2 * PAGE));
	tell_name("without the source", name);
}

CASE("vm_region/name-is-no-port-to-call")
{
	vm_offset_t at = touched(1, 1), found = 0;

	code("vm_allocate", vm_allocate(name_of(at), &found, PAGE, TRUE));
	code("an unknown id", mach_port_set_qlimit(self, name_of(at), 3));
}

CASE("vm_region/objects-after-a-small-copy")
{
	vm_offset_t a = touched(4, 1), b = touched(4, 2);

	must("vm_copy", vm_copy(self, a + 2 * PAGE, PAGE, b + PAGE));
	tell_objects("source", a, 4);
	tell_objects("destination", b, 4);
	fact("the copied page has the source's", name_of(a) == name_of(b + PAGE));
}

CASE("vm_region/objects-after-a-copy-inside")
{
	vm_offset_t a = touched(4, 1);

	must("vm_copy", vm_copy(self, a, PAGE, a + 3 * PAGE));
	tell_objects("memory", a, 4);
	put(a + 3 * PAGE, 1);
	tell_objects("written", a, 4);
	tell_memory("entries", a, 4);
}

CASE("vm_region/objects-after-a-copy-of-nothing")
{
	vm_offset_t a = alone(2), b = touched(4, 2);

	must("vm_copy", vm_copy(self, a, 2 * PAGE, b + PAGE));
	tell_objects("source", a, 2);
	tell_objects("destination", b, 4);
	count("bytes set", bytes_set(b + PAGE, 2 * PAGE));
	tell_objects("destination, read", b, 4);
}

CASE("vm_region/objects-of-shared-memory")
{
	vm_offset_t at = touched(4, 1);
	mach_port_name_t task;

	must("vm_inherit", vm_inherit(self, at + PAGE, 2 * PAGE, VM_INHERIT_SHARE));
	task = make_task(TRUE);
	tell_objects("parent", at, 4);
	tell_objects_in(task, "child", at, 4);
	fact("they share it", name_of(at + PAGE) == named_region(task, at + PAGE).object);
	fact("the copied page has it, too", name_of(at) == named_region(task, at).object);
}

CASE("vm_region/objects-of-untouched-shared-memory")
{
	vm_offset_t at = alone(2);
	mach_port_name_t task;

	must("vm_inherit", vm_inherit(self, at, 2 * PAGE, VM_INHERIT_SHARE));
	task = make_task(TRUE);
	tell_objects("parent", at, 2);
	tell_objects_in(task, "child", at, 2);
	fact("they share it", name_of(at) == named_region(task, at).object);
}

CASE("vm_region/objects-of-an-overwritten-shared-page")
{
	vm_offset_t at = touched(4, 1), data = touched(1, 2);

	must("vm_inherit", vm_inherit(self, at, 4 * PAGE, VM_INHERIT_SHARE));
	make_task(TRUE);
	must("vm_copy", vm_copy(self, data, PAGE, at + PAGE));
	tell_objects("memory", at, 4);
}

CASE("vm_region/objects-of-a-wired-copy")
{
	vm_offset_t at = touched(2, 1), data;
	mach_msg_type_number_t got;

	must("vm_wire", vm_wire(host_priv_port, self, at, 2 * PAGE, VM_PROT_READ));
	must("vm_read", read_memory(self, at, 2 * PAGE, &data, &got));
	fact("the copy has the source's", name_of(at) == name_of(data));
	tell_objects("copy", data, 2);
	must("vm_wire", vm_wire(host_priv_port, self, at, 2 * PAGE, VM_PROT_NONE));
}

CASE("vm_region/objects-of-a-copy-of-two-entries")
{
	vm_offset_t at = touched(4, 1), data;
	mach_msg_type_number_t got;

	must("vm_protect", vm_protect(self, at + 2 * PAGE, 2 * PAGE, FALSE, VM_PROT_READ));
	must("vm_read", read_memory(self, at, 4 * PAGE, &data, &got));
	tell_objects("copy", data, 4);
	tell_memory("entries", data, 4);
}

CASE("vm_region/objects-put-together-again")
{
	vm_offset_t at = touched(4, 1);

	must("vm_inherit", vm_inherit(self, at + PAGE, PAGE, VM_INHERIT_NONE));
	tell_objects("apart", at, 4);
	must("vm_inherit", vm_inherit(self, at + PAGE, PAGE, VM_INHERIT_COPY));
	tell_objects("together", at, 4);
}

CASE("vm_region/hole-in-an-object-filled")
{
	vm_offset_t at = touched(4, 1), hole = at + PAGE;

	must("vm_deallocate", vm_deallocate(self, hole, PAGE));
	must("vm_allocate", vm_allocate(self, &hole, PAGE, FALSE));
	tell_objects("objects", at, 4);
	count("bytes set", bytes_set(hole, PAGE));
}

CASE("vm_region/allocated-behind-copied-memory")
{
	vm_offset_t at = touched(2, 1), data, more = at + 2 * PAGE;
	mach_msg_type_number_t got;

	must("vm_read", read_memory(self, at, 2 * PAGE, &data, &got));
	must("vm_allocate", vm_allocate(self, &more, PAGE, FALSE));
	keep_memory(more, PAGE);
	tell_objects("objects", at, 3);
}

CASE("vm_region/allocated-behind-memory-copied-once")
{
	vm_offset_t at = touched(2, 1), data, more = at + 2 * PAGE;
	mach_msg_type_number_t got;

	must("vm_read", vm_read(self, at, 2 * PAGE, &data, &got));
	must("vm_deallocate", vm_deallocate(self, data, 2 * PAGE));
	must("vm_allocate", vm_allocate(self, &more, PAGE, FALSE));
	keep_memory(more, PAGE);
	tell_objects("objects", at, 3);
}

/* Makes the inheritance of a range alike, so that what can be one entry is. */
static void alike(vm_offset_t at, size_t pages)
{
	must("vm_inherit", vm_inherit(self, at, pages * PAGE, VM_INHERIT_NONE));
	must("vm_inherit", vm_inherit(self, at, pages * PAGE, VM_INHERIT_COPY));
}

CASE("vm_region/entry-in-two-by-a-copy")
{
	vm_offset_t at = touched(4, 1), data;
	mach_msg_type_number_t got;

	must("vm_read", read_memory(self, at + PAGE, 2 * PAGE, &data, &got));
	tell_objects("copied in part", at, 4);
	alike(at, 4);
	tell_objects("made alike", at, 4);
	put(at, 9);
	alike(at, 4);
	tell_objects("the rest written", at, 4);
	put(at + PAGE, 9);
	tell_objects("the copied part written", at, 4);
	alike(at, 4);
	tell_objects("made alike", at, 4);
	tell_objects("the copy", data, 2);
	put(data, 9);
	tell_objects("the copy written", data, 2);
}

CASE("vm_region/entry-in-two-by-a-copy-that-is-gone")
{
	vm_offset_t at = touched(4, 1), data;
	mach_msg_type_number_t got;

	must("vm_read", vm_read(self, at + PAGE, 2 * PAGE, &data, &got));
	must("vm_deallocate", vm_deallocate(self, data, 2 * PAGE));
	alike(at, 4);
	tell_objects("made alike", at, 4);
	put(at + 2 * PAGE, 9);
	alike(at, 4);
	tell_objects("written", at, 4);
}

CASE("vm_region/entry-copied-and-written-by-halves")
{
	vm_offset_t at = touched(4, 1), data;
	mach_msg_type_number_t got;

	must("vm_read", read_memory(self, at, 4 * PAGE, &data, &got));
	must("vm_protect", vm_protect(self, at + 2 * PAGE, 2 * PAGE, FALSE, VM_PROT_READ));
	put(at, 9);
	must("vm_protect", vm_protect(self, at + 2 * PAGE, 2 * PAGE, FALSE, RW));
	tell_objects("one half written", at, 4);
	put(at + 3 * PAGE, 9);
	tell_objects("both written", at, 4);
	alike(at, 4);
	tell_objects("made alike", at, 4);
}

CASE("vm_region/objects-of-a-forked-task")
{
	vm_offset_t at = touched(4, 1), data = alone(1);
	mach_port_name_t task;

	must("vm_protect", vm_protect(self, at, 2 * PAGE, FALSE, VM_PROT_READ));
	task = make_task(TRUE);
	tell_objects("parent", at, 4);
	tell_objects_in(task, "child", at, 4);
	put(at + 2 * PAGE, 9);
	tell_objects("parent, written", at, 4);
	must("vm_write", vm_write(task, at + 3 * PAGE, data, (mach_msg_type_number_t)PAGE));
	tell_objects_in(task, "child, a page replaced", at, 4);
	must("vm_wire", vm_wire(host_priv_port, task, at + 2 * PAGE, PAGE, VM_PROT_READ));
	tell_objects_in(task, "child, a page wired", at, 4);
}

/* The offsets in their objects of four pages, from the first page's. */
static void tell_offsets(const char *what, vm_offset_t at, vm_offset_t base)
{
	size_t page;

	mach_printf("%s:", what);
	for (page = 0; page < 4; page++) {
		struct region r = named_region(self, at + page * PAGE);

		mach_printf(" %ld", ((long)(r.offset - base) + (long)(at - r.start)) / (long)PAGE +
			    (long)page);
	}
	mach_printf("\n");
}

CASE("vm_region/wired-copied-memory")
{
	vm_offset_t at = touched(4, 1), data, base = named_region(self, at).offset;
	mach_msg_type_number_t got;

	must("vm_read", read_memory(self, at, 4 * PAGE, &data, &got));
	must("vm_wire", vm_wire(host_priv_port, self, at + 2 * PAGE, PAGE, VM_PROT_READ));
	tell_offsets("wired for reading", at, base);
	must("vm_wire", vm_wire(host_priv_port, self, at + 3 * PAGE, PAGE, RW));
	tell_offsets("wired for writing", at, base);
	must("vm_protect", vm_protect(self, at, PAGE, FALSE, VM_PROT_READ));
	must("vm_wire", vm_wire(host_priv_port, self, at, PAGE, VM_PROT_READ));
	tell_offsets("wired, not writable", at, base);
	must("vm_wire", vm_wire(host_priv_port, self, at, 4 * PAGE, VM_PROT_NONE));
}

CASE("vm_region/object-after-every-page-was-written")
{
	vm_offset_t at = touched(1, 1), data;
	mach_msg_type_number_t got;
	mach_port_name_t name = name_of(at);

	must("vm_read", read_memory(self, at, PAGE, &data, &got));
	put(at, 9);
	fact("the copy has the name", name_of(data) == name);
	fact("the source has it", name_of(at) == name);
}

CASE("vm_region/part-of-an-object-shared")
{
	vm_offset_t at = touched(4, 1);

	must("vm_deallocate", vm_deallocate(self, at, PAGE));
	must("vm_inherit", vm_inherit(self, at + PAGE, 3 * PAGE, VM_INHERIT_SHARE));
	count("offset", named_region(self, at + PAGE).offset / PAGE);
	make_task(TRUE);
	count("shared, offset", named_region(self, at + PAGE).offset / PAGE);
}

CASE("vm_region/whole-object-shared")
{
	vm_offset_t at = touched(4, 1), data;
	mach_msg_type_number_t got;

	must("vm_inherit", vm_inherit(self, at, 4 * PAGE, VM_INHERIT_SHARE));
	make_task(TRUE);
	must("vm_read", read_memory(self, at + PAGE, 2 * PAGE, &data, &got));
	tell_objects("memory", at, 4);
	count("the copy's offset", named_region(self, data).offset / PAGE);
	put(at + PAGE, 9);
	put(data, 9);
	tell_objects("memory, written", at, 4);
	count("the copy's offset, written", named_region(self, data).offset / PAGE);
}

CASE("vm_region/written-by-the-kernel")
{
	vm_offset_t at = touched(2, 1), data;
	mach_msg_type_number_t got;

	must("vm_protect", vm_protect(self, at, PAGE, FALSE, VM_PROT_READ));
	must("vm_read", read_memory(self, at + PAGE, PAGE, &data, &got));
	count("offset", named_region(self, at + PAGE).offset / PAGE);
	must("mach_port_type", mach_port_type(self, self, (mach_port_type_t *)(at + PAGE)));
	count("offset, written", named_region(self, at + PAGE).offset / PAGE);
}

CASE("vm_region/copied-onto-itself")
{
	vm_offset_t at = touched(4, 1);

	must("vm_copy", vm_copy(self, at, 4 * PAGE, at));
	tell_objects("memory", at, 4);
	must("vm_copy", vm_copy(self, at, 2 * PAGE, at + PAGE));
	tell_objects("moved up", at, 4);
	alike(at, 4);
	tell_objects("made alike", at, 4);
}

/* ---- vm_object_sync. */

static void sync_name(long kind, long unused, long unused2)
{
	mach_port_name_t name = make_kind((enum name_kind)kind);

	(void)unused, (void)unused2;
	code("answer", vm_object_sync(name, 0, PAGE, FALSE, FALSE, FALSE));
	tell_name("the name", name);
}
#define SYNC_NAME(name, kind) EACH("vm_object_sync/object-is-" name, sync_name, kind, 0, 0)
SYNC_NAME("null", KIND_null)
SYNC_NAME("dead-port", KIND_dead_port)
SYNC_NAME("receive", KIND_receive)
SYNC_NAME("dead-name", KIND_dead_name)
SYNC_NAME("died", KIND_died)
SYNC_NAME("port-set", KIND_port_set)
SYNC_NAME("host", KIND_host)
SYNC_NAME("task", KIND_task)
SYNC_NAME("thread", KIND_thread)
SYNC_NAME("dead-task", KIND_dead_task)

static void sync_memory(long flush, long back, long wait)
{
	vm_offset_t at = touched(4, 1);
	struct region r = named_region(self, at);

	code("answer", vm_object_sync(r.object, r.offset + PAGE, 2 * PAGE,
				      (boolean_t)flush, (boolean_t)back, (boolean_t)wait));
	count("bytes changed", pattern_wrong(at, 4 * PAGE, 1));
	count("bytes set in the range", bytes_set(at + PAGE, 2 * PAGE));
	fact("the name is the same", name_of(at) == r.object);
}
EACH("vm_object_sync/nothing", sync_memory, FALSE, FALSE, FALSE)
EACH("vm_object_sync/wait", sync_memory, FALSE, FALSE, TRUE)
EACH("vm_object_sync/flush", sync_memory, TRUE, FALSE, FALSE)
EACH("vm_object_sync/return", sync_memory, FALSE, TRUE, TRUE)
EACH("vm_object_sync/flush-and-return", sync_memory, TRUE, TRUE, TRUE)

static void sync_range(long offset, long size, long unused)
{
	vm_offset_t at = touched(4, 1);
	struct region r = named_region(self, at);
	size_t page;

	(void)unused;
	code("answer", vm_object_sync(r.object, r.offset + (vm_offset_t)offset,
				      (vm_size_t)size, TRUE, FALSE, FALSE));
	for (page = 0; page < 4; page++)
		count("bytes set in a page", bytes_set(at + page * PAGE, PAGE));
}
EACH("vm_object_sync/no-bytes", sync_range, 0, 0, 0)
EACH("vm_object_sync/no-bytes-unaligned", sync_range, 8, 0, 0)
EACH("vm_object_sync/one-byte", sync_range, 0x1008, 1, 0)
EACH("vm_object_sync/two-bytes-across-pages", sync_range, 0xfff, 2, 0)
EACH("vm_object_sync/beyond-the-memory", sync_range, 0x4000, 0x1000, 0)

CASE("vm_object_sync/flush-copied-memory")
{
	vm_offset_t at = touched(4, 1), data;
	mach_msg_type_number_t got;
	struct region r = named_region(self, at);

	must("vm_read", read_memory(self, at, 4 * PAGE, &data, &got));
	put(at, 7);
	put(data + PAGE, 7);
	code("answer", vm_object_sync(r.object, r.offset, 3 * PAGE, TRUE, FALSE, FALSE));
	mach_printf("source: %zu %zu %zu %zu\n", bytes_set(at, PAGE), bytes_set(at + PAGE, PAGE),
		    bytes_set(at + 2 * PAGE, PAGE), bytes_set(at + 3 * PAGE, PAGE));
	mach_printf("copy: %zu %zu %zu %zu\n", bytes_set(data, PAGE), bytes_set(data + PAGE, PAGE),
		    bytes_set(data + 2 * PAGE, PAGE), bytes_set(data + 3 * PAGE, PAGE));
}

CASE("vm_object_sync/flush-shared-memory")
{
	vm_offset_t at = touched(2, 1), data;
	mach_msg_type_number_t got;
	mach_port_name_t task;
	struct region r;

	must("vm_inherit", vm_inherit(self, at, 2 * PAGE, VM_INHERIT_SHARE));
	task = make_task(TRUE);
	r = named_region(self, at);
	code("answer", vm_object_sync(r.object, r.offset, PAGE, TRUE, FALSE, FALSE));
	must("vm_read", read_memory(task, at, 2 * PAGE, &data, &got));
	mach_printf("child: %zu %zu\n", bytes_set(data, PAGE), bytes_set(data + PAGE, PAGE));
	mach_printf("parent: %zu %zu\n", bytes_set(at, PAGE), bytes_set(at + PAGE, PAGE));
}

CASE("vm_object_sync/memory-that-is-gone")
{
	vm_offset_t at = touched(1, 1);
	mach_port_name_t name = name_of(at);

	must("vm_deallocate", vm_deallocate(self, at, PAGE));
	code("answer", vm_object_sync(name, 0, PAGE, TRUE, TRUE, TRUE));
}

CASE("vm_object_sync/wired-memory-as-it-is")
{
	vm_offset_t at = touched(1, 1);
	struct region r = named_region(self, at);

	must("vm_wire", vm_wire(host_priv_port, self, at, PAGE, RW));
	code("answer", vm_object_sync(r.object, r.offset, PAGE, FALSE, FALSE, FALSE));
	count("wrong bytes", pattern_wrong(at, PAGE, 1));
	must("vm_wire", vm_wire(host_priv_port, self, at, PAGE, VM_PROT_NONE));
}

/* ---- vm_statistics. */

static vm_statistics_data_t statistics(void)
{
	vm_statistics_data_t now;

	must("vm_statistics", vm_statistics(self, &now));
	return now;
}

CASE("vm_statistics/wired-memory")
{
	vm_offset_t at = alone(16);
	vm_statistics_data_t before = statistics(), now;

	must("vm_wire", vm_wire(host_priv_port, self, at, 16 * PAGE, RW));
	now = statistics();
	mach_printf("wired: %d pages more\n", now.wire_count - before.wire_count);
	mach_printf("zero-filled: %d pages more\n",
		    now.zero_fill_count - before.zero_fill_count);
	must("vm_wire", vm_wire(host_priv_port, self, at, 16 * PAGE, VM_PROT_NONE));
	now = statistics();
	mach_printf("unwired: %d pages more\n", now.wire_count - before.wire_count);
}

CASE("vm_statistics/wired-twice")
{
	vm_offset_t at = alone(16);
	vm_statistics_data_t before = statistics();

	must("vm_wire", vm_wire(host_priv_port, self, at, 16 * PAGE, RW));
	must("vm_wire", vm_wire(host_priv_port, self, at, 8 * PAGE, VM_PROT_READ));
	mach_printf("wired: %d pages more\n", statistics().wire_count - before.wire_count);
	must("vm_deallocate", vm_deallocate(self, at, 4 * PAGE));
	mach_printf("some gone: %d pages more\n", statistics().wire_count - before.wire_count);
	must("vm_wire", vm_wire(host_priv_port, self, at + 4 * PAGE, 12 * PAGE, VM_PROT_NONE));
	mach_printf("unwired: %d pages more\n", statistics().wire_count - before.wire_count);
}

CASE("vm_statistics/wired-shared-memory")
{
	vm_offset_t at = alone(8);
	vm_statistics_data_t before;
	mach_port_name_t task;

	must("vm_inherit", vm_inherit(self, at, 8 * PAGE, VM_INHERIT_SHARE));
	task = make_task(TRUE);
	before = statistics();
	must("vm_wire", vm_wire(host_priv_port, self, at, 8 * PAGE, RW));
	must("vm_wire", vm_wire(host_priv_port, task, at, 8 * PAGE, RW));
	mach_printf("wired in both: %d pages more\n", statistics().wire_count - before.wire_count);
	must("vm_wire", vm_wire(host_priv_port, self, at, 8 * PAGE, VM_PROT_NONE));
	mach_printf("in one: %d pages more\n", statistics().wire_count - before.wire_count);
	must("vm_wire", vm_wire(host_priv_port, task, at, 8 * PAGE, VM_PROT_NONE));
	mach_printf("in none: %d pages more\n", statistics().wire_count - before.wire_count);
}

CASE("vm_statistics/zero-filled-pages")
{
	vm_offset_t at = alone(64);
	vm_statistics_data_t before = statistics(), now;
	size_t i;

	for (i = 0; i < 64; i++)
		put(at + i * PAGE, 1);
	now = statistics();
	mach_printf("zero-filled: %d\n", now.zero_fill_count - before.zero_fill_count);
	fact("as many more are active or inactive",
	     now.active_count + now.inactive_count - before.active_count - before.inactive_count >= 64);
	mach_printf("copied: %d\n", now.cow_faults - before.cow_faults);
	mach_printf("paged in and out: %d %d\n", now.pageins - before.pageins,
		    now.pageouts - before.pageouts);
}

CASE("vm_statistics/copied-pages")
{
	vm_offset_t at = touched(8, 1), data;
	mach_msg_type_number_t got;
	vm_statistics_data_t before, now;
	size_t i;

	must("vm_read", read_memory(self, at, 8 * PAGE, &data, &got));
	before = statistics();
	for (i = 0; i < 8; i++)
		put(at + i * PAGE, 1);
	now = statistics();
	mach_printf("source, copied: %d\n", now.cow_faults - before.cow_faults);
	mach_printf("zero-filled: %d\n", now.zero_fill_count - before.zero_fill_count);
	before = now;
	for (i = 0; i < 8; i++)
		put(data + i * PAGE, 1);
	now = statistics();
	fact("the copy has its pages to itself but one", now.cow_faults - before.cow_faults <= 1);
}

CASE("vm_statistics/pages-add-up")
{
	vm_offset_t at = touched(64, 1);
	vm_statistics_data_t before = statistics(), now;

	must("vm_deallocate", vm_deallocate(self, at, 64 * PAGE));
	now = statistics();
	mach_printf("in use: %d more\n", now.active_count + now.inactive_count -
		    before.active_count - before.inactive_count);
	fact("lookups are counted", now.lookups >= now.hits);
}
