/* a4rights: what each disposition takes, gives and counts, wherever it stands. */
#include "sweep.h"

#include <mach/notify.h>

static const mach_msg_type_name_t types[] = { 16, 17, 18, 19, 20, 21 };
static const char *const type_names[] = {
	"move-receive", "move-send", "move-send-once", "copy-send", "make-send", "make-send-once",
};

/* ---- In an array out of line: each kind, between two rights that are right. */

static void in_array(long type, long deallocate, long unused)
{
	size_t i, j;

	(void)unused;
	elsewhere = make_task(FALSE);
	for (i = 0; i < SWEPT_KINDS; i++) {
		mach_port_name_t port = swept_allocate(MACH_PORT_RIGHT_RECEIVE);
		struct swept first = swept_make(type <= 16 || type >= 20 ? KIND_receive :
						type == 18 ? KIND_send_once : KIND_send, 2);
		struct swept right = swept_make(swept_kinds[i].kind, swept_kinds[i].references);
		struct swept last = swept_make(type <= 16 || type >= 20 ? KIND_receive :
					       type == 18 ? KIND_send_once : KIND_send, 1);
		mach_port_name_t *names = (mach_port_name_t *)island(1), *got;
		struct message msg = message_with(port,
			TYPE(.msgt_name = (unsigned int)type & 0xff, .msgt_size = 32,
			     .msgt_number = 3, .msgt_deallocate = (unsigned int)deallocate & 1),
			(vm_offset_t)names);
		mach_msg_return_t mr;

		names[0] = first.name;
		names[1] = right.name;
		names[2] = last.name;
		msg.head.msgh_bits = MACH_MSGH_BITS_COMPLEX |
				     MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
		mr = send_sized(&msg, HEADER + ITEM);
		put(swept_kinds[i].name);
		put(": ");
		put_code(mr);
		put_swept(&first);
		put("/");
		put_swept(&right);
		put("/");
		put_swept(&last);
		if (mr == MACH_MSG_SUCCESS) {
			must("receive", receive(port, &msg));
			got = (mach_port_name_t *)msg.item[0].address;
			put(" > ");
			put_number(msg.item[0].type.msgt_name, 10);
			for (j = 0; j < 3; j++) {
				put("/");
				put(got[j] == MACH_PORT_NULL ? "n" : got[j] == MACH_PORT_DEAD ? "x" :
				    got[j] == (j == 0 ? first : j == 1 ? right : last).name ? "=" : "+");
				put_name(got[j]);
			}
			for (j = 0; j < 3; j++)
				if (MACH_PORT_VALID(got[j]))
					mach_port_destroy(self, got[j]);
			vm_deallocate(self, (vm_offset_t)got, 12);
		}
		end_line();
		swept_end(first);
		swept_end(right);
		swept_end(last);
		mach_port_destroy(self, port);
	}
}
EACH("mach_msg/array-of-moved-receives", in_array, 16, 0, 0)
EACH("mach_msg/array-of-moved-sends", in_array, 17, 0, 0)
EACH("mach_msg/array-of-moved-sends-deallocate", in_array, 17, 1, 0)
EACH("mach_msg/array-of-moved-send-onces", in_array, 18, 0, 0)
EACH("mach_msg/array-of-copied-sends", in_array, 19, 0, 0)
EACH("mach_msg/array-of-made-sends", in_array, 20, 0, 0)
EACH("mach_msg/array-of-made-send-onces", in_array, 21, 0, 0)

/* ---- What the port counts: before, under way, received, given up. */

static void put_counts(mach_port_name_t port)
{
	struct mach_port_status s;

	if (mach_port_get_receive_status(self, port, &s) != KERN_SUCCESS) {
		put(" gone");
		return;
	}
	put(" ");
	put_number(s.mps_mscount, 10);
	put(s.mps_srights ? "s" : "-");
	put_number(s.mps_sorights, 10);
	if (s.mps_seqno != 0 || s.mps_msgcount != 0) {
		put("q");
		put_number(s.mps_msgcount, 10);
		put("#");
		put_number(s.mps_seqno, 10);
	}
}

enum place { AS_DESTINATION, AS_REPLY, IN_BODY, IN_ARRAY };
enum outcome { RECEIVED, CUT, QUEUE_DIES, BODY_FAILS };

static void counts(long place, long outcome, long unused)
{
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		mach_port_name_t carrier = swept_allocate(MACH_PORT_RIGHT_RECEIVE);
		mach_port_name_t port = swept_allocate(MACH_PORT_RIGHT_RECEIVE), name = port;
		mach_port_name_t array, got = MACH_PORT_NULL;
		struct message msg = message_to(carrier);
		mach_msg_size_t size = HEADER;
		mach_msg_return_t mr;

		if (types[i] == 17 || types[i] == 19)
			swept_insert(self, port, port, MACH_MSG_TYPE_MAKE_SEND);
		if (types[i] == 18) {
			name = swept_name();
			swept_insert(self, name, port, MACH_MSG_TYPE_MAKE_SEND_ONCE);
		}
		array = name;
		put(type_names[i]);
		put(":");
		put_counts(port);
		msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
		switch ((enum place)place) {
		case AS_DESTINATION:
			msg.head.msgh_bits = MACH_MSGH_BITS(types[i], 0);
			msg.head.msgh_remote_port = name;
			break;
		case AS_REPLY:
			msg.head.msgh_bits |= MACH_MSGH_BITS(0, types[i]);
			msg.head.msgh_local_port = name;
			break;
		case IN_BODY:
		case IN_ARRAY:
			msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
			msg.item[0].type = TYPE_PORT(types[i]);
			msg.item[0].word = name;
			size += ITEM;
			if (place == IN_ARRAY) {
				msg.item[0].type = TYPE(.msgt_name = types[i], .msgt_size = 32,
							.msgt_number = 1);
				msg.item[0].address = (vm_offset_t)&array;
			}
			break;
		}
		if (outcome == BODY_FAILS) {
			size_t n = size == HEADER ? 0 : 1;

			msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
			msg.item[n].type = TYPE_PORT(MACH_MSG_TYPE_COPY_SEND);
			msg.item[n].word = NO_NAME;
			size += ITEM;
		}
		mr = send_sized(&msg, outcome == CUT ? size + 8 * (size == HEADER) : size);
		put(" ");
		put_code(mr);
		put_counts(port);
		if (mr == MACH_MSG_SUCCESS && outcome != BODY_FAILS) {
			mach_port_name_t from = place == AS_DESTINATION ? port : carrier;

			if (outcome == QUEUE_DIES) {
				must("mod_refs", mach_port_mod_refs(self, from,
								    MACH_PORT_RIGHT_RECEIVE, -1));
			} else {
				mr = receive_sized(from, &msg, outcome == CUT ? HEADER : sizeof(msg), 0);
				put(mr == MACH_MSG_SUCCESS ? " received" : " cut");
				if (mr == MACH_MSG_SUCCESS && place == IN_BODY)
					got = msg.item[0].port.name;
				if (mr == MACH_MSG_SUCCESS && place == IN_ARRAY)
					got = *(mach_port_name_t *)msg.item[0].address;
				if (place == AS_REPLY)
					got = msg.head.msgh_remote_port;
			}
			put_counts(port);
			put(" ");
			put_name(port);
			if (got != MACH_PORT_NULL && types[i] != 16) {
				mach_port_deallocate(self, got);
				put(" given up");
				put_counts(port);
			}
		}
		end_line();
		mach_port_destroy(self, port);
		mach_port_destroy(self, carrier);
		if (name != port)
			mach_port_destroy(self, name);
	}
}
EACH("mach_msg/counts-as-destination", counts, AS_DESTINATION, RECEIVED, 0)
EACH("mach_msg/counts-as-destination-cut", counts, AS_DESTINATION, CUT, 0)
EACH("mach_msg/counts-as-destination-body-fails", counts, AS_DESTINATION, BODY_FAILS, 0)
EACH("mach_msg/counts-as-reply", counts, AS_REPLY, RECEIVED, 0)
EACH("mach_msg/counts-as-reply-cut", counts, AS_REPLY, CUT, 0)
EACH("mach_msg/counts-as-reply-queue-dies", counts, AS_REPLY, QUEUE_DIES, 0)
EACH("mach_msg/counts-as-reply-body-fails", counts, AS_REPLY, BODY_FAILS, 0)
EACH("mach_msg/counts-in-body", counts, IN_BODY, RECEIVED, 0)
EACH("mach_msg/counts-in-body-cut", counts, IN_BODY, CUT, 0)
EACH("mach_msg/counts-in-body-queue-dies", counts, IN_BODY, QUEUE_DIES, 0)
EACH("mach_msg/counts-in-body-body-fails", counts, IN_BODY, BODY_FAILS, 0)
EACH("mach_msg/counts-in-array", counts, IN_ARRAY, RECEIVED, 0)
EACH("mach_msg/counts-in-array-queue-dies", counts, IN_ARRAY, QUEUE_DIES, 0)
EACH("mach_msg/counts-in-array-body-fails", counts, IN_ARRAY, BODY_FAILS, 0)

/* ---- User references, up to the most, in each place. */

static void references(long place, long first, long type)
{
	mach_port_name_t carrier = make_port(), port = make_port();
	mach_port_name_t array[3] = { port, port, port };
	struct message msg = message_to(carrier);
	mach_msg_size_t size = HEADER;

	must("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_SEND,
					    (mach_port_delta_t)first - 1));
	switch ((enum place)place) {
	case AS_DESTINATION:
	case AS_REPLY:
		msg.head.msgh_bits |= MACH_MSGH_BITS(0, (mach_msg_bits_t)type);
		msg.head.msgh_local_port = port;
		break;
	case IN_BODY:
		msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
		msg.item[0].type = TYPE_PORT((unsigned int)type);
		msg.item[0].word = port;
		msg.item[1] = msg.item[0];
		size += 2 * ITEM;
		break;
	case IN_ARRAY:
		msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
		msg.item[0].type = TYPE(.msgt_name = (unsigned int)type & 0xff, .msgt_size = 32,
					.msgt_number = 3);
		msg.item[0].address = (vm_offset_t)array;
		size += ITEM;
		break;
	}
	code("send", send_sized(&msg, size));
	tell_name("under way", port);
	must("receive", receive(carrier, &msg));
	if (place == IN_ARRAY)
		keep_memory(msg.item[0].address, 12);
	tell_name("received", port);
	code("one given up", mach_port_deallocate(self, port));
	tell_name("left", port);
}
#define REFERENCES(place_name, place)						\
	EACH("mach_msg/references-65532-made-" place_name, references, place, 65532, 20)	\
	EACH("mach_msg/references-65533-copied-" place_name, references, place, 65533, 19)	\
	EACH("mach_msg/references-65534-copied-" place_name, references, place, 65534, 19)	\
	EACH("mach_msg/references-65534-moved-" place_name, references, place, 65534, 17)
REFERENCES("as-reply", AS_REPLY)
REFERENCES("in-body", IN_BODY)
REFERENCES("in-array", IN_ARRAY)

/* A dead name's references: taken by each disposition, in each place. */
static void dead_references(long first, long died, long unused)
{
	size_t place, i;

	(void)unused;
	elsewhere = make_task(FALSE);
	for (place = AS_REPLY; place <= IN_ARRAY; place++) {
		for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
			struct swept dead = swept_make(died ? KIND_died : KIND_dead_name,
						       (mach_port_urefs_t)first);
			mach_port_name_t carrier = swept_allocate(MACH_PORT_RIGHT_RECEIVE);
			mach_port_name_t array[2] = { dead.name, dead.name };
			struct message msg = message_to(carrier);
			mach_msg_size_t size = HEADER;

			msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
			if (place == AS_REPLY) {
				msg.head.msgh_bits |= MACH_MSGH_BITS(0, types[i]);
				msg.head.msgh_local_port = dead.name;
			} else {
				msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
				msg.item[0].type = TYPE_PORT(types[i]);
				msg.item[0].word = dead.name;
				size += ITEM;
				if (place == IN_ARRAY) {
					msg.item[0].type = TYPE(.msgt_name = types[i],
								.msgt_size = 32, .msgt_number = 2);
					msg.item[0].address = (vm_offset_t)array;
				}
			}
			put(" ");
			put_code(send_sized(&msg, size));
			put_swept(&dead);
			swept_end(dead);
			mach_port_destroy(self, carrier);
		}
		end_line();
	}
}
EACH("mach_msg/references-of-a-dead-name-one", dead_references, 1, 0, 0)
EACH("mach_msg/references-of-a-dead-name-three", dead_references, 3, 0, 0)
EACH("mach_msg/references-of-a-dead-name-most", dead_references, 65535, 0, 0)
EACH("mach_msg/references-of-a-died-port-two", dead_references, 2, 1, 0)

/* ---- Which names rights get: the last given up first, the reply's before the body's. */

static void names_given(long reply_type, long in_array, long back)
{
	mach_port_name_t port = make_port(), a, b, c;
	mach_port_name_t reply = make_port(), body = make_port();
	mach_port_name_t names[2] = { body, body }, *got = names;
	mach_port_name_t remote, local;
	struct message msg = message_with(port, TYPE_PORT(MACH_MSG_TYPE_MAKE_SEND_ONCE), body);
	mach_msg_return_t mr;

	if (in_array) {
		msg.item[0].type = TYPE(.msgt_name = MACH_MSG_TYPE_MAKE_SEND_ONCE, .msgt_size = 32,
					.msgt_number = 2);
		msg.item[0].address = (vm_offset_t)names;
	}
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, (mach_msg_bits_t)reply_type);
	msg.head.msgh_local_port = reply;
	a = make_receive();
	b = make_receive();
	c = make_receive();
	if (back)
		must("limit", mach_port_set_qlimit(self, port, 0));
	else
		must("send", send_sized(&msg, HEADER + ITEM));
	must("destroy", mach_port_destroy(self, a));
	must("destroy", mach_port_destroy(self, b));
	must("destroy", mach_port_destroy(self, c));
	mr = back ? send_sized(&msg, HEADER + ITEM) : receive(port, &msg);
	code("mach_msg", mr);
	remote = keep_name(msg.head.msgh_remote_port);
	local = keep_name(msg.head.msgh_local_port);
	if (in_array)
		got = (mach_port_name_t *)keep_memory(msg.item[0].address, 8);
	else
		got[0] = got[1] = msg.item[0].port.name;
#define WHICH(name) \
	((name) == c ? "the last given up" : (name) == b ? "the one before" :	\
	 (name) == a ? "the first given up" : (name) == port ? "the port's" : "another")
	mach_printf("remote: %s, local: %s\n", WHICH(remote), WHICH(local));
	mach_printf("carried: %s, %s\n", WHICH(keep_name(got[0])), WHICH(keep_name(got[1])));
}
EACH("mach_msg/names-given-reply-once", names_given, 21, 0, 0)
EACH("mach_msg/names-given-reply-once-array", names_given, 21, 1, 0)
EACH("mach_msg/names-given-reply-made-array", names_given, 20, 1, 0)
EACH("mach_msg/names-given-back-reply-once", names_given, 21, 0, 1)
EACH("mach_msg/names-given-back-reply-once-array", names_given, 21, 1, 1)

/* Names that a message takes away, in their order, are given again. */
CASE("mach_msg/names-taken-by-a-body")
{
	mach_port_name_t port = make_port(), one, two, three, got[3];
	struct message msg = message_to(port);
	int i;

	one = send_once_to(port);
	two = send_once_to(port);
	three = send_once_to(port);
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MOVE_SEND_ONCE) |
			      MACH_MSGH_BITS_COMPLEX;
	msg.head.msgh_local_port = two;
	msg.item[0].type = msg.item[1].type = TYPE_PORT(MACH_MSG_TYPE_MOVE_SEND_ONCE);
	msg.item[0].word = one;
	msg.item[1].word = three;
	must("send", send_sized(&msg, HEADER + 2 * ITEM));
	for (i = 0; i < 3; i++) {
		got[i] = make_receive();
		mach_printf("%s\n", got[i] == one ? "the first item's" : got[i] == three ?
			    "the second item's" : got[i] == two ? "the reply's" : "another");
	}
}

/* ---- A moved receive right: what goes with it, and who is told. */

static void tell_status(mach_port_name_t port)
{
	struct mach_port_status s;
	kern_return_t kr = mach_port_get_receive_status(self, port, &s);

	if (kr != KERN_SUCCESS) {
		code("status", kr);
		return;
	}
	mach_printf("in a set: %s, seqno %u, mscount %u, limit %u, messages %u, send rights: %s, "
		    "send-once rights %u, asked: %s%s\n", s.mps_pset ? "yes" : "no", s.mps_seqno,
		    s.mps_mscount, s.mps_qlimit, s.mps_msgcount, s.mps_srights ? "yes" : "no",
		    s.mps_sorights, s.mps_pdrequest ? "destroyed " : "",
		    s.mps_nsrequest ? "no-senders" : "");
}

static void tell_notes(const char *what, mach_port_name_t notify)
{
	struct message msg;

	while (receive(notify, &msg) == MACH_MSG_SUCCESS) {
		mach_printf("%s: id %d, size %u\n", what, msg.head.msgh_id, msg.head.msgh_size);
		if (msg.head.msgh_bits & MACH_MSGH_BITS_COMPLEX)
			keep_name(msg.item[0].port.name);
	}
}

static void ask(mach_port_name_t port, mach_msg_id_t id, mach_port_name_t notify)
{
	mach_port_name_t before = MACH_PORT_NULL;

	must("request", mach_port_request_notification(self, port, id, 0, notify,
						       MACH_MSG_TYPE_MAKE_SEND_ONCE, &before));
}

static void moved(long with_send, long requests, long in_array)
{
	mach_port_name_t carrier = make_port(), port = make_receive(), set = make_set();
	mach_port_name_t notify = make_receive(), watcher = make_receive(), got;
	struct message msg;
	int i;

	if (with_send)
		must("send right", mach_port_insert_right(self, port, port,
							  MACH_MSG_TYPE_MAKE_SEND));
	for (i = 0; i < 3; i++) {
		msg = message_to(port);
		msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
		must("send", send_sized(&msg, HEADER));
	}
	must("receive", receive(port, &msg));
	must("limit", mach_port_set_qlimit(self, port, 9));
	must("mscount", mach_port_set_mscount(self, port, 40));
	must("seqno", mach_port_set_seqno(self, port, 50));
	must("member", mach_port_move_member(self, port, set));
	if (requests & 1)
		ask(port, MACH_NOTIFY_DEAD_NAME, watcher);
	if (requests & 2)
		ask(port, MACH_NOTIFY_PORT_DESTROYED, notify);
	if ((requests & 4) && with_send)
		ask(port, MACH_NOTIFY_NO_SENDERS, notify);
	tell_status(port);
	msg = message_with(carrier, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), port);
	if (in_array) {
		msg.item[0].type = TYPE(.msgt_name = MACH_MSG_TYPE_MOVE_RECEIVE, .msgt_size = 32,
					.msgt_number = 1);
		msg.item[0].address = (vm_offset_t)&port;
	}
	code("send", send_sized(&msg, HEADER + ITEM));
	tell_name("its name", port);
	tell_notes("the watcher", watcher);
	tell_notes("the other", notify);
	must("receive", receive(carrier, &msg));
	got = in_array ? *(mach_port_name_t *)keep_memory(msg.item[0].address, 4) :
			 msg.item[0].port.name;
	fact("under its own name", got == port);
	tell_name("received", keep_name(got));
	tell_status(got);
	while (receive(got, &msg) == MACH_MSG_SUCCESS)
		mach_printf("message %d, seqno %u\n", msg.head.msgh_id, msg.head.msgh_seqno);
	mach_port_destroy(self, got);
	tell_notes("the watcher", watcher);
	tell_notes("the other", notify);
}
EACH("mach_msg/moved-receive-right", moved, 0, 0, 0)
EACH("mach_msg/moved-receive-right-beside-send", moved, 1, 0, 0)
EACH("mach_msg/moved-receive-right-array", moved, 1, 0, 1)
EACH("mach_msg/moved-receive-right-death-asked", moved, 0, 1, 0)
EACH("mach_msg/moved-receive-right-beside-send-death-asked", moved, 1, 1, 0)
EACH("mach_msg/moved-receive-right-destroyed-asked", moved, 0, 2, 0)
EACH("mach_msg/moved-receive-right-beside-send-all-asked", moved, 1, 7, 0)

/* It dies in a message, where somebody asked to have it then. */
static void dies_moving(long how, long unused, long more_unused)
{
	mach_port_name_t carrier = make_port(), port = make_port(), notify = make_receive();
	struct message msg = message_with(carrier, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), port);

	(void)unused;
	(void)more_unused;
	ask(port, MACH_NOTIFY_PORT_DESTROYED, notify);
	if (how == 0) {
		msg.item[1].type = TYPE_PORT(MACH_MSG_TYPE_COPY_SEND);
		msg.item[1].word = NO_NAME;
		code("send", send_sized(&msg, HEADER + 2 * ITEM));
	} else {
		code("send", send_sized(&msg, HEADER + ITEM));
		if (how == 1)
			must("destroy", mach_port_destroy(self, carrier));
		else
			code("cut", receive_sized(carrier, &msg, HEADER, 0));
	}
	tell_name("the name", port);
	if (tell_received(notify, &msg) == MACH_MSG_SUCCESS) {
		tell_item(&msg.item[0]);
		fact("under its own name", msg.item[0].port.name == port);
		tell_name("it is", keep_name(msg.item[0].port.name));
	}
}
EACH("mach_msg/destroyed-asked-body-fails", dies_moving, 0, 0, 0)
EACH("mach_msg/destroyed-asked-queue-dies", dies_moving, 1, 0, 0)
EACH("mach_msg/destroyed-asked-message-cut", dies_moving, 2, 0, 0)

/* The last send right goes with a message: to whom and when that is told. */
enum way { WAY_RECEIVED, WAY_CUT, WAY_DIES, WAY_REPLY_DIES, WAY_BODY_DIES, WAY_KERNEL };

static void last_send(long way, long unused, long more_unused)
{
	mach_port_name_t port = make_receive(), notify = make_receive(), carrier = make_port();
	struct message msg = message_to(port);

	(void)unused;
	(void)more_unused;
	must("send right", mach_port_insert_right(self, port, port, MACH_MSG_TYPE_MAKE_SEND));
	ask(port, MACH_NOTIFY_NO_SENDERS, notify);
	switch ((enum way)way) {
	case WAY_RECEIVED:
	case WAY_CUT:
	case WAY_DIES:
		msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND, 0);
		must("send", send_sized(&msg, HEADER + 8));
		tell_notes("sent", notify);
		if (way == WAY_DIES)
			must("destroy", mach_port_destroy(self, port));
		else
			code("receive", receive_sized(port, &msg, way == WAY_CUT ? HEADER :
						      HEADER + 8, 0));
		break;
	case WAY_REPLY_DIES:
		msg = message_to(carrier);
		msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MOVE_SEND);
		msg.head.msgh_local_port = port;
		must("send", send_sized(&msg, HEADER));
		tell_notes("sent", notify);
		must("destroy", mach_port_destroy(self, carrier));
		break;
	case WAY_BODY_DIES:
		msg = message_with(carrier, TYPE_PORT(MACH_MSG_TYPE_MOVE_SEND), port);
		must("send", send_sized(&msg, HEADER + ITEM));
		tell_notes("sent", notify);
		must("destroy", mach_port_destroy(self, carrier));
		break;
	case WAY_KERNEL:
		msg = message_with(self, TYPE_PORT(MACH_MSG_TYPE_MOVE_SEND), port);
		msg.head.msgh_id = 9999;
		must("send", send_sized(&msg, HEADER + ITEM));
		break;
	}
	tell_notes("then", notify);
	tell_name("the port", port);
}
EACH("mach_msg/last-send-right-received", last_send, WAY_RECEIVED, 0, 0)
EACH("mach_msg/last-send-right-cut", last_send, WAY_CUT, 0, 0)
EACH("mach_msg/last-send-right-dies-in-its-own-queue", last_send, WAY_DIES, 0, 0)
EACH("mach_msg/last-send-right-dies-as-reply", last_send, WAY_REPLY_DIES, 0, 0)
EACH("mach_msg/last-send-right-dies-in-a-body", last_send, WAY_BODY_DIES, 0, 0)
EACH("mach_msg/last-send-right-dies-in-the-kernel", last_send, WAY_KERNEL, 0, 0)

/* A receive right that dies: what each who asked is told, and its senders' names. */
static void right_dies(long asked, long by_destroy, long with_send)
{
	mach_port_name_t port = make_receive(), notify = make_receive(), watcher = make_receive();
	mach_port_name_t once = send_once_to(port);
	struct message msg;

	if (with_send)
		must("send right", mach_port_insert_right(self, port, port,
							  MACH_MSG_TYPE_MAKE_SEND));
	msg = message_to(port);
	msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
	must("send", send_sized(&msg, HEADER));
	if (asked & 1)
		ask(port, MACH_NOTIFY_DEAD_NAME, watcher);
	if (asked & 2)
		ask(port, MACH_NOTIFY_PORT_DESTROYED, notify);
	if (asked & 4)
		ask(port, MACH_NOTIFY_NO_SENDERS, notify);
	if (by_destroy)
		code("destroyed", mach_port_destroy(self, port));
	else
		code("destroyed", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
	tell_name("the name", port);
	tell_name("the send-once right", once);
	tell_notes("the watcher", watcher);
	tell_notes("the other", notify);
}
EACH("mach_msg/receive-right-dies", right_dies, 0, 0, 1)
EACH("mach_msg/receive-right-dies-alone", right_dies, 0, 0, 0)
EACH("mach_msg/receive-right-dies-death-asked", right_dies, 1, 0, 1)
EACH("mach_msg/receive-right-dies-alone-death-asked", right_dies, 1, 0, 0)
EACH("mach_msg/receive-right-dies-destroyed-asked", right_dies, 2, 0, 1)
EACH("mach_msg/receive-right-dies-no-senders-asked", right_dies, 4, 0, 1)
EACH("mach_msg/receive-right-dies-all-asked", right_dies, 7, 0, 1)
EACH("mach_msg/receive-right-dies-by-destroy-all-asked", right_dies, 7, 1, 1)
EACH("mach_msg/receive-right-dies-by-destroy-no-senders-asked", right_dies, 4, 1, 1)
EACH("mach_msg/receive-right-dies-by-destroy-no-senders-asked-under-way", right_dies, 4, 1, 0)
