/* a1msg: the mach_msg trap: its options and arguments, sending and receiving in one. */
#include "sweep.h"

#include "second.h"

/* ---- Options beside SEND_MSG: room in the queue, none, or the kernel to serve it. */

enum room { ROOM, FULL, KERNEL };

static void send_options(long room, long unused, long more_unused)
{
	static const mach_msg_option_t bits[] = {
		MACH_SEND_TIMEOUT, MACH_SEND_INTERRUPT, MACH_SEND_CANCEL, MACH_RCV_TIMEOUT,
		MACH_RCV_NOTIFY | MACH_RCV_LARGE, MACH_RCV_INTERRUPT, 0x10000, 0x80000000,
	};
	mach_port_name_t notify = make_receive();
	size_t combination, i;

	(void)unused;
	(void)more_unused;
	for (combination = 0; combination < 256; combination++) {
		mach_port_name_t port = swept_allocate(MACH_PORT_RIGHT_RECEIVE);
		mach_msg_option_t option = MACH_SEND_MSG | (room == FULL ? MACH_SEND_TIMEOUT : 0);
		struct message msg = message_to(room == KERNEL ? self : port);

		for (i = 0; i < 8; i++)
			if (combination >> i & 1)
				option |= bits[i];
		if (room == KERNEL) {
			msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
			msg.head.msgh_local_port = port;
		} else {
			msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
		}
		if (room == FULL)
			must("limit", mach_port_set_qlimit(self, port, 0));
		put_code(mach_msg_trap(&msg.head, option, HEADER, 0, port, 0, notify));
		put_name(port);
		put(combination % 32 == 31 ? "" : " ");
		if (combination % 32 == 31)
			end_line();
		mach_port_destroy(self, port);
	}
}
EACH("mach_msg/send-options-room", send_options, ROOM, 0, 0)
EACH("mach_msg/send-options-full-queue", send_options, FULL, 0, 0)
EACH("mach_msg/send-options-to-the-kernel", send_options, KERNEL, 0, 0)

/* Nothing asked for: nothing is looked at. */
CASE("mach_msg/options-neither")
{
	static const mach_msg_option_t options[] = {
		0, MACH_SEND_TIMEOUT, MACH_RCV_TIMEOUT, MACH_RCV_LARGE, MACH_SEND_CANCEL, 0x10000,
		0xfffffffc,
	};
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct message msg = message_to(NO_NAME);

		put_code(mach_msg_trap(&msg.head, options[i], 7, 7, NO_NAME, 1, NO_NAME));
		put_code(mach_msg_trap((mach_msg_header_t *)MAP_END, options[i], HEADER, HEADER,
				       MACH_PORT_DEAD, 1, MACH_PORT_DEAD));
	}
	end_line();
}

/* ---- Arguments are 32 bits: what stands above them is not looked at. */

typedef mach_msg_return_t (*wide_trap)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
				       uint64_t);

CASE("mach_msg/arguments-upper-halves")
{
	wide_trap trap = (wide_trap)(void *)mach_msg_trap;
	uint64_t above = 0x7700000000000000, port = make_port(), notify = make_receive();
	struct message msg = message_to((mach_port_name_t)port);

	code("send", trap((uint64_t)&msg, above | MACH_SEND_MSG, above | HEADER, above, above,
			  above, above));
	code("send in time", trap((uint64_t)&msg, above | MACH_SEND_MSG | MACH_SEND_TIMEOUT,
				  above | HEADER, above, above, above, above));
	code("send cancelling", trap((uint64_t)&msg, above | MACH_SEND_MSG | MACH_SEND_CANCEL,
				     above | HEADER, above, above, above, above | notify));
	code("receive", trap((uint64_t)&msg, above | MACH_RCV_MSG | MACH_RCV_TIMEOUT, above,
			     above | HEADER, above | port, above, above));
	code("receive asking", trap((uint64_t)&msg, above | MACH_RCV_MSG | MACH_RCV_NOTIFY, above,
				    above | HEADER, above | port, above, above | notify));
	code("receive too large", trap((uint64_t)&msg, above | MACH_RCV_MSG, above, above | 31,
				       above | port, above, above));
	code("nothing left", trap((uint64_t)&msg, above | MACH_RCV_MSG | MACH_RCV_TIMEOUT, above,
				  above | HEADER, above | port, above, above));
}

/* ---- Sending and receiving in one: each way to fail, and what the other half did. */

enum half {
	SEND_GOOD, SEND_SMALL, SEND_NOWHERE, SEND_BAD_HEADER, SEND_BAD_DEST, SEND_BAD_REPLY,
	SEND_BAD_NOTIFY, SEND_BAD_BODY, SEND_FULL, SENDS,
};
enum other_half {
	RCV_WAITING, RCV_TOO_LARGE, RCV_KEPT, RCV_BAD_NAME, RCV_NO_RIGHT, RCV_MEMBER, RCV_NOTHING,
	RCV_BAD_NOTIFY, RCV_SELF, RECEIVES,
};

static void both(long half, long other, long unused)
{
	mach_port_name_t to = swept_allocate(MACH_PORT_RIGHT_RECEIVE);
	mach_port_name_t from = swept_allocate(MACH_PORT_RIGHT_RECEIVE);
	mach_port_name_t reply = swept_allocate(MACH_PORT_RIGHT_RECEIVE);
	mach_port_name_t set = swept_allocate(MACH_PORT_RIGHT_PORT_SET);
	mach_msg_option_t option = MACH_SEND_MSG | MACH_SEND_TIMEOUT | MACH_RCV_MSG | MACH_RCV_TIMEOUT;
	mach_msg_size_t send_size = HEADER, receive_size = sizeof(struct message);
	mach_port_name_t name = from, notify = reply;
	struct message msg = message_to(from);
	mach_msg_header_t *at = &msg.head;

	(void)unused;
	if (other != RCV_NOTHING) {
		msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
		msg.head.msgh_id = 77;
		must("send", send_sized(&msg, HEADER + 8));
	}
	msg = message_to(to);
	msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = reply;
	switch ((enum half)half) {
	case SEND_GOOD:
	case SENDS:
		break;
	case SEND_SMALL:
		send_size = 24;
		break;
	case SEND_NOWHERE:
		at = (mach_msg_header_t *)MAP_END;
		break;
	case SEND_BAD_HEADER:
		msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_RECEIVE, 0);
		break;
	case SEND_BAD_DEST:
		msg.head.msgh_remote_port = NO_NAME;
		break;
	case SEND_BAD_REPLY:
		msg.head.msgh_local_port = NO_NAME;
		break;
	case SEND_BAD_NOTIFY:
		option |= MACH_SEND_CANCEL;
		notify = NO_NAME;
		break;
	case SEND_BAD_BODY:
		msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
		msg.item[0].type = TYPE_PORT(MACH_MSG_TYPE_COPY_SEND);
		msg.item[0].word = NO_NAME;
		send_size = HEADER + ITEM;
		break;
	case SEND_FULL:
		must("limit", mach_port_set_qlimit(self, to, 0));
		break;
	}
	switch ((enum other_half)other) {
	case RCV_WAITING:
	case RCV_NOTHING:
	case RECEIVES:
		break;
	case RCV_TOO_LARGE:
		receive_size = HEADER;
		break;
	case RCV_KEPT:
		receive_size = HEADER;
		option |= MACH_RCV_LARGE;
		break;
	case RCV_BAD_NAME:
		name = NO_NAME;
		break;
	case RCV_NO_RIGHT:
		name = set;
		must("destroy", mach_port_destroy(self, set));
		must("dead", mach_port_allocate_name(self, MACH_PORT_RIGHT_DEAD_NAME, set));
		break;
	case RCV_MEMBER:
		must("member", mach_port_move_member(self, from, set));
		break;
	case RCV_BAD_NOTIFY:
		option |= MACH_RCV_NOTIFY;
		notify = NO_NAME;
		break;
	case RCV_SELF:
		name = to;
		break;
	}
	put_code(mach_msg_trap(at, option, send_size, receive_size, name, 0, notify));
	put(" ");
	put_number(msg.head.msgh_bits, 16);
	put(",");
	put_number(msg.head.msgh_size, 10);
	put(",");
	put_number((unsigned int)msg.head.msgh_id, 10);
	put(" ");
	put_name(to);
	put("/");
	put_name(from);
	put("/");
	put_name(reply);
	if (MACH_PORT_VALID(msg.head.msgh_remote_port) && msg.head.msgh_remote_port != to &&
	    msg.head.msgh_remote_port != NO_NAME)
		mach_port_destroy(self, msg.head.msgh_remote_port);
	if (MACH_PORT_VALID(msg.head.msgh_local_port) && msg.head.msgh_local_port != NO_NAME)
		mach_port_destroy(self, msg.head.msgh_local_port);
	end_line();
	mach_port_destroy(self, to);
	mach_port_destroy(self, from);
	mach_port_destroy(self, reply);
	mach_port_destroy(self, set);
}

static void all_receives(long half, long unused, long more_unused)
{
	long other;

	(void)unused;
	(void)more_unused;
	for (other = 0; other < RECEIVES; other++)
		both(half, other, 0);
}
EACH("mach_msg/both-send-succeeds", all_receives, SEND_GOOD, 0, 0)
EACH("mach_msg/both-send-too-small", all_receives, SEND_SMALL, 0, 0)
EACH("mach_msg/both-send-from-nowhere", all_receives, SEND_NOWHERE, 0, 0)
EACH("mach_msg/both-send-bad-header", all_receives, SEND_BAD_HEADER, 0, 0)
EACH("mach_msg/both-send-bad-destination", all_receives, SEND_BAD_DEST, 0, 0)
EACH("mach_msg/both-send-bad-reply", all_receives, SEND_BAD_REPLY, 0, 0)
EACH("mach_msg/both-send-bad-notify", all_receives, SEND_BAD_NOTIFY, 0, 0)
EACH("mach_msg/both-send-bad-body", all_receives, SEND_BAD_BODY, 0, 0)
EACH("mach_msg/both-send-full-queue", all_receives, SEND_FULL, 0, 0)

/* The port that is received from goes with the message that is sent. */
static void receive_from_what_was_sent(long place, long unused, long more_unused)
{
	mach_port_name_t to = make_port(), from = make_port();
	struct message msg = message_with(to, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), from);

	(void)unused;
	(void)more_unused;
	if (place == 1) {
		msg = message_to(to);
		msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MOVE_SEND);
		msg.head.msgh_local_port = from;
	}
	code("mach_msg", mach_msg_trap(&msg.head, MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_TIMEOUT,
				       place == 1 ? HEADER : HEADER + ITEM, sizeof(msg), from, 0,
				       MACH_PORT_NULL));
	tell_name("the name", from);
	count("messages", drain(to));
}
EACH("mach_msg/both-receive-right-sent-away", receive_from_what_was_sent, 0, 0, 0)
EACH("mach_msg/both-send-right-sent-away", receive_from_what_was_sent, 1, 0, 0)

/* ---- Times: none at all, and while somebody may come. */

CASE("mach_msg/timeouts-without-the-option")
{
	mach_port_name_t port = make_port();
	struct message msg = message_to(port);

	/* A time that nobody asked to have looked at. */
	code("send", mach_msg_trap(&msg.head, MACH_SEND_MSG, HEADER, 0, MACH_PORT_NULL, 1,
				   MACH_PORT_NULL));
	code("receive", mach_msg_trap(&msg.head, MACH_RCV_MSG, 0, HEADER, port, 1, MACH_PORT_NULL));
	must("limit", mach_port_set_qlimit(self, port, 0));
	msg = message_to(port);
	code("full, in a millisecond", mach_msg_trap(&msg.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT,
						     HEADER, 0, MACH_PORT_NULL, 1, MACH_PORT_NULL));
	code("full, receiving has no time",
	     mach_msg_trap(&msg.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT | MACH_RCV_MSG, HEADER,
			   HEADER, port, 0, MACH_PORT_NULL));
	must("limit", mach_port_set_qlimit(self, port, 5));
	must("mach_port_destroy", mach_port_destroy(self, port));
}

/* A sender in its time, and room that comes; one whose time goes by; both, in order. */
static struct second one, two;

static void timed_sender(struct second *s)
{
	s->answer = mach_msg_trap(&s->message.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, HEADER, 0,
				  MACH_PORT_NULL, s->size, MACH_PORT_NULL);
}

CASE("mach_msg/senders-one-without-time-enough")
{
	mach_port_name_t port = make_port();
	struct message msg;

	fill_queue(port);
	one.message = two.message = message_to(port);
	one.message.head.msgh_id = 201;
	two.message.head.msgh_id = 202;
	one.size = 1;
	two.size = 60000;
	second_start(&one, timed_sender);
	second_start(&two, timed_sender);
	second_tell(&one, "the first");
	second_waits(&two);
	tell_name("the port", port);
	tell_received(port, &msg);
	second_tell(&two, "the second");
	while (receive(port, &msg) == MACH_MSG_SUCCESS)
		mach_printf("id %d\n", msg.head.msgh_id);
	second_end(&one);
	second_end(&two);
}

/*
 * The two INTERRUPT options are the library's: without them its mach_msg goes on
 * after an abort, with them it tells of it. The kernel always tells.
 */
enum way { BY_TRAP, BY_LIBRARY };

static void library_receives(struct second *s)
{
	s->answer = mach_msg(&s->message.head, MACH_RCV_MSG | s->option, 0, sizeof(s->message),
			     s->port, 0, MACH_PORT_NULL);
}

static void library_sends(struct second *s)
{
	s->answer = mach_msg(&s->message.head, MACH_SEND_MSG | s->option, HEADER, 0,
			     MACH_PORT_NULL, 0, MACH_PORT_NULL);
}

static void interrupted(long sends, long way, long option)
{
	mach_port_name_t port = make_port();
	struct message msg;

	if (sends)
		fill_queue(port);
	memset(&one, 0, sizeof(one));
	one.message = message_to(port);
	one.message.head.msgh_id = 300;
	one.port = port;
	one.size = sends ? HEADER : 0;
	one.option = (mach_msg_option_t)option;
	second_start(&one, sends ? (way == BY_TRAP ? second_sends : library_sends) :
		     (way == BY_TRAP ? second_receives : library_receives));
	second_waits(&one);
	code("thread_abort", thread_abort(one.thread));
	if (way == BY_LIBRARY && option == 0) {
		second_waits(&one);
		fact("it waits again", !one.done);
		if (sends) {
			must("receive", receive(port, &msg));
		} else {
			msg = message_to(port);
			must("send", send_sized(&msg, HEADER));
		}
	}
	second_tell(&one, "mach_msg");
	if (!sends)
		mach_printf("id %d\n", one.message.head.msgh_id);
	count("messages left", drain(port));
	second_end(&one);
}
EACH("mach_msg/interrupt-options-receive-by-trap", interrupted, 0, BY_TRAP, 0)
EACH("mach_msg/interrupt-options-receive-by-trap-with", interrupted, 0, BY_TRAP, MACH_RCV_INTERRUPT)
EACH("mach_msg/interrupt-options-receive-by-library", interrupted, 0, BY_LIBRARY, 0)
EACH("mach_msg/interrupt-options-receive-by-library-with", interrupted, 0, BY_LIBRARY,
     MACH_RCV_INTERRUPT)
EACH("mach_msg/interrupt-options-send-by-trap", interrupted, 1, BY_TRAP, 0)
EACH("mach_msg/interrupt-options-send-by-library", interrupted, 1, BY_LIBRARY, 0)
EACH("mach_msg/interrupt-options-send-by-library-with", interrupted, 1, BY_LIBRARY,
     MACH_SEND_INTERRUPT)
