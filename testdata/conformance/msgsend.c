/* msgsend: what mach_msg answers when a message is sent. */
#include "suite.h"

#include "message.h"

#define DISPOSITIONS(X, ...)							\
	X("none", 0, ## __VA_ARGS__)						\
	X("move-receive", 16, ## __VA_ARGS__)					\
	X("move-send", 17, ## __VA_ARGS__)					\
	X("move-send-once", 18, ## __VA_ARGS__)					\
	X("copy-send", 19, ## __VA_ARGS__)					\
	X("make-send", 20, ## __VA_ARGS__)					\
	X("make-send-once", 21, ## __VA_ARGS__)

/* The destination: each disposition of each kind of name. */
static void destination(long kind, long disposition, long unused)
{
	mach_port_name_t name = make_kind((enum name_kind)kind);
	struct message msg = message_to(name);

	(void)unused;
	msg.head.msgh_bits = MACH_MSGH_BITS((mach_msg_bits_t)disposition, 0);
	code("send", send_sized(&msg, HEADER));
	tell_name("the name", name);
	if (kind == KIND_receive || kind == KIND_send_receive)
		tell_received(name, &msg);
}
#define TO(name, kind, disposition_name, disposition) \
	EACH("mach_msg/to-" name "-by-" disposition_name, destination, kind, disposition, 0)
KINDS(TO, "no-disposition", 0)
KINDS(TO, "type-15", 15)
KINDS(TO, "move-receive", 16)
KINDS(TO, "move-send", 17)
KINDS(TO, "move-send-once", 18)
KINDS(TO, "copy-send", 19)
KINDS(TO, "make-send", 20)
KINDS(TO, "make-send-once", 21)
KINDS(TO, "type-22", 22)

/* The reply port. */
static void reply_port(long kind, long disposition, long unused)
{
	mach_port_name_t port = make_port(), name = make_kind((enum name_kind)kind);
	struct message msg = message_to(port);
	mach_msg_return_t mr;

	(void)unused;
	msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
					    (mach_msg_bits_t)disposition);
	msg.head.msgh_local_port = name;
	mr = send_sized(&msg, HEADER);
	code("send", mr);
	tell_name("the reply name", name);
	tell_name("the destination", port);
	if (mr == MACH_MSG_SUCCESS && tell_received(port, &msg) == MACH_MSG_SUCCESS)
		fact("under the same name", msg.head.msgh_remote_port == name);
}
#define REPLY(name, kind, disposition_name, disposition) \
	EACH("mach_msg/reply-" name "-by-" disposition_name, reply_port, kind, disposition, 0)
KINDS(REPLY, "no-disposition", 0)
KINDS(REPLY, "move-receive", 16)
KINDS(REPLY, "move-send", 17)
KINDS(REPLY, "move-send-once", 18)
KINDS(REPLY, "copy-send", 19)
KINDS(REPLY, "make-send", 20)
KINDS(REPLY, "make-send-once", 21)
KINDS(REPLY, "type-22", 22)

/* A right in the body. */
static void carried(long kind, long disposition, long unused)
{
	mach_port_name_t port = make_port(), name = make_kind((enum name_kind)kind);
	struct message msg = message_with(port, TYPE_PORT((unsigned int)disposition), name);
	mach_msg_return_t mr = send_sized(&msg, HEADER + ITEM);

	(void)unused;
	code("send", mr);
	tell_name("the name", name);
	tell_name("the destination", port);
	if (mr != MACH_MSG_SUCCESS || tell_received(port, &msg) != MACH_MSG_SUCCESS)
		return;
	tell_item(&msg.item[0]);
	mach_printf("the port: %s\n", port_word(msg.item[0].port.name));
	if (MACH_PORT_VALID(msg.item[0].port.name)) {
		fact("under the same name", msg.item[0].port.name == name);
		tell_name("it is", keep_name(msg.item[0].port.name));
	}
}
#define CARRIED(name, kind, disposition_name, disposition) \
	EACH("mach_msg/body-" name "-by-" disposition_name, carried, kind, disposition, 0)
KINDS(CARRIED, "move-receive", 16)
KINDS(CARRIED, "move-send", 17)
KINDS(CARRIED, "move-send-once", 18)
KINDS(CARRIED, "copy-send", 19)
KINDS(CARRIED, "make-send", 20)
KINDS(CARRIED, "make-send-once", 21)

/* Destination and reply of one name. */
static void one_name(long remote, long local, long references)
{
	mach_port_name_t port = make_port();
	struct message msg = message_to(port);

	must("mach_port_mod_refs",
	     mach_port_mod_refs(self, port, MACH_PORT_RIGHT_SEND, (int)references - 1));
	msg.head.msgh_bits = MACH_MSGH_BITS((mach_msg_bits_t)remote, (mach_msg_bits_t)local);
	msg.head.msgh_local_port = port;
	code("send", send_sized(&msg, HEADER));
	tell_name("left", port);
	if (tell_received(port, &msg) == MACH_MSG_SUCCESS)
		fact("the reply right under the same name", msg.head.msgh_remote_port == port);
}
#define ONE(name, disposition, other_name, other)				\
	EACH("mach_msg/one-name-" other_name "-and-" name, one_name, other, disposition, 1) \
	EACH("mach_msg/one-name-two-refs-" other_name "-and-" name, one_name, other,	\
	     disposition, 2)
DISPOSITIONS(ONE, "move-send", 17)
DISPOSITIONS(ONE, "copy-send", 19)
DISPOSITIONS(ONE, "make-send", 20)
DISPOSITIONS(ONE, "make-send-once", 21)

static void one_send_once(long remote, long local, long unused)
{
	mach_port_name_t port = make_receive(), once = send_once_to(port);
	struct message msg = message_to(once);

	(void)unused;
	msg.head.msgh_bits = MACH_MSGH_BITS((mach_msg_bits_t)remote, (mach_msg_bits_t)local);
	msg.head.msgh_local_port = once;
	code("send", send_sized(&msg, HEADER));
	tell_name("left", once);
	tell_received(port, &msg);
}
EACH("mach_msg/one-send-once-moved-twice", one_send_once, 18, 18, 0)
EACH("mach_msg/one-send-once-moved-and-copied", one_send_once, 18, 19, 0)
EACH("mach_msg/one-send-once-copied-and-moved", one_send_once, 19, 18, 0)
EACH("mach_msg/one-send-once-moved-reply-none", one_send_once, 18, 0, 0)

CASE("mach_msg/to-send-once-delivers")
{
	mach_port_name_t port = make_receive(), once = send_once_to(port);
	struct message msg = message_to(once);

	msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE, 0);
	code("send", send_sized(&msg, HEADER));
	tell_name("left", once);
	tell_received(port, &msg);
}

CASE("mach_msg/send-once-deallocated-notifies")
{
	mach_port_name_t port = make_receive(), once = send_once_to(port);
	struct message msg;

	must("mach_port_deallocate", mach_port_deallocate(self, once));
	tell_received(port, &msg);
}

/* Sizes. */
static void sent_size(long size, long complex, long unused)
{
	mach_port_name_t port = make_port();
	struct message msg = message_to(port);

	(void)unused;
	if (complex)
		msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
	msg.item[0].type = TYPE_INTEGER;
	msg.head.msgh_size = 7;
	code("send", send_sized(&msg, (mach_msg_size_t)size));
	tell_received(port, &msg);
}
EACH("mach_msg/send-size-0", sent_size, 0, 0, 0)
EACH("mach_msg/send-size-1", sent_size, 1, 0, 0)
EACH("mach_msg/send-size-24", sent_size, 24, 0, 0)
EACH("mach_msg/send-size-31", sent_size, 31, 0, 0)
EACH("mach_msg/send-size-32", sent_size, 32, 0, 0)
EACH("mach_msg/send-size-33", sent_size, 33, 0, 0)
EACH("mach_msg/send-size-36", sent_size, 36, 0, 0)
EACH("mach_msg/send-size-40", sent_size, 40, 0, 0)
EACH("mach_msg/send-size-48", sent_size, 48, 0, 0)
EACH("mach_msg/send-size-huge", sent_size, 0xfffffff8, 0, 0)
EACH("mach_msg/send-size-largest", sent_size, 0xffffffff, 0, 0)
EACH("mach_msg/send-complex-size-32", sent_size, 32, 1, 0)
EACH("mach_msg/send-complex-size-40", sent_size, 40, 1, 0)
EACH("mach_msg/send-complex-size-48", sent_size, 48, 1, 0)
EACH("mach_msg/send-complex-size-56", sent_size, 56, 1, 0)

/* Bits of msgh_bits that have no meaning for a sender. */
static void sent_bits(long bits, long unused, long more_unused)
{
	mach_port_name_t port = make_port();
	struct message msg = message_to(port);

	(void)unused;
	(void)more_unused;
	msg.head.msgh_bits |= (mach_msg_bits_t)bits;
	msg.head.msgh_seqno = 77;
	code("send", send_sized(&msg, HEADER));
	tell_received(port, &msg);
}
EACH("mach_msg/bits-unused", sent_bits, 0x07ff0000, 0, 0)
EACH("mach_msg/bits-circular", sent_bits, 0x40000000, 0, 0)
EACH("mach_msg/bits-complex-without-body", sent_bits, 0x80000000, 0, 0)

CASE("mach_msg/neither-send-nor-receive")
{
	struct message msg = message_to(make_port());

	code("mach_msg", mach_msg(&msg.head, 0, HEADER, HEADER, MACH_PORT_NULL, 0,
				  MACH_PORT_NULL));
}

static void sent_from(long at, long size, long unused)
{
	vm_offset_t page = island(1);

	(void)unused;
	code("send", send_sized((struct message *)place_at(page, at >= -4096 && at < 0x10000, at),
				(mach_msg_size_t)size));
}
EACH("mach_msg/send-from-hole", sent_from, 0x1000, 32, 0)
EACH("mach_msg/send-from-edge-of-hole", sent_from, 0xff0, 32, 0)
EACH("mach_msg/send-from-map-end", sent_from, 0x800000000000, 32, 0)
EACH("mach_msg/send-from-across-map-end", sent_from, 0x7ffffffffff0, 32, 0)
EACH("mach_msg/send-from-not-canonical", sent_from, 0x900000000000, 32, 0)
EACH("mach_msg/send-from-kernel-address", sent_from, 0xffffffff81000000, 32, 0)
EACH("mach_msg/send-from-hole-too-small", sent_from, 0x1000, 24, 0)
EACH("mach_msg/send-from-read-as-zeros", sent_from, 0, 32, 0)

/* Two faults at once: which is told. */
CASE("mach_msg/order-bad-dest-and-bad-reply")
{
	struct message msg = message_to(NO_NAME);

	msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_COPY_SEND);
	msg.head.msgh_local_port = NO_NAME + 2;
	code("no such names", send_sized(&msg, HEADER));
	msg.head.msgh_remote_port = make_receive();
	code("a receive right, no such name", send_sized(&msg, HEADER));
	msg.head.msgh_remote_port = make_dead();
	code("a dead name, no such name", send_sized(&msg, HEADER));
	msg.head.msgh_local_port = make_receive();
	code("a dead name, a receive right", send_sized(&msg, HEADER));
}

CASE("mach_msg/order-bad-header-and-bad-body")
{
	struct message msg = message_with(NO_NAME, TYPE_PORT(MACH_MSG_TYPE_COPY_SEND), NO_NAME);

	code("destination and body", send_sized(&msg, HEADER + ITEM));
	msg.head.msgh_remote_port = make_port();
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_COPY_SEND);
	msg.head.msgh_local_port = NO_NAME;
	code("reply and body", send_sized(&msg, HEADER + ITEM));
	msg.head.msgh_bits = MACH_MSGH_BITS_COMPLEX | 255;
	code("disposition and body", send_sized(&msg, HEADER + ITEM));
}

CASE("mach_msg/order-size-before-memory-and-header")
{
	struct message msg = message_to(NO_NAME);

	code("too small, no such name", send_sized(&msg, 24));
	code("too small, no memory", send_sized((struct message *)MAP_END, 36));
}

static void notify_option(long option, long notify_kind, long full)
{
	mach_port_name_t port = make_port(), notify = make_kind((enum name_kind)notify_kind);
	struct message msg;
	size_t i;

	for (i = 0; full && i < 5; i++) {
		msg = message_to(port);
		must("send", send_sized(&msg, HEADER));
	}
	msg = message_to(port);
	code("send", mach_msg(&msg.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT |
			      (mach_msg_option_t)option, HEADER, 0, MACH_PORT_NULL, 0, notify));
	mach_printf("bits then: 0x%x\n", msg.head.msgh_bits);
	tell_name("the destination", port);
	count("messages", drain(port));
	if (notify_kind == KIND_receive)
		tell_received(notify, &msg);
}
EACH("mach_msg/send-cancel-notify-null", notify_option, 0x80, KIND_null, 0)
EACH("mach_msg/send-cancel-notify-no-name", notify_option, 0x80, KIND_no_name, 0)
EACH("mach_msg/send-cancel-notify-send-right", notify_option, 0x80, KIND_send, 0)
EACH("mach_msg/send-cancel-notify-receive", notify_option, 0x80, KIND_receive, 0)
EACH("mach_msg/send-notify-null", notify_option, 0x20, KIND_null, 0)
EACH("mach_msg/send-notify-no-name", notify_option, 0x20, KIND_no_name, 0)
EACH("mach_msg/send-notify-receive", notify_option, 0x20, KIND_receive, 0)
EACH("mach_msg/send-notify-null-full-queue", notify_option, 0x20, KIND_null, 1)
EACH("mach_msg/send-notify-no-name-full-queue", notify_option, 0x20, KIND_no_name, 1)
EACH("mach_msg/send-notify-receive-full-queue", notify_option, 0x20, KIND_receive, 1)

/* Items: types, sizes, flags. A send right as reply shows what is destroyed. */
static void item(mach_msg_type_t type, uint64_t word, mach_msg_size_t size)
{
	mach_port_name_t port = make_port(), reply = make_receive();
	struct message msg = message_with(port, type, word);
	mach_msg_return_t mr;

	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = reply;
	mr = send_sized(&msg, size);
	code("send", mr);
	tell_name("the destination", port);
	if (mr != MACH_MSG_SUCCESS) {
		mach_printf("the reply port: ");
		tell_received(reply, &msg);
		return;
	}
	if (tell_received(port, &msg) == MACH_MSG_SUCCESS)
		tell_item(&msg.item[0]);
	if (!msg.item[0].type.msgt_inline)
		fact("address is zero", msg.item[0].address == 0);
}
#define ITEM_CASE(name, word, size, ...) \
	CASE("mach_msg/item-" name) { item(TYPE(__VA_ARGS__), word, size); }
ITEM_CASE("integer", 5, 48, .msgt_name = 2, .msgt_size = 32, .msgt_number = 1, .msgt_inline = 1)
ITEM_CASE("two-integers", 5, 48, .msgt_name = 2, .msgt_size = 32, .msgt_number = 2,
	  .msgt_inline = 1)
ITEM_CASE("three-integers-past-the-end", 5, 48, .msgt_name = 2, .msgt_size = 32,
	  .msgt_number = 3, .msgt_inline = 1)
ITEM_CASE("no-integers", 5, 40, .msgt_name = 2, .msgt_size = 32, .msgt_number = 0,
	  .msgt_inline = 1)
ITEM_CASE("size-0", 5, 40, .msgt_name = 2, .msgt_size = 0, .msgt_number = 100, .msgt_inline = 1)
ITEM_CASE("size-1-bit", 5, 48, .msgt_name = 0, .msgt_size = 1, .msgt_number = 64,
	  .msgt_inline = 1)
ITEM_CASE("size-65-bits-past-the-end", 5, 48, .msgt_name = 0, .msgt_size = 1,
	  .msgt_number = 65, .msgt_inline = 1)
ITEM_CASE("overflowing-count", 5, 48, .msgt_name = 2, .msgt_size = 0xffff,
	  .msgt_number = 0xffffffff, .msgt_inline = 1)
ITEM_CASE("unused-bit", 5, 48, .msgt_name = 2, .msgt_size = 32, .msgt_number = 1,
	  .msgt_inline = 1, .msgt_unused = 1)
ITEM_CASE("inline-deallocate", 5, 48, .msgt_name = 2, .msgt_size = 32, .msgt_number = 1,
	  .msgt_inline = 1, .msgt_deallocate = 1)
ITEM_CASE("long-form", 5, 48, .msgt_name = 2, .msgt_size = 32, .msgt_number = 1,
	  .msgt_inline = 1, .msgt_longform = 1)
ITEM_CASE("type-200", 5, 48, .msgt_name = 200, .msgt_size = 32, .msgt_number = 1,
	  .msgt_inline = 1)
ITEM_CASE("port-name", 5, 48, .msgt_name = 15, .msgt_size = 32, .msgt_number = 1,
	  .msgt_inline = 1)
ITEM_CASE("type-22", 5, 48, .msgt_name = 22, .msgt_size = 64, .msgt_number = 1,
	  .msgt_inline = 1)
ITEM_CASE("no-descriptor-data", 5, 40, .msgt_name = 2, .msgt_size = 32, .msgt_number = 1,
	  .msgt_inline = 1)
ITEM_CASE("ool-no-address", 5, 40, .msgt_name = 9, .msgt_size = 8, .msgt_number = 1)
ITEM_CASE("port-32-bits", 0, 48, .msgt_name = 19, .msgt_size = 32, .msgt_number = 1,
	  .msgt_inline = 1)
ITEM_CASE("port-unused-bit", 0, 48, .msgt_name = 19, .msgt_size = 64, .msgt_number = 1,
	  .msgt_inline = 1, .msgt_unused = 1)
ITEM_CASE("port-deallocate", 0, 48, .msgt_name = 19, .msgt_size = 64, .msgt_number = 1,
	  .msgt_inline = 1, .msgt_deallocate = 1)
ITEM_CASE("port-past-the-end-bad-type", 0, 48, .msgt_name = 19, .msgt_size = 32,
	  .msgt_number = 9, .msgt_inline = 1)
ITEM_CASE("ports-past-the-end", 0, 48, .msgt_name = 19, .msgt_size = 64, .msgt_number = 2,
	  .msgt_inline = 1)
ITEM_CASE("no-ports", 0, 40, .msgt_name = 19, .msgt_size = 64, .msgt_number = 0,
	  .msgt_inline = 1)
ITEM_CASE("no-ports-32-bits", 0, 40, .msgt_name = 19, .msgt_size = 32, .msgt_number = 0,
	  .msgt_inline = 1)
ITEM_CASE("bad-name", NO_NAME, 48, .msgt_name = 19, .msgt_size = 64, .msgt_number = 1,
	  .msgt_inline = 1)
ITEM_CASE("ool-no-bytes", 0x123, 48, .msgt_name = 9, .msgt_size = 8, .msgt_number = 0)
ITEM_CASE("ool-no-bytes-deallocate", 0x123, 48, .msgt_name = 9, .msgt_size = 8,
	  .msgt_number = 0, .msgt_deallocate = 1)
ITEM_CASE("ool-no-ports", 0x123, 48, .msgt_name = 19, .msgt_size = 32, .msgt_number = 0)
ITEM_CASE("ool-map-end", 0x800000000000, 48, .msgt_name = 9, .msgt_size = 8,
	  .msgt_number = 100)
ITEM_CASE("ool-wraps", 0xfffffffffffffff8, 48, .msgt_name = 9, .msgt_size = 8,
	  .msgt_number = 0x1000)
ITEM_CASE("ool-ports-map-end", 0x800000000000, 48, .msgt_name = 19, .msgt_size = 32,
	  .msgt_number = 2)
ITEM_CASE("ool-ports-64-bits", 0x800000000000, 48, .msgt_name = 19, .msgt_size = 64,
	  .msgt_number = 2)

/* What a bad second item does to the rights of the first and of the header. */
CASE("mach_msg/bad-second-item-destroys-the-first")
{
	mach_port_name_t port = make_port(), first = make_port(), moved = make_receive();
	struct message msg = message_with(port, TYPE_PORT(MACH_MSG_TYPE_MOVE_SEND), first);

	msg.item[1].type = TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE);
	msg.item[1].port.name = moved;
	msg.item[2].type = TYPE_PORT(MACH_MSG_TYPE_COPY_SEND);
	msg.item[2].port.name = NO_NAME;
	code("send", send_sized(&msg, HEADER + 3 * ITEM));
	tell_name("the destination", port);
	tell_name("the first", first);
	tell_name("the second", moved);
}

CASE("mach_msg/bad-body-moves-the-destination")
{
	mach_port_name_t port = make_port();
	struct message msg = message_with(port, TYPE_PORT(MACH_MSG_TYPE_COPY_SEND), NO_NAME);

	msg.head.msgh_bits = MACH_MSGH_BITS_COMPLEX |
			     MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND, 0);
	code("send", send_sized(&msg, HEADER + ITEM));
	tell_name("the destination", port);
}

CASE("mach_msg/not-complex-ports-are-bytes")
{
	mach_port_name_t port = make_port(), moved = make_port();
	struct message msg = message_with(port, TYPE_PORT(MACH_MSG_TYPE_MOVE_SEND), moved);

	msg.head.msgh_bits &= ~MACH_MSGH_BITS_COMPLEX;
	code("send", send_sized(&msg, HEADER + ITEM));
	tell_name("the name", moved);
	if (tell_received(port, &msg) == MACH_MSG_SUCCESS)
		fact("the same word", msg.item[0].port.name == moved);
}

/* A full queue, and what the buffer holds afterwards. */
static void full_queue(long disposition, long reply_disposition, long body_disposition)
{
	mach_port_name_t port = make_port(), reply = make_port(), body = make_port();
	struct message msg;
	size_t i;

	for (i = 0; i < 5; i++) {
		msg = message_to(port);
		must("send", send_sized(&msg, HEADER));
	}
	msg = message_with(port, TYPE_PORT((unsigned int)body_disposition), body);
	msg.head.msgh_bits = MACH_MSGH_BITS_COMPLEX |
			     MACH_MSGH_BITS((mach_msg_bits_t)disposition,
					    (mach_msg_bits_t)reply_disposition);
	msg.head.msgh_local_port = reply;
	code("send", send_sized(&msg, HEADER + ITEM));
	mach_printf("bits 0x%x, size %u\n", msg.head.msgh_bits, msg.head.msgh_size);
	fact("the destination's name is the same", msg.head.msgh_remote_port == port);
	fact("the reply's name is the same", msg.head.msgh_local_port == reply);
	keep_name(msg.head.msgh_remote_port);
	keep_name(msg.head.msgh_local_port);
	tell_item(&msg.item[0]);
	fact("the carried name is the same", keep_name(msg.item[0].port.name) == body);
	tell_name("destination", port);
	tell_name("reply", reply);
	tell_name("carried", body);
	tell_name("in the message", msg.item[0].port.name);
	count("messages", drain(port));
}
EACH("mach_msg/send-timeout-full-queue", full_queue, 19, 19, 19)
EACH("mach_msg/send-timeout-full-queue-moved", full_queue, 17, 17, 17)
EACH("mach_msg/send-timeout-full-queue-made", full_queue, 20, 20, 20)
EACH("mach_msg/send-timeout-full-queue-made-once", full_queue, 20, 21, 21)
EACH("mach_msg/send-timeout-full-queue-receive-moved", full_queue, 19, 21, 16)

CASE("mach_msg/send-timeout-full-queue-memory")
{
	mach_port_name_t port = make_port();
	vm_offset_t data = island(2);
	struct message msg;
	size_t i;

	for (i = 0; i < 5; i++) {
		msg = message_to(port);
		must("send", send_sized(&msg, HEADER));
	}
	pattern_fill(data, 2 * PAGE, 1);
	msg = message_with(port, TYPE_BYTES(2 * 4096), data);
	msg.item[0].type.msgt_deallocate = TRUE;
	code("send", send_sized(&msg, HEADER + ITEM));
	tell_item(&msg.item[0]);
	count("wrong bytes", pattern_wrong(keep_memory(msg.item[0].address, 2 * PAGE),
					   2 * PAGE, 1));
}

CASE("mach_msg/send-timeout-full-queue-in-time")
{
	mach_port_name_t port = make_port();
	struct message msg;
	size_t i;

	for (i = 0; i < 5; i++) {
		msg = message_to(port);
		must("send", send_sized(&msg, HEADER));
	}
	msg = message_to(port);
	code("two milliseconds", mach_msg(&msg.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, HEADER,
					  0, MACH_PORT_NULL, 2, MACH_PORT_NULL));
	count("messages", drain(port));
}

CASE("mach_msg/send-once-enters-a-full-queue")
{
	mach_port_name_t port = make_port(), once = send_once_to(port);
	struct message msg;
	size_t i;

	for (i = 0; i < 5; i++) {
		msg = message_to(port);
		must("send", send_sized(&msg, HEADER));
	}
	msg = message_to(once);
	msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE, 0);
	code("send", send_sized(&msg, HEADER));
	count("messages", drain(port));
}

/* Memory out of line. */
static void ool(long offset, long size, long deallocate)
{
	mach_port_name_t port = make_port();
	vm_offset_t data = island(3), same = island(3), got;
	struct message msg;

	pattern_fill(data, 3 * PAGE, 1);
	pattern_fill(same, 3 * PAGE, 1);
	msg = message_with(port, TYPE_BYTES((unsigned int)size), data + (vm_offset_t)offset);
	msg.item[0].type.msgt_deallocate = (unsigned int)deallocate & 1;
	code("send", send_sized(&msg, HEADER + ITEM));
	tell_memory("the sender's", data, 3);
	if (tell_received(port, &msg) != MACH_MSG_SUCCESS)
		return;
	tell_item(&msg.item[0]);
	got = keep_memory(msg.item[0].address, (vm_size_t)size);
	fact("address is zero", got == 0);
	if (got == 0)
		return;
	count("offset in the page", got % PAGE);
	count("bytes that differ", bytes_differing(got, same + (vm_offset_t)offset,
						   (size_t)size));
}
EACH("mach_msg/ool-page", ool, 0, 0x1000, 0)
EACH("mach_msg/ool-page-deallocate", ool, 0, 0x1000, 1)
EACH("mach_msg/ool-three-pages", ool, 0, 0x3000, 0)
EACH("mach_msg/ool-three-pages-deallocate", ool, 0, 0x3000, 1)
EACH("mach_msg/ool-byte", ool, 5, 1, 0)
EACH("mach_msg/ool-byte-deallocate", ool, 5, 1, 1)
EACH("mach_msg/ool-across-pages", ool, 0xff0, 0x20, 0)
EACH("mach_msg/ool-across-pages-deallocate", ool, 0xff0, 0x20, 1)
EACH("mach_msg/ool-past-the-end", ool, 0x2000, 0x1001, 0)
EACH("mach_msg/ool-past-the-end-deallocate", ool, 0x2000, 0x1001, 1)
EACH("mach_msg/ool-nothing", ool, 0x10, 0, 0)
EACH("mach_msg/ool-nothing-deallocate", ool, 0x10, 0, 1)

CASE("mach_msg/ool-not-readable")
{
	mach_port_name_t port = make_port();
	vm_offset_t base = terrain();
	struct message msg = message_with(port, TYPE_BYTES(4096), base + 3 * PAGE);

	code("no access", send_sized(&msg, HEADER + ITEM));
	msg = message_with(port, TYPE_BYTES(4096), base + 4 * PAGE);
	code("a hole", send_sized(&msg, HEADER + ITEM));
	count("messages", drain(port));
}

/* Port arrays out of line. */
static void ool_ports(long disposition, long deallocate, long bad)
{
	mach_port_name_t port = make_port(), one = make_port(), two = make_port();
	vm_offset_t array = island(1);
	mach_port_name_t *names = (mach_port_name_t *)array;
	struct message msg = message_with(port,
		TYPE(.msgt_name = (unsigned int)disposition & 0xff, .msgt_size = 32,
		     .msgt_number = 4, .msgt_deallocate = (unsigned int)deallocate & 1), array);

	names[0] = one;
	names[1] = MACH_PORT_NULL;
	names[2] = MACH_PORT_DEAD;
	names[3] = bad ? NO_NAME : two;
	code("send", send_sized(&msg, HEADER + ITEM));
	tell_name("one", one);
	tell_name("two", two);
	tell_memory("the array", array, 1);
	if (tell_received(port, &msg) != MACH_MSG_SUCCESS)
		return;
	tell_item(&msg.item[0]);
	names = (mach_port_name_t *)keep_memory(msg.item[0].address, 16);
	count("offset in the page", msg.item[0].address % PAGE);
	mach_printf("%s, %s, %s, %s\n", port_word(names[0]), port_word(names[1]),
		    port_word(names[2]), port_word(names[3]));
	tell_name("one", keep_name(names[0]));
	tell_name("two", keep_name(names[3]));
}
EACH("mach_msg/ool-ports-moved", ool_ports, 17, 0, 0)
EACH("mach_msg/ool-ports-copied", ool_ports, 19, 0, 0)
EACH("mach_msg/ool-ports-made", ool_ports, 20, 0, 0)
EACH("mach_msg/ool-ports-made-once", ool_ports, 21, 0, 0)
EACH("mach_msg/ool-ports-receive-moved", ool_ports, 16, 0, 0)
EACH("mach_msg/ool-ports-copied-deallocate", ool_ports, 19, 1, 0)
EACH("mach_msg/ool-ports-moved-bad-last", ool_ports, 17, 0, 1)
EACH("mach_msg/ool-ports-copied-bad-last-deallocate", ool_ports, 19, 1, 1)

CASE("mach_msg/own-receive-right-to-itself")
{
	mach_port_name_t port = make_port();
	struct message msg = message_with(port, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), port);

	code("send", send_sized(&msg, HEADER + ITEM));
	tell_name("the port", port);
}

CASE("mach_msg/own-receive-right-to-itself-by-another")
{
	mach_port_name_t one = make_port(), two = make_port();
	struct message msg = message_with(one, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), two);

	code("two into one", send_sized(&msg, HEADER + ITEM));
	msg = message_with(two, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), one);
	code("one into two", send_sized(&msg, HEADER + ITEM));
	tell_name("one", one);
	tell_name("two", two);
}

CASE("mach_msg/receive-right-dies-in-the-queue")
{
	mach_port_name_t port = make_port(), carried_port = make_port();
	struct message msg = message_with(port, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE),
					  carried_port);

	must("send", send_sized(&msg, HEADER + ITEM));
	tell_name("the carried", carried_port);
	code("the queue goes", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
	tell_name("the carried", carried_port);
}
