/* vmrows: rows of the reference that no other client of the suite comes by. */
#include "suite.h"

#define PRIV host_priv_port

static vm_offset_t touched(size_t pages, unsigned int seed)
{
	vm_offset_t at = island(pages);

	pattern_fill(at, pages * PAGE, seed);
	return at;
}

static void wire(vm_offset_t at, size_t pages, vm_prot_t access)
{
	must("vm_wire", vm_wire(PRIV, self, at, pages * PAGE, access));
}

/* ---- Wired memory, read, written, sent away, inherited. */

CASE("vm_read/wired-source")
{
	vm_offset_t at = touched(3, 1), data;
	mach_msg_type_number_t got;

	wire(at, 3, RW);
	code("vm_read", read_memory(self, at, 3 * PAGE, &data, &got));
	count("wrong bytes", pattern_wrong(data, 3 * PAGE, 1));
	*(volatile unsigned char *)at = 99;
	*(volatile unsigned char *)(data + PAGE) = 98;
	count("source, wrong bytes", pattern_wrong(at, 3 * PAGE, 1));
	count("copy, wrong bytes", pattern_wrong(data, 3 * PAGE, 1));
	tell_memory("copy", data, 3);
}

CASE("vm_read/source-wired-in-the-middle")
{
	vm_offset_t at = touched(5, 1), data;
	mach_msg_type_number_t got;

	wire(at + 2 * PAGE, 1, VM_PROT_READ);
	code("vm_read", read_memory(self, at + 8, 5 * PAGE - 8, &data, &got));
	count("in-page offset", data % PAGE);
	count("bytes", got);
	count("wrong bytes", bytes_differing(at + 8, data, 5 * PAGE - 8));
	tell_memory("source", at, 5);
	tell_memory("copy", data - 8, 5);
}

CASE("vm_write/over-wired-memory")
{
	vm_offset_t at = touched(3, 1), data = touched(2, 7);
	vm_statistics_data_t before, now;

	wire(at, 3, RW);
	must("vm_statistics", vm_statistics(self, &before));
	code("vm_write", vm_write(self, at + PAGE, data, (mach_msg_type_number_t)(2 * PAGE)));
	must("vm_statistics", vm_statistics(self, &now));
	count("wrong bytes", pattern_wrong(at + PAGE, 2 * PAGE, 7));
	tell_memory("entries", at, 3);
	code("wire again", vm_wire(PRIV, self, at, 3 * PAGE, VM_PROT_READ));
	must("vm_deallocate", vm_deallocate(self, at, PAGE));
}

CASE("vm_copy/from-wired-memory")
{
	vm_offset_t at = touched(2, 1), to = touched(2, 7);

	wire(at, 2, RW);
	code("vm_copy", vm_copy(self, at, 2 * PAGE, to));
	count("wrong bytes", pattern_wrong(to, 2 * PAGE, 1));
	*(volatile unsigned char *)at = 99;
	count("source written, wrong bytes", pattern_wrong(to, 2 * PAGE, 1));
	tell_memory("destination", to, 2);
}

CASE("vm_protect/wired-memory-to-none-and-back")
{
	vm_offset_t at = touched(2, 1);

	wire(at, 2, RW);
	code("none", vm_protect(self, at, 2 * PAGE, FALSE, VM_PROT_NONE));
	code("read and write", vm_protect(self, at, 2 * PAGE, FALSE, RW));
	count("wrong bytes", pattern_wrong(at, 2 * PAGE, 1));
}

CASE("vm_deallocate/wired-memory")
{
	vm_offset_t at = touched(3, 1);

	wire(at, 3, RW);
	code("vm_deallocate", vm_deallocate(self, at + PAGE, PAGE));
	tell_memory("left", at, 3);
	count("wrong bytes", pattern_wrong(at, PAGE, 1));
}

CASE("task_create/inherit-wired-memory")
{
	vm_offset_t at = touched(3, 1), data;
	mach_msg_type_number_t got;
	mach_port_name_t task;

	wire(at, 1, RW);
	wire(at + PAGE, 1, VM_PROT_READ);
	task = make_task(TRUE);
	*(volatile unsigned char *)at = 99;
	must("vm_read", read_memory(task, at, 3 * PAGE, &data, &got));
	count("wrong bytes", pattern_wrong(data, 3 * PAGE, 1));
	tell_memory_in(task, "child", at, 3);
	tell_memory("parent", at, 3);
}

/* ---- A message that takes its memory away. */

static void deallocated(long offset, long size, long wired)
{
	vm_offset_t at = touched(4, 1), to = island(4);
	mach_msg_type_number_t got = (mach_msg_type_number_t)size;

	if (wired)
		wire(at + PAGE, 1, VM_PROT_READ);
	(void)to;
	must("vm_inherit", vm_inherit(self, at + 3 * PAGE, PAGE, VM_INHERIT_NONE));
	{
		mach_port_name_t port = make_port();
		struct {
			mach_msg_header_t head;
			mach_msg_type_long_t type;
			vm_offset_t data;
			char room[64];
		} message;

		memset(&message, 0, sizeof(message));
		message.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0) | MACH_MSGH_BITS_COMPLEX;
		message.head.msgh_size = sizeof(message) - sizeof(message.room);
		message.head.msgh_remote_port = port;
		message.head.msgh_id = 7;
		message.type.msgtl_header.msgt_longform = TRUE;
		message.type.msgtl_header.msgt_deallocate = TRUE;
		message.type.msgtl_name = MACH_MSG_TYPE_BYTE;
		message.type.msgtl_size = 8;
		message.type.msgtl_number = got;
		message.data = at + (vm_offset_t)offset;
		code("send", mach_msg(&message.head, MACH_SEND_MSG, message.head.msgh_size, 0,
				      MACH_PORT_NULL, 0, MACH_PORT_NULL));
		tell_memory("left", at, 4);
		code("receive", mach_msg(&message.head, MACH_RCV_MSG, 0, sizeof(message), port, 0,
					 MACH_PORT_NULL));
		count("in-page offset", message.data % PAGE);
		tell_memory("received", message.data - message.data % PAGE,
			    ((vm_size_t)offset % PAGE + (vm_size_t)size + PAGE - 1) / PAGE);
		keep_memory(message.data, (vm_size_t)size);
	}
}
EACH("mach_msg/deallocates-a-page", deallocated, 0, 0x1000, 0)
EACH("mach_msg/deallocates-the-pages-it-touches", deallocated, 0x1ff8, 16, 0)
EACH("mach_msg/deallocates-two-entries", deallocated, 0x2000, 0x2000, 0)
EACH("mach_msg/deallocates-wired-memory", deallocated, 0, 0x3000, 1)

/* ---- Memory shared by three tasks. */

static void three_tasks(long first, long second, long writer)
{
	vm_offset_t at = touched(2, 1), data = touched(1, 7), read;
	mach_port_name_t tasks[3] = {self};
	mach_msg_type_number_t got;
	int i;

	must("vm_inherit", vm_inherit(self, at, 2 * PAGE, (vm_inherit_t)first));
	tasks[1] = make_task(TRUE);
	must("vm_inherit", vm_inherit(tasks[1], at, 2 * PAGE, (vm_inherit_t)second));
	must("task_create", task_create(tasks[1], TRUE, &tasks[2]));
	fixtures.tasks[fixtures.task_count++] = keep_name(tasks[2]);
	code("write", vm_write(tasks[writer], at, data, (mach_msg_type_number_t)PAGE));
	for (i = 0; i < 3; i++) {
		kern_return_t kr = read_memory(tasks[i], at, 2 * PAGE, &read, &got);

		if (kr != KERN_SUCCESS)
			code("vm_read", kr);
		else
			mach_printf("task %d: %s\n", i,
				    pattern_wrong(read, PAGE, 7) == 0 ? "new" :
				    pattern_wrong(read, PAGE, 1) == 0 ? "old" : "neither");
		tell_memory_in(tasks[i], "entries", at, 2);
	}
}
#define THREE(name, first, second)						\
	EACH("task_create/three-" name "-first-writes", three_tasks, first, second, 0)	\
	EACH("task_create/three-" name "-second-writes", three_tasks, first, second, 1)	\
	EACH("task_create/three-" name "-third-writes", three_tasks, first, second, 2)
THREE("share-share", 0, 0)
THREE("share-copy", 0, 1)
THREE("copy-share", 1, 0)
THREE("copy-copy", 1, 1)

CASE("task_create/three-share-none")
{
	three_tasks(0, 2, 1);
}

CASE("task_create/shared-memory-of-a-dead-middle")
{
	vm_offset_t at = touched(1, 1), read;
	mach_port_name_t middle, last;
	mach_msg_type_number_t got;

	must("vm_inherit", vm_inherit(self, at, PAGE, VM_INHERIT_SHARE));
	middle = make_task(TRUE);
	must("task_create", task_create(middle, TRUE, &last));
	fixtures.tasks[fixtures.task_count++] = keep_name(last);
	must("task_terminate", task_terminate(middle));
	pattern_fill(at, PAGE, 9);
	must("vm_read", read_memory(last, at, PAGE, &read, &got));
	count("wrong bytes", pattern_wrong(read, PAGE, 9));
}

CASE("task_create/shared-in-part")
{
	vm_offset_t at = touched(4, 1), read;
	mach_msg_type_number_t got;
	mach_port_name_t task;

	must("vm_inherit", vm_inherit(self, at + PAGE, PAGE, VM_INHERIT_SHARE));
	must("vm_inherit", vm_inherit(self, at + 3 * PAGE, PAGE, VM_INHERIT_NONE));
	task = make_task(TRUE);
	pattern_fill(at, 4 * PAGE, 5);
	must("vm_read", read_memory(task, at, 3 * PAGE, &read, &got));
	count("copied page, wrong bytes", pattern_wrong(read, PAGE, 1));
	count("shared page, other bytes", bytes_differing(read + PAGE, at + PAGE, PAGE));
	tell_memory_in(task, "child", at, 4);
	tell_memory("parent", at, 4);
}

CASE("vm_copy/between-shared-pages")
{
	vm_offset_t at = touched(2, 1), read;
	mach_msg_type_number_t got;
	mach_port_name_t task;

	must("vm_inherit", vm_inherit(self, at, 2 * PAGE, VM_INHERIT_SHARE));
	task = make_task(TRUE);
	code("vm_copy", vm_copy(task, at, PAGE, at + PAGE));
	must("vm_read", read_memory(task, at, 2 * PAGE, &read, &got));
	count("child, pages differ in", bytes_differing(read, read + PAGE, PAGE));
	count("parent, pages differ in", bytes_differing(at, at + PAGE, PAGE));
}

/* ---- The order of two faults, and edges, where places of one kind do not show it. */

CASE("vm_read/unreadable-then-hole")
{
	vm_offset_t at = touched(3, 1), data;
	mach_msg_type_number_t got;

	must("vm_protect", vm_protect(self, at, PAGE, FALSE, VM_PROT_WRITE));
	must("vm_deallocate", vm_deallocate(self, at + PAGE, PAGE));
	code("both", read_memory(self, at, 3 * PAGE, &data, &got));
	must("vm_protect", vm_protect(self, at, PAGE, FALSE, VM_PROT_READ));
	code("the hole", read_memory(self, at, 3 * PAGE, &data, &got));
	code("up to it", read_memory(self, at, PAGE, &data, &got));
}

CASE("vm_read/to-the-map-end")
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t at = MAP_END - 2 * PAGE, data;
	mach_msg_type_number_t got;

	must("vm_allocate", vm_allocate(task, &at, 2 * PAGE, FALSE));
	code("all", read_memory(task, at, 2 * PAGE, &data, &got));
	code("a byte more", read_memory(task, at, 2 * PAGE + 1, &data, &got));
	code("the last byte", read_memory(task, MAP_END - 1, 1, &data, &got));
}

CASE("vm_write/refused-writes-nothing")
{
	vm_offset_t at = touched(3, 1), data = touched(3, 7);

	must("vm_protect", vm_protect(self, at + 2 * PAGE, PAGE, FALSE, VM_PROT_READ));
	code("read-only at the end", vm_write(self, at, data, (mach_msg_type_number_t)(3 * PAGE)));
	count("wrong bytes", pattern_wrong(at, 3 * PAGE, 1));
	must("vm_deallocate", vm_deallocate(self, at + 2 * PAGE, PAGE));
	code("hole at the end", vm_write(self, at, data, (mach_msg_type_number_t)(3 * PAGE)));
	count("wrong bytes", pattern_wrong(at, 2 * PAGE, 1));
	tell_memory("entries", at, 3);
}

CASE("vm_protect/refused-changes-nothing")
{
	vm_offset_t at = island(3);

	must("vm_protect", vm_protect(self, at + 2 * PAGE, PAGE, TRUE, VM_PROT_READ));
	code("vm_protect", vm_protect(self, at, 3 * PAGE, FALSE, RW));
	tell_memory("entries", at, 3);
	code("raising the maximum", vm_protect(self, at, 3 * PAGE, TRUE, VM_PROT_ALL));
	tell_memory("entries", at, 3);
}

CASE("vm_allocate/size-2-64-less-a-page")
{
	vm_offset_t at = 0;

	code("fixed", vm_allocate(self, &at, LAST_PAGE, FALSE));
	at = PAGE;
	code("fixed, wraps", vm_allocate(self, &at, LAST_PAGE, FALSE));
	code("anywhere", vm_allocate(self, &at, LAST_PAGE, TRUE));
	code("a byte more", vm_allocate(self, &at, LAST_PAGE + 1, TRUE));
}
