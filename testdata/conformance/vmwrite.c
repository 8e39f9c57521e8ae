/* vmwrite: vm_write and vm_copy. */
#include "suite.h"

static vm_offset_t source(size_t pages)
{
	vm_offset_t at = island(pages);

	pattern_fill(at, pages * PAGE, 2);
	return at;
}

/* What differs in the island's first two pages, all that can be written. */
static void tell_changes(vm_offset_t base)
{
	count("bytes changed", pattern_wrong(base, 2 * PAGE, 1));
}

/* Writes whole pages to a place: alignment, holes and protections there. */
static void write_place(long relative, long at, long size)
{
	vm_offset_t base = terrain(), data = source(16);
	vm_offset_t to = place_at(base, relative, at);

	if ((vm_size_t)size > 16 * PAGE)
		size = 16 * 4096;
	code("vm_write", vm_write(self, to, data, (mach_msg_type_number_t)size));
	tell_changes(base);
	tell_memory("island", base, TERRAIN_PAGES);
}
#define WRITE(name, ...) EACH("vm_write/to-" name, write_place, __VA_ARGS__)
PLACES(WRITE)

/* Writes what is at a place: the message fails before the kernel is asked. */
static void write_from_place(long relative, long at, long size)
{
	vm_offset_t base = terrain(), to = source(16);

	code("vm_write", vm_write(self, to, place_at(base, relative, at),
				  (mach_msg_type_number_t)size));
	count("bytes changed", pattern_wrong(to, 16 * PAGE, 2));
	tell_memory("island", base, TERRAIN_PAGES);
}
#define WRITE_FROM(name, ...) EACH("vm_write/from-" name, write_from_place, __VA_ARGS__)
PLACES(WRITE_FROM)

static void copy_to_place(long relative, long at, long size)
{
	vm_offset_t base = terrain(), from = source(16);

	code("vm_copy", vm_copy(self, from, (vm_size_t)size, place_at(base, relative, at)));
	tell_changes(base);
	count("bytes changed in the source", pattern_wrong(from, 16 * PAGE, 2));
	tell_memory("island", base, TERRAIN_PAGES);
}
#define COPY_TO(name, ...) EACH("vm_copy/to-" name, copy_to_place, __VA_ARGS__)
PLACES(COPY_TO)

static void copy_from_place(long relative, long at, long size)
{
	vm_offset_t base = terrain(), to = source(16);

	code("vm_copy", vm_copy(self, place_at(base, relative, at), (vm_size_t)size, to));
	count("bytes changed", pattern_wrong(to, 16 * PAGE, 2));
	tell_changes(base);
	tell_memory("island", base, TERRAIN_PAGES);
}
#define COPY_FROM(name, ...) EACH("vm_copy/from-" name, copy_from_place, __VA_ARGS__)
PLACES(COPY_FROM)

/* Two faults at once: which is told. */
static void copy_order(long from, long size, long to)
{
	vm_offset_t base = terrain();

	code("vm_copy", vm_copy(self, base + (vm_offset_t)from, (vm_size_t)size,
				base + (vm_offset_t)to));
	tell_changes(base);
}
EACH("vm_copy/hole-to-hole", copy_order, 0x4000, 0x1000, 0x4000)
EACH("vm_copy/hole-unaligned-to-page", copy_order, 0x4008, 8, 0)
EACH("vm_copy/no-access-unaligned-to-page", copy_order, 0x3008, 8, 0)
EACH("vm_copy/no-access-to-hole", copy_order, 0x3000, 0x1000, 0x4000)
EACH("vm_copy/hole-to-read-only", copy_order, 0x4000, 0x1000, 0x2000)
EACH("vm_copy/source-unaligned-to-hole", copy_order, 8, 0x1000, 0x4000)
EACH("vm_copy/source-unaligned-to-read-only", copy_order, 8, 0x1000, 0x2000)
EACH("vm_copy/size-unaligned-to-hole", copy_order, 0, 0x800, 0x4000)
EACH("vm_copy/to-unaligned-hole", copy_order, 0, 0x1000, 0x4008)
EACH("vm_copy/to-unaligned-read-only", copy_order, 0, 0x1000, 0x2008)
EACH("vm_copy/both-unaligned-alike", copy_order, 8, 0x100, 0x1008)
EACH("vm_copy/to-read-only-then-hole", copy_order, 0, 0x2000, 0x3000)
EACH("vm_copy/to-hole-then-page", copy_order, 0, 0x2000, 0x4000)
EACH("vm_copy/page-to-itself", copy_order, 0, 0x1000, 0)
EACH("vm_copy/read-only-to-itself", copy_order, 0x2000, 0x1000, 0x2000)
EACH("vm_copy/read-only-to-page", copy_order, 0x2000, 0x1000, 0)
EACH("vm_copy/no-bytes-hole-to-hole-unaligned", copy_order, 0x4003, 0, 0x4005)

static void write_order(long from, long size, long to)
{
	vm_offset_t base = terrain();

	code("vm_write", vm_write(self, base + (vm_offset_t)to, base + (vm_offset_t)from,
				  (mach_msg_type_number_t)size));
	tell_changes(base);
}
EACH("vm_write/hole-to-hole", write_order, 0x4000, 0x1000, 0x4000)
EACH("vm_write/no-access-to-unaligned", write_order, 0x3000, 0x1000, 8)
EACH("vm_write/data-unaligned-to-hole", write_order, 8, 0x1000, 0x4000)
EACH("vm_write/data-unaligned-to-read-only", write_order, 8, 0x1000, 0x2000)
EACH("vm_write/size-unaligned-to-hole", write_order, 0, 0x800, 0x4000)
EACH("vm_write/to-unaligned-hole", write_order, 0, 0x1000, 0x4008)
EACH("vm_write/both-unaligned-alike", write_order, 8, 0x100, 0x1008)
EACH("vm_write/to-read-only-then-hole", write_order, 0, 0x2000, 0x3000)
EACH("vm_write/to-hole-then-page", write_order, 0, 0x2000, 0x4000)
EACH("vm_write/page-to-itself", write_order, 0, 0x1000, 0)
EACH("vm_write/no-bytes-hole-to-hole-unaligned", write_order, 0x4003, 0, 0x4005)

/* Overlap: as if the source had been read before the first byte was written. */
static void copy_overlap(long from, long to, long write)
{
	vm_offset_t at = island(12), expected = island(12);
	size_t i;

	for (i = 0; i < 12; i++) {
		pattern_fill(at + i * PAGE, PAGE, (unsigned int)i + 1);
		pattern_fill(expected + i * PAGE, PAGE, (unsigned int)i + 1);
	}
	for (i = 0; i < 6; i++)
		pattern_fill(expected + ((size_t)to + i) * PAGE, PAGE,
			     (unsigned int)((size_t)from + i + 1));
	if (write)
		code("vm_write", vm_write(self, at + (size_t)to * PAGE,
					  at + (size_t)from * PAGE, 6 * 4096));
	else
		code("vm_copy", vm_copy(self, at + (size_t)from * PAGE, 6 * PAGE,
					at + (size_t)to * PAGE));
	count("wrong bytes", bytes_differing(at, expected, 12 * PAGE));
	pattern_fill(at + (size_t)from * PAGE, PAGE, 20);
	pattern_fill(expected + (size_t)from * PAGE, PAGE, 20);
	count("wrong bytes after a write to the source's first page",
	      bytes_differing(at, expected, 12 * PAGE));
}
EACH("vm_copy/overlap-one-page-up", copy_overlap, 0, 1, 0)
EACH("vm_copy/overlap-one-page-down", copy_overlap, 1, 0, 0)
EACH("vm_copy/overlap-five-pages-up", copy_overlap, 0, 5, 0)
EACH("vm_copy/overlap-same", copy_overlap, 3, 3, 0)
EACH("vm_copy/adjacent", copy_overlap, 0, 6, 0)
EACH("vm_write/overlap-one-page-up", copy_overlap, 0, 1, 1)
EACH("vm_write/overlap-one-page-down", copy_overlap, 1, 0, 1)
EACH("vm_write/overlap-five-pages-up", copy_overlap, 0, 5, 1)
EACH("vm_write/overlap-same", copy_overlap, 3, 3, 1)
EACH("vm_write/adjacent", copy_overlap, 0, 6, 1)

CASE("vm_write/untouched-data-gives-zeros")
{
	vm_offset_t to = source(2), data = island(2);

	code("vm_write", vm_write(self, to, data, 2 * 4096));
	count("bytes not zero", bytes_set(to, 2 * PAGE));
}

CASE("vm_write/to-memory-never-touched")
{
	vm_offset_t to = island(2), data = source(1);

	code("vm_write", vm_write(self, to + PAGE, data, 4096));
	count("bytes not zero in the first page", bytes_set(to, PAGE));
	count("wrong bytes in the second", pattern_wrong(to + PAGE, PAGE, 2));
}

CASE("vm_write/data-stays-the-writers")
{
	vm_offset_t to = island(2), data = source(2);

	must("vm_write", vm_write(self, to, data, 2 * 4096));
	pattern_fill(data, 2 * PAGE, 5);
	count("wrong bytes in the destination", pattern_wrong(to, 2 * PAGE, 2));
	pattern_fill(to, 2 * PAGE, 6);
	count("wrong bytes in the data", pattern_wrong(data, 2 * PAGE, 5));
}

CASE("vm_write/read-back-unwritten")
{
	vm_offset_t at = source(2), data;
	mach_msg_type_number_t got;

	must("vm_read", read_memory(self, at, 2 * PAGE, &data, &got));
	code("vm_write", vm_write(self, at, data, got));
	count("wrong bytes", pattern_wrong(at, 2 * PAGE, 2));
}

CASE("vm_write/keeps-the-destination-attributes")
{
	vm_offset_t to = island(2), data = source(2);

	vm_inherit(self, to, 2 * PAGE, VM_INHERIT_NONE);
	vm_protect(self, data, 2 * PAGE, FALSE, VM_PROT_READ);
	code("vm_write", vm_write(self, to, data, 2 * 4096));
	tell_memory("destination", to, 2);
	tell_memory("data", data, 2);
}

CASE("vm_write/over-two-entries")
{
	vm_offset_t to = island(3), data = source(3);

	vm_inherit(self, to + PAGE, PAGE, VM_INHERIT_NONE);
	code("vm_write", vm_write(self, to, data, 3 * 4096));
	count("wrong bytes", pattern_wrong(to, 3 * PAGE, 2));
	tell_memory("destination", to, 3);
}

CASE("vm_write/from-two-entries")
{
	vm_offset_t to = island(3), data = source(3);

	vm_protect(self, data + PAGE, PAGE, FALSE, VM_PROT_READ);
	code("vm_write", vm_write(self, to, data, 3 * 4096));
	count("wrong bytes", pattern_wrong(to, 3 * PAGE, 2));
	tell_memory("destination", to, 3);
}

CASE("vm_write/earlier-copies-keep-the-old-bytes")
{
	vm_offset_t to = source(2), data = island(2), copy;
	mach_msg_type_number_t got;

	pattern_fill(data, 2 * PAGE, 7);
	must("vm_read", read_memory(self, to, 2 * PAGE, &copy, &got));
	must("vm_write", vm_write(self, to, data, 2 * 4096));
	count("wrong bytes in the copy", pattern_wrong(copy, 2 * PAGE, 2));
	count("wrong bytes in the destination", pattern_wrong(to, 2 * PAGE, 7));
}

/* vm_write with the deallocate bit, which the stub never sets. */
static kern_return_t write_deallocating(mach_port_name_t task, vm_offset_t to,
					vm_offset_t data, mach_msg_type_number_t size)
{
	union {
		struct {
			mach_msg_header_t head;
			mach_msg_type_t address_type;
			vm_offset_t address;
			mach_msg_type_t data_type;
			vm_offset_t data;
		};
		mig_reply_header_t reply;
	} msg = {
		.head = {
			.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
						    MACH_MSG_TYPE_MAKE_SEND_ONCE) |
				     MACH_MSGH_BITS_COMPLEX,
			.msgh_remote_port = task,
			.msgh_local_port = mig_get_reply_port(),
			.msgh_id = 2027,
		},
		.address_type = {
			.msgt_name = MACH_MSG_TYPE_INTEGER_64, .msgt_size = 64,
			.msgt_number = 1, .msgt_inline = TRUE,
		},
		.address = to,
		.data_type = {
			.msgt_name = MACH_MSG_TYPE_BYTE, .msgt_size = 8,
			.msgt_number = size, .msgt_deallocate = TRUE,
		},
		.data = data,
	};
	mach_msg_return_t mr;

	mr = mach_msg(&msg.head, MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_TIMEOUT, sizeof(msg),
		      sizeof(msg), mig_get_reply_port(), 1000, MACH_PORT_NULL);
	return mr != MACH_MSG_SUCCESS ? mr : msg.reply.RetCode;
}

static void deallocating(long to, long from, long size)
{
	vm_offset_t base = terrain(), data = source(3);

	code("vm_write", write_deallocating(self, base + (vm_offset_t)to,
					    data + (vm_offset_t)from,
					    (mach_msg_type_number_t)size));
	tell_memory("data", data, 3);
	tell_changes(base);
}
EACH("vm_write/deallocate-page", deallocating, 0, 0x1000, 0x1000)
EACH("vm_write/deallocate-two-pages", deallocating, 0, 0x1000, 0x2000)
EACH("vm_write/deallocate-no-bytes", deallocating, 0, 0x1000, 0)
EACH("vm_write/deallocate-part-of-a-page", deallocating, 0, 0x1010, 0x10)
EACH("vm_write/deallocate-parts-of-two-pages", deallocating, 0, 0xff8, 0x10)
EACH("vm_write/deallocate-to-hole", deallocating, 0x4000, 0x1000, 0x1000)
EACH("vm_write/deallocate-to-read-only", deallocating, 0x2000, 0, 0x1000)
EACH("vm_write/deallocate-to-unaligned", deallocating, 8, 0, 0x1000)
EACH("vm_write/deallocate-from-past-the-end", deallocating, 0, 0x2000, 0x2000)

CASE("vm_write/deallocate-not-a-task")
{
	vm_offset_t data = source(3);

	code("a host", write_deallocating(host, data, data + PAGE, 4096));
	tell_memory("data", data, 3);
	code("null", write_deallocating(MACH_PORT_NULL, data, data + 2 * PAGE, 4096));
	tell_memory("data", data, 3);
}

/* The real kernel never comes back from these two: see skip-on-real.tsv. */
CASE("vm_copy/shared-page-onto-itself")
{
	vm_offset_t at = source(1);

	vm_inherit(self, at, PAGE, VM_INHERIT_SHARE);
	make_task(TRUE);
	code("vm_copy", vm_copy(self, at, PAGE, at));
	count("wrong bytes", pattern_wrong(at, PAGE, 2));
}

CASE("vm_write/shared-page-written-back")
{
	vm_offset_t at = source(1), data;
	mach_msg_type_number_t got;

	vm_inherit(self, at, PAGE, VM_INHERIT_SHARE);
	make_task(TRUE);
	must("vm_read", read_memory(self, at, PAGE, &data, &got));
	code("vm_write", vm_write(self, at, data, got));
	count("wrong bytes", pattern_wrong(at, PAGE, 2));
}
