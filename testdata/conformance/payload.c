/* payload: protected payloads, which messages carry in place of the receiver's name. */
#include "suite.h"

#include <mach/notify.h>

#include "second.h"

static struct second one;

enum { PAYLOAD_TYPE = 23 };

#define PAYLOAD ((uint64_t)0x123456789abcdef0)

static void protect(mach_port_name_t port, uint64_t payload)
{
	must("mach_port_set_protected_payload",
	     mach_port_set_protected_payload(self, port, payload));
}

static void tell_local(const struct message *msg, mach_port_name_t port)
{
	uint64_t local = msg->head.msgh_protected_payload;

	mach_printf("header: bits 0x%x, size %u, seqno %u, id %d, remote %s, ", msg->head.msgh_bits,
		    msg->head.msgh_size, msg->head.msgh_seqno, msg->head.msgh_id,
		    port_word(msg->head.msgh_remote_port));
	if (MACH_MSGH_BITS_LOCAL(msg->head.msgh_bits) == PAYLOAD_TYPE)
		mach_printf("payload 0x%lx\n", local);
	else
		mach_printf("local %s\n", local == port ? "the port" : local == 0 ? "null" :
			    local == 0xffffffff ? "dead" : "something else");
}

static mach_msg_return_t take_sized(mach_port_name_t from, struct message *msg,
				    mach_port_name_t port, mach_msg_size_t size,
				    mach_msg_option_t option)
{
	mach_msg_return_t mr = receive_sized(from, msg, size, option);

	code("received", mr);
	if (mr == MACH_RCV_TIMED_OUT)
		return mr;
	if (mr == MACH_RCV_TOO_LARGE && (option & MACH_RCV_LARGE)) {
		mach_printf("size %u\n", msg->head.msgh_size);
		return mr;
	}
	tell_local(msg, port);
	if (MACH_PORT_VALID(msg->head.msgh_remote_port))
		tell_name("the remote name", keep_name(msg->head.msgh_remote_port));
	return mr;
}

static void take(mach_port_name_t port)
{
	struct message msg;

	take_sized(port, &msg, port, sizeof(msg), 0);
}

static void post(mach_port_name_t port)
{
	struct message msg = message_to(port);

	must("send", send_sized(&msg, HEADER));
}

/* ---- The calls. */

static void set_kind(long kind, long unused, long more_unused)
{
	mach_port_name_t name = make_kind((enum name_kind)kind);

	(void)unused;
	(void)more_unused;
	code("set", mach_port_set_protected_payload(self, name, PAYLOAD));
	code("clear", mach_port_clear_protected_payload(self, name));
	if (kind != KIND_host)
		tell_name("then", name);
}
#define KIND(kind_name, kind) \
	EACH("mach_port_set_protected_payload/" kind_name, set_kind, kind, 0, 0)
KINDS(KIND)
KIND("host", KIND_host)

static void of_task(long kind, long unused, long more_unused)
{
	mach_port_name_t port = make_receive();
	mach_port_name_t task = make_kind((enum name_kind)kind);

	(void)unused;
	(void)more_unused;
	code("set", mach_port_set_protected_payload(task, port, PAYLOAD));
	code("clear", mach_port_clear_protected_payload(task, port));
	code("set, no such name", mach_port_set_protected_payload(task, NO_NAME, PAYLOAD));
	code("clear, no such name", mach_port_clear_protected_payload(task, NO_NAME));
}
EACH("mach_port_set_protected_payload/to-a-task", of_task, KIND_task, 0, 0)
EACH("mach_port_set_protected_payload/to-a-dead-task", of_task, KIND_dead_task, 0, 0)
EACH("mach_port_set_protected_payload/to-the-host", of_task, KIND_host, 0, 0)
EACH("mach_port_set_protected_payload/to-a-thread", of_task, KIND_thread, 0, 0)

static void value(long payload, long unused, long more_unused)
{
	mach_port_name_t port = make_port();

	(void)unused;
	(void)more_unused;
	protect(port, (uint64_t)payload);
	post(port);
	take(port);
}
EACH("mach_port_set_protected_payload/all-bits", value, -1, 0, 0)
EACH("mach_port_set_protected_payload/no-bits", value, 0, 0, 0)
EACH("mach_port_set_protected_payload/upper-half", value, 0xabcdef0100000000, 0, 0)
EACH("mach_port_set_protected_payload/lower-half", value, 0x12345678, 0, 0)

CASE("mach_port_set_protected_payload/in-another-task")
{
	mach_port_name_t port = make_port(), task = make_task(FALSE);
	mach_msg_type_name_t type;

	must("mach_port_insert_right",
	     mach_port_insert_right(task, FREE_NAME, port, MACH_MSG_TYPE_MOVE_RECEIVE));
	code("ours", mach_port_set_protected_payload(self, port, PAYLOAD));
	code("theirs", mach_port_set_protected_payload(task, FREE_NAME, PAYLOAD));
	must("mach_port_extract_right",
	     mach_port_extract_right(task, FREE_NAME, MACH_MSG_TYPE_MOVE_RECEIVE, &port, &type));
	post(port);
	take(port);
}

/* Requests that are not what MIG makes of the routine. */
static void malformed(long id, long item, long bits)
{
	union {
		struct message request;
		mig_reply_header_t reply;
	} buffer;
	mach_msg_size_t size = HEADER;

	memset(&buffer, 0, sizeof(buffer));
	buffer.request = message_to(self);
	buffer.request.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	buffer.request.head.msgh_local_port = mig_get_reply_port();
	buffer.request.head.msgh_id = (mach_msg_id_t)id;
	if (item != 0) {
		buffer.request.item[0].type = TYPE(.msgt_name = (unsigned)item, .msgt_size = 32,
						   .msgt_number = 1, .msgt_inline = TRUE);
		buffer.request.item[0].word = make_receive();
		size += ITEM;
	}
	if (bits != 0) {
		buffer.request.item[1].type = TYPE(.msgt_name = MACH_MSG_TYPE_INTEGER_64,
						   .msgt_size = (unsigned)bits, .msgt_number = 1,
						   .msgt_inline = TRUE);
		size += ITEM;
	}
	code("call", mach_msg(&buffer.request.head, MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_TIMEOUT,
			      size, sizeof(buffer), mig_get_reply_port(), 1000, MACH_PORT_NULL));
	code("answer", buffer.reply.RetCode);
}
EACH("mach_port_set_protected_payload/no-arguments", malformed, 3221, 0, 0)
EACH("mach_port_set_protected_payload/no-payload", malformed, 3221, MACH_MSG_TYPE_PORT_NAME, 0)
EACH("mach_port_set_protected_payload/name-of-another-type", malformed, 3221,
     MACH_MSG_TYPE_INTEGER_32, 64)
EACH("mach_port_set_protected_payload/payload-of-another-size", malformed, 3221,
     MACH_MSG_TYPE_PORT_NAME, 32)
EACH("mach_port_set_protected_payload/made-by-hand", malformed, 3221, MACH_MSG_TYPE_PORT_NAME, 64)
EACH("mach_port_clear_protected_payload/no-arguments", malformed, 3222, 0, 0)
EACH("mach_port_clear_protected_payload/name-of-another-type", malformed, 3222,
     MACH_MSG_TYPE_INTEGER_32, 0)
EACH("mach_port_clear_protected_payload/payload-too", malformed, 3222, MACH_MSG_TYPE_PORT_NAME, 64)
EACH("mach_port_clear_protected_payload/made-by-hand", malformed, 3222, MACH_MSG_TYPE_PORT_NAME, 0)

/* ---- When it is looked at. */

CASE("mach_port_set_protected_payload/messages-queued-before")
{
	mach_port_name_t port = make_port();

	for (int i = 0; i < 5; i++)
		post(port);
	take(port);
	protect(port, PAYLOAD);
	take(port);
	protect(port, PAYLOAD + 1);
	take(port);
	code("clear", mach_port_clear_protected_payload(self, port));
	take(port);
	code("clear again", mach_port_clear_protected_payload(self, port));
	protect(port, PAYLOAD);
	take(port);
}

CASE("mach_port_set_protected_payload/receiver-waits")
{
	mach_port_name_t port = make_port();

	one.port = port;
	one.size = 0;
	one.option = 0;
	second_start(&one, second_receives);
	protect(port, PAYLOAD);
	post(port);
	second_tell(&one, "the receiver");
	tell_local(&one.message, port);
	second_end(&one);
}

CASE("mach_port_set_protected_payload/status-is-the-same")
{
	mach_port_name_t port = make_port();
	mach_port_status_t before, after;

	must("mach_port_get_receive_status", mach_port_get_receive_status(self, port, &before));
	protect(port, PAYLOAD);
	must("mach_port_get_receive_status", mach_port_get_receive_status(self, port, &after));
	fact("the same", memcmp(&before, &after, sizeof(before)) == 0);
	tell_name("the port", port);
}

/* ---- Kinds of messages. */

static void kinds(long remote, long local, long complex)
{
	mach_port_name_t port = make_port(), reply = make_port(), to = port;
	struct message msg;

	protect(port, PAYLOAD);
	if (remote == MACH_MSG_TYPE_MOVE_SEND_ONCE)
		to = send_once_to(port);
	msg = complex ? message_with(to, TYPE_PORT(MACH_MSG_TYPE_COPY_SEND), reply) :
			message_to(to);
	msg.head.msgh_bits &= MACH_MSGH_BITS_COMPLEX;
	msg.head.msgh_bits |= MACH_MSGH_BITS((unsigned)remote, (unsigned)local);
	msg.head.msgh_local_port = local != 0 ? reply : MACH_PORT_NULL;
	code("send", send_sized(&msg, complex ? HEADER + ITEM : HEADER));
	take_sized(port, &msg, port, sizeof(msg), 0);
	if (complex)
		tell_item(&msg.item[0]);
}
EACH("mach_msg/payload-send", kinds, 19, 0, 0)
EACH("mach_msg/payload-send-once", kinds, 18, 0, 0)
EACH("mach_msg/payload-make-send", kinds, 20, 0, 0)
EACH("mach_msg/payload-make-send-once", kinds, 21, 0, 0)
EACH("mach_msg/payload-send-with-reply-once", kinds, 19, 21, 0)
EACH("mach_msg/payload-send-with-reply-send", kinds, 19, 20, 0)
EACH("mach_msg/payload-send-once-with-reply-once", kinds, 18, 21, 0)
EACH("mach_msg/payload-send-once-with-reply-send", kinds, 18, 19, 0)
EACH("mach_msg/payload-complex", kinds, 19, 0, 1)
EACH("mach_msg/payload-complex-with-reply", kinds, 19, 21, 1)

CASE("mach_msg/payload-reply-is-dead")
{
	mach_port_name_t port = make_port(), dead = make_died();
	struct message msg = message_to(port);

	protect(port, PAYLOAD);
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_COPY_SEND);
	msg.head.msgh_local_port = dead;
	code("send", send_sized(&msg, HEADER));
	take(port);
}

/* The kernel's answer in the same call: to a reply port with a payload. */
static void kernel_reply(long timed, long id, long unused)
{
	mach_port_name_t reply = make_receive();
	struct message msg = message_to(self);

	(void)unused;
	protect(reply, PAYLOAD);
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = reply;
	msg.head.msgh_id = (mach_msg_id_t)id;
	code("call", mach_msg(&msg.head, MACH_SEND_MSG | MACH_RCV_MSG |
			      (timed ? MACH_RCV_TIMEOUT : 0), HEADER, sizeof(msg), reply, 1000,
			      MACH_PORT_NULL));
	tell_local(&msg, reply);
}
EACH("mach_msg/payload-kernel-reply", kernel_reply, 0, 1000, 0)
EACH("mach_msg/payload-kernel-reply-in-time", kernel_reply, 1, 1000, 0)

/* A request and its answer between two threads, each to a port with a payload. */
static void second_serves(struct second *s)
{
	struct message answer;

	s->answer = mach_msg_trap(&s->message.head, MACH_RCV_MSG, 0, sizeof(s->message), s->port,
				  0, MACH_PORT_NULL);
	answer = message_to(s->message.head.msgh_remote_port);
	answer.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE, 0);
	mach_msg_trap(&answer.head, MACH_SEND_MSG, HEADER, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL);
}

CASE("mach_msg/payload-rpc")
{
	mach_port_name_t port = make_port(), reply = make_receive();
	struct message msg = message_to(port);

	protect(port, PAYLOAD);
	protect(reply, PAYLOAD + 1);
	one.port = port;
	second_start(&one, second_serves);
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = reply;
	code("call", mach_msg(&msg.head, MACH_SEND_MSG | MACH_RCV_MSG, HEADER, sizeof(msg), reply,
			      0, MACH_PORT_NULL));
	tell_local(&msg, reply);
	second_tell(&one, "the server");
	tell_local(&one.message, port);
	second_end(&one);
}

CASE("mach_msg/payload-notifications")
{
	mach_port_name_t port = make_receive(), name = make_send(), once = send_once_to(port);
	mach_port_name_t previous = MACH_PORT_NULL;

	must("mach_port_request_notification",
	     mach_port_request_notification(self, name, MACH_NOTIFY_DEAD_NAME, 1, port,
					    MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous));
	protect(port, PAYLOAD);
	must("mach_port_deallocate", mach_port_deallocate(self, name));
	must("mach_port_deallocate", mach_port_deallocate(self, once));
	take(port);
	take(port);
}

/* ---- Sets. */

CASE("mach_msg/payload-in-a-set")
{
	mach_port_name_t set = make_set(), ports[3];
	struct message msg;

	for (int i = 0; i < 3; i++) {
		ports[i] = make_port();
		must("mach_port_move_member", mach_port_move_member(self, ports[i], set));
	}
	post(ports[0]);
	post(ports[1]);
	post(ports[2]);
	protect(ports[0], PAYLOAD);
	protect(ports[2], PAYLOAD + 2);
	code("on the set", mach_port_set_protected_payload(self, set, PAYLOAD));
	for (int i = 0; i < 3; i++)
		take_sized(set, &msg, ports[i], sizeof(msg), 0);
	post(ports[0]);
	must("mach_port_move_member", mach_port_move_member(self, ports[0], MACH_PORT_NULL));
	take(ports[0]);
}

/* ---- Errors. */

static void too_large(long option, long unused, long more_unused)
{
	mach_port_name_t port = make_port(), reply = make_receive();
	struct message msg = message_with(port, TYPE_INTEGER, 1);

	(void)unused;
	(void)more_unused;
	protect(port, PAYLOAD);
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = reply;
	must("send", send_sized(&msg, HEADER + ITEM));
	take_sized(port, &msg, port, HEADER, (mach_msg_option_t)option);
	take_sized(port, &msg, port, sizeof(msg), 0);
	mach_printf("at the reply port: ");
	take(reply);
}
EACH("mach_msg/payload-too-large", too_large, 0, 0, 0)
EACH("mach_msg/payload-too-large-stays", too_large, MACH_RCV_LARGE, 0, 0)
EACH("mach_msg/payload-bad-notify", too_large, MACH_RCV_NOTIFY, 0, 0)

CASE("mach_msg/payload-with-notify")
{
	mach_port_name_t port = make_port(), reply = make_receive(), notify = make_receive();
	struct message msg = message_to(port);

	protect(port, PAYLOAD);
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = reply;
	must("send", send_sized(&msg, HEADER));
	code("received", mach_msg(&msg.head, MACH_RCV_MSG | MACH_RCV_NOTIFY | MACH_RCV_TIMEOUT, 0,
				  sizeof(msg), port, 0, notify));
	tell_local(&msg, port);
	tell_name("the remote name", keep_name(msg.head.msgh_remote_port));
}

/* What cannot be sent comes back with the names it had. */
CASE("mach_msg/payload-pseudo-receive")
{
	mach_port_name_t port = make_port(), reply = make_port();
	struct message msg = message_to(port);

	protect(port, PAYLOAD);
	protect(reply, PAYLOAD + 1);
	fill_queue(port);
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_COPY_SEND);
	msg.head.msgh_local_port = reply;
	code("send", send_sized(&msg, HEADER));
	mach_printf("bits 0x%x\n", msg.head.msgh_bits);
	fact("the remote name", msg.head.msgh_remote_port == port);
	fact("the local name", msg.head.msgh_protected_payload == reply);
}

static void as_disposition(long remote, long local, long unused)
{
	mach_port_name_t port = make_port();
	struct message msg = message_to(port);

	(void)unused;
	protect(port, PAYLOAD);
	msg.head.msgh_bits = MACH_MSGH_BITS((unsigned)remote, (unsigned)local);
	msg.head.msgh_local_port = local == PAYLOAD_TYPE ? port : MACH_PORT_NULL;
	code("send", send_sized(&msg, HEADER));
	msg.head.msgh_protected_payload = 0;
	code("send, no local name", send_sized(&msg, HEADER));
	count("messages", drain(port));
}
EACH("mach_msg/payload-type-as-remote", as_disposition, PAYLOAD_TYPE, 0, 0)
EACH("mach_msg/payload-type-as-local", as_disposition, 19, PAYLOAD_TYPE, 0)

/* In a body the type is data like any other. */
CASE("mach_msg/payload-type-in-the-body")
{
	mach_port_name_t port = make_port();
	struct message msg = message_with(port, TYPE_PORT(PAYLOAD_TYPE), PAYLOAD);

	code("send", send_sized(&msg, HEADER + ITEM));
	take_sized(port, &msg, port, sizeof(msg), 0);
	tell_item(&msg.item[0]);
	fact("the word", msg.item[0].word == PAYLOAD);
}

/* ---- Receive rights that move. */

CASE("mach_port_rename/payload-stays")
{
	mach_port_name_t port = make_port(), name = fresh_name();

	protect(port, PAYLOAD);
	must("mach_port_rename", mach_port_rename(self, port, name));
	post(name);
	take(name);
}

CASE("mach_msg/payload-receive-right-moves")
{
	mach_port_name_t port = make_port(), carrier = make_port();
	struct message msg = message_with(carrier, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), port);

	protect(port, PAYLOAD);
	protect(carrier, PAYLOAD + 1);
	post(port);
	must("send", send_sized(&msg, HEADER + ITEM));
	take_sized(carrier, &msg, carrier, sizeof(msg), 0);
	tell_item(&msg.item[0]);
	take((mach_port_name_t)msg.item[0].word);
}

/* Given back, because there was no room: it moved all the same. */
CASE("mach_msg/payload-receive-right-comes-back")
{
	mach_port_name_t port = make_port(), carrier = make_port();
	struct message msg = message_with(carrier, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), port);

	protect(port, PAYLOAD);
	fill_queue(carrier);
	post(port);
	code("send", send_sized(&msg, HEADER + ITEM));
	take(port);
}

/* Refused in the copyin: nothing moved. */
CASE("mach_port_insert_right/payload-refused")
{
	mach_port_name_t port = make_port(), task = make_task(FALSE);

	protect(port, PAYLOAD);
	must("mach_port_allocate_name",
	     mach_port_allocate_name(task, MACH_PORT_RIGHT_RECEIVE, FREE_NAME));
	post(port);
	code("insert_right", mach_port_insert_right(task, FREE_NAME, port,
						    MACH_MSG_TYPE_MAKE_SEND));
	take(port);
}

CASE("mach_port_request_notification/payload-port-destroyed")
{
	mach_port_name_t port = make_port(), backup = make_receive(), previous = MACH_PORT_NULL;
	struct message msg;

	protect(port, PAYLOAD);
	protect(backup, PAYLOAD + 1);
	must("mach_port_request_notification",
	     mach_port_request_notification(self, port, MACH_NOTIFY_PORT_DESTROYED, 0, backup,
					    MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous));
	post(port);
	must("mach_port_mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
	take_sized(backup, &msg, backup, sizeof(msg), 0);
	take(keep_name((mach_port_name_t)msg.item[0].word));
}

/* The name of a port that died, and another port under it. */
CASE("mach_port_set_protected_payload/not-inherited-by-the-name")
{
	mach_port_name_t port = make_port();

	protect(port, PAYLOAD);
	must("mach_port_destroy", mach_port_destroy(self, port));
	must("mach_port_allocate_name",
	     mach_port_allocate_name(self, MACH_PORT_RIGHT_RECEIVE, port));
	must("mach_port_insert_right",
	     mach_port_insert_right(self, port, port, MACH_MSG_TYPE_MAKE_SEND));
	post(port);
	take(port);
}
