/* msgrcv: what mach_msg answers when a message is received. */
#include "suite.h"

#include "message.h"

static void send_header(mach_port_name_t port)
{
	struct message msg = message_to(port);

	must("send", send_sized(&msg, HEADER));
}

static void send_item(mach_port_name_t port)
{
	struct message msg = message_with(port, TYPE_INTEGER, 5);

	must("send", send_sized(&msg, HEADER + ITEM));
}

static void receive_kind(long kind, long option, long unused)
{
	struct message msg;

	(void)unused;
	code("receive", receive_sized(make_kind((enum name_kind)kind), &msg, sizeof(msg),
				      (mach_msg_option_t)option));
	fact("the buffer is as it was", msg.head.msgh_bits == 0xffffffff);
}
#define FROM(name, kind) EACH("mach_msg/receive-from-" name, receive_kind, kind, 0, 0)
KINDS(FROM)
#define FROM_LARGE(name, kind) \
	EACH("mach_msg/receive-large-from-" name, receive_kind, kind, MACH_RCV_LARGE, 0)
KINDS(FROM_LARGE)

/* A message of 48 bytes, and buffers of all sizes. */
static void receive_size(long size, long option, long unused)
{
	mach_port_name_t port = make_port();
	struct message msg;

	(void)unused;
	send_item(port);
	code("receive", receive_sized(port, &msg, (mach_msg_size_t)size,
				      (mach_msg_option_t)option));
	if (msg.head.msgh_bits == 0xffffffff)
		mach_printf("no bits written, size %u\n", msg.head.msgh_size);
	else
		tell_header(&msg, port);
	fact("the body was written", msg.item[0].type.msgt_name != 0xff);
	tell_received(port, &msg);
	send_header(port);
	tell_received(port, &msg);
}
EACH("mach_msg/receive-size-0", receive_size, 0, 0, 0)
EACH("mach_msg/receive-size-16", receive_size, 16, 0, 0)
EACH("mach_msg/receive-size-31", receive_size, 31, 0, 0)
EACH("mach_msg/receive-size-32", receive_size, 32, 0, 0)
EACH("mach_msg/receive-size-40", receive_size, 40, 0, 0)
EACH("mach_msg/receive-size-47", receive_size, 47, 0, 0)
EACH("mach_msg/receive-size-48", receive_size, 48, 0, 0)
EACH("mach_msg/receive-size-49", receive_size, 49, 0, 0)
EACH("mach_msg/receive-size-largest", receive_size, 0xffffffff, 0, 0)
EACH("mach_msg/receive-large-size-0", receive_size, 0, MACH_RCV_LARGE, 0)
EACH("mach_msg/receive-large-size-31", receive_size, 31, MACH_RCV_LARGE, 0)
EACH("mach_msg/receive-large-size-32", receive_size, 32, MACH_RCV_LARGE, 0)
EACH("mach_msg/receive-large-size-47", receive_size, 47, MACH_RCV_LARGE, 0)
EACH("mach_msg/receive-large-size-48", receive_size, 48, MACH_RCV_LARGE, 0)

/* What becomes of a message's rights when it does not fit. */
static void too_large_rights(long reply_disposition, long option, long unused)
{
	mach_port_name_t port = make_port(), reply = make_port(), body = make_port();
	struct message msg = message_with(port, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), body);

	(void)unused;
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, (mach_msg_bits_t)reply_disposition);
	msg.head.msgh_local_port = reply;
	must("send", send_sized(&msg, HEADER + ITEM));
	code("receive", receive_sized(port, &msg, HEADER, (mach_msg_option_t)option));
	tell_name("the reply port", reply);
	tell_name("the carried port", body);
	mach_printf("at the reply port: ");
	tell_received(reply, &msg);
	mach_printf("at the port: ");
	tell_received(port, &msg);
}
EACH("mach_msg/too-large-reply-send-once", too_large_rights, 21, 0, 0)
EACH("mach_msg/too-large-reply-made", too_large_rights, 20, 0, 0)
EACH("mach_msg/too-large-reply-moved", too_large_rights, 17, 0, 0)
EACH("mach_msg/too-large-kept-reply-send-once", too_large_rights, 21, MACH_RCV_LARGE, 0)

static void receive_at(long at, long relative, long size)
{
	mach_port_name_t port = make_port();
	vm_offset_t base = terrain();
	struct message msg;

	send_header(port);
	code("receive", mach_msg((mach_msg_header_t *)place_at(base, relative, at),
				 MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, (mach_msg_size_t)size,
				 port, 0, MACH_PORT_NULL));
	tell_received(port, &msg);
	send_header(port);
	tell_received(port, &msg);
}
EACH("mach_msg/receive-at-page", receive_at, 0, 1, 64)
EACH("mach_msg/receive-at-hole", receive_at, 0x4000, 1, 64)
EACH("mach_msg/receive-at-edge-of-hole", receive_at, 0x3ff0, 1, 64)
EACH("mach_msg/receive-at-read-only", receive_at, 0x2000, 1, 64)
EACH("mach_msg/receive-at-edge-of-read-only", receive_at, 0x1ff0, 1, 64)
EACH("mach_msg/receive-at-no-access", receive_at, 0x3000, 1, 64)
EACH("mach_msg/receive-at-map-end", receive_at, 0x800000000000, 0, 64)
EACH("mach_msg/receive-at-not-canonical", receive_at, 0x900000000000, 0, 64)
EACH("mach_msg/receive-at-kernel-address", receive_at, 0xffffffff81000000, 0, 64)
EACH("mach_msg/receive-at-last-fitting", receive_at, 0x1fe0, 1, 64)
EACH("mach_msg/receive-at-hole-too-small", receive_at, 0x4000, 1, 16)

static void receive_notify(long kind, long with_reply, long unused)
{
	mach_port_name_t port = make_port(), reply = make_receive();
	mach_port_name_t notify = make_kind((enum name_kind)kind);
	struct message msg = message_to(port), note;

	(void)unused;
	if (with_reply) {
		msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
		msg.head.msgh_local_port = reply;
	}
	must("send", send_sized(&msg, HEADER));
	memset(&msg, 0xff, sizeof(msg));
	code("receive", mach_msg(&msg.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT | MACH_RCV_NOTIFY, 0,
				 sizeof(msg), port, 0, notify));
	tell_header(&msg, port);
	keep_name(msg.head.msgh_remote_port);
	if (MACH_PORT_VALID(msg.head.msgh_remote_port))
		tell_name("the remote name", msg.head.msgh_remote_port);
	must("mach_port_destroy", mach_port_destroy(self, reply));
	if (MACH_PORT_VALID(msg.head.msgh_remote_port))
		tell_name("the remote name then", msg.head.msgh_remote_port);
	if (kind == KIND_receive)
		tell_received(notify, &note);
	mach_printf("at the port: ");
	tell_received(port, &note);
}
EACH("mach_msg/receive-notify-null", receive_notify, KIND_null, 1, 0)
EACH("mach_msg/receive-notify-no-name", receive_notify, KIND_no_name, 1, 0)
EACH("mach_msg/receive-notify-send-right", receive_notify, KIND_send, 1, 0)
EACH("mach_msg/receive-notify-receive", receive_notify, KIND_receive, 1, 0)
EACH("mach_msg/receive-notify-receive-no-reply", receive_notify, KIND_receive, 0, 0)
EACH("mach_msg/receive-notify-null-no-reply", receive_notify, KIND_null, 0, 0)

CASE("mach_msg/receive-timeout-in-time")
{
	struct message msg;

	code("two milliseconds", mach_msg(&msg.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
					  sizeof(msg), make_receive(), 2, MACH_PORT_NULL));
}

CASE("mach_msg/receive-from-empty-set-in-time")
{
	struct message msg;

	code("two milliseconds", mach_msg(&msg.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
					  sizeof(msg), make_set(), 2, MACH_PORT_NULL));
}

CASE("mach_msg/seqno-counts-receives")
{
	mach_port_name_t port = make_port();
	struct message msg;
	int i;

	for (i = 0; i < 3; i++)
		send_header(port);
	for (i = 0; i < 3; i++)
		tell_received(port, &msg);
	code("nothing more", receive(port, &msg));
	send_header(port);
	tell_received(port, &msg);
}

CASE("mach_msg/seqno-counts-what-did-not-fit")
{
	mach_port_name_t port = make_port();
	struct message msg;

	send_item(port);
	code("too large, kept", receive_sized(port, &msg, HEADER, MACH_RCV_LARGE));
	code("too large", receive_sized(port, &msg, HEADER, 0));
	send_item(port);
	tell_received(port, &msg);
}

CASE("mach_msg/seqno-starts-again-when-the-right-moves")
{
	mach_port_name_t port = make_port(), carrier = make_port();
	struct message msg;

	send_header(port);
	send_header(port);
	tell_received(port, &msg);
	msg = message_with(carrier, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), port);
	must("send", send_sized(&msg, HEADER + ITEM));
	tell_name("on its way", port);
	tell_received(carrier, &msg);
	fact("under the same name", msg.item[0].port.name == port);
	keep_name(msg.item[0].port.name);
	tell_received(msg.item[0].port.name, &msg);
}

CASE("mach_msg/messages-in-order")
{
	mach_port_name_t port = make_port();
	struct message msg;
	int i;

	for (i = 0; i < 4; i++) {
		msg = message_to(port);
		msg.head.msgh_id = 100 + i;
		must("send", send_sized(&msg, HEADER));
	}
	for (i = 0; i < 4; i++) {
		must("receive", receive(port, &msg));
		mach_printf("id %d\n", msg.head.msgh_id);
	}
}

/* Reply right in all its forms, as the receiver holds it. */
static void reply_arrives(long disposition, long moved_receive, long unused)
{
	mach_port_name_t port = make_port(), reply = make_port();
	struct message msg = message_to(port);

	(void)unused;
	msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
					    (mach_msg_bits_t)disposition);
	msg.head.msgh_local_port = reply;
	must("send", send_sized(&msg, HEADER));
	if (moved_receive)
		must("mach_port_mod_refs",
		     mach_port_mod_refs(self, reply, MACH_PORT_RIGHT_RECEIVE, -1));
	tell_name("the reply port", reply);
	tell_received(port, &msg);
	tell_name("the reply port", reply);
}
EACH("mach_msg/reply-made-and-dead", reply_arrives, 20, 1, 0)
EACH("mach_msg/reply-made-once-and-dead", reply_arrives, 21, 1, 0)
EACH("mach_msg/reply-moved-and-dead", reply_arrives, 17, 1, 0)
EACH("mach_msg/reply-copied-and-alive", reply_arrives, 19, 0, 0)
EACH("mach_msg/reply-made-once-and-alive", reply_arrives, 21, 0, 0)

CASE("mach_msg/send-and-receive-in-one")
{
	mach_port_name_t port = make_port();
	struct message msg = message_with(port, TYPE_INTEGER, 5);

	code("mach_msg", mach_msg(&msg.head, MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_TIMEOUT,
				  HEADER + ITEM, sizeof(msg), port, 0, MACH_PORT_NULL));
	tell_header(&msg, port);
	tell_item(&msg.item[0]);
}

CASE("mach_msg/failed-send-does-not-receive")
{
	mach_port_name_t port = make_port();
	struct message msg = message_to(NO_NAME);

	send_header(port);
	code("mach_msg", mach_msg(&msg.head, MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_TIMEOUT,
				  HEADER, sizeof(msg), port, 0, MACH_PORT_NULL));
	count("messages", drain(port));
}

CASE("mach_msg/send-succeeds-receive-fails")
{
	mach_port_name_t port = make_port();
	struct message msg = message_to(port);

	code("mach_msg", mach_msg(&msg.head, MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_TIMEOUT,
				  HEADER, sizeof(msg), NO_NAME, 0, MACH_PORT_NULL));
	count("messages", drain(port));
}

/* A receive that waits, and what ends it. */
static mach_port_name_t awaited;

static void sleep_milliseconds(mach_msg_timeout_t time)
{
	mach_port_name_t port = mach_reply_port();
	struct message msg;

	mach_msg(&msg.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(msg), port, time,
		 MACH_PORT_NULL);
	mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1);
}

static void end_wait_by_destroying(void *argument)
{
	(void)argument;
	sleep_milliseconds(100);
	mach_port_mod_refs(self, awaited, MACH_PORT_RIGHT_RECEIVE, -1);
}

static void end_wait_by_sending(void *argument)
{
	(void)argument;
	sleep_milliseconds(100);
	send_header(awaited);
}

static void waits(void (*ending)(void *))
{
	static struct name_list before, after;
	mach_port_name_t thread = MACH_PORT_NULL;
	mach_port_type_t type = 0;
	struct message msg;
	int i;

	awaited = make_port();
	list_names(&before);
	must("thread", mach_thread_spawn(ending, NULL, &thread));
	code("receive", mach_msg(&msg.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(msg),
				 awaited, 60000, MACH_PORT_NULL));
	for (i = 0; i < 1000 && type != MACH_PORT_TYPE_DEAD_NAME; i++) {
		sleep_milliseconds(1);
		must("mach_port_type", mach_port_type(self, thread, &type));
	}
	/* A thread that ends leaves its reply port behind. */
	list_names(&after);
	destroy_new_names(&before, &after);
}

CASE("mach_msg/receive-waits-for-a-message")
{
	waits(end_wait_by_sending);
}

CASE("mach_msg/receive-waits-port-dies")
{
	waits(end_wait_by_destroying);
}
