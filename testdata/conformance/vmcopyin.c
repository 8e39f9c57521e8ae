/* vmcopyin: vm_read. */
#include "suite.h"

/* Reads a place of our own memory; what comes must be what is there. */
static void read_place(long relative, long at, long size)
{
	vm_offset_t base = terrain(), from = place_at(base, relative, at), data;
	mach_msg_type_number_t got;
	kern_return_t kr;

	pattern_fill(base + 8 * PAGE, PAGE, 3);
	kr = read_memory(self, from, (vm_size_t)size, &data, &got);
	code("vm_read", kr);
	if (kr == KERN_SUCCESS) {
		count("bytes", got);
		fact("address is zero", data == 0);
		if (got > 0) {
			count("offset in the page", data % PAGE);
			fact("memory of its own", data != from);
			count("bytes that differ", bytes_differing(data, from, got));
			tell_memory("the copy's first page", data & ~(PAGE - 1), 1);
			/* It may lie in the island's hole. */
			vm_deallocate(self, data, got);
		}
	}
	tell_memory("island", base, TERRAIN_PAGES);
}
#define READ(name, ...) EACH("vm_read/" name, read_place, __VA_ARGS__)
PLACES(READ)

/* Reads the same places of another task. */
static void read_other_place(long relative, long at, long size)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t base = terrain_in(task), data;
	mach_msg_type_number_t got;
	kern_return_t kr = read_memory(task, place_at(base, relative, at),
				       (vm_size_t)size, &data, &got);

	code("vm_read", kr);
	if (kr == KERN_SUCCESS) {
		count("bytes", got);
		count("offset in the page", data % PAGE);
		count("bytes not zero", bytes_set(data, got));
	}
	tell_memory_in(task, "island", base, TERRAIN_PAGES);
}
#define READ_OTHER(name, ...) EACH("vm_read/other-task-" name, read_other_place, __VA_ARGS__)
PLACES(READ_OTHER)

CASE("vm_read/never-touched-is-zero")
{
	vm_offset_t at = island(3), data;
	mach_msg_type_number_t got;

	code("vm_read", read_memory(self, at, 3 * PAGE, &data, &got));
	count("bytes", got);
	count("bytes not zero", bytes_set(data, got));
	pattern_fill(at, PAGE, 1);
	count("bytes not zero after the source is written", bytes_set(data, got));
}

CASE("vm_read/copy-does-not-see-the-source-written")
{
	vm_offset_t at = island(3), data;
	mach_msg_type_number_t got;

	pattern_fill(at, 3 * PAGE, 1);
	must("vm_read", read_memory(self, at, 3 * PAGE, &data, &got));
	pattern_fill(at, 3 * PAGE, 2);
	count("wrong bytes in the copy", pattern_wrong(data, 3 * PAGE, 1));
	count("wrong bytes in the source", pattern_wrong(at, 3 * PAGE, 2));
}

CASE("vm_read/source-does-not-see-the-copy-written")
{
	vm_offset_t at = island(3), data;
	mach_msg_type_number_t got;

	pattern_fill(at, 3 * PAGE, 1);
	must("vm_read", read_memory(self, at, 3 * PAGE, &data, &got));
	pattern_fill(data, 3 * PAGE, 2);
	count("wrong bytes in the source", pattern_wrong(at, 3 * PAGE, 1));
	count("wrong bytes in the copy", pattern_wrong(data, 3 * PAGE, 2));
}

CASE("vm_read/copy-of-a-copy")
{
	vm_offset_t at = island(2), one, two;
	mach_msg_type_number_t got;

	pattern_fill(at, 2 * PAGE, 1);
	must("vm_read", read_memory(self, at, 2 * PAGE, &one, &got));
	must("vm_read", read_memory(self, one, 2 * PAGE, &two, &got));
	pattern_fill(at, PAGE, 2);
	pattern_fill(one, 2 * PAGE, 3);
	count("wrong bytes in the first copy", pattern_wrong(one, 2 * PAGE, 3));
	count("wrong bytes in the second copy", pattern_wrong(two, 2 * PAGE, 1));
}

CASE("vm_read/copy-outlives-the-source")
{
	vm_offset_t at = island(2), data;
	mach_msg_type_number_t got;

	pattern_fill(at, 2 * PAGE, 1);
	must("vm_read", read_memory(self, at, 2 * PAGE, &data, &got));
	must("vm_deallocate", vm_deallocate(self, at, 2 * PAGE));
	count("wrong bytes in the copy", pattern_wrong(data, 2 * PAGE, 1));
}

CASE("vm_read/copy-outlives-the-task")
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t at = island(2), there = island_in(task, 2), data;
	mach_msg_type_number_t got;

	pattern_fill(at, 2 * PAGE, 1);
	must("vm_write", vm_write(task, there, at, 2 * PAGE));
	must("vm_read", read_memory(task, there, 2 * PAGE, &data, &got));
	must("task_terminate", task_terminate(task));
	count("wrong bytes in the copy", pattern_wrong(data, 2 * PAGE, 1));
}

/* What the neighbours' bytes in the copy's pages are: the source's own. */
CASE("vm_read/bytes-around-the-data")
{
	vm_offset_t at = island(2), data;
	mach_msg_type_number_t got;

	pattern_fill(at, 2 * PAGE, 1);
	must("vm_read", read_memory(self, at + 100, 50, &data, &got));
	count("offset in the page", data % PAGE);
	count("bytes of the page that differ",
	      bytes_differing(data & ~(PAGE - 1), at, PAGE));
}

CASE("vm_read/attributes-of-the-copy")
{
	vm_offset_t at = island(2), data;
	mach_msg_type_number_t got;

	vm_inherit(self, at, 2 * PAGE, VM_INHERIT_NONE);
	vm_protect(self, at, 2 * PAGE, TRUE, VM_PROT_READ);
	must("vm_read", read_memory(self, at, 2 * PAGE, &data, &got));
	tell_memory("source", at, 2);
	tell_memory("copy", data, 2);
}

CASE("vm_read/source-of-two-protections")
{
	vm_offset_t at = island(3), data;
	mach_msg_type_number_t got;

	pattern_fill(at, 3 * PAGE, 1);
	vm_protect(self, at + PAGE, PAGE, FALSE, VM_PROT_READ);
	must("vm_read", read_memory(self, at, 3 * PAGE, &data, &got));
	count("wrong bytes", pattern_wrong(data, 3 * PAGE, 1));
	tell_memory("copy", data, 3);
}

CASE("vm_read/own-code")
{
	vm_offset_t data;
	mach_msg_type_number_t got;

	code("vm_read", read_memory(self, (vm_offset_t)&main, 16, &data, &got));
	count("bytes", got);
	count("bytes that differ", bytes_differing(data, (vm_offset_t)&main, got));
}

CASE("vm_read/own-stack")
{
	volatile uint64_t word = 0x1122334455667788;
	vm_offset_t data;
	mach_msg_type_number_t got;

	code("vm_read", read_memory(self, (vm_offset_t)&word, 8, &data, &got));
	fact("it is the word", *(uint64_t *)data == word);
}

CASE("vm_read/one-megabyte")
{
	vm_offset_t at = island(256), data;
	mach_msg_type_number_t got;

	pattern_fill(at, 256 * PAGE, 1);
	code("vm_read", read_memory(self, at, 256 * PAGE, &data, &got));
	count("bytes", got);
	count("wrong bytes", pattern_wrong(data, 256 * PAGE, 1));
}

/* The count is 32 bits wide; the memory is not. */
static void read_huge(long size, long unused, long more_unused)
{
	vm_offset_t at = 0, data = 0;
	mach_msg_type_number_t got = 0;
	kern_return_t kr;
	struct region r;

	(void)unused;
	(void)more_unused;
	must("vm_allocate", vm_allocate(self, &at, (vm_size_t)size, TRUE));
	keep_memory(at, (vm_size_t)size);
	pattern_fill(at, PAGE, 1);
	kr = vm_read(self, at, (vm_size_t)size, &data, &got);
	code("vm_read", kr);
	count("bytes told", got);
	fact("address is zero", data == 0);
	if (kr != KERN_SUCCESS || data == 0)
		return;
	must("vm_region", find_region(self, data, &r));
	count("pages from there to the region's end", (r.start + r.size - data) / PAGE);
	count("wrong bytes in the first page", pattern_wrong(data, PAGE, 1));
	keep_memory(data, (vm_size_t)size);
}
EACH("vm_read/size-4gib-less-a-page", read_huge, 0xfffff000, 0, 0)
EACH("vm_read/size-4gib", read_huge, 0x100000000, 0, 0)
EACH("vm_read/size-4gib-and-a-page", read_huge, 0x100001000, 0, 0)

/* Takes all the room there is in a task's map, in pieces that are kept. */
static void fill_map(void)
{
	vm_size_t size;
	vm_offset_t at;

	for (size = MAP_END / 2; size >= PAGE; size /= 2)
		for (;;) {
			at = 0;
			if (vm_allocate(self, &at, size, TRUE) != KERN_SUCCESS)
				break;
			keep_memory(at, size);
		}
}

static void read_without_room(long hole_pages, long offset, long size)
{
	vm_offset_t at = island(4), hole = island(8), data = 1;
	mach_msg_type_number_t got = 1;
	kern_return_t kr;

	pattern_fill(at, 4 * PAGE, 1);
	fill_map();
	must("vm_deallocate", vm_deallocate(self, hole, (vm_size_t)hole_pages * PAGE));
	kr = vm_read(self, at + (vm_size_t)offset, (vm_size_t)size, &data, &got);
	code("vm_read", kr);
	if (kr == KERN_SUCCESS) {
		count("bytes", got);
		fact("in the hole", data >= hole && data < hole + 8 * PAGE);
		count("bytes that differ",
		      bytes_differing(data, at + (vm_size_t)offset, (size_t)size));
		keep_memory(data, got);
	}
}
EACH("vm_read/no-room-page", read_without_room, 0, 0, 0x1000)
EACH("vm_read/no-room-no-bytes", read_without_room, 0, 0, 0)
EACH("vm_read/no-room-one-byte", read_without_room, 0, 8, 1)
EACH("vm_read/room-of-one-page-for-one", read_without_room, 1, 0, 0x1000)
EACH("vm_read/room-of-one-page-for-two", read_without_room, 1, 0, 0x2000)
EACH("vm_read/room-of-one-page-for-two-bytes-of-two", read_without_room, 1, 0xfff, 2)
EACH("vm_read/room-of-two-pages-for-two", read_without_room, 2, 0, 0x2000)

/* The reply as it arrives when there is no room for its memory. */
CASE("vm_read/no-room-the-message")
{
	struct {
		mach_msg_header_t head;
		mach_msg_type_t address_type;
		vm_offset_t address;
		mach_msg_type_t size_type;
		vm_size_t size;
		char room[64];
	} msg = {
		.head = {
			.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
						    MACH_MSG_TYPE_MAKE_SEND_ONCE),
			.msgh_remote_port = self,
			.msgh_id = 2026,
		},
		.address_type = {
			.msgt_name = MACH_MSG_TYPE_INTEGER_64, .msgt_size = 64,
			.msgt_number = 1, .msgt_inline = TRUE,
		},
		.size_type = {
			.msgt_name = MACH_MSG_TYPE_INTEGER_64, .msgt_size = 64,
			.msgt_number = 1, .msgt_inline = TRUE,
		},
		.size = PAGE,
	};
	mach_port_name_t reply = make_receive();
	mach_msg_type_t data_type;
	vm_offset_t data;
	int retcode;

	msg.address = island(1);
	msg.head.msgh_local_port = reply;
	fill_map();
	code("mach_msg", mach_msg(&msg.head, MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_TIMEOUT,
				  64, sizeof(msg), reply, 1000, MACH_PORT_NULL));
	memcpy(&retcode, &msg.address, sizeof(retcode));
	memcpy(&data_type, &msg.size_type, sizeof(data_type));
	memcpy(&data, &msg.size, sizeof(data));
	count("message size", msg.head.msgh_size);
	mach_printf("id: %d\n", msg.head.msgh_id);
	fact("complex", (msg.head.msgh_bits & MACH_MSGH_BITS_COMPLEX) != 0);
	code("return code", retcode);
	mach_printf("item: type %u, %u bits each, %u of them, inline %u, deallocate %u\n",
		    data_type.msgt_name, data_type.msgt_size, data_type.msgt_number,
		    data_type.msgt_inline, data_type.msgt_deallocate);
	fact("address is zero", data == 0);
}
