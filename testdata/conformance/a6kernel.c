/* a6kernel: messages whose receiver is the kernel, and how it answers. */
#include "sweep.h"

#include <mach/notify.h>

#include "second.h"

enum request { WORKS, REFUSED, UNKNOWN };

/* One request with one reply right; what was answered, and what is left. */
static void ask(enum request request, const struct swept_kind *kind, mach_msg_bits_t type,
		boolean_t laden)
{
	struct swept reply = swept_make(kind->kind, kind->references);
	struct swept body = swept_make(KIND_send_receive, 2);
	struct message msg = message_to(self), got;
	mach_msg_size_t size = HEADER;
	mach_port_name_t from = reply.port ? reply.port : reply.name;

	msg.head.msgh_bits |= MACH_MSGH_BITS(0, type);
	msg.head.msgh_local_port = reply.name;
	msg.head.msgh_id = request == WORKS ? 3207 : request == REFUSED ? 3206 : 9999;
	msg.item[0].type = TYPE(.msgt_name = 15, .msgt_size = 32, .msgt_number = 1, .msgt_inline = 1);
	msg.item[0].word = request == WORKS ? self : NO_NAME;
	msg.item[1].type = TYPE_INTEGER;
	msg.item[1].word = 0;
	if (request == WORKS)
		size += 2 * ITEM;
	else if (request == REFUSED)
		size += ITEM;
	if (laden) {
		msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
		msg.item[1].type = TYPE_PORT(MACH_MSG_TYPE_MOVE_SEND);
		msg.item[1].word = body.name;
		size = HEADER + 2 * ITEM;
	}
	put(" ");
	put_code(send_sized(&msg, size));
	put_swept(&reply);
	if (laden) {
		put("+");
		put_swept(&body);
	}
	if (from != MACH_PORT_NULL && receive(from, &got) == MACH_MSG_SUCCESS) {
		put(">");
		put_number(got.head.msgh_bits, 16);
		put("#");
		put_number((unsigned int)got.head.msgh_id, 10);
		put(":");
		put_number((uint32_t)got.item[0].word, 16);
	}
	swept_end(reply);
	swept_end(body);
}

static void replies(long request, long laden, long unused)
{
	static const mach_msg_bits_t types[] = { 0, 17, 18, 19, 20, 21 };
	size_t i, j;

	(void)unused;
	elsewhere = make_task(FALSE);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		put_number(types[i], 10);
		put(":");
		for (j = 0; j < SWEPT_KINDS; j++)
			ask((enum request)request, &swept_kinds[j], types[i], (boolean_t)laden);
		end_line();
	}
}
EACH("kernel/replies-to-what-works", replies, WORKS, 0, 0)
EACH("kernel/replies-to-what-is-refused", replies, REFUSED, 0, 0)
EACH("kernel/replies-to-what-is-unknown", replies, UNKNOWN, 0, 0)
EACH("kernel/replies-to-what-is-unknown-and-laden", replies, UNKNOWN, 1, 0)
EACH("kernel/replies-to-what-is-wrong-and-laden", replies, REFUSED, 1, 0)

/* Everything a request can carry, to a routine that refuses it and to none. */
static void carried(long id, long unused, long more_unused)
{
	static const mach_msg_type_name_t types[] = { 16, 17, 18, 19, 20, 21 };
	static const enum name_kind kinds[] = {
		KIND_send_receive, KIND_send, KIND_send_once, KIND_send, KIND_receive, KIND_receive,
	};
	size_t i;

	(void)unused;
	(void)more_unused;
	elsewhere = make_task(FALSE);
	for (i = 0; i < 12; i++) {
		struct swept right = swept_make(kinds[i % 6], 1), reply = swept_make(KIND_receive, 0);
		vm_offset_t data = island_in(self, 1);
		struct message msg = message_with(self, TYPE_PORT(types[i % 6]), right.name);
		struct region r;

		if (i >= 6) {
			*(mach_port_name_t *)data = right.name;
			msg.item[0].type = TYPE(.msgt_name = types[i % 6], .msgt_size = 32,
						.msgt_number = 1, .msgt_deallocate = 1);
			msg.item[0].address = data;
		}
		msg.item[1].type = TYPE_BYTES(10);
		msg.item[1].type.msgt_deallocate = i < 6;
		msg.item[1].address = i < 6 ? data : (vm_offset_t)&types;
		msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
		msg.head.msgh_local_port = reply.name;
		msg.head.msgh_id = (mach_msg_id_t)id;
		put_code(send_sized(&msg, HEADER + 2 * ITEM));
		put_swept(&right);
		put(find_region(self, data, &r) == KERN_SUCCESS && r.start <= data ? "/here" : "/gone");
		if (receive(reply.name, &msg) == MACH_MSG_SUCCESS) {
			put(" ");
			put_number(msg.head.msgh_bits, 16);
			put(" ");
			put_number((uint32_t)msg.item[0].word, 16);
		}
		end_line();
		vm_deallocate(self, data, PAGE);
		swept_end(right);
		swept_end(reply);
	}
}
EACH("kernel/carried-to-an-unknown-id", carried, 9999, 0, 0)
EACH("kernel/carried-to-vm-write", carried, 2027, 0, 0)
EACH("kernel/carried-to-get-refs", carried, 3207, 0, 0)

/* Memory for vm_write: a request that works takes it, one that fails destroys it. */
static void written(long fails, long deallocate, long unused)
{
	mach_port_name_t reply = make_receive();
	vm_offset_t data = island(1), target = island(1);
	struct message msg = message_to(self);

	(void)unused;
	pattern_fill(data, PAGE, 1);
	msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX |
			      MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = reply;
	msg.head.msgh_id = 2027;
	msg.item[0].type = TYPE(.msgt_name = 11, .msgt_size = 64, .msgt_number = 1, .msgt_inline = 1);
	msg.item[0].word = fails ? target + PAGE : target;
	msg.item[1].type = TYPE_BYTES(4096);
	msg.item[1].type.msgt_deallocate = deallocate & 1;
	msg.item[1].address = data;
	code("send", send_sized(&msg, HEADER + 2 * ITEM));
	tell_memory("the sender's", data, 1);
	count("wrong bytes", pattern_wrong(target, PAGE, 1));
	tell_received(reply, &msg);
	code("return code", (kern_return_t)msg.item[0].word);
}
EACH("kernel/memory-taken", written, 0, 0, 0)
EACH("kernel/memory-taken-deallocate", written, 0, 1, 0)
EACH("kernel/memory-destroyed", written, 1, 0, 0)
EACH("kernel/memory-destroyed-deallocate", written, 1, 1, 0)

/* The reply goes where no queue limit holds it up, and where nobody waits for it. */
CASE("kernel/answers-past-a-limit-of-none")
{
	mach_port_name_t reply = make_port();
	struct message msg = message_to(self);

	must("limit", mach_port_set_qlimit(self, reply, 0));
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND);
	msg.head.msgh_local_port = reply;
	msg.head.msgh_id = 9999;
	code("send", send_sized(&msg, HEADER));
	tell_received(reply, &msg);
}

static void answers_the_kernel(long id, long which, long unused)
{
	mach_port_name_t task = make_task(FALSE), port = which == 0 ? task : which == 1 ? host :
		keep_name(mach_thread_self());
	struct message msg = message_to(self);

	(void)unused;
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_COPY_SEND);
	msg.head.msgh_local_port = port;
	msg.head.msgh_id = (mach_msg_id_t)id;
	code("send", send_sized(&msg, HEADER));
	tell_name("the task", task);
}
EACH("kernel/answers-to-a-task", answers_the_kernel, 9999, 0, 0)
EACH("kernel/answers-to-a-host", answers_the_kernel, 9999, 1, 0)
EACH("kernel/answers-to-a-thread", answers_the_kernel, 9999, 2, 0)
EACH("kernel/answers-to-a-task-as-task-terminate", answers_the_kernel, 1908, 0, 0)

/* Notifications' ids to ports of the kernel. */
static void notified(long which, long size, long complex)
{
	mach_port_name_t reply = make_receive();
	mach_port_name_t to = which == 0 ? make_task(FALSE) : which == 1 ? host :
			      which == 2 ? keep_name(mach_thread_self()) : host_priv_port;
	mach_msg_id_t id;

	for (id = 63; id < 75; id++) {
		struct message msg = message_to(to);

		msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE) |
				      (complex ? MACH_MSGH_BITS_COMPLEX : 0);
		msg.head.msgh_local_port = reply;
		msg.head.msgh_id = id;
		msg.item[0].type = complex ? TYPE_PORT(MACH_MSG_TYPE_COPY_SEND) : TYPE_INTEGER;
		msg.item[0].word = 0;
		mach_printf("%d: ", id);
		code("send", send_sized(&msg, (mach_msg_size_t)size));
		while (receive(reply, &msg) == MACH_MSG_SUCCESS)
			mach_printf("%d, %u bytes: %d\n", msg.head.msgh_id, msg.head.msgh_size,
				    msg.head.msgh_size > HEADER ? (int)msg.item[0].word : 0);
	}
}
EACH("kernel/notification-ids-to-a-task", notified, 0, 48, 0)
EACH("kernel/notification-ids-to-a-host", notified, 1, 48, 0)
EACH("kernel/notification-ids-to-a-thread", notified, 2, 32, 0)
EACH("kernel/notification-ids-to-the-privileged-host", notified, 3, 48, 1)

/* A request by a right that is the last: the object's port lives on, the sender's name is gone. */
CASE("kernel/asked-by-the-last-send-right")
{
	mach_port_name_t task = MACH_PORT_NULL, reply = make_receive();
	struct message msg;

	must("task_create", task_create(self, FALSE, &task));
	msg = message_to(task);
	msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = reply;
	msg.head.msgh_id = 2008;
	code("task_terminate", send_sized(&msg, HEADER));
	tell_name("the task", task);
	tell_received(reply, &msg);
	code("return code", (kern_return_t)msg.item[0].word);
}

/* Destination and reply of one name, where that is the kernel's. */
CASE("kernel/asked-and-answered-of-one-name")
{
	mach_port_name_t task = make_task(FALSE);
	struct message msg = message_to(task);

	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_COPY_SEND);
	msg.head.msgh_local_port = task;
	msg.head.msgh_id = 9999;
	code("send", send_sized(&msg, HEADER));
	tell_name("the task", task);
}

/* The answer is received in the same call, by each way to hold the reply port. */
static void called(long type, long size, long option)
{
	mach_port_name_t reply = make_port();
	struct message msg = message_to(self);

	msg.head.msgh_bits |= MACH_MSGH_BITS(0, (mach_msg_bits_t)type);
	msg.head.msgh_local_port = reply;
	msg.head.msgh_id = 9999;
	code("mach_msg", mach_msg_trap(&msg.head, MACH_SEND_MSG | MACH_RCV_MSG |
				       (mach_msg_option_t)option, HEADER, (mach_msg_size_t)size,
				       reply, 0, MACH_PORT_NULL));
	tell_header(&msg, reply);
	tell_name("the reply port", reply);
	count("messages left", drain(reply));
}
EACH("kernel/call-by-made-once", called, 21, 48, 0)
EACH("kernel/call-by-made", called, 20, 48, 0)
EACH("kernel/call-by-moved", called, 17, 48, 0)
EACH("kernel/call-by-copied", called, 19, 48, 0)
EACH("kernel/call-too-large", called, 21, 40, 0)
EACH("kernel/call-too-large-kept", called, 21, 40, MACH_RCV_LARGE)
EACH("kernel/call-notify-null", called, 21, 48, MACH_RCV_NOTIFY)

/*
 * A request in a call that is some words too short or too long, of 4 bytes each.
 * The recorded kernel takes such sizes when it has a buffer at hand, which it
 * has after a request that it served, and not after one that it refused.
 */
static void request_sizes(long id, long right_size, long unused)
{
	static union {
		struct message msg;
		unsigned char bytes[256];
	} wide;
	mach_msg_type_t word = TYPE(.msgt_name = 11, .msgt_size = 64, .msgt_number = 1,
				    .msgt_inline = 1);
	mach_port_name_t reply = make_receive(), task = make_task(FALSE);
	mach_port_type_t type_of;
	mach_msg_size_t size;
	size_t at;

	(void)unused;
	for (size = HEADER; size <= (mach_msg_size_t)right_size + 12; size += 4) {
		memset(&wide, 0, sizeof(wide));
		wide.msg.head = message_to(task).head;
		wide.msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
		wide.msg.head.msgh_local_port = reply;
		wide.msg.head.msgh_id = (mach_msg_id_t)id;
		for (at = HEADER; at < (size_t)right_size; at += ITEM) {
			mach_msg_type_t type = id < 3000 ? word : at == HEADER ?
				TYPE(.msgt_name = 15, .msgt_size = 32, .msgt_number = 1,
				     .msgt_inline = 1) : TYPE_INTEGER;

			memcpy(wide.bytes + at, &type, sizeof(type));
		}
		must("served", mach_port_type(self, reply, &type_of));
		put_number(size, 10);
		put(": ");
		put_code(mach_msg_trap(&wide.msg.head, MACH_SEND_MSG | MACH_RCV_MSG, size,
				       sizeof(wide), reply, 0, MACH_PORT_NULL));
		put(" ");
		put_number((uint32_t)wide.msg.item[0].word, 16);
		end_line();
	}
}
EACH("kernel/call-sizes-of-vm-deallocate", request_sizes, 2023, 64, 0)
EACH("kernel/call-sizes-of-vm-region", request_sizes, 2029, 48, 0)
EACH("kernel/call-sizes-of-mach-port-type", request_sizes, 3201, 48, 0)
EACH("kernel/call-sizes-of-mach-port-get-refs", request_sizes, 3207, 64, 0)
