/*
 * a4ends: in which order a message that ends unreceived lets go of what it
 * holds. Each right's end is told at a port of its own, all of which are in one
 * set: what is received from the set is what was told, in its order.
 */
#include "sweep.h"

#include <mach/notify.h>

#include "second.h"

enum { TOLD = 12 };

static mach_port_name_t set, notes[TOLD];

static void make_notes(void)
{
	int i;

	set = make_set();
	for (i = 0; i < TOLD; i++) {
		notes[i] = make_receive();
		must("member", mach_port_move_member(self, notes[i], set));
	}
}

static const char *const called[TOLD] = {
	"destination", "reply", "first", "second", "third", "fourth", "array 0", "array 1", "array 2",
	"second reply", "inner", "inner reply",
};

static void tell_order(void)
{
	struct message msg;
	int i;

	while (receive(set, &msg) == MACH_MSG_SUCCESS) {
		for (i = 0; i < TOLD && notes[i] != msg.head.msgh_local_port; i++)
			continue;
		mach_printf("%s: %d\n", i < TOLD ? called[i] : "another", msg.head.msgh_id);
		if (msg.head.msgh_bits & MACH_MSGH_BITS_COMPLEX)
			keep_name(msg.item[0].port.name);
	}
}

static void ask(mach_port_name_t name, mach_msg_id_t id, int note)
{
	mach_port_name_t before = MACH_PORT_NULL;

	must("request", mach_port_request_notification(self, name, id, 0, notes[note],
						       MACH_MSG_TYPE_MAKE_SEND_ONCE, &before));
}

/* Rights whose end is told at a note. */
static mach_port_name_t last_send(int note)
{
	mach_port_name_t port = make_port();

	ask(port, MACH_NOTIFY_NO_SENDERS, note);
	return port;
}

static mach_port_name_t receive_right(int note)
{
	mach_port_name_t port = make_receive();

	ask(port, MACH_NOTIFY_PORT_DESTROYED, note);
	return port;
}

enum { HEAVY_ITEMS = 4 };

static union {
	mach_msg_header_t head;
	struct message small;
	struct {
		mach_msg_header_t head;
		struct item item[HEAVY_ITEMS + 1];
	} heavy;
} msg;

static mach_port_name_t array[3];

/* A message of everything, its items turned so far. */
static mach_msg_size_t load(mach_port_name_t to, mach_msg_type_name_t type, int turn)
{
	struct item items[HEAVY_ITEMS];
	int i;

	msg.head = message_to(to).head;
	msg.head.msgh_bits = MACH_MSGH_BITS_COMPLEX |
			     MACH_MSGH_BITS(type, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = notes[1];
	items[0] = (struct item){ .type = TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE) };
	items[0].word = receive_right(2);
	items[1] = (struct item){ .type = TYPE_PORT(MACH_MSG_TYPE_MOVE_SEND) };
	items[1].word = last_send(3);
	items[2] = (struct item){ .type = TYPE_PORT(MACH_MSG_TYPE_MAKE_SEND_ONCE) };
	items[2].word = notes[4];
	items[3] = (struct item){ .type = TYPE(.msgt_name = MACH_MSG_TYPE_MOVE_SEND_ONCE,
					       .msgt_size = 32, .msgt_number = 3) };
	items[3].address = (vm_offset_t)array;
	for (i = 0; i < 3; i++)
		array[i] = send_once_to(notes[6 + i]);
	for (i = 0; i < HEAVY_ITEMS; i++)
		msg.heavy.item[i] = items[(i + turn) % HEAVY_ITEMS];
	return HEADER + HEAVY_ITEMS * ITEM;
}

enum end {
	QUEUE_DIES, QUEUE_DESTROYED, CUT, BODY_FAILS, BAD_NOTIFY, UNKNOWN_ID, REFUSED, CIRCULAR,
	SENDER_WAITS,
};

static struct second one;

static void heavy_sends(struct second *s)
{
	s->answer = mach_msg_trap(&msg.head, MACH_SEND_MSG, s->size, 0, MACH_PORT_NULL, 0,
				  MACH_PORT_NULL);
}

static void ends(long end, long turn, long unused)
{
	mach_port_name_t port, carrier;
	mach_msg_size_t size;

	(void)unused;
	make_notes();
	port = last_send(0);
	carrier = make_port();
	size = load(end == UNKNOWN_ID || end == REFUSED ? self : port,
		    end == UNKNOWN_ID || end == REFUSED ? MACH_MSG_TYPE_COPY_SEND :
		    MACH_MSG_TYPE_MOVE_SEND, (int)turn);
	switch ((enum end)end) {
	case QUEUE_DIES:
	case QUEUE_DESTROYED:
	case CUT:
	case BAD_NOTIFY:
		code("send", send_sized(&msg.small, size));
		mach_printf("sent\n");
		tell_order();
		if (end == QUEUE_DIES)
			must("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
		else if (end == QUEUE_DESTROYED)
			must("destroy", mach_port_destroy(self, port));
		else
			code("receive", mach_msg(&msg.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT |
						 (end == BAD_NOTIFY ? MACH_RCV_NOTIFY : 0), 0,
						 end == CUT ? HEADER : sizeof(msg), port, 0,
						 MACH_PORT_NULL));
		break;
	case BODY_FAILS:
		msg.heavy.item[HEAVY_ITEMS].type = TYPE_PORT(MACH_MSG_TYPE_COPY_SEND);
		msg.heavy.item[HEAVY_ITEMS].word = NO_NAME;
		code("send", send_sized(&msg.small, size + ITEM));
		break;
	case UNKNOWN_ID:
		msg.head.msgh_id = 9999;
		code("send", send_sized(&msg.small, size));
		break;
	case REFUSED:
		msg.head.msgh_id = 2027;
		code("send", send_sized(&msg.small, size));
		break;
	case CIRCULAR:
		msg.small = message_with(carrier, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), port);
		must("send", send_sized(&msg.small, HEADER + ITEM));
		size = load(port, MACH_MSG_TYPE_MOVE_SEND, (int)turn);
		msg.heavy.item[HEAVY_ITEMS].type = TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE);
		msg.heavy.item[HEAVY_ITEMS].word = carrier;
		code("send", send_sized(&msg.small, size + ITEM));
		break;
	case SENDER_WAITS:
		must("limit", mach_port_set_qlimit(self, port, 0));
		one.size = size;
		second_start(&one, heavy_sends);
		second_waits(&one);
		must("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
		second_tell(&one, "send");
		second_end(&one);
		break;
	}
	tell_order();
}
#define ENDS(name, end)								\
	EACH("mach_msg/ends-" name, ends, end, 0, 0)				\
	EACH("mach_msg/ends-" name "-turned", ends, end, 1, 0)			\
	EACH("mach_msg/ends-" name "-turned-twice", ends, end, 2, 0)
ENDS("queue-dies", QUEUE_DIES)
ENDS("queue-destroyed", QUEUE_DESTROYED)
ENDS("cut", CUT)
ENDS("body-fails", BODY_FAILS)
ENDS("bad-notify", BAD_NOTIFY)
ENDS("unknown-id", UNKNOWN_ID)
ENDS("refused", REFUSED)
ENDS("circular", CIRCULAR)
ENDS("sender-waits", SENDER_WAITS)

/* Two messages in a queue, the first with a port in whose queue there is a third. */
static void nested(long order, long unused, long more_unused)
{
	mach_port_name_t outer, inner;
	struct message small;

	(void)unused;
	(void)more_unused;
	make_notes();
	outer = make_port();
	inner = make_port();
	small = message_with(inner, TYPE_PORT(MACH_MSG_TYPE_MAKE_SEND_ONCE), notes[10]);
	small.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	small.head.msgh_local_port = notes[11];
	must("send", send_sized(&small, HEADER + ITEM));
	small = message_with(outer, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), inner);
	small.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	small.head.msgh_local_port = notes[1];
	small.item[1].type = TYPE_PORT(MACH_MSG_TYPE_MAKE_SEND_ONCE);
	small.item[1].word = notes[2];
	if (order == 0)
		must("send", send_sized(&small, HEADER + 2 * ITEM));
	msg.small = message_with(outer, TYPE_PORT(MACH_MSG_TYPE_MAKE_SEND_ONCE), notes[3]);
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = notes[9];
	must("send", send_sized(&msg.small, HEADER + ITEM));
	if (order == 1)
		must("send", send_sized(&small, HEADER + 2 * ITEM));
	ask(inner, MACH_NOTIFY_DEAD_NAME, 4);
	ask(outer, MACH_NOTIFY_DEAD_NAME, 0);
	must("mod_refs", mach_port_mod_refs(self, outer, MACH_PORT_RIGHT_RECEIVE, -1));
	tell_order();
}
EACH("mach_msg/ends-nested-first", nested, 0, 0, 0)
EACH("mach_msg/ends-nested-second", nested, 1, 0, 0)

/* A body that fails in the middle of an array. */
CASE("mach_msg/ends-array-that-fails")
{
	mach_port_name_t port;
	mach_msg_size_t size;

	make_notes();
	port = last_send(0);
	size = load(port, MACH_MSG_TYPE_MOVE_SEND, 0);
	array[2] = NO_NAME;
	code("send", send_sized(&msg.small, size));
	tell_order();
}
