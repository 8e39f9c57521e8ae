/*
 * a4notes: who is told what, and when, of rights that go with a message: each
 * disposition in each place, and each way the message may end.
 */
#include "sweep.h"

#include <mach/notify.h>

static const mach_msg_type_name_t types[] = { 16, 17, 18, 19, 20, 21 };
static const char *const type_names[] = {
	"move-receive", "move-send", "move-send-once", "copy-send", "make-send", "make-send-once",
};

enum place { AS_DESTINATION, AS_REPLY, IN_BODY, IN_ARRAY, PLACES };
static const char *const place_names[] = { "destination", "reply", "body", "array" };

enum outcome { RECEIVED, RECEIVED_ASKING, CUT, QUEUE_DIES, BODY_FAILS, COMES_BACK, UNREADABLE };

/* Ids of what came to a port, and the word they carry if it is no name. */
static void put_notes(mach_port_name_t notify)
{
	struct message msg;

	while (receive(notify, &msg) == MACH_MSG_SUCCESS) {
		put("!");
		put_number((unsigned int)msg.head.msgh_id, 10);
		if (msg.head.msgh_id == MACH_NOTIFY_NO_SENDERS) {
			put("=");
			put_number((uint32_t)msg.item[0].word, 10);
		}
		if (msg.head.msgh_bits & MACH_MSGH_BITS_COMPLEX)
			mach_port_destroy(self, msg.item[0].port.name);
	}
}

static void ask(mach_port_name_t name, mach_msg_id_t id, mach_port_mscount_t sync,
		mach_port_name_t notify)
{
	mach_port_name_t before = MACH_PORT_NULL;

	must("request", mach_port_request_notification(self, name, id, sync, notify,
						       MACH_MSG_TYPE_MAKE_SEND_ONCE, &before));
}

/*
 * The name that is sent has a dead-name request, its port one for no senders and
 * one for its destruction, as asked. A line tells, stage by stage, of the name
 * and of what was told.
 */
static void stages(enum place place, size_t t, enum outcome outcome, long asked)
{
	mach_msg_type_name_t type = types[t];
	mach_port_name_t carrier = swept_allocate(MACH_PORT_RIGHT_RECEIVE);
	mach_port_name_t port = swept_allocate(MACH_PORT_RIGHT_RECEIVE), name = port;
	mach_port_name_t notify = swept_allocate(MACH_PORT_RIGHT_RECEIVE);
	mach_port_name_t from = place == AS_DESTINATION ? port : carrier, array, got = MACH_PORT_NULL;
	struct message msg = message_to(carrier);
	mach_msg_size_t size = HEADER;
	mach_msg_return_t mr;

	if (type == 17 || type == 19)
		swept_insert(self, port, port, MACH_MSG_TYPE_MAKE_SEND);
	if (type == 18) {
		name = swept_name();
		swept_insert(self, name, port, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	}
	array = name;
	if (asked & 1)
		ask(name, MACH_NOTIFY_DEAD_NAME, 0, notify);
	if (asked & 2)
		ask(port, MACH_NOTIFY_NO_SENDERS, 1, notify);
	if (asked & 4)
		ask(port, MACH_NOTIFY_PORT_DESTROYED, 0, notify);
	put_notes(notify);
	msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
	switch (place) {
	case AS_DESTINATION:
		msg.head.msgh_bits = MACH_MSGH_BITS(type, 0);
		msg.head.msgh_remote_port = name;
		break;
	case AS_REPLY:
		msg.head.msgh_bits |= MACH_MSGH_BITS(0, type);
		msg.head.msgh_local_port = name;
		break;
	case IN_BODY:
	case IN_ARRAY:
	case PLACES:
		msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
		msg.item[0].type = TYPE_PORT(type);
		msg.item[0].word = name;
		size += ITEM;
		if (place == IN_ARRAY) {
			msg.item[0].type = TYPE(.msgt_name = type, .msgt_size = 32, .msgt_number = 1);
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
	if (outcome == CUT && size == HEADER)
		size += 8;
	if (outcome == COMES_BACK)
		must("limit", mach_port_set_qlimit(self, from, 0));
	put(type_names[t]);
	put(": ");
	mr = send_sized(&msg, size);
	put_code(mr);
	put_name(name);
	put_notes(notify);
	if (mr == MACH_MSG_SUCCESS) {
		put(" ");
		switch (outcome) {
		case QUEUE_DIES:
			mach_port_mod_refs(self, from, MACH_PORT_RIGHT_RECEIVE, -1);
			break;
		case UNREADABLE:
			mr = mach_msg((mach_msg_header_t *)MAP_END, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
				      4096, from, 0, MACH_PORT_NULL);
			break;
		case RECEIVED_ASKING:
			mr = mach_msg(&msg.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT | MACH_RCV_NOTIFY, 0,
				      sizeof(msg), from, 0, carrier);
			break;
		default:
			mr = receive_sized(from, &msg, outcome == CUT ? HEADER : sizeof(msg), 0);
		}
		put_code(mr);
		put_name(port);
		put_notes(notify);
	}
	if (mr == MACH_MSG_SUCCESS && outcome <= RECEIVED_ASKING) {
		got = place == IN_BODY ? msg.item[0].port.name :
		      place == IN_ARRAY ? *(mach_port_name_t *)msg.item[0].address :
		      msg.head.msgh_remote_port;
		if (MACH_PORT_VALID(got) && type != 16) {
			/* What was received is given up. */
			put(" ");
			put_name(got);
			mach_port_deallocate(self, got);
			put_notes(notify);
		}
	}
	put(" ");
	mach_port_destroy(self, port);
	put_notes(notify);
	if (name != port) {
		put(" ");
		put_name(name);
		mach_port_destroy(self, name);
		put_notes(notify);
	}
	end_line();
	mach_port_destroy(self, carrier);
	mach_port_destroy(self, notify);
}

static void told(long outcome, long asked, long unused)
{
	static struct name_list before, after;
	int place;
	size_t t;

	(void)unused;
	list_names(&before);
	for (place = 0; place < PLACES; place++) {
		put(place_names[place]);
		end_line();
		for (t = 0; t < sizeof(types) / sizeof(types[0]); t++)
			stages((enum place)place, t, (enum outcome)outcome, asked);
	}
	/* What came to a buffer that was not there has names nobody knows. */
	list_names(&after);
	count("names more", after.count - before.count);
	destroy_new_names(&before, &after);
}
#define TOLD(name, asked)							\
	EACH("mach_msg/told-" name "-received", told, RECEIVED, asked, 0)		\
	EACH("mach_msg/told-" name "-received-asking", told, RECEIVED_ASKING, asked, 0)	\
	EACH("mach_msg/told-" name "-cut", told, CUT, asked, 0)				\
	EACH("mach_msg/told-" name "-queue-dies", told, QUEUE_DIES, asked, 0)		\
	EACH("mach_msg/told-" name "-body-fails", told, BODY_FAILS, asked, 0)		\
	EACH("mach_msg/told-" name "-comes-back", told, COMES_BACK, asked, 0)		\
	EACH("mach_msg/told-" name "-unreadable", told, UNREADABLE, asked, 0)
TOLD("death", 1)
TOLD("no-senders", 2)
TOLD("destroyed", 4)
TOLD("all", 7)
