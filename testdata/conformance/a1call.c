/*
 * a1call: sending and receiving with no other option, for which a kernel may
 * have a shorter way: nothing may tell the one from the other.
 */
#include "sweep.h"

#include "second.h"

static mach_msg_return_t call(struct message *msg, mach_msg_size_t send_size,
			      mach_msg_size_t receive_size, mach_port_name_t from)
{
	return mach_msg_trap(&msg->head, MACH_SEND_MSG | MACH_RCV_MSG, send_size, receive_size,
			     from, 0, MACH_PORT_NULL);
}

static void put_header(const struct message *msg)
{
	put(" ");
	put_number(msg->head.msgh_bits, 16);
	put(",");
	put_number(msg->head.msgh_size, 10);
	put(",");
	put_number((unsigned int)msg->head.msgh_id, 10);
	put(",");
	put_number(msg->head.msgh_seqno, 10);
}

/* ---- Sizes, to oneself: the message comes back, or is not sent. */

static void sizes(long bits, long kernel, long unused)
{
	static const mach_msg_size_t send_sizes[] = { 0, 24, 28, 31, 32, 33, 36, 40, 44, 48 };
	static const mach_msg_size_t receive_sizes[] = { 0, 31, 32, 36, 40, 48, 80 };
	size_t i, j;

	(void)unused;
	for (i = 0; i < sizeof(send_sizes) / sizeof(send_sizes[0]); i++) {
		put_number(send_sizes[i], 10);
		put(":");
		for (j = 0; j < sizeof(receive_sizes) / sizeof(receive_sizes[0]); j++) {
			mach_port_name_t port = swept_allocate(MACH_PORT_RIGHT_RECEIVE);
			struct message msg = message_to(kernel ? self : port);

			swept_insert(self, port, port, MACH_MSG_TYPE_MAKE_SEND);
			msg.head.msgh_bits = (mach_msg_bits_t)bits;
			msg.head.msgh_local_port = bits >> 8 & 0xff ? port : MACH_PORT_NULL;
			msg.item[0].type = TYPE_INTEGER;
			put("; ");
			put_code(call(&msg, send_sizes[i], receive_sizes[j], port));
			put_header(&msg);
			put(" ");
			put_name(port);
			if (!kernel && MACH_PORT_VALID(msg.head.msgh_remote_port) &&
			    msg.head.msgh_remote_port != port)
				mach_port_destroy(self, msg.head.msgh_remote_port);
			mach_port_destroy(self, port);
		}
		end_line();
	}
}
EACH("mach_msg/call-sizes-to-oneself", sizes, MACH_MSGH_BITS(19, 0), 0, 0)
EACH("mach_msg/call-sizes-to-oneself-with-reply", sizes, MACH_MSGH_BITS(19, 21), 0, 0)
EACH("mach_msg/call-sizes-to-the-kernel", sizes, MACH_MSGH_BITS(19, 21), 1, 0)
EACH("mach_msg/call-sizes-to-the-kernel-by-made", sizes, MACH_MSGH_BITS(19, 20), 1, 0)

/* How large a message may be that is a multiple of 4 only. */
CASE("mach_msg/call-sizes-multiples-of-4")
{
	static union {
		struct message msg;
		unsigned char bytes[16384];
	} big;
	mach_port_name_t port = make_port();
	mach_msg_size_t size, first = 0, taken = 0;

	for (size = 36; size < sizeof(big); size += 8) {
		big.msg.head = message_to(port).head;
		if (call(&big.msg, size, sizeof(big), port) == MACH_MSG_SUCCESS)
			taken++;
		else if (first == 0)
			first = size;
	}
	mach_printf("taken %u, the first refused %u\n", taken, first);
}

/* Bodies that end with half a word. */
static void half_word(long type, long in_place, long number)
{
	static const mach_msg_size_t sizes[] = { 36, 40, 44, 48, 52, 56, 60, 64 };
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		mach_port_name_t port = make_port();
		struct message msg = message_with(port,
			TYPE(.msgt_name = (unsigned int)type, .msgt_size = type == 19 ? 64 : 32,
			     .msgt_number = (unsigned int)number, .msgt_inline = in_place & 1), 0);

		if (!in_place)
			msg.item[0].address = (vm_offset_t)sizes;
		msg.item[1].type = TYPE_INTEGER;
		msg.item[1].word = 0x1122334455667788;
		put_number(sizes[i], 10);
		put(": ");
		put_code(call(&msg, sizes[i], sizeof(msg), port));
		put_header(&msg);
		put(" ");
		put_number(msg.item[0].type.msgt_name, 10);
		if (sizes[i] > HEADER + ITEM) {
			put(" ");
			put_number(msg.item[1].word, 16);
		}
		end_line();
		if (!in_place)
			keep_memory(msg.item[0].address == (vm_offset_t)sizes ? 0 :
				    msg.item[0].address, 4);
	}
}
EACH("mach_msg/call-half-a-word-integer", half_word, 2, 1, 1)
EACH("mach_msg/call-half-a-word-integers", half_word, 2, 1, 2)
EACH("mach_msg/call-half-a-word-three-integers", half_word, 2, 1, 3)
EACH("mach_msg/call-half-a-word-right", half_word, 19, 1, 1)
EACH("mach_msg/call-half-a-word-memory", half_word, 2, 0, 1)

/* ---- The reply name is the one received from: each kind of it, each disposition. */

static void reply_kind(long kind, long references, long unused)
{
	static const mach_msg_bits_t types[] = { 0, 16, 17, 18, 19, 20, 21 };
	size_t i;

	(void)unused;
	elsewhere = make_task(FALSE);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		/* MAKE_SEND_ONCE of what is no receive right: see call-reply-of. */
		struct swept s = swept_make((enum name_kind)kind, (mach_port_urefs_t)references);
		struct message msg = message_to(self);

		if (types[i] == 21 && kind != KIND_receive && kind != KIND_send_receive &&
		    kind != KIND_null && kind != KIND_dead_port && kind != KIND_no_name) {
			swept_end(s);
			continue;
		}
		msg.head.msgh_bits |= MACH_MSGH_BITS(0, types[i]);
		msg.head.msgh_local_port = s.name;
		msg.head.msgh_id = 9999;
		put_number(types[i], 10);
		put(": ");
		/* A reply that does not come back here would be waited for. */
		if ((kind == KIND_receive || kind == KIND_send_receive) && types[i] < 17)
			must("signal", mach_event_signal(s.name));
		put_code(call(&msg, HEADER, sizeof(msg), s.name));
		put_header(&msg);
		put(" ");
		put_swept(&s);
		end_line();
		swept_end(s);
	}
}
#define REPLY_KIND(name, kind) EACH("mach_msg/call-reply-" name, reply_kind, kind, 1, 0)
REPLY_KIND("null", KIND_null)
REPLY_KIND("dead-port", KIND_dead_port)
REPLY_KIND("no-name", KIND_no_name)
REPLY_KIND("send", KIND_send)
REPLY_KIND("send-once", KIND_send_once)
REPLY_KIND("dead-name", KIND_dead_name)
REPLY_KIND("died", KIND_died)
REPLY_KIND("port-set", KIND_port_set)

static void reply_of(long kind, long to_kernel, long unused)
{
	mach_port_name_t port = make_port();
	mach_port_name_t name = make_kind((enum name_kind)kind);
	struct message msg = message_to(to_kernel ? self : port);

	(void)unused;
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = name;
	msg.head.msgh_id = 9999;
	code("mach_msg", call(&msg, HEADER, sizeof(msg), name));
	tell_name("the name", name);
	count("messages", drain(port));
}
EACH("mach_msg/call-reply-of-send", reply_of, KIND_send, 1, 0)
EACH("mach_msg/call-reply-of-send-once", reply_of, KIND_send_once, 1, 0)
EACH("mach_msg/call-reply-of-dead-name", reply_of, KIND_dead_name, 1, 0)
EACH("mach_msg/call-reply-of-died", reply_of, KIND_died, 1, 0)
EACH("mach_msg/call-reply-of-port-set", reply_of, KIND_port_set, 1, 0)
/* These the recorded kernel looks at before it comes to its assertions. */
EACH("mach_msg/call-reply-of-send-to-a-port", reply_of, KIND_send, 0, 0)
EACH("mach_msg/call-reply-of-send-once-to-a-port", reply_of, KIND_send_once, 0, 0)
EACH("mach_msg/call-reply-of-dead-name-to-a-port", reply_of, KIND_dead_name, 0, 0)
EACH("mach_msg/call-reply-of-died-to-a-port", reply_of, KIND_died, 0, 0)
EACH("mach_msg/call-reply-of-port-set-to-a-port", reply_of, KIND_port_set, 0, 0)

/* ---- Where the reply is received: in its set, behind another message, elsewhere. */

enum where { IN_ITS_SET, MEMBER, BEHIND_ANOTHER, FROM_ANOTHER, RIGHT_SENT_AWAY };

static void where(long where, long type, long unused)
{
	mach_port_name_t reply = make_port(), set = make_set(), from = reply, carrier = make_port();
	struct message msg = message_to(self), other;
	mach_msg_size_t size = HEADER;

	(void)unused;
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, (mach_msg_bits_t)type);
	msg.head.msgh_local_port = reply;
	msg.head.msgh_id = 9999;
	other = message_to(reply);
	other.head.msgh_id = 55;
	switch ((enum where)where) {
	case IN_ITS_SET:
		must("member", mach_port_move_member(self, reply, set));
		from = set;
		break;
	case MEMBER:
		must("member", mach_port_move_member(self, reply, set));
		break;
	case BEHIND_ANOTHER:
		must("send", send_sized(&other, HEADER));
		break;
	case FROM_ANOTHER:
		other.head.msgh_remote_port = from = carrier;
		must("send", send_sized(&other, HEADER));
		break;
	case RIGHT_SENT_AWAY:	/* what it carries is what it is to be answered to */
		msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
		msg.item[0].type = TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE);
		msg.item[0].word = reply;
		size += ITEM;
		break;
	}
	code("mach_msg", call(&msg, size, sizeof(msg), from));
	tell_header(&msg, reply);
	tell_name("the reply port", reply);
	while (tell_received(where == IN_ITS_SET || where == MEMBER ? set : reply, &msg) ==
	       MACH_MSG_SUCCESS)
		continue;
}
#define WHERE(type_name, type)							\
	EACH("mach_msg/call-received-in-its-set-" type_name, where, IN_ITS_SET, type, 0)	\
	EACH("mach_msg/call-received-from-a-member-" type_name, where, MEMBER, type, 0)		\
	EACH("mach_msg/call-received-behind-another-" type_name, where, BEHIND_ANOTHER, type, 0) \
	EACH("mach_msg/call-received-from-another-" type_name, where, FROM_ANOTHER, type, 0)	\
	EACH("mach_msg/call-received-right-sent-away-" type_name, where, RIGHT_SENT_AWAY, type, 0)
WHERE("once", 21)
WHERE("made", 20)
WHERE("moved", 17)

/* ---- A server that waits: with each option, each size, and what it gets. */

static struct second server;

static void serve_once(struct second *s)
{
	struct message answer;

	s->answer = mach_msg_trap(&s->message.head, MACH_RCV_MSG | s->option, 0, s->size, s->port,
				  60000, s->park);
	/* An answer in any case: the caller waits for it. */
	answer = message_to(MACH_PORT_NULL);
	if (MACH_PORT_VALID(s->message.head.msgh_remote_port) &&
	    s->message.head.msgh_bits != 0xffffffff) {
		answer.head.msgh_bits = MACH_MSGH_BITS(
			MACH_MSGH_BITS_REMOTE(s->message.head.msgh_bits), 0);
		answer.head.msgh_remote_port = s->message.head.msgh_remote_port;
	}
	answer.head.msgh_id = 1100;
	mach_msg_trap(&answer.head, MACH_SEND_MSG, HEADER, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL);
}

static void served(long option, long size, long disposition)
{
	mach_port_name_t port = make_port(), reply = make_port();
	struct message msg = message_to(port);

	memset(&server.message, 0xff, sizeof(server.message));
	server.port = port;
	server.option = (mach_msg_option_t)option;
	server.size = (mach_msg_size_t)size;
	second_start(&server, serve_once);
	second_waits(&server);
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, (mach_msg_bits_t)disposition);
	msg.head.msgh_local_port = reply;
	msg.item[0].type = TYPE_INTEGER;
	if (size < HEADER + ITEM && (option & MACH_RCV_LARGE)) {
		/* It is told of the size, and the message waits on. */
		code("send", mach_msg_trap(&msg.head, MACH_SEND_MSG, HEADER + ITEM, 0,
					   MACH_PORT_NULL, 0, MACH_PORT_NULL));
	} else {
		code("mach_msg", call(&msg, HEADER + ITEM, sizeof(msg), reply));
		tell_header(&msg, reply);
	}
	second_tell(&server, "the server");
	tell_header(&server.message, port);
	tell_name("the reply port", reply);
	count("messages left", drain(port));
	second_end(&server);
}
#define SERVED(name, option)							\
	EACH("mach_msg/call-server-" name "-once", served, option, 80, 21)		\
	EACH("mach_msg/call-server-" name "-made", served, option, 80, 20)		\
	EACH("mach_msg/call-server-" name "-just-enough", served, option, 48, 21)	\
	EACH("mach_msg/call-server-" name "-too-small", served, option, 40, 21)
SERVED("plain", 0)
SERVED("timed", MACH_RCV_TIMEOUT)
SERVED("large", MACH_RCV_LARGE)
SERVED("asking", MACH_RCV_NOTIFY)
SERVED("large-and-asking", MACH_RCV_LARGE | MACH_RCV_NOTIFY)

/* ---- Answering and receiving in one: by a send-once right, from each kind of name. */

enum source { A_PORT, A_SET, A_MEMBER, NOTHING, NO_SUCH, A_SEND_RIGHT, A_DEAD_NAME, ITS_OWN, SOURCES };

static void answers(long type, long complex, long unused)
{
	static const char *const names[] = {
		"a port", "a set", "a member", "null", "no name", "a send right", "a dead name", "its own",
	};
	long i;

	(void)unused;
	elsewhere = make_task(FALSE);
	for (i = 0; i < SOURCES; i++) {
		mach_port_name_t to = make_port(), waiting = make_port(), set = make_set();
		mach_port_name_t from = waiting, once = type == 18 ? send_once_to(to) : to;
		struct message msg = message_to(waiting);

		msg.head.msgh_id = 77;
		must("send", send_sized(&msg, HEADER));
		if (i == A_SET || i == A_MEMBER)
			must("member", mach_port_move_member(self, waiting, set));
		switch ((enum source)i) {
		case A_PORT:
		case A_MEMBER:
		case SOURCES:
			break;
		case A_SET: from = set; break;
		case NOTHING: from = MACH_PORT_NULL; break;
		case NO_SUCH: from = NO_NAME; break;
		case A_SEND_RIGHT: from = make_send(); break;
		case A_DEAD_NAME: from = make_died(); break;
		case ITS_OWN: from = to; break;
		}
		msg = message_to(once);
		msg.head.msgh_bits = MACH_MSGH_BITS((mach_msg_bits_t)type, 0);
		if (complex) {
			msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
			msg.item[0].type = TYPE_PORT(MACH_MSG_TYPE_MAKE_SEND);
			msg.item[0].word = to;
		}
		put(names[i]);
		put(": ");
		put_code(call(&msg, complex ? HEADER + ITEM : HEADER, sizeof(msg), from));
		put_header(&msg);
		put(" ");
		put_name(once);
		put("/");
		put_name(to);
		put("/");
		put_name(waiting);
		end_line();
	}
}
EACH("mach_msg/call-answers-by-send-once", answers, 18, 0, 0)
EACH("mach_msg/call-answers-by-send-once-with-a-right", answers, 18, 1, 0)
EACH("mach_msg/call-answers-by-moved-send", answers, 17, 0, 0)
EACH("mach_msg/call-answers-by-copied-send", answers, 19, 0, 0)
EACH("mach_msg/call-answers-by-made-once", answers, 21, 0, 0)

/* A send-once right that is asked to be watched, answered by: who is told. */
static void watched(long cancel, long unused, long more_unused)
{
	mach_port_name_t to = make_receive(), from = make_port(), notify = make_receive();
	mach_port_name_t once = send_once_to(to), before = MACH_PORT_NULL;
	struct message msg = message_to(from);

	(void)unused;
	(void)more_unused;
	must("request", mach_port_request_notification(self, once, 72 /* dead name */, 0,
						       cancel ? from : notify,
						       MACH_MSG_TYPE_MAKE_SEND_ONCE, &before));
	must("send", send_sized(&msg, HEADER));
	msg = message_to(once);
	msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE, 0);
	code("mach_msg", call(&msg, HEADER, sizeof(msg), from));
	tell_header(&msg, from);
	tell_received(notify, &msg);
	tell_received(from, &msg);
	tell_received(to, &msg);
}
EACH("mach_msg/call-answers-by-a-watched-send-once", watched, 0, 0, 0)
EACH("mach_msg/call-answers-by-a-send-once-watched-from-there", watched, 1, 0, 0)
