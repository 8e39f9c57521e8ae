/*
 * a4order: rights of one message that concern one another: each is taken after
 * the one before it, and given so, too; and which names that gives them.
 */
#include "sweep.h"

static const mach_msg_type_name_t types[] = { 16, 17, 18, 19, 20, 21 };

/* A port with a receive right, so many send references, and a send-once right. */
static struct {
	mach_port_name_t port, once, carrier;
} it;

static void make_it(mach_port_urefs_t sends)
{
	it.carrier = swept_allocate(MACH_PORT_RIGHT_RECEIVE);
	it.port = swept_allocate(MACH_PORT_RIGHT_RECEIVE);
	if (sends > 0)
		swept_insert(self, it.port, it.port, MACH_MSG_TYPE_MAKE_SEND);
	if (sends > 1)
		must("mod_refs", mach_port_mod_refs(self, it.port, MACH_PORT_RIGHT_SEND,
						    (mach_port_delta_t)sends - 1));
	it.once = swept_name();
	swept_insert(self, it.once, it.port, MACH_MSG_TYPE_MAKE_SEND_ONCE);
}

static mach_port_name_t by(mach_msg_type_name_t type)
{
	return type == MACH_MSG_TYPE_MOVE_SEND_ONCE ? it.once : it.port;
}

/* What a name is now: that of the port, of its send-once right, or a new one. */
static void put_given(mach_port_name_t name)
{
	put(name == MACH_PORT_NULL ? "n" : name == MACH_PORT_DEAD ? "x" : name == it.port ? "P" :
	    name == it.once ? "O" : name == it.carrier ? "C" : "+");
	if (MACH_PORT_VALID(name))
		put_name(name);
}

static void give_up(mach_port_name_t name)
{
	if (MACH_PORT_VALID(name) && name != it.port && name != it.once && name != it.carrier)
		mach_port_destroy(self, name);
}

static void end_it(void)
{
	mach_port_destroy(self, it.port);
	mach_port_destroy(self, it.once);
	mach_port_destroy(self, it.carrier);
}

/* ---- Two rights of one port in all pairs of dispositions. */

enum place { IN_HEADER_AND_BODY, IN_TWO_ITEMS, IN_ITEM_AND_ARRAY };

static void pair(enum place place, mach_msg_type_name_t first, mach_msg_type_name_t second)
{
	struct message msg = message_to(it.carrier);
	mach_port_name_t array[2] = { by(second), MACH_PORT_NULL }, got[2];
	mach_msg_size_t size = HEADER + ITEM;
	mach_msg_return_t mr;
	size_t n = 0;

	msg.head.msgh_bits = MACH_MSGH_BITS_COMPLEX | MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
	if (place == IN_HEADER_AND_BODY) {
		msg.head.msgh_bits |= MACH_MSGH_BITS(0, first);
		msg.head.msgh_local_port = by(first);
	} else {
		msg.item[n].type = TYPE_PORT(first);
		msg.item[n++].word = by(first);
		size += ITEM;
	}
	msg.item[n].type = TYPE_PORT(second);
	msg.item[n].word = by(second);
	if (place == IN_ITEM_AND_ARRAY) {
		msg.item[n].type = TYPE(.msgt_name = second, .msgt_size = 32, .msgt_number = 2);
		msg.item[n].address = (vm_offset_t)array;
	}
	mr = send_sized(&msg, size);
	put(" ");
	put_code(mr);
	put_name(it.port);
	put("/");
	put_name(it.once);
	if (mr != MACH_MSG_SUCCESS)
		return;
	must("receive", receive(it.carrier, &msg));
	got[0] = n == 0 ? msg.head.msgh_remote_port : (mach_port_name_t)msg.item[0].word;
	got[1] = place == IN_ITEM_AND_ARRAY ? *(mach_port_name_t *)msg.item[n].address :
		 (mach_port_name_t)msg.item[n].word;
	put(">");
	put_given(got[0]);
	put(",");
	put_given(got[1]);
	put(got[0] == got[1] ? "=" : "");
	give_up(got[0]);
	give_up(got[1]);
}

static void pairs(long place, long sends, long unused)
{
	size_t i, j;

	(void)unused;
	for (i = place == IN_HEADER_AND_BODY; i < 6; i++) {
		put_number(types[i], 10);
		put(":");
		for (j = 0; j < 6; j++) {
			make_it((mach_port_urefs_t)sends);
			pair((enum place)place, types[i], types[j]);
			end_it();
		}
		end_line();
	}
}
EACH("mach_msg/two-rights-reply-and-body-no-send", pairs, IN_HEADER_AND_BODY, 0, 0)
EACH("mach_msg/two-rights-reply-and-body-one-send", pairs, IN_HEADER_AND_BODY, 1, 0)
EACH("mach_msg/two-rights-reply-and-body-two-sends", pairs, IN_HEADER_AND_BODY, 2, 0)
EACH("mach_msg/two-rights-items-no-send", pairs, IN_TWO_ITEMS, 0, 0)
EACH("mach_msg/two-rights-items-one-send", pairs, IN_TWO_ITEMS, 1, 0)
EACH("mach_msg/two-rights-items-two-sends", pairs, IN_TWO_ITEMS, 2, 0)
EACH("mach_msg/two-rights-item-and-array-no-send", pairs, IN_ITEM_AND_ARRAY, 0, 0)
EACH("mach_msg/two-rights-item-and-array-two-sends", pairs, IN_ITEM_AND_ARRAY, 2, 0)

/* The destination's own rights in the body of a message to it. */
static void to_itself(long sends, long full, long unused)
{
	size_t i, j;

	(void)unused;
	for (i = 1; i < 6; i++) {
		put_number(types[i], 10);
		put(":");
		for (j = 0; j < 6; j++) {
			struct message msg;
			mach_msg_return_t mr;

			make_it((mach_port_urefs_t)sends);
			if (full)
				must("limit", mach_port_set_qlimit(self, it.port, 0));
			msg = message_with(by(types[i]), TYPE_PORT(types[j]), by(types[j]));
			msg.head.msgh_bits = MACH_MSGH_BITS_COMPLEX | MACH_MSGH_BITS(types[i], 0);
			mr = send_sized(&msg, HEADER + ITEM);
			put(" ");
			put_code(mr);
			if (mr == MACH_SEND_TIMED_OUT) {
				put_given(msg.head.msgh_remote_port);
				put(",");
				put_given((mach_port_name_t)msg.item[0].word);
				give_up((mach_port_name_t)msg.item[0].word);
				give_up(msg.head.msgh_remote_port);
			}
			put("/");
			put_name(it.port);
			put("/");
			put_name(it.once);
			if (mr == MACH_MSG_SUCCESS && receive(it.port, &msg) == MACH_MSG_SUCCESS) {
				put(">");
				if (msg.head.msgh_bits & MACH_MSGH_BITS_COMPLEX)
					put_given((mach_port_name_t)msg.item[0].word);
				else
					put_number((unsigned int)msg.head.msgh_id, 10);
				if (msg.head.msgh_bits & MACH_MSGH_BITS_COMPLEX)
					give_up((mach_port_name_t)msg.item[0].word);
			}
			end_it();
		}
		end_line();
	}
}
EACH("mach_msg/two-rights-to-itself-no-send", to_itself, 0, 0, 0)
EACH("mach_msg/two-rights-to-itself-one-send", to_itself, 1, 0, 0)
EACH("mach_msg/two-rights-to-itself-two-sends", to_itself, 2, 0, 0)
EACH("mach_msg/two-rights-to-itself-full-one-send", to_itself, 1, 1, 0)
EACH("mach_msg/two-rights-to-itself-full-two-sends", to_itself, 2, 1, 0)

/* ---- Send-once rights that come back, or arrive: under whose names. */

static void onces(long back, long dies, long array)
{
	enum { ONCES = 3 };
	mach_port_name_t port = make_port(), ports[ONCES], names[ONCES], got[ONCES];
	struct message msg = message_to(port);
	size_t i, j;

	if (back)
		must("limit", mach_port_set_qlimit(self, port, 0));
	for (i = 0; i < ONCES; i++) {
		ports[i] = make_receive();
		names[i] = send_once_to(ports[i]);
	}
	msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX |
			      MACH_MSGH_BITS(0, MACH_MSG_TYPE_MOVE_SEND_ONCE);
	msg.head.msgh_local_port = names[0];
	msg.item[0].type = msg.item[1].type = TYPE_PORT(MACH_MSG_TYPE_MOVE_SEND_ONCE);
	msg.item[0].word = names[1];
	msg.item[1].word = names[2];
	if (array) {
		msg.item[0].type = TYPE(.msgt_name = 18, .msgt_size = 32, .msgt_number = 2);
		msg.item[0].address = (vm_offset_t)&names[1];
	}
	code("send", send_sized(&msg, HEADER + (array ? 1 : 2) * ITEM));
	if (!back) {
		if (dies)
			must("mod_refs", mach_port_mod_refs(self, ports[dies - 1],
							    MACH_PORT_RIGHT_RECEIVE, -1));
		must("receive", receive(port, &msg));
	}
	got[0] = back ? msg.head.msgh_local_port : msg.head.msgh_remote_port;
	got[1] = array ? ((mach_port_name_t *)msg.item[0].address)[0] :
		 (mach_port_name_t)msg.item[0].word;
	got[2] = array ? ((mach_port_name_t *)msg.item[0].address)[1] :
		 (mach_port_name_t)msg.item[1].word;
	for (i = 0; i < ONCES; i++) {
		for (j = 0; j < ONCES && got[i] != names[j]; j++)
			continue;
		mach_printf("%zu under the name of %s: ", i, got[i] == MACH_PORT_DEAD ? "the dead" :
			    j == 0 ? "the first" : j == 1 ? "the second" : j == 2 ? "the third" :
			    "another");
		tell_name("it is", keep_name(got[i]));
	}
	/* The next name that the kernel chooses. */
	got[0] = make_receive();
	for (j = 0; j < ONCES && got[0] != names[j]; j++)
		continue;
	mach_printf("the next: %s\n", j == 0 ? "the first" : j == 1 ? "the second" :
		    j == 2 ? "the third" : "another");
}
EACH("mach_msg/names-of-onces-received", onces, 0, 0, 0)
EACH("mach_msg/names-of-onces-received-array", onces, 0, 0, 1)
EACH("mach_msg/names-of-onces-back", onces, 1, 0, 0)
EACH("mach_msg/names-of-onces-back-array", onces, 1, 0, 1)
EACH("mach_msg/names-of-onces-reply-died", onces, 0, 1, 0)
EACH("mach_msg/names-of-onces-second-died", onces, 0, 2, 0)
EACH("mach_msg/names-of-onces-third-died", onces, 0, 3, 0)
EACH("mach_msg/names-of-onces-second-died-array", onces, 0, 2, 1)
EACH("mach_msg/names-of-onces-third-died-array", onces, 0, 3, 1)

/* Names of rights that a body took before it failed. */
CASE("mach_msg/names-of-a-body-that-failed")
{
	mach_port_name_t port = make_port(), a = make_receive(), b = make_receive(), one, two, next;
	struct message msg = message_to(port);
	int i;

	one = send_once_to(a);
	two = send_once_to(b);
	msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
	for (i = 0; i < 3; i++)
		msg.item[i].type = TYPE_PORT(MACH_MSG_TYPE_MOVE_SEND_ONCE);
	msg.item[0].word = one;
	msg.item[1].word = two;
	msg.item[2].word = one;
	code("send", send_sized(&msg, HEADER + 3 * ITEM));
	for (i = 0; i < 2; i++) {
		next = make_receive();
		mach_printf("%s\n", next == two ? "the second's" : next == one ? "the first's" : "another");
	}
	tell_received(a, &msg);
	tell_received(b, &msg);
}

/* A receive right that goes away as the name of what comes with it is chosen. */
static void name_of_receive(long with_send, long more, long unused)
{
	mach_port_name_t carrier = make_port(), port = make_receive(), other = make_receive();
	struct message msg = message_with(carrier, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), port);
	mach_port_name_t got, next;

	(void)unused;
	if (with_send)
		must("send right", mach_port_insert_right(self, port, port,
							  MACH_MSG_TYPE_MAKE_SEND));
	msg.item[1].type = TYPE_PORT(MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.item[1].word = other;
	must("send", send_sized(&msg, HEADER + (more ? 2 : 1) * ITEM));
	must("receive", receive(carrier, &msg));
	got = keep_name((mach_port_name_t)msg.item[0].word);
	fact("under its own name", got == port);
	tell_name("it is", got);
	if (more)
		tell_name("and", keep_name((mach_port_name_t)msg.item[1].word));
	next = make_receive();
	fact("its name is the next", next == port);
}
EACH("mach_msg/names-of-a-receive-right", name_of_receive, 0, 0, 0)
EACH("mach_msg/names-of-a-receive-right-and-once", name_of_receive, 0, 1, 0)
EACH("mach_msg/names-of-a-receive-right-beside-send", name_of_receive, 1, 1, 0)
