/*
 * a7circle: receive rights on their way to each other. What would close a circle
 * is destroyed, and its sender is told of success.
 */
#include "sweep.h"

static mach_msg_return_t send_right(mach_port_name_t to, mach_port_name_t name, boolean_t array)
{
	mach_port_name_t names[2] = { MACH_PORT_NULL, name };
	struct message msg = message_with(to, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), name);

	if (array) {
		msg.item[0].type = TYPE(.msgt_name = MACH_MSG_TYPE_MOVE_RECEIVE, .msgt_size = 32,
					.msgt_number = 2);
		msg.item[0].address = (vm_offset_t)names;
	}
	return send_sized(&msg, HEADER + ITEM);
}

enum { MOST = 6 };

/* n ports, each to go into the queue of the next; order says who goes when. */
static void ring(long n, long order, long array)
{
	mach_port_name_t ports[MOST];
	long i, j, k;

	for (i = 0; i < n; i++)
		ports[i] = make_port();
	for (i = 0; i < n; i++) {
		j = order == 0 ? i : order == 1 ? n - 1 - i : (i * 2 + (i * 2 >= n)) % n;
		if (order == 2 && n % 2 == 0 && i * 2 >= n)
			j = (i * 2 + 1) % n;
		put_number((unsigned long)j, 10);
		put(" into ");
		put_number((unsigned long)((j + 1) % n), 10);
		put(": ");
		put_code(send_right(ports[(j + 1) % n], ports[j], array));
		for (k = 0; k < n; k++) {
			put(" ");
			put_name(ports[k]);
		}
		end_line();
	}
}
EACH("mach_msg/circular-of-one", ring, 1, 0, 0)
EACH("mach_msg/circular-of-one-array", ring, 1, 0, 1)
EACH("mach_msg/circular-of-two", ring, 2, 0, 0)
EACH("mach_msg/circular-of-two-array", ring, 2, 0, 1)
EACH("mach_msg/circular-of-three", ring, 3, 0, 0)
EACH("mach_msg/circular-of-three-backwards", ring, 3, 1, 0)
EACH("mach_msg/circular-of-three-array", ring, 3, 1, 1)
EACH("mach_msg/circular-of-four", ring, 4, 0, 0)
EACH("mach_msg/circular-of-four-in-pieces", ring, 4, 2, 0)
EACH("mach_msg/circular-of-six-in-pieces", ring, 6, 2, 0)

/* Nearly circles: a port whose right was received, or that only has a send right under way. */
CASE("mach_msg/circular-no-more-when-received")
{
	mach_port_name_t a = make_port(), b = make_port();
	struct message msg;

	code("a into b", send_right(b, a, FALSE));
	must("receive", receive(b, &msg));
	fact("a is back", msg.item[0].port.name == a);
	code("b into a", send_right(a, b, FALSE));
	tell_name("b", b);
	must("receive", receive(a, &msg));
	fact("b is back", msg.item[0].port.name == b);
	tell_name("b", b);
}

CASE("mach_msg/circular-by-send-rights-only")
{
	mach_port_name_t a = make_port(), b = make_port();
	struct message msg = message_with(a, TYPE_PORT(MACH_MSG_TYPE_COPY_SEND), b);

	code("b's send right into a", send_sized(&msg, HEADER + ITEM));
	msg = message_with(a, TYPE_PORT(MACH_MSG_TYPE_COPY_SEND), a);
	code("a's send right into a", send_sized(&msg, HEADER + ITEM));
	code("a into b", send_right(b, a, FALSE));
	must("receive", receive(b, &msg));
	fact("a is back", msg.item[0].port.name == a);
	count("messages in it", drain(a));
}

CASE("mach_msg/circular-tree-is-none")
{
	mach_port_name_t root = make_port(), ports[4];
	struct message msg;
	int i;

	for (i = 0; i < 4; i++)
		ports[i] = make_port();
	code("0 into 1", send_right(ports[1], ports[0], FALSE));
	code("2 into 1", send_right(ports[1], ports[2], FALSE));
	code("3 into the root", send_right(root, ports[3], FALSE));
	code("1 into the root", send_right(root, ports[1], FALSE));
	must("receive", receive(root, &msg));
	fact("3 is back", keep_name(msg.item[0].port.name) == ports[3]);
	must("receive", receive(root, &msg));
	fact("1 is back", keep_name(msg.item[0].port.name) == ports[1]);
	code("the root into 1", send_right(ports[1], root, FALSE));
	tell_name("1", ports[1]);
}

/* What else the destroyed message held, and what its destruction says. */
static void laden(long first, long unused, long more_unused)
{
	mach_port_name_t a = make_port(), b = make_port(), reply = make_receive();
	mach_port_name_t send = make_port(), once = make_receive();
	vm_offset_t data = island(2);
	struct message msg = message_to(b);
	size_t n = 0;

	(void)unused;
	(void)more_unused;
	must("b into a", send_right(a, b, FALSE));
	msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX |
			      MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = reply;
	if (first) {
		msg.item[n].type = TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE);
		msg.item[n++].word = a;
	}
	msg.item[n].type = TYPE_PORT(first ? MACH_MSG_TYPE_MOVE_SEND : MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.item[n++].word = first ? send : once;
	msg.item[n].type = TYPE_BYTES(100);
	msg.item[n].type.msgt_deallocate = TRUE;
	msg.item[n++].address = data;
	if (!first) {
		msg.item[n].type = TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE);
		msg.item[n++].word = a;
	}
	code("a into b", send_sized(&msg, HEADER + (mach_msg_size_t)n * ITEM));
	tell_name("a", a);
	tell_name("b", b);
	tell_name("the send right", send);
	tell_memory("the memory", data, 2);
	mach_printf("at the reply port: ");
	tell_received(reply, &msg);
	mach_printf("at the other port: ");
	tell_received(once, &msg);
}
EACH("mach_msg/circular-laden-right-first", laden, 1, 0, 0)
EACH("mach_msg/circular-laden-right-last", laden, 0, 0, 0)

/* Two rights in one message, one of which closes a circle. */
static void two_rights(long circular_first, long unused, long more_unused)
{
	mach_port_name_t a = make_port(), b = make_port(), c = make_port();
	struct message msg = message_with(b, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE),
					  circular_first ? a : c);

	(void)unused;
	(void)more_unused;
	must("b into a", send_right(a, b, FALSE));
	msg.item[1].type = TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE);
	msg.item[1].word = circular_first ? c : a;
	code("both into b", send_sized(&msg, HEADER + 2 * ITEM));
	tell_name("a", a);
	tell_name("b", b);
	tell_name("c", c);
}
EACH("mach_msg/circular-two-rights-first", two_rights, 1, 0, 0)
EACH("mach_msg/circular-two-rights-second", two_rights, 0, 0, 0)

/* Messages in the queues of a circle's ports die with them. */
CASE("mach_msg/circular-queues-die")
{
	mach_port_name_t a = make_port(), b = make_port(), reply = make_receive(), notify = make_receive();
	mach_port_name_t before = MACH_PORT_NULL;
	struct message msg;
	int i;

	for (i = 0; i < 2; i++) {
		msg = message_to(i ? a : b);
		msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
		msg.head.msgh_local_port = reply;
		must("send", send_sized(&msg, HEADER));
	}
	must("request", mach_port_request_notification(self, a, 72 /* dead name */, 0, notify,
						       MACH_MSG_TYPE_MAKE_SEND_ONCE, &before));
	must("b into a", send_right(a, b, FALSE));
	code("a into b", send_right(b, a, FALSE));
	tell_name("a", a);
	tell_name("b", b);
	count("at the reply port", drain(reply));
	tell_received(notify, &msg);
}

/* To a port that has the body's right in a set, or in a set itself. */
static void in_a_set(long which, long unused, long more_unused)
{
	mach_port_name_t a = make_port(), b = make_port(), set = make_set();
	mach_port_name_array_t members = NULL;
	mach_msg_type_number_t n = 0;
	struct message msg;

	(void)unused;
	(void)more_unused;
	must("member", mach_port_move_member(self, which ? a : b, set));
	if (which == 2)
		must("member", mach_port_move_member(self, b, set));
	code("a into b", send_right(b, a, FALSE));
	must("members", mach_port_get_set_status(self, set, &members, &n));
	mach_printf("members %u\n", n);
	vm_deallocate(self, (vm_offset_t)members, n * sizeof(*members));
	code("b into a", send_right(a, b, FALSE));
	tell_name("a", a);
	tell_name("b", b);
	code("from the set", receive(set, &msg));
}
EACH("mach_msg/circular-destination-in-a-set", in_a_set, 0, 0, 0)
EACH("mach_msg/circular-right-in-a-set", in_a_set, 1, 0, 0)
EACH("mach_msg/circular-both-in-a-set", in_a_set, 2, 0, 0)

/* A receive right to the kernel: no queue, no circle; it dies there. */
CASE("mach_msg/circular-never-in-the-kernel")
{
	mach_port_name_t a = make_port(), b = make_port();
	struct message msg = message_with(self, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), b);

	must("a into b", send_right(b, a, FALSE));
	msg.head.msgh_id = 9999;
	code("b to the kernel", send_sized(&msg, HEADER + ITEM));
	tell_name("a", a);
	tell_name("b", b);
}
