/* carried: what messages carry, what becomes of it, and what is told of it. */
#include "suite.h"

#include "message.h"

/* A message with more room than a case's usual one. */
static union {
	struct message small;
	unsigned char bytes[256 * 1024];
} big;

/* ---- References. */

static void send_carrying(mach_port_name_t to, mach_port_name_t name, mach_msg_type_name_t type)
{
	struct message msg = message_with(to, TYPE_PORT(type), name);

	must("send", send_sized(&msg, HEADER + ITEM));
}

/* Received send rights add references up to the most, and no more. */
static void references_saturate(long first, long disposition, long unused)
{
	mach_port_name_t carrier = make_port(), port = make_port();
	struct message msg;
	int i;

	(void)unused;
	must("mach_port_mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_SEND,
						      (mach_port_delta_t)first - 1));
	for (i = 0; i < 3; i++) {
		send_carrying(carrier, port, (mach_msg_type_name_t)disposition);
		must("receive", receive(carrier, &msg));
		tell_name("received", port);
	}
	code("and given up again", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_SEND, -65534));
	tell_name("left", port);
}
EACH("mach_msg/references-made-up-to-the-most", references_saturate, 65533, 20, 0)
EACH("mach_msg/references-copied-up-to-the-most", references_saturate, 65533, 19, 0)
EACH("mach_msg/references-moved-at-the-most", references_saturate, 65534, 17, 0)

CASE("mach_msg/references-of-a-reply-right-at-the-most")
{
	mach_port_name_t port = make_port(), reply = make_port();
	struct message msg = message_to(port);

	must("mach_port_mod_refs", mach_port_mod_refs(self, reply, MACH_PORT_RIGHT_SEND, 65533));
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND);
	msg.head.msgh_local_port = reply;
	must("send", send_sized(&msg, HEADER));
	tell_received(port, &msg);
	fact("under the same name", msg.head.msgh_remote_port == reply);
}

/* ---- Many rights. */

static void many_rights(long disposition, long n, long unused)
{
	mach_port_name_t carrier = make_port(), port = make_port();
	static struct name_list before, after;
	mach_msg_size_t size = (mach_msg_size_t)(HEADER + 8 + 8 * n);
	mach_port_name_inlined_t *names = (mach_port_name_inlined_t *)&big.small.item[0].word;
	long i;

	(void)unused;
	must("mach_port_mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_SEND, (int)n));
	list_names(&before);
	big.small = message_with(carrier, TYPE_PORT((unsigned int)disposition), 0);
	big.small.item[0].type.msgt_number = (unsigned int)n;
	for (i = 0; i < n; i++)
		names[i] = (mach_port_name_inlined_t){ .name = port };
	code("send", send_sized(&big.small, size));
	tell_name("the port", port);
	code("receive", mach_msg(&big.small.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
				 sizeof(big), carrier, 0, MACH_PORT_NULL));
	mach_printf("size %u\n", big.small.head.msgh_size);
	tell_item(&big.small.item[0]);
	tell_name("the port", port);
	list_names(&after);
	count("names more", after.count - before.count);
	destroy_new_names(&before, &after);
}
EACH("mach_msg/rights-100-copied", many_rights, 19, 100, 0)
EACH("mach_msg/rights-100-moved", many_rights, 17, 100, 0)
EACH("mach_msg/rights-100-made", many_rights, 20, 100, 0)
EACH("mach_msg/rights-100-made-once", many_rights, 21, 100, 0)

static void many_ool_rights(long disposition, long n, long offset)
{
	mach_port_name_t carrier = make_port(), port = make_port();
	static struct name_list before, after;
	vm_offset_t array = island(3) + (vm_offset_t)offset;
	mach_port_name_t *names = (mach_port_name_t *)array;
	struct message msg = message_with(carrier,
		TYPE(.msgt_name = (unsigned int)disposition & 0xff, .msgt_size = 32,
		     .msgt_number = (unsigned int)n), array);
	long i, other = 0;

	list_names(&before);
	for (i = 0; i < n; i++)
		names[i] = port;
	code("send", send_sized(&msg, HEADER + ITEM));
	tell_received(carrier, &msg);
	tell_item(&msg.item[0]);
	keep_memory(msg.item[0].address, (vm_size_t)n * 4);
	names = (mach_port_name_t *)msg.item[0].address;
	for (i = 0; i < n; i++)
		other += names[i] != port;
	mach_printf("other names: %ld\n", other);
	tell_name("the port", port);
	list_names(&after);
	count("names more", after.count - before.count);
	destroy_new_names(&before, &after);
}
EACH("mach_msg/ool-rights-1500-copied", many_ool_rights, 19, 1500, 0)
EACH("mach_msg/ool-rights-1500-made-unaligned", many_ool_rights, 20, 1500, 6)
EACH("mach_msg/ool-rights-200-made-once", many_ool_rights, 21, 200, 0)

/* Two of several names are one: the second move finds nothing. */
CASE("mach_msg/one-reference-moved-twice")
{
	mach_port_name_t carrier = make_port(), port = make_send();
	struct message msg = message_with(carrier, TYPE_PORT(MACH_MSG_TYPE_MOVE_SEND), port);

	msg.item[1].type = TYPE_PORT(MACH_MSG_TYPE_MOVE_SEND);
	msg.item[1].port.name = port;
	code("send", send_sized(&msg, HEADER + 2 * ITEM));
	tell_name("the name", port);
}

CASE("mach_msg/one-reference-copied-then-moved")
{
	mach_port_name_t carrier = make_port(), port = make_send();
	struct message msg = message_with(carrier, TYPE_PORT(MACH_MSG_TYPE_COPY_SEND), port);

	msg.item[1].type = TYPE_PORT(MACH_MSG_TYPE_MOVE_SEND);
	msg.item[1].port.name = port;
	code("send", send_sized(&msg, HEADER + 2 * ITEM));
	tell_name("the name", port);
	must("receive", receive(carrier, &msg));
	keep_name(msg.item[0].port.name);
	fact("one name", msg.item[0].port.name == msg.item[1].port.name);
	tell_name("it is", msg.item[0].port.name);
}

/* The destination's own right in the body: the header is first. */
static void destination_carried(long header, long body, long unused)
{
	mach_port_name_t port = make_port();
	struct message msg = message_with(port, TYPE_PORT((unsigned int)body), port);

	(void)unused;
	msg.head.msgh_bits = MACH_MSGH_BITS_COMPLEX |
			     MACH_MSGH_BITS((mach_msg_bits_t)header, 0);
	code("send", send_sized(&msg, HEADER + ITEM));
	tell_name("the port", port);
	if (tell_received(port, &msg) == MACH_MSG_SUCCESS) {
		mach_printf("the port: %s\n", port_word(msg.item[0].port.name));
		tell_name("the port", port);
	}
}
EACH("mach_msg/destination-moved-and-carried-by-move", destination_carried, 17, 17, 0)
EACH("mach_msg/destination-moved-and-carried-by-copy", destination_carried, 17, 19, 0)
EACH("mach_msg/destination-copied-and-carried-by-move", destination_carried, 19, 17, 0)
EACH("mach_msg/destination-made-and-carried-by-make", destination_carried, 20, 20, 0)

/* ---- Items side by side. */

CASE("mach_msg/items-of-odd-sizes")
{
	mach_port_name_t port = make_port();
	struct message msg = message_to(port);

	/* Three bytes, and eleven: each is padded to eight. */
	msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
	msg.item[0].type = TYPE(.msgt_name = 9, .msgt_size = 8, .msgt_number = 3, .msgt_inline = 1);
	msg.item[0].word = 0x1122334455667788;
	msg.item[1].type = TYPE(.msgt_name = 8, .msgt_size = 8, .msgt_number = 11,
				.msgt_inline = 1);
	msg.item[1].word = 0x99;
	msg.item[2].type = TYPE_INTEGER;
	code("too short", send_sized(&msg, HEADER + 2 * ITEM));
	code("send", send_sized(&msg, HEADER + 2 * ITEM + 8));
	tell_received(port, &msg);
	tell_item(&msg.item[0]);
	fact("padding is as sent", msg.item[0].word == 0x1122334455667788);
	tell_item(&msg.item[1]);
}

CASE("mach_msg/data-beside-rights-and-memory")
{
	mach_port_name_t port = make_port(), body = make_port();
	vm_offset_t data = island(1);
	struct message msg = message_with(port, TYPE_INTEGER, 0x5555);

	pattern_fill(data, PAGE, 1);
	msg.item[1].type = TYPE_PORT(MACH_MSG_TYPE_MOVE_SEND);
	msg.item[1].port.name = body;
	msg.item[2].type = TYPE_BYTES(100);
	msg.item[2].address = data + 50;
	code("send", send_sized(&msg, HEADER + 3 * ITEM));
	tell_received(port, &msg);
	fact("the word", msg.item[0].word == 0x5555);
	fact("the port", keep_name(msg.item[1].port.name) == body);
	tell_item(&msg.item[2]);
	count("bytes that differ", bytes_differing(keep_memory(msg.item[2].address, 100),
						   data + 50, 100));
}

/* Two pieces of one page; a piece that goes takes the page. */
static void two_pieces(long first_deallocate, long second_deallocate, long unused)
{
	mach_port_name_t port = make_port(), reply = make_receive();
	vm_offset_t data = island(1);
	struct message msg;

	(void)unused;
	pattern_fill(data, PAGE, 1);
	msg = message_with(port, TYPE_BYTES(100), data);
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = reply;
	msg.item[0].type.msgt_deallocate = first_deallocate & 1;
	msg.item[1].type = TYPE_BYTES(100);
	msg.item[1].address = data + 200;
	msg.item[1].type.msgt_deallocate = second_deallocate & 1;
	code("send", send_sized(&msg, HEADER + 2 * ITEM));
	tell_memory("the page", data, 1);
	mach_printf("at the reply port: ");
	tell_received(reply, &msg);
	if (tell_received(port, &msg) != MACH_MSG_SUCCESS)
		return;
	keep_memory(msg.item[0].address, 100);
	keep_memory(msg.item[1].address, 100);
	mach_printf("offsets: %zu %zu\n", msg.item[0].address % PAGE, msg.item[1].address % PAGE);
	fact("two pages", msg.item[0].address / PAGE != msg.item[1].address / PAGE);
}
EACH("mach_msg/two-pieces-of-a-page", two_pieces, 0, 0, 0)
EACH("mach_msg/two-pieces-of-a-page-second-deallocated", two_pieces, 0, 1, 0)
EACH("mach_msg/two-pieces-of-a-page-first-deallocated", two_pieces, 1, 0, 0)

CASE("mach_msg/ool-elements-of-one-bit")
{
	mach_port_name_t port = make_port();
	vm_offset_t data = island(1);
	struct message msg = message_with(port, TYPE(.msgt_name = 0, .msgt_size = 1,
						     .msgt_number = 17), data + PAGE - 3);

	code("17 bits in three bytes", send_sized(&msg, HEADER + ITEM));
	tell_received(port, &msg);
	tell_item(&msg.item[0]);
	keep_memory(msg.item[0].address, 3);
	count("offset in the page", msg.item[0].address % PAGE);
	msg = message_with(port, TYPE(.msgt_name = 0, .msgt_size = 1, .msgt_number = 25),
			   data + PAGE - 3);
	code("25 bits in three bytes", send_sized(&msg, HEADER + ITEM));
}

/* Names are the lower half of their words; the upper one is not looked at. */
CASE("mach_msg/upper-halves-of-names")
{
	mach_port_name_t port = make_port(), reply = make_receive(), body = make_port();
	struct message msg = message_with(port, TYPE_PORT(MACH_MSG_TYPE_MOVE_SEND),
					  body | 0x7700000000000000);
	uint32_t *words = (uint32_t *)&msg;

	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = reply;
	words[3] = 0x11111111;
	words[5] = 0x22222222;
	code("send", send_sized(&msg, HEADER + ITEM));
	tell_received(port, &msg);
	mach_printf("upper halves: 0x%x 0x%x 0x%x\n", words[3], words[5],
		    (uint32_t)(msg.item[0].word >> 32));
	fact("the carried", (mach_port_name_t)msg.item[0].word == body);
}

/* ---- Large messages. */

static void large(long size, long unused, long more_unused)
{
	mach_port_name_t port = make_port();

	(void)unused;
	(void)more_unused;
	pattern_fill((vm_offset_t)&big, (size_t)size, 1);
	big.small.head = message_to(port).head;
	code("send", send_sized(&big.small, (mach_msg_size_t)size));
	memset(&big, 0, sizeof(big));
	code("receive", mach_msg(&big.small.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
				 sizeof(big), port, 0, MACH_PORT_NULL));
	mach_printf("size %u\n", big.small.head.msgh_size);
	pattern_fill((vm_offset_t)&big, HEADER, 1);
	count("wrong bytes", pattern_wrong((vm_offset_t)&big, (size_t)size, 1));
	count("bytes behind it", bytes_set((vm_offset_t)&big + (size_t)size,
					   sizeof(big) - (size_t)size));
}
EACH("mach_msg/large-4-kib", large, 0x1000, 0, 0)
EACH("mach_msg/large-4-kib-and-a-word", large, 0x1008, 0, 0)
EACH("mach_msg/large-16-kib", large, 0x4000, 0, 0)
EACH("mach_msg/large-64-kib", large, 0x10000, 0, 0)
EACH("mach_msg/large-256-kib", large, 0x40000, 0, 0)

/* ---- No room at the receiver. */

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

/* Two pieces of memory and a right, and a hole of so many pages. */
static void no_room(long hole_pages, long first_pages, long option)
{
	mach_port_name_t port = make_port(), body = make_port();
	vm_offset_t data = island(4), hole = island(4);
	struct message msg = message_with(port, TYPE_BYTES(0), data), got;

	pattern_fill(data, 4 * PAGE, 1);
	msg.item[0].type.msgt_number = (unsigned int)(first_pages * 4096);
	msg.item[1].type = TYPE_PORT(MACH_MSG_TYPE_COPY_SEND);
	msg.item[1].port.name = body;
	msg.item[2].type = TYPE_BYTES(4096);
	msg.item[2].address = data + 3 * PAGE;
	must("send", send_sized(&msg, HEADER + 3 * ITEM));
	fill_map();
	must("vm_deallocate", vm_deallocate(self, hole, (vm_size_t)hole_pages * PAGE));
	code("receive", receive_sized(port, &got, sizeof(got), (mach_msg_option_t)option));
	tell_header(&got, port);
	tell_item(&got.item[0]);
	fact("address is zero", got.item[0].address == 0);
	tell_item(&got.item[1]);
	tell_name("the right", got.item[1].port.name);
	tell_item(&got.item[2]);
	fact("address is zero", got.item[2].address == 0);
	count("messages left", drain(port));
}
EACH("mach_msg/no-room-for-either", no_room, 0, 2, 0)
EACH("mach_msg/no-room-for-the-first", no_room, 1, 2, 0)
EACH("mach_msg/no-room-for-the-second", no_room, 2, 2, 0)
EACH("mach_msg/room-for-both", no_room, 3, 2, 0)
EACH("mach_msg/no-room-for-either-large", no_room, 0, 2, MACH_RCV_LARGE)

/* No room for an array of rights: what becomes of the rights. */
static void no_room_for_rights(long disposition, long unused, long more_unused)
{
	mach_port_name_t port = make_port(), body = make_port(), note = body;
	static struct name_list before, after;
	vm_offset_t array = island(1);
	struct message msg = message_with(port,
		TYPE(.msgt_name = (unsigned int)disposition & 0xff, .msgt_size = 32,
		     .msgt_number = 1), array);

	(void)unused;
	(void)more_unused;
	*(mach_port_name_t *)array = body;
	must("send", send_sized(&msg, HEADER + ITEM));
	tell_name("under way", body);
	list_names(&before);
	fill_map();
	code("receive", receive(port, &msg));
	tell_item(&msg.item[0]);
	fact("address is zero", msg.item[0].address == 0);
	release_memory();
	list_names(&after);
	count("names more", after.count - before.count);
	tell_name("the right", body);
	tell_received(note, &msg);
	destroy_new_names(&before, &after);
}
EACH("mach_msg/no-room-for-rights-copied", no_room_for_rights, 19, 0, 0)
EACH("mach_msg/no-room-for-rights-made-once", no_room_for_rights, 21, 0, 0)
EACH("mach_msg/no-room-for-rights-receive-moved", no_room_for_rights, 16, 0, 0)

/* A message that comes back to its sender finds no room there. */
CASE("mach_msg/send-timeout-full-queue-no-room")
{
	mach_port_name_t port = make_port();
	vm_offset_t data = island(2);
	struct message msg, other;
	int i;

	for (i = 0; i < 5; i++) {
		other = message_to(port);
		must("send", send_sized(&other, HEADER));
	}
	pattern_fill(data, 2 * PAGE, 1);
	fill_map();
	msg = message_with(port, TYPE_BYTES(2 * 4096), data);
	code("send", send_sized(&msg, HEADER + ITEM));
	tell_item(&msg.item[0]);
	fact("address is zero", msg.item[0].address == 0);
	msg = message_with(port, TYPE_BYTES(2 * 4096), data);
	msg.item[0].type.msgt_deallocate = TRUE;
	code("send with deallocate", send_sized(&msg, HEADER + ITEM));
	tell_item(&msg.item[0]);
	fact("address is zero", msg.item[0].address == 0);
	fact("where it was", msg.item[0].address == data);
}

/* ---- A buffer that cannot be written: what was carried has come, unseen. */

static void lost(long disposition, long at, long unused)
{
	static struct name_list before, after;
	mach_port_name_t port = make_port(), body = make_port();
	vm_offset_t base = terrain();

	(void)unused;
	send_carrying(port, body, (mach_msg_type_name_t)disposition);
	list_names(&before);
	code("receive", mach_msg((mach_msg_header_t *)(base + (vm_offset_t)at),
				 MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, PAGE, port, 0,
				 MACH_PORT_NULL));
	list_names(&after);
	count("names more", after.count - before.count);
	tell_name("carried", body);
	destroy_new_names(&before, &after);
}
EACH("mach_msg/lost-right-copied", lost, 19, 0x2000, 0)
EACH("mach_msg/lost-right-made-once", lost, 21, 0x2000, 0)
EACH("mach_msg/lost-right-in-a-hole", lost, 19, 0x4000, 0)
EACH("mach_msg/lost-right-half-in-read-only", lost, 19, 0x1fe0, 0)

/* ---- What dies in a queue. */

static void dies_in_queue(long disposition, long by_destroy, long unused)
{
	mach_port_name_t port = make_port(), reply = make_receive(), body = make_port(), name = body;
	struct message msg;

	(void)unused;
	if (disposition == 18)
		name = send_once_to(body);
	msg = message_with(port, TYPE_PORT((unsigned int)disposition), name);
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = reply;
	must("send", send_sized(&msg, HEADER + ITEM));
	tell_name("under way", body);
	if (by_destroy)
		code("destroyed", mach_port_destroy(self, port));
	else
		code("destroyed", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
	tell_name("then", body);
	mach_printf("at the reply port: ");
	tell_received(reply, &msg);
	mach_printf("at the carried port: ");
	tell_received(body, &msg);
}
EACH("mach_msg/dies-in-queue-send", dies_in_queue, 17, 0, 0)
EACH("mach_msg/dies-in-queue-send-copied", dies_in_queue, 19, 0, 0)
EACH("mach_msg/dies-in-queue-send-once", dies_in_queue, 18, 0, 0)
EACH("mach_msg/dies-in-queue-receive", dies_in_queue, 16, 0, 0)
EACH("mach_msg/dies-in-queue-send-by-destroy", dies_in_queue, 17, 1, 0)
EACH("mach_msg/dies-in-queue-receive-by-destroy", dies_in_queue, 16, 1, 0)

/* A queue in a queue in a queue. */
CASE("mach_msg/dies-in-nested-queues")
{
	mach_port_name_t outer = make_port(), middle = make_port(), inner = make_port();
	mach_port_name_t reply = make_receive(), last = make_port();
	struct message msg = message_with(inner, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), last);

	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = reply;
	must("send", send_sized(&msg, HEADER + ITEM));
	send_carrying(middle, inner, MACH_MSG_TYPE_MOVE_RECEIVE);
	send_carrying(outer, middle, MACH_MSG_TYPE_MOVE_RECEIVE);
	tell_name("the last", last);
	must("mach_port_destroy", mach_port_mod_refs(self, outer, MACH_PORT_RIGHT_RECEIVE, -1));
	tell_name("outer", outer);
	tell_name("middle", middle);
	tell_name("inner", inner);
	tell_name("the last", last);
	tell_received(reply, &msg);
}

/* Three ports that would each be on their way to the next. */
CASE("mach_msg/circle-of-three")
{
	mach_port_name_t a = make_port(), b = make_port(), c = make_port();

	send_carrying(a, b, MACH_MSG_TYPE_MOVE_RECEIVE);
	send_carrying(b, c, MACH_MSG_TYPE_MOVE_RECEIVE);
	tell_name("a", a);
	send_carrying(c, a, MACH_MSG_TYPE_MOVE_RECEIVE);
	tell_name("a", a);
	tell_name("b", b);
	tell_name("c", c);
}

/* Messages travel with their port. */
CASE("mach_msg/queue-travels-with-its-port")
{
	mach_port_name_t carrier = make_port(), port = make_port();
	struct message msg;
	int i;

	for (i = 0; i < 3; i++) {
		msg = message_to(port);
		msg.head.msgh_id = 10 + i;
		must("send", send_sized(&msg, HEADER));
	}
	send_carrying(carrier, port, MACH_MSG_TYPE_MOVE_RECEIVE);
	msg = message_to(port);
	msg.head.msgh_id = 20;
	code("sent on its way", send_sized(&msg, HEADER));
	must("receive", receive(carrier, &msg));
	for (i = 0; i < 5; i++)
		tell_received(port, &msg);
}

CASE("mach_msg/queue-limit-on-the-way")
{
	mach_port_name_t carrier = make_port(), port = make_port();
	struct message msg;
	int i;

	send_carrying(carrier, port, MACH_MSG_TYPE_MOVE_RECEIVE);
	for (i = 0; i < 6; i++) {
		msg = message_to(port);
		code("send", send_sized(&msg, HEADER));
	}
	must("receive", receive(carrier, &msg));
	count("messages", drain(port));
}

/* ---- Notifications: asked for when a message is received, and not. */

/* A reply right received with RCV_NOTIFY, or without. */
static mach_port_name_t received_right(mach_port_name_t reply, mach_msg_type_name_t disposition,
				       mach_port_name_t notify)
{
	mach_port_name_t port = make_port();
	struct message msg = message_to(port);

	msg.head.msgh_bits |= MACH_MSGH_BITS(0, disposition);
	msg.head.msgh_local_port = reply;
	must("send", send_sized(&msg, HEADER));
	code("receive", mach_msg(&msg.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT |
				 (notify != MACH_PORT_NULL ? MACH_RCV_NOTIFY : 0), 0, sizeof(msg),
				 port, 0, notify));
	return keep_name(msg.head.msgh_remote_port);
}

static void tell_notification(mach_port_name_t notify, mach_port_name_t name)
{
	struct message msg;

	while (tell_received(notify, &msg) == MACH_MSG_SUCCESS)
		if (msg.head.msgh_size > HEADER) {
			tell_item(&msg.item[0]);
			fact("of the name", (mach_port_name_t)msg.item[0].word == name);
		}
}

enum ending { DEALLOCATED, MOVED_ON, USED, USED_CANCELLING, USED_CANCELLING_ANOTHER, DIED };

static void right_ends(long ending, long disposition, long asked)
{
	mach_port_name_t reply = make_receive(), notify = make_receive(), other = make_receive();
	mach_port_name_t name = received_right(reply, (mach_msg_type_name_t)disposition,
					       asked ? notify : MACH_PORT_NULL);
	mach_msg_type_name_t moves = disposition == MACH_MSG_TYPE_MAKE_SEND ?
		MACH_MSG_TYPE_MOVE_SEND : MACH_MSG_TYPE_MOVE_SEND_ONCE;
	struct message msg = message_to(name);

	if (asked && disposition == MACH_MSG_TYPE_MAKE_SEND)
		fact("it is the receive right's own name", name == reply);
	tell_name("the right", name);
	msg.head.msgh_bits = MACH_MSGH_BITS(moves, 0);
	switch ((enum ending)ending) {
	case DEALLOCATED:
		code("mach_port_deallocate", mach_port_deallocate(self, name));
		break;
	case MOVED_ON:
		send_carrying(make_port(), name, moves);
		break;
	case USED:
		code("send", send_sized(&msg, HEADER));
		break;
	case USED_CANCELLING:
	case USED_CANCELLING_ANOTHER:
		code("send", mach_msg(&msg.head, MACH_SEND_MSG | MACH_SEND_CANCEL, HEADER, 0,
				      MACH_PORT_NULL, 0,
				      ending == USED_CANCELLING ? notify : other));
		break;
	case DIED:
		must("mach_port_mod_refs",
		     mach_port_mod_refs(self, reply, MACH_PORT_RIGHT_RECEIVE, -1));
		break;
	}
	tell_name("then", name);
	tell_notification(notify, name);
}
EACH("mach_msg/right-deallocated-asked", right_ends, DEALLOCATED, 21, 1)
EACH("mach_msg/right-deallocated-unasked", right_ends, DEALLOCATED, 21, 0)
EACH("mach_msg/right-moved-on-asked", right_ends, MOVED_ON, 21, 1)
EACH("mach_msg/right-used-asked", right_ends, USED, 21, 1)
EACH("mach_msg/right-used-unasked", right_ends, USED, 21, 0)
EACH("mach_msg/right-used-cancelling", right_ends, USED_CANCELLING, 21, 1)
EACH("mach_msg/right-used-cancelling-another", right_ends, USED_CANCELLING_ANOTHER, 21, 1)
EACH("mach_msg/right-used-cancelling-unasked", right_ends, USED_CANCELLING, 21, 0)
EACH("mach_msg/right-died-asked", right_ends, DIED, 21, 1)
EACH("mach_msg/right-died-unasked", right_ends, DIED, 21, 0)
EACH("mach_msg/own-right-deallocated-asked", right_ends, DEALLOCATED, 20, 1)
EACH("mach_msg/own-right-died-asked", right_ends, DIED, 20, 1)

/* A send right to another task's port, under a name of its own. */
static void send_right_ends(long ending, long references, long unused)
{
	mach_port_name_t theirs = make_send(), notify = make_receive();
	mach_port_name_t name = received_right(theirs, MACH_MSG_TYPE_MOVE_SEND, notify);
	struct message msg = message_to(name);

	(void)unused;
	if (references > 1)
		must("mach_port_mod_refs", mach_port_mod_refs(self, name, MACH_PORT_RIGHT_SEND,
							      (int)references - 1));
	if (ending == DEALLOCATED) {
		code("mach_port_deallocate", mach_port_deallocate(self, name));
	} else if (ending == DIED) {
		must("task_terminate", task_terminate(fixtures.tasks[0]));
	} else {
		msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND, 0);
		code("send", send_sized(&msg, HEADER));
	}
	tell_name("then", name);
	tell_notification(notify, name);
}
EACH("mach_msg/send-right-deallocated-asked", send_right_ends, DEALLOCATED, 1, 0)
EACH("mach_msg/send-right-deallocated-asked-two-references", send_right_ends, DEALLOCATED, 2, 0)
EACH("mach_msg/send-right-died-asked", send_right_ends, DIED, 1, 0)
EACH("mach_msg/send-right-died-asked-two-references", send_right_ends, DIED, 2, 0)
EACH("mach_msg/send-right-used-asked", send_right_ends, USED, 1, 0)

/* The port of the request goes itself. */
CASE("mach_msg/notify-port-dies-first")
{
	mach_port_name_t reply = make_receive(), notify = make_receive();
	mach_port_name_t name = received_right(reply, MACH_MSG_TYPE_MAKE_SEND_ONCE, notify);

	must("mach_port_mod_refs",
	     mach_port_mod_refs(self, notify, MACH_PORT_RIGHT_RECEIVE, -1));
	must("mach_port_mod_refs",
	     mach_port_mod_refs(self, reply, MACH_PORT_RIGHT_RECEIVE, -1));
	tell_name("the right", name);
}

/* ---- Calls of the kernel, and how they are answered. */

static void reply_right(long kind, long disposition, long unused)
{
	mach_port_name_t reply = make_kind((enum name_kind)kind);
	struct message msg = message_to(self), answer;

	(void)unused;
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, (mach_msg_bits_t)disposition);
	msg.head.msgh_local_port = reply;
	msg.head.msgh_id = 3200;
	code("send", send_sized(&msg, HEADER));
	tell_name("the reply port", reply);
	if (kind == KIND_receive || kind == KIND_send_receive) {
		tell_received(reply, &answer);
		tell_item(&answer.item[0]);
		tell_item(&answer.item[1]);
		keep_memory(answer.item[1].address, answer.item[1].type.msgt_number * 4);
		keep_memory(answer.item[2].address, answer.item[2].type.msgt_number * 4);
	}
}
EACH("kernel/answers-by-made-once", reply_right, KIND_receive, 21, 0)
EACH("kernel/answers-by-made", reply_right, KIND_receive, 20, 0)
EACH("kernel/answers-by-copied", reply_right, KIND_send_receive, 19, 0)
EACH("kernel/answers-by-moved", reply_right, KIND_send_receive, 17, 0)
EACH("kernel/answers-to-a-dead-name", reply_right, KIND_dead_name, 19, 0)
EACH("kernel/answers-to-a-died-port", reply_right, KIND_died, 17, 0)

/* A full reply queue does not keep the kernel from answering. */
CASE("kernel/answers-into-a-full-queue")
{
	mach_port_name_t reply = make_port();
	struct message msg;
	int i;

	for (i = 0; i < 7; i++) {
		msg = message_to(self);
		msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND);
		msg.head.msgh_local_port = reply;
		msg.head.msgh_id = 9999;
		must("send", send_sized(&msg, HEADER));
	}
	count("answers", drain(reply));
}

/* What a refused request carried is destroyed. */
static void refused(long id, long disposition, long unused)
{
	mach_port_name_t reply = make_receive(), body = make_port();
	struct message msg = message_with(self, TYPE_PORT((unsigned int)disposition), body);

	(void)unused;
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = reply;
	msg.head.msgh_id = (mach_msg_id_t)id;
	must("send", send_sized(&msg, HEADER + ITEM));
	tell_name("carried", body);
	tell_received(reply, &msg);
	code("return code", (kern_return_t)msg.item[0].word);
	mach_printf("at the carried port: ");
	tell_received(body, &msg);
}
EACH("kernel/refused-destroys-a-send-right", refused, 2026, 17, 0)
EACH("kernel/refused-destroys-a-send-once-right", refused, 2026, 21, 0)
EACH("kernel/refused-destroys-a-receive-right", refused, 2026, 16, 0)
EACH("kernel/unknown-destroys-a-send-once-right", refused, 9999, 21, 0)
EACH("kernel/unknown-destroys-a-receive-right", refused, 9999, 16, 0)

/* By each right that a kernel port can be called by. */
static void called_by(long disposition, long unused, long more_unused)
{
	mach_port_name_t task = make_task(FALSE), reply = make_receive();
	struct message msg = message_to(task);

	(void)unused;
	(void)more_unused;
	/* A name that is given up may be another port's when the case ends. */
	must("mach_port_mod_refs", mach_port_mod_refs(self, task, MACH_PORT_RIGHT_SEND, 1));
	msg.head.msgh_bits = MACH_MSGH_BITS((mach_msg_bits_t)disposition,
					    MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = reply;
	msg.head.msgh_id = 3200;
	code("send", send_sized(&msg, HEADER));
	tell_name("the task", task);
	tell_received(reply, &msg);
}
EACH("kernel/called-by-copy-send", called_by, 19, 0, 0)
EACH("kernel/called-by-move-send", called_by, 17, 0, 0)
EACH("kernel/called-by-move-send-once", called_by, 18, 0, 0)
EACH("kernel/called-by-make-send", called_by, 20, 0, 0)

CASE("kernel/port-carried-and-back")
{
	mach_port_name_t port = make_port(), task = make_task(FALSE);
	struct message msg;

	send_carrying(port, task, MACH_MSG_TYPE_MOVE_SEND);
	tell_name("on its way", task);
	must("receive", receive(port, &msg));
	keep_name(msg.item[0].port.name);
	tell_name("received", msg.item[0].port.name);
	code("it works", task_terminate(msg.item[0].port.name));
}
