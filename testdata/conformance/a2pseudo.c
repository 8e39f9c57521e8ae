/*
 * a2pseudo: messages that were not accepted and come back to their sender. The
 * destination takes no message at all: its queue limit is 0.
 */
#include "sweep.h"

#include <mach/notify.h>

#include "second.h"

/* What stands in a buffer for a name that was given. */
static void put_back(mach_port_name_t is, mach_port_name_t was)
{
	put(is == was ? "=" : is == MACH_PORT_NULL ? "n" : is == MACH_PORT_DEAD ? "x" : "+");
	if (is != was && MACH_PORT_VALID(is))
		put_name(is);
}

static struct swept full_port(enum name_kind kind)
{
	struct swept to = swept_make(kind, 1);

	if (to.there != MACH_PORT_NULL)
		must("limit", mach_port_set_qlimit(elsewhere, to.there, 0));
	else
		must("limit", mach_port_set_qlimit(self, to.name, 0));
	return to;
}

static void put_descriptor(const struct item *item)
{
	put_number(item->type.msgt_name, 10);
	put(":");
	put_number(item->type.msgt_size, 10);
	put("x");
	put_number(item->type.msgt_number, 10);
	put(item->type.msgt_inline ? "i" : "o");
	put(item->type.msgt_deallocate ? "d" : "");
	put(item->type.msgt_longform ? "l" : "");
}

static void give_up(mach_port_name_t is, mach_port_name_t was)
{
	if (is != was && MACH_PORT_VALID(is))
		mach_port_destroy(self, is);
}

/* All replies, beside a destination by each disposition. */
static void header_back(long remote_type, long remote_kind, long unused)
{
	static const mach_msg_bits_t types[] = { 0, 17, 18, 19, 20, 21 };
	size_t i, j;

	(void)unused;
	elsewhere = make_task(FALSE);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		put_number(types[i], 10);
		put(":");
		for (j = 0; j < SWEPT_KINDS; j++) {
			struct swept to = full_port((enum name_kind)remote_kind);
			struct swept reply = swept_make(swept_kinds[j].kind,
							swept_kinds[j].references);
			struct message msg = message_to(to.name);
			mach_msg_return_t mr;

			msg.head.msgh_bits = MACH_MSGH_BITS((mach_msg_bits_t)remote_type, types[i]);
			msg.head.msgh_local_port = reply.name;
			mr = send_sized(&msg, HEADER);
			put(" ");
			put_code(mr);
			if (mr == MACH_SEND_TIMED_OUT) {
				put_number(msg.head.msgh_bits, 16);
				put_back(msg.head.msgh_remote_port, to.name);
				put_back(msg.head.msgh_local_port, reply.name);
				if (msg.head.msgh_size != HEADER)
					put("!");
			}
			put_swept(&to);
			put("/");
			put_swept(&reply);
			give_up(msg.head.msgh_local_port, reply.name);
			give_up(msg.head.msgh_remote_port, to.name);
			swept_end(to);
			swept_end(reply);
		}
		end_line();
	}
}
EACH("mach_msg/pseudo-receive-header-copied", header_back, 19, KIND_send, 0)
EACH("mach_msg/pseudo-receive-header-moved", header_back, 17, KIND_send, 0)
EACH("mach_msg/pseudo-receive-header-made", header_back, 20, KIND_receive, 0)
EACH("mach_msg/pseudo-receive-header-made-beside-a-send-right", header_back, 20,
     KIND_send_receive, 0)

/* Destination and reply of one name. */
CASE("mach_msg/pseudo-receive-header-same-name")
{
	static const mach_msg_bits_t types[] = { 17, 18, 19, 20, 21 };
	size_t i, j;

	for (i = 0; i < 5; i++) {
		for (j = 0; j < 5; j++) {
			struct swept s = full_port(KIND_send_receive);
			struct message msg = message_to(s.name);
			mach_msg_return_t mr;

			msg.head.msgh_bits = MACH_MSGH_BITS(types[i], types[j]);
			msg.head.msgh_local_port = s.name;
			mr = send_sized(&msg, HEADER);
			put(" ");
			put_code(mr);
			if (mr == MACH_SEND_TIMED_OUT) {
				put_number(msg.head.msgh_bits, 16);
				put_back(msg.head.msgh_remote_port, s.name);
				put_back(msg.head.msgh_local_port, s.name);
			}
			put_swept(&s);
			give_up(msg.head.msgh_local_port, s.name);
			swept_end(s);
		}
		end_line();
	}
}

/* A right of each kind in the body, in the message or in an array. */
static void body_back(long array, long unused, long more_unused)
{
	static const mach_msg_type_name_t types[] = { 16, 17, 18, 19, 20, 21 };
	size_t i, j;

	(void)unused;
	(void)more_unused;
	elsewhere = make_task(FALSE);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		put_number(types[i], 10);
		put(":");
		for (j = 0; j < SWEPT_KINDS; j++) {
			struct swept to = full_port(KIND_send);
			struct swept right = swept_make(swept_kinds[j].kind,
							swept_kinds[j].references);
			struct message msg = message_with(to.name, TYPE_PORT(types[i]), right.name);
			mach_port_name_t names[2] = { right.name, MACH_PORT_DEAD };
			mach_msg_return_t mr;

			if (array) {
				msg.item[0].type = TYPE(.msgt_name = types[i], .msgt_size = 32,
							.msgt_number = 2);
				msg.item[0].address = (vm_offset_t)names;
			}
			mr = send_sized(&msg, HEADER + ITEM);
			put(" ");
			put_code(mr);
			if (mr == MACH_SEND_TIMED_OUT) {
				put_number(msg.head.msgh_bits >> 28, 16);
				if (i == 0 && j == 0)
					put_descriptor(&msg.item[0]);
				else
					put_number(msg.item[0].type.msgt_name, 10);
				if (array) {
					mach_port_name_t *got =
						(mach_port_name_t *)msg.item[0].address;

					put(got == names ? "same place" : "");
					names[0] = got[0];
					put(got[1] == MACH_PORT_DEAD ? "" : "not dead");
					vm_deallocate(self, msg.item[0].address, 8);
				} else {
					names[0] = msg.item[0].port.name;
				}
				put_back(names[0], right.name);
			}
			put_swept(&right);
			give_up(names[0], right.name);
			swept_end(to);
			swept_end(right);
		}
		end_line();
	}
}
EACH("mach_msg/pseudo-receive-rights", body_back, 0, 0, 0)
EACH("mach_msg/pseudo-receive-arrays-of-rights", body_back, 1, 0, 0)

/* What has references up to the most: those that come back stay away. */
static void most_back(long references, long type, long place)
{
	struct swept to, right;
	struct message msg;

	elsewhere = make_task(FALSE);
	to = full_port(KIND_send);
	right = swept_make(KIND_send_receive, (mach_port_urefs_t)references);
	msg = message_to(to.name);
	if (place) {
		msg = message_with(to.name, TYPE_PORT((unsigned int)type), right.name);
	} else {
		msg.head.msgh_bits |= MACH_MSGH_BITS(0, (mach_msg_bits_t)type);
		msg.head.msgh_local_port = right.name;
	}
	code("send", send_sized(&msg, place ? HEADER + ITEM : HEADER));
	tell_name("the right", right.name);
	swept_end(to);
	swept_end(right);
}
EACH("mach_msg/pseudo-receive-65533-references-copied", most_back, 65533, 19, 1)
EACH("mach_msg/pseudo-receive-65534-references-copied", most_back, 65534, 19, 1)
EACH("mach_msg/pseudo-receive-65534-references-moved", most_back, 65534, 17, 1)
EACH("mach_msg/pseudo-receive-65534-references-made", most_back, 65534, 20, 1)
EACH("mach_msg/pseudo-receive-65533-references-of-the-reply-copied", most_back, 65533, 19, 0)
EACH("mach_msg/pseudo-receive-65534-references-of-the-reply-made", most_back, 65534, 20, 0)
EACH("mach_msg/pseudo-receive-65534-references-of-the-reply-moved", most_back, 65534, 17, 0)

CASE("mach_msg/pseudo-receive-references-of-the-destination")
{
	struct swept to;
	struct message msg;
	int i;

	elsewhere = make_task(FALSE);
	for (i = 0; i < 3; i++) {
		to = full_port(KIND_send);
		must("mach_port_mod_refs", mach_port_mod_refs(self, to.name, MACH_PORT_RIGHT_SEND,
							      65532 + (i > 0)));
		msg = message_to(to.name);
		if (i == 2)
			msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND, 0);
		code("send", send_sized(&msg, HEADER));
		tell_name("the destination", to.name);
		swept_end(to);
	}
}

/* The dead-name request on a right that left and came back. */
static void request_back(long kind, long in_body, long unused)
{
	mach_port_name_t notify = make_receive(), before = MACH_PORT_NULL, got;
	mach_msg_type_name_t type = kind == KIND_send ? MACH_MSG_TYPE_MOVE_SEND :
				    MACH_MSG_TYPE_MOVE_SEND_ONCE;
	struct swept to, right;
	struct message msg;

	(void)unused;
	elsewhere = make_task(FALSE);
	to = full_port(KIND_send);
	right = swept_make((enum name_kind)kind, 1);
	must("request", mach_port_request_notification(self, right.name, MACH_NOTIFY_DEAD_NAME, 0,
						       notify, MACH_MSG_TYPE_MAKE_SEND_ONCE,
						       &before));
	msg = message_to(to.name);
	if (in_body) {
		msg = message_with(to.name, TYPE_PORT(type), right.name);
	} else {
		msg.head.msgh_bits |= MACH_MSGH_BITS(0, type);
		msg.head.msgh_local_port = right.name;
	}
	code("send", send_sized(&msg, in_body ? HEADER + ITEM : HEADER));
	got = in_body ? msg.item[0].port.name : msg.head.msgh_local_port;
	fact("under the same name", got == right.name);
	tell_name("the right", got);
	tell_received(notify, &msg);
	swept_end(to);
	swept_end(right);
}
EACH("mach_msg/pseudo-receive-request-on-the-reply-send", request_back, KIND_send, 0, 0)
EACH("mach_msg/pseudo-receive-request-on-the-reply-send-once", request_back, KIND_send_once, 0, 0)
EACH("mach_msg/pseudo-receive-request-on-a-send", request_back, KIND_send, 1, 0)
EACH("mach_msg/pseudo-receive-request-on-a-send-once", request_back, KIND_send_once, 1, 0)

/* A receive right that came back: its queue, counts, set and requests. */
CASE("mach_msg/pseudo-receive-receive-right")
{
	mach_port_name_t port = make_port(), set = make_set(), notify = make_receive();
	mach_port_name_t before = MACH_PORT_NULL, got;
	struct mach_port_status status;
	struct swept to;
	struct message msg;

	elsewhere = make_task(FALSE);
	to = full_port(KIND_send);
	must("limit", mach_port_set_qlimit(self, port, 7));
	msg = message_to(port);
	must("send", send_sized(&msg, HEADER));
	msg = message_to(port);
	must("send", send_sized(&msg, HEADER));
	must("receive", receive(port, &msg));
	must("member", mach_port_move_member(self, port, set));
	must("request", mach_port_request_notification(self, port, MACH_NOTIFY_NO_SENDERS, 0,
						       notify, MACH_MSG_TYPE_MAKE_SEND_ONCE,
						       &before));
	msg = message_with(to.name, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), port);
	code("send", send_sized(&msg, HEADER + ITEM));
	got = msg.item[0].port.name;
	fact("under the same name", got == port);
	must("status", mach_port_get_receive_status(self, got, &status));
	mach_printf("in a set: %s, seqno %u, mscount %u, limit %u, messages %u, no-senders asked: %s\n",
		    status.mps_pset != MACH_PORT_NULL ? "yes" : "no", status.mps_seqno,
		    status.mps_mscount, status.mps_qlimit, status.mps_msgcount,
		    status.mps_nsrequest ? "yes" : "no");
	tell_received(got, &msg);
	must("mach_port_deallocate", mach_port_deallocate(self, got));
	tell_received(notify, &msg);
	swept_end(to);
}

/* The whole message; what a circle adds to its bits is not to be seen. */
static void circle_back(long in_a_circle, long unused, long more_unused)
{
	mach_port_name_t one = make_port(), two = make_port();
	struct message msg;

	(void)unused;
	(void)more_unused;
	must("limit", mach_port_set_qlimit(self, two, 0));
	if (in_a_circle) {
		msg = message_with(two, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), two);
	} else {
		msg = message_with(one, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), two);
		must("send", send_sized(&msg, HEADER + ITEM));
		msg = message_with(two, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), one);
	}
	msg.head.msgh_size = 1;
	msg.head.msgh_seqno = 99;
	code("send", send_sized(&msg, HEADER + ITEM));
	mach_printf("bits 0x%x, size %u, seqno %u, id %d\n", msg.head.msgh_bits,
		    msg.head.msgh_size, msg.head.msgh_seqno, msg.head.msgh_id);
	tell_item(&msg.item[0]);
	tell_name("one", one);
	tell_name("two", two);
}
EACH("mach_msg/pseudo-receive-own-receive-right", circle_back, 1, 0, 0)
EACH("mach_msg/pseudo-receive-circular", circle_back, 0, 0, 0)

/* Memory: one's own pages, of one byte or more, with and without deallocate. */
static void memory_back(long offset, long size, long deallocate)
{
	vm_offset_t data = island(3), got;
	struct swept to;
	struct message msg;

	elsewhere = make_task(FALSE);
	to = full_port(KIND_send);
	pattern_fill(data, 3 * PAGE, 1);
	msg = message_with(to.name, TYPE_BYTES((unsigned int)size), data + (vm_offset_t)offset);
	msg.item[0].type.msgt_deallocate = deallocate & 1;
	msg.item[1].type = TYPE(.msgt_name = 0, .msgt_size = 1, .msgt_number = 60, .msgt_inline = 1);
	msg.item[1].word = 0x1234567890;
	code("send", send_sized(&msg, HEADER + 2 * ITEM));
	tell_item(&msg.item[0]);
	got = msg.item[0].address;
	fact("address is zero", got == 0);
	/* Where it comes back to may be where it was. */
	if (!deallocate) {
		fact("the same address", got == data + (vm_offset_t)offset);
		tell_memory("the sender's", data, 3);
	}
	tell_item(&msg.item[1]);
	fact("the inline item is as it was", msg.item[1].word == 0x1234567890);
	if (got != 0) {
		count("offset in the page", got % PAGE);
		keep_memory(got, (vm_size_t)size);
		tell_memory("what came back", got & ~(PAGE - 1), 1);
		*(volatile unsigned char *)got += 1;
	}
	swept_end(to);
}
EACH("mach_msg/pseudo-receive-memory-byte", memory_back, 5, 1, 0)
EACH("mach_msg/pseudo-receive-memory-byte-deallocate", memory_back, 5, 1, 1)
EACH("mach_msg/pseudo-receive-memory-across-pages", memory_back, 0xff0, 0x20, 0)
EACH("mach_msg/pseudo-receive-memory-across-pages-deallocate", memory_back, 0xff0, 0x20, 1)
EACH("mach_msg/pseudo-receive-memory-nothing", memory_back, 0x10, 0, 0)
EACH("mach_msg/pseudo-receive-memory-nothing-deallocate", memory_back, 0x10, 0, 1)

/* A buffer that cannot be written: the rights come back, the names stay unknown. */
static void unwritable_back(long type, long unused, long more_unused)
{
	static struct name_list before, after;
	mach_port_name_t reply = make_port();
	vm_offset_t page = island(1);
	struct message *msg = (struct message *)page;
	struct swept to;

	(void)unused;
	(void)more_unused;
	elsewhere = make_task(FALSE);
	to = full_port(KIND_send);
	*msg = message_to(to.name);
	msg->head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND, (mach_msg_bits_t)type);
	msg->head.msgh_local_port = reply;
	must("vm_protect", vm_protect(self, page, PAGE, FALSE, VM_PROT_READ));
	list_names(&before);
	code("send", send_sized(msg, HEADER));
	list_names(&after);
	mach_printf("bits then 0x%x\n", msg->head.msgh_bits);
	count("names more", after.count - before.count);
	tell_name("the destination", to.name);
	tell_name("the reply", reply);
	destroy_new_names(&before, &after);
	swept_end(to);
}
EACH("mach_msg/pseudo-receive-into-read-only", unwritable_back, 20, 0, 0)
EACH("mach_msg/pseudo-receive-into-read-only-reply-once", unwritable_back, 21, 0, 0)

/* A sender that waits, and what it is told when it is aborted; its buffer then. */
static struct second one;

static void aborted(long option, long disposition, long unused)
{
	mach_port_name_t port = make_port(), reply = make_receive(), body = make_port();
	vm_offset_t data = island(1);
	struct message got;

	(void)unused;
	fill_queue(port);
	one.message = message_with(port, TYPE_PORT((unsigned int)disposition), body);
	one.message.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	one.message.head.msgh_local_port = reply;
	one.message.item[1].type = TYPE_BYTES(100);
	one.message.item[1].type.msgt_deallocate = TRUE;
	one.message.item[1].address = data;
	one.size = HEADER + 2 * ITEM;
	one.option = (mach_msg_option_t)option;
	second_start(&one, second_sends);
	second_waits(&one);
	tell_name("carried", body);
	code("thread_abort", thread_abort(one.thread));
	second_tell(&one, "send");
	mach_printf("bits 0x%x, size %u\n", one.message.head.msgh_bits, one.message.head.msgh_size);
	fact("the destination under the same name", one.message.head.msgh_remote_port == port);
	tell_name("the destination", port);
	tell_name("the reply right", keep_name(one.message.head.msgh_local_port));
	tell_name("the carried right", keep_name(one.message.item[0].port.name));
	tell_item(&one.message.item[0]);
	tell_item(&one.message.item[1]);
	keep_memory(one.message.item[1].address, 100);
	tell_received(reply, &got);
	count("messages", drain(port));
	second_end(&one);
}
EACH("mach_msg/send-interrupted", aborted, 0, 17, 0)
EACH("mach_msg/send-interrupted-receive-right", aborted, 0, 16, 0)
EACH("mach_msg/send-interrupted-in-time", aborted, MACH_SEND_TIMEOUT, 21, 0)
EACH("mach_msg/send-interrupted-option-interrupt", aborted, MACH_SEND_INTERRUPT, 19, 0)

/* A send that times out does not receive. */
CASE("mach_msg/pseudo-receive-and-no-receive")
{
	mach_port_name_t from = make_port();
	struct swept to;
	struct message msg;

	elsewhere = make_task(FALSE);
	to = full_port(KIND_send);
	msg = message_to(from);
	must("send", send_sized(&msg, HEADER));
	msg = message_to(to.name);
	code("mach_msg", mach_msg(&msg.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT | MACH_RCV_MSG |
				  MACH_RCV_TIMEOUT, HEADER, sizeof(msg), from, 0, MACH_PORT_NULL));
	mach_printf("bits 0x%x, size %u\n", msg.head.msgh_bits, msg.head.msgh_size);
	count("messages", drain(from));
	swept_end(to);
}
