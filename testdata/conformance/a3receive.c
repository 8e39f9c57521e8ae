/* a3receive: how messages arrive, and what is left when they cannot. */
#include "sweep.h"

#include <mach/notify.h>

#include "second.h"

/* What was written into a buffer that held 0xff: size, bits, names, body. */
static void put_buffer(const struct message *msg, mach_port_name_t port, mach_port_name_t reply)
{
	mach_port_name_t remote = msg->head.msgh_remote_port, local = msg->head.msgh_local_port;

	if (msg->head.msgh_bits == 0xffffffff) {
		put(msg->head.msgh_size == 0xffffffff ? "untouched" : "size ");
		if (msg->head.msgh_size != 0xffffffff)
			put_number(msg->head.msgh_size, 10);
		return;
	}
	put_number(msg->head.msgh_bits, 16);
	put(",");
	put_number(msg->head.msgh_size, 10);
	put(",");
	put(remote == MACH_PORT_NULL ? "n" : remote == MACH_PORT_DEAD ? "x" :
	    remote == reply ? "=" : "+");
	put(local == MACH_PORT_NULL ? "n" : local == MACH_PORT_DEAD ? "x" :
	    local == port ? "=" : "+");
	put_number(msg->head.msgh_seqno, 10);
	put(*(const uint32_t *)&msg->item[0] == 0xffffffff ? "" : " body");
}

/* ---- Every option, alone and with the others. */

static void options(long state, long unused, long more_unused)
{
	static const mach_msg_option_t bits[] = {
		MACH_RCV_NOTIFY, MACH_RCV_LARGE, MACH_RCV_INTERRUPT, MACH_SEND_TIMEOUT,
		MACH_SEND_CANCEL | MACH_SEND_NOTIFY, MACH_SEND_INTERRUPT, 0x10000, 0x80000000,
	};
	mach_port_name_t notify = make_receive();
	size_t combination, i;

	(void)unused;
	(void)more_unused;
	for (combination = 0; combination < 256; combination++) {
		mach_port_name_t port = swept_allocate(MACH_PORT_RIGHT_RECEIVE);
		mach_msg_option_t option = MACH_RCV_MSG | MACH_RCV_TIMEOUT;
		struct message msg = message_to(port);

		for (i = 0; i < 8; i++)
			if (combination >> i & 1)
				option |= bits[i];
		msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
		if (state > 0)
			must("send", send_sized(&msg, HEADER + 8));
		memset(&msg, 0xff, sizeof(msg));
		put_code(mach_msg_trap(&msg.head, option, 0, state > 1 ? HEADER : HEADER + 8, port,
				       0, notify));
		put(" ");
		put_buffer(&msg, port, MACH_PORT_NULL);
		put(combination % 4 == 3 ? "" : "; ");
		if (combination % 4 == 3)
			end_line();
		mach_port_destroy(self, port);
	}
}
EACH("mach_msg/receive-options-no-message", options, 0, 0, 0)
EACH("mach_msg/receive-options-a-message", options, 1, 0, 0)
EACH("mach_msg/receive-options-too-large", options, 2, 0, 0)

/* ---- RCV_NOTIFY: each kind of notify name, beside each kind of reply right. */

enum reply { NO_REPLY, DEAD_REPLY, DIED_REPLY, SEND_HERE, OWN_RECEIVE, NEW_SEND, SEND_ONCE, REPLIES };
static const char *const reply_names[] = {
	"none", "dead", "died on its way", "a send right held", "one's own port", "a new send right",
	"a send-once right",
};

static void notify_asked(long size, long option, long unused)
{
	size_t i, j;

	(void)unused;
	elsewhere = make_task(FALSE);
	for (i = 0; i < REPLIES; i++) {
		put(reply_names[i]);
		end_line();
		for (j = 0; j < SWEPT_KINDS; j++) {
			struct swept notify = swept_make(swept_kinds[j].kind, 1);
			struct swept reply = { MACH_PORT_NULL, MACH_PORT_NULL, MACH_PORT_NULL };
			struct swept to = swept_make(KIND_send_receive, 1);
			struct message msg = message_to(to.name);
			mach_msg_bits_t local = 0;

			switch ((enum reply)i) {
			case NO_REPLY:
			case REPLIES:
				break;
			case DEAD_REPLY:
				reply.name = MACH_PORT_DEAD;
				local = MACH_MSG_TYPE_COPY_SEND;
				break;
			case DIED_REPLY:
				reply = swept_make(KIND_receive, 0);
				local = MACH_MSG_TYPE_MAKE_SEND_ONCE;
				break;
			case SEND_HERE:
				reply = swept_make(KIND_send, 1);
				local = MACH_MSG_TYPE_COPY_SEND;
				break;
			case NEW_SEND:
				reply = swept_make(KIND_send, 1);
				local = MACH_MSG_TYPE_MOVE_SEND;
				break;
			case OWN_RECEIVE:
				reply = swept_make(KIND_receive, 0);
				local = MACH_MSG_TYPE_MAKE_SEND;
				break;
			case SEND_ONCE:
				reply = swept_make(KIND_receive, 0);
				local = MACH_MSG_TYPE_MAKE_SEND_ONCE;
				break;
			}
			msg.head.msgh_bits |= MACH_MSGH_BITS(0, local);
			msg.head.msgh_local_port = reply.name;
			must("send", send_sized(&msg, HEADER + 8));
			if (i == DIED_REPLY)
				mach_port_destroy(self, reply.name);
			memset(&msg, 0xff, sizeof(msg));
			put(" ");
			put(swept_kinds[j].name);
			put(": ");
			put_code(mach_msg(&msg.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT |
					  MACH_RCV_NOTIFY | (mach_msg_option_t)option, 0,
					  (mach_msg_size_t)size, to.name, 0, notify.name));
			put(" ");
			put_buffer(&msg, to.name, reply.name);
			put(" ");
			put_swept(&to);
			put("/");
			put_swept(&reply);
			if (msg.head.msgh_bits != 0xffffffff &&
			    MACH_PORT_VALID(msg.head.msgh_remote_port) &&
			    msg.head.msgh_remote_port != reply.name) {
				put("/");
				put_name(msg.head.msgh_remote_port);
				/* Whether the request was made. */
				mach_port_deallocate(self, msg.head.msgh_remote_port);
				put("/");
				put_swept(&notify);
			}
			end_line();
			swept_end(reply);
			swept_end(to);
			swept_end(notify);
		}
	}
}
EACH("mach_msg/receive-notify-all-replies", notify_asked, 40, 0, 0)
EACH("mach_msg/receive-notify-all-replies-too-large", notify_asked, 32, 0, 0)
EACH("mach_msg/receive-notify-all-replies-kept", notify_asked, 32, MACH_RCV_LARGE, 0)

/* ---- Too large: all replies, what of the message is delivered. */

static void too_large(long size, long unused, long more_unused)
{
	static const mach_msg_bits_t types[] = { 0, 17, 18, 19, 20, 21 };
	size_t i, j;

	(void)unused;
	(void)more_unused;
	elsewhere = make_task(FALSE);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		put_number(types[i], 10);
		put(":");
		for (j = 0; j < SWEPT_KINDS; j++) {
			struct swept to = swept_make(KIND_send_receive, 1);
			struct swept reply = swept_make(swept_kinds[j].kind, 2);
			struct message msg = message_to(to.name), got;
			mach_msg_return_t mr;

			msg.head.msgh_bits |= MACH_MSGH_BITS(0, types[i]) | MACH_MSGH_BITS_COMPLEX;
			msg.head.msgh_local_port = reply.name;
			msg.item[0].type = TYPE_PORT(MACH_MSG_TYPE_MAKE_SEND_ONCE);
			msg.item[0].word = to.name;
			mr = send_sized(&msg, HEADER + ITEM);
			put(" ");
			if (mr != MACH_MSG_SUCCESS) {
				put_code(mr);
			} else {
				mr = receive_sized(to.name, &got, (mach_msg_size_t)size, 0);
				put(mr == MACH_RCV_TOO_LARGE ? "L" : "?");
				put_buffer(&got, to.name, reply.name);
				put("/");
				put_swept(&to);
				put("/");
				put_swept(&reply);
			}
			swept_end(reply);
			swept_end(to);
		}
		end_line();
	}
}
EACH("mach_msg/too-large-all-replies", too_large, HEADER, 0, 0)
EACH("mach_msg/too-large-all-replies-no-buffer", too_large, 0, 0, 0)

/* Memory in a message that does not fit. */
CASE("mach_msg/too-large-memory")
{
	mach_port_name_t port = make_port();
	vm_offset_t data = island(2);
	struct message msg = message_with(port, TYPE_BYTES(0), data);

	msg.item[0].type.msgt_number = 2 * 4096;
	msg.item[0].type.msgt_deallocate = TRUE;
	must("send", send_sized(&msg, HEADER + ITEM));
	tell_memory("the sender's", data, 2);
	code("receive", receive_sized(port, &msg, HEADER, 0));
	tell_header(&msg, port);
	tell_memory("the sender's", data, 2);
	code("again", receive(port, &msg));
}

/* ---- How much is written where the buffer ends in no memory. */

static void written(long at, long size, long large)
{
	mach_port_name_t port = make_port();
	vm_offset_t base = terrain();
	static unsigned char bytes[4096];
	struct message msg = message_to(port);
	size_t i, n;

	msg.item[0].word = 0x5555555555555555;
	must("send", send_sized(&msg, HEADER + ITEM));
	/* Page 5 is writable, between a hole and one that can be executed only. */
	memset((void *)(base + 5 * PAGE), 0xee, PAGE);
	code("receive", mach_msg((mach_msg_header_t *)(base + (vm_offset_t)at),
				 MACH_RCV_MSG | MACH_RCV_TIMEOUT |
				 (large ? MACH_RCV_LARGE : 0), 0, (mach_msg_size_t)size, port, 0,
				 MACH_PORT_NULL));
	memcpy(bytes, (void *)(base + 5 * PAGE), PAGE);
	for (i = n = 0; i < PAGE; i++)
		n += bytes[i] != 0xee;
	count("bytes written", n);
	count("messages left", drain(port));
}
EACH("mach_msg/receive-half-into-no-memory", written, 0x5ff0, 4096, 0)
EACH("mach_msg/receive-body-into-no-memory", written, 0x5fe0, 4096, 0)
EACH("mach_msg/receive-last-word-into-no-memory", written, 0x5fd8, 4096, 0)
EACH("mach_msg/receive-header-behind-no-memory", written, 0x4ff8, 4096, 0)
EACH("mach_msg/receive-too-large-header-half-into-no-memory", written, 0x5ff0, 32, 0)
EACH("mach_msg/receive-kept-size-into-no-memory", written, 0x5ffc, 32, 1)
EACH("mach_msg/receive-kept-size-half-into-no-memory", written, 0x5ffa, 32, 1)
EACH("mach_msg/receive-kept-size-at-the-edge", written, 0x5ff8, 32, 1)
EACH("mach_msg/receive-kept-size-behind-no-memory", written, 0x4ffc, 32, 1)

/* Bad notify, too large or both, and no memory: which is told. */
static void faults(long size, long notify, long at)
{
	mach_port_name_t port = make_port(), reply = make_receive();
	vm_offset_t base = terrain();
	struct message msg = message_to(port);

	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = reply;
	must("send", send_sized(&msg, HEADER + ITEM));
	code("receive", mach_msg((mach_msg_header_t *)(base + (vm_offset_t)at),
				 MACH_RCV_MSG | MACH_RCV_TIMEOUT | MACH_RCV_NOTIFY, 0,
				 (mach_msg_size_t)size, port, 0, (mach_port_name_t)notify));
	tell_received(reply, &msg);
	count("messages left", drain(port));
}
EACH("mach_msg/receive-faults-notify", faults, 64, NO_NAME, 0)
EACH("mach_msg/receive-faults-notify-null", faults, 64, 0, 0)
EACH("mach_msg/receive-faults-size-and-notify", faults, 40, NO_NAME, 0)
EACH("mach_msg/receive-faults-size-and-memory", faults, 40, NO_NAME, 0x4000)
EACH("mach_msg/receive-faults-notify-and-memory", faults, 64, NO_NAME, 0x4000)
EACH("mach_msg/receive-faults-name-first", faults, 64, -1, 0x4000)

/* ---- Sets. */

CASE("mach_msg/receive-from-set-names-its-member")
{
	mach_port_name_t set = make_set(), one = make_port(), two = make_port(), once;
	struct message msg;
	int i;

	must("move", mach_port_move_member(self, one, set));
	must("move", mach_port_move_member(self, two, set));
	once = send_once_to(two);
	for (i = 0; i < 6; i++) {
		msg = message_to(i == 4 ? once : i & 1 ? one : two);
		if (i == 4)
			msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE, 0);
		msg.head.msgh_id = 10 + i;
		must("send", send_sized(&msg, HEADER + (i == 3 ? ITEM : 0)));
	}
	code("from a member", receive(one, &msg));
	for (i = 0; i < 7; i++) {
		mach_msg_return_t mr = receive_sized(set, &msg, i == 3 ? HEADER : sizeof(msg),
						     i == 3 ? MACH_RCV_LARGE : 0);

		code("from the set", mr);
		if (mr == MACH_RCV_TOO_LARGE) {
			mach_printf("size %u\n", msg.head.msgh_size);
			code("cut", receive_sized(set, &msg, HEADER, 0));
		}
		if (msg.head.msgh_bits != 0xffffffff)
			mach_printf("id %d, bits 0x%x, seqno %u, of %s\n", msg.head.msgh_id,
				    msg.head.msgh_bits, msg.head.msgh_seqno,
				    msg.head.msgh_local_port == one ? "one" :
				    msg.head.msgh_local_port == two ? "two" : "another");
	}
}

/* ---- A receiver that waits, and what happens to its port before it runs again. */

static struct second one;

enum fate { STAYS, DIES, LEAVES, COMES_TO_ELSEWHERE, REPLY_DIES, BOTH_DIE };

/* Suspended while it waits: it has the message, and its names come later. */
static void between(long fate, long reply_type, long set)
{
	mach_port_name_t port = make_port(), from = port, carrier = make_port(), reply = make_port();
	mach_port_name_t task = make_task(FALSE), body = make_port(), received;
	struct message msg;

	if (set) {
		from = make_set();
		must("move", mach_port_move_member(self, port, from));
	}
	memset(&one.message, 0xff, sizeof(one.message));
	one.port = from;
	one.size = 0;
	one.option = 0;
	second_start(&one, second_receives);
	second_waits(&one);
	must("thread_suspend", thread_suspend(one.thread));
	msg = message_with(port, TYPE_PORT(MACH_MSG_TYPE_MAKE_SEND_ONCE), body);
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, (mach_msg_bits_t)reply_type);
	msg.head.msgh_local_port = reply;
	must("send", send_sized(&msg, HEADER + ITEM));
	tell_name("before", port);
	switch ((enum fate)fate) {
	case STAYS:
		break;
	case DIES:
	case BOTH_DIE:
		must("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
		if (fate == BOTH_DIE)
			must("mod_refs", mach_port_mod_refs(self, reply, MACH_PORT_RIGHT_RECEIVE, -1));
		break;
	case LEAVES:
		msg = message_with(carrier, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), port);
		must("send", send_sized(&msg, HEADER + ITEM));
		break;
	case COMES_TO_ELSEWHERE:
		must("insert", mach_port_insert_right(task, FREE_NAME, port,
						      MACH_MSG_TYPE_MOVE_RECEIVE));
		break;
	case REPLY_DIES:
		must("mod_refs", mach_port_mod_refs(self, reply, MACH_PORT_RIGHT_RECEIVE, -1));
		break;
	}
	tell_name("reply", reply);
	must("thread_resume", thread_resume(one.thread));
	second_tell(&one, "the receiver");
	received = one.message.head.msgh_remote_port;
	tell_header(&one.message, port);
	tell_name("the remote right", keep_name(received));
	tell_name("the carried right", keep_name(one.message.item[0].port.name));
	tell_name("the port", port);
	count("messages left", drain(fate == LEAVES ? carrier : port));
	second_end(&one);
}
EACH("mach_msg/receiver-runs-later", between, STAYS, 21, 0)
EACH("mach_msg/receiver-runs-later-port-dead", between, DIES, 21, 0)
EACH("mach_msg/receiver-runs-later-port-on-its-way", between, LEAVES, 21, 0)
EACH("mach_msg/receiver-runs-later-port-elsewhere", between, COMES_TO_ELSEWHERE, 21, 0)
EACH("mach_msg/receiver-runs-later-reply-dead", between, REPLY_DIES, 20, 0)
EACH("mach_msg/receiver-runs-later-both-dead", between, BOTH_DIE, 21, 0)
EACH("mach_msg/receiver-runs-later-set", between, STAYS, 20, 1)
EACH("mach_msg/receiver-runs-later-set-port-dead", between, DIES, 20, 1)

/* What ends a wait otherwise: codes, and that the buffer is untouched. */
enum ending { ABORTED, INTO_A_SET, SET_DIES, LEAVES_ITS_SET };

static void wait_ends(long ending, long set, long option)
{
	mach_port_name_t port = make_port(), from = port, other = make_set();

	if (set) {
		from = make_set();
		must("move", mach_port_move_member(self, port, from));
	}
	memset(&one.message, 0xff, sizeof(one.message));
	one.port = from;
	one.size = 0;
	one.option = (mach_msg_option_t)option;
	second_start(&one, second_receives);
	second_waits(&one);
	switch ((enum ending)ending) {
	case ABORTED:
		must("thread_abort", thread_abort(one.thread));
		break;
	case INTO_A_SET:
	case LEAVES_ITS_SET:
		must("move", mach_port_move_member(self, port,
						   ending == INTO_A_SET ? other : MACH_PORT_NULL));
		break;
	case SET_DIES:
		must("destroy", mach_port_destroy(self, from));
		break;
	}
	if (!set || ending == ABORTED || ending == SET_DIES) {
		second_tell(&one, "the receiver");
		fact("the buffer is as it was", one.message.head.msgh_bits == 0xffffffff);
	} else {
		seconds_settle();
		fact("the receiver waits", !one.done);
		one.message = message_to(port);
		must("send", send_sized(&one.message, HEADER));
		seconds_settle();
		fact("a message to the port ends it", one.done);
	}
	second_end(&one);
}
EACH("mach_msg/receive-interrupted", wait_ends, ABORTED, 0, 0)
EACH("mach_msg/receive-interrupted-set", wait_ends, ABORTED, 1, 0)
EACH("mach_msg/receive-interrupted-option-interrupt", wait_ends, ABORTED, 0, MACH_RCV_INTERRUPT)
EACH("mach_msg/receive-port-changed", wait_ends, INTO_A_SET, 0, 0)
EACH("mach_msg/receive-port-changed-large", wait_ends, INTO_A_SET, 0, MACH_RCV_LARGE)
EACH("mach_msg/receive-set-dies", wait_ends, SET_DIES, 1, 0)
EACH("mach_msg/receive-set-loses-its-member", wait_ends, LEAVES_ITS_SET, 1, 0)
EACH("mach_msg/receive-set-member-to-another-set", wait_ends, INTO_A_SET, 1, 0)
