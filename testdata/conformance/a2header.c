/* a2header: the two rights of a message header, in all their combinations. */
#include "sweep.h"

#include <mach/notify.h>

/* One message; what the two rights are afterwards, and what arrived. */
static void pair(const struct swept_kind *remote, mach_msg_bits_t remote_type,
		 const struct swept_kind *local, mach_msg_bits_t local_type)
{
	struct swept to = swept_make(remote->kind, remote->references);
	struct swept reply = swept_make(local->kind, local->references);
	struct message msg = message_to(to.name);
	mach_msg_return_t mr;

	msg.head.msgh_bits = MACH_MSGH_BITS(remote_type, local_type);
	msg.head.msgh_local_port = reply.name;
	mr = send_sized(&msg, HEADER);
	put(" ");
	put_code(mr);
	/* Nothing happened, or it is told what did. */
	put_swept(&to);
	put("/");
	put_swept(&reply);
	if (mr == MACH_MSG_SUCCESS) {
		put_all_received(&to, reply.name);
		put_all_received(&reply, reply.name);
	}
	swept_end(to);
	swept_end(reply);
}

/* All kinds of reply right by all dispositions, for a kind of destination. */
static void pairs(long remote, long remote_type, long unused)
{
	static const mach_msg_bits_t types[] = { 0, 15, 16, 17, 18, 19, 20, 21, 22 };
	size_t i, j;

	(void)unused;
	elsewhere = make_task(FALSE);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		put_number(types[i], 10);
		put(":");
		for (j = 0; j < SWEPT_KINDS; j++)
			pair(&swept_kinds[remote], (mach_msg_bits_t)remote_type, &swept_kinds[j],
			     types[i]);
		end_line();
	}
}
#define PAIRS(type_name, type)							\
	EACH("mach_msg/header-null-by-" type_name "-and-all-replies", pairs, 0, type, 0)	\
	EACH("mach_msg/header-dead-port-by-" type_name "-and-all-replies", pairs, 1, type, 0)	\
	EACH("mach_msg/header-no-name-by-" type_name "-and-all-replies", pairs, 2, type, 0)	\
	EACH("mach_msg/header-receive-by-" type_name "-and-all-replies", pairs, 3, type, 0)	\
	EACH("mach_msg/header-send-by-" type_name "-and-all-replies", pairs, 4, type, 0)	\
	EACH("mach_msg/header-two-sends-by-" type_name "-and-all-replies", pairs, 5, type, 0)	\
	EACH("mach_msg/header-send-receive-by-" type_name "-and-all-replies", pairs, 6, type, 0) \
	EACH("mach_msg/header-send-once-by-" type_name "-and-all-replies", pairs, 7, type, 0)	\
	EACH("mach_msg/header-dead-name-by-" type_name "-and-all-replies", pairs, 8, type, 0)	\
	EACH("mach_msg/header-died-by-" type_name "-and-all-replies", pairs, 9, type, 0)	\
	EACH("mach_msg/header-port-set-by-" type_name "-and-all-replies", pairs, 10, type, 0)
PAIRS("move-send", 17)
PAIRS("move-send-once", 18)
PAIRS("copy-send", 19)
PAIRS("make-send", 20)
PAIRS("make-send-once", 21)

/* Dispositions that no destination has: the names do not matter. */
static void bad_remote(long remote_type, long unused, long more_unused)
{
	(void)unused;
	(void)more_unused;
	pairs(6, remote_type, 0);
}
EACH("mach_msg/invalid-header-remote-none", bad_remote, 0, 0, 0)
EACH("mach_msg/invalid-header-remote-move-receive", bad_remote, 16, 0, 0)
EACH("mach_msg/invalid-header-remote-22", bad_remote, 22, 0, 0)
EACH("mach_msg/invalid-header-remote-255", bad_remote, 255, 0, 0)

/* Destination and reply of one name, for every kind and both dispositions. */
static void same_name(long kind, long references, long unused)
{
	static const mach_msg_bits_t types[] = { 0, 16, 17, 18, 19, 20, 21, 22 };
	size_t i, j;

	(void)unused;
	elsewhere = make_task(FALSE);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		put_number(types[i], 10);
		put(":");
		for (j = 0; j < sizeof(types) / sizeof(types[0]); j++) {
			struct swept s = swept_make((enum name_kind)kind,
						    (mach_port_urefs_t)references);
			struct message msg = message_to(s.name);
			mach_msg_return_t mr;

			msg.head.msgh_bits = MACH_MSGH_BITS(types[i], types[j]);
			msg.head.msgh_local_port = s.name;
			mr = send_sized(&msg, HEADER);
			put(" ");
			put_code(mr);
			put_swept(&s);
			if (mr == MACH_MSG_SUCCESS) {
				put_all_received(&s, s.name);
				put("/");
				put_swept(&s);
			}
			swept_end(s);
		}
		end_line();
	}
}
#define SAME(name, kind) EACH("mach_msg/header-same-name-" name, same_name, kind, 1, 0)
KINDS(SAME)
EACH("mach_msg/header-same-name-two-sends", same_name, KIND_send, 2, 0)
EACH("mach_msg/header-same-name-three-sends", same_name, KIND_send, 3, 0)
EACH("mach_msg/header-same-name-two-sends-and-receive", same_name, KIND_send_receive, 2, 0)
EACH("mach_msg/header-same-name-two-dead", same_name, KIND_dead_name, 2, 0)
EACH("mach_msg/header-same-name-most-sends", same_name, KIND_send, 65534, 0)

/*
 * SEND_CANCEL with a good and with bad notify names, beside headers that are
 * wrong in each of their places: which fault is told.
 */
static void cancels(long remote_type, long unused, long more_unused)
{
	static const mach_msg_bits_t types[] = { 0, 16, 18, 19, 20, 21 };
	size_t i, j, k;

	(void)unused;
	(void)more_unused;
	elsewhere = make_task(FALSE);
	for (i = 0; i < SWEPT_KINDS; i++) {
		put("notify ");
		put(swept_kinds[i].name);
		put(":");
		for (j = 0; j < sizeof(types) / sizeof(types[0]); j++)
			for (k = 2; k <= 4; k += 2) {
				struct swept notify = swept_make(swept_kinds[i].kind, 1);
				struct swept to = swept_make(k == 2 ? KIND_no_name : KIND_send, 1);
				struct swept reply = swept_make(KIND_send_receive, 1);
				struct message msg = message_to(to.name);

				msg.head.msgh_bits = MACH_MSGH_BITS((mach_msg_bits_t)remote_type,
								    types[j]);
				msg.head.msgh_local_port = reply.name;
				put(" ");
				put_code(mach_msg(&msg.head, MACH_SEND_MSG | MACH_SEND_CANCEL,
						  HEADER, 0, MACH_PORT_NULL, 0, notify.name));
				put_swept(&to);
				put("/");
				put_swept(&reply);
				swept_end(to);
				swept_end(reply);
				swept_end(notify);
			}
		end_line();
	}
}
EACH("mach_msg/invalid-notify-and-other-faults-copy-send", cancels, 19, 0, 0)
EACH("mach_msg/invalid-notify-and-other-faults-move-send", cancels, 17, 0, 0)
EACH("mach_msg/invalid-notify-and-other-faults-make-send", cancels, 20, 0, 0)
EACH("mach_msg/invalid-notify-and-other-faults-move-receive", cancels, 16, 0, 0)

/* The notify name is the destination's, or the reply's. */
static void cancels_with(long which, long remote_type, long unused)
{
	mach_port_name_t port = make_port(), reply = make_port();
	struct message msg = message_to(port);

	(void)unused;
	msg.head.msgh_bits = MACH_MSGH_BITS((mach_msg_bits_t)remote_type, MACH_MSG_TYPE_MOVE_SEND);
	msg.head.msgh_local_port = reply;
	code("send", mach_msg(&msg.head, MACH_SEND_MSG | MACH_SEND_CANCEL, HEADER, 0,
			      MACH_PORT_NULL, 0, which ? reply : port));
	tell_name("the destination", port);
	tell_name("the reply", reply);
	tell_received(port, &msg);
}
EACH("mach_msg/send-cancel-notify-is-the-destination", cancels_with, 0, 17, 0)
EACH("mach_msg/send-cancel-notify-is-the-reply", cancels_with, 1, 17, 0)
EACH("mach_msg/send-cancel-notify-is-the-destination-made-once", cancels_with, 0, 21, 0)

/* A request on each of two rights that leave in one header: what is told, and in which order. */
static mach_port_name_t ask_death(mach_port_name_t name, mach_port_name_t notify)
{
	mach_port_name_t before = MACH_PORT_NULL;

	must("mach_port_request_notification",
	     mach_port_request_notification(self, name, MACH_NOTIFY_DEAD_NAME, 0, notify,
					    MACH_MSG_TYPE_MAKE_SEND_ONCE, &before));
	return before;
}

static void tell_told(mach_port_name_t notify, mach_port_name_t to, mach_port_name_t reply)
{
	struct message msg;
	mach_port_name_t name;

	while (receive(notify, &msg) == MACH_MSG_SUCCESS) {
		name = (mach_port_name_t)msg.item[0].word;
		mach_printf("told %d of %s\n", msg.head.msgh_id,
			    msg.head.msgh_size == HEADER ? "nothing" :
			    name == to ? "the destination" : name == reply ? "the reply" : "another");
	}
	mach_printf("no more\n");
}

static void rights_leave(long cancel, long remote_kind, long local_kind)
{
	mach_port_name_t notify = make_receive(), other = make_receive();
	struct swept to, reply;
	struct message msg;

	elsewhere = make_task(FALSE);
	to = swept_make((enum name_kind)remote_kind, 1);
	reply = swept_make((enum name_kind)local_kind, 1);
	ask_death(to.name, notify);
	ask_death(reply.name, notify);
	msg = message_to(to.name);
	msg.head.msgh_bits =
		MACH_MSGH_BITS(remote_kind == KIND_send ? MACH_MSG_TYPE_MOVE_SEND :
			       MACH_MSG_TYPE_MOVE_SEND_ONCE,
			       local_kind == KIND_send ? MACH_MSG_TYPE_MOVE_SEND :
			       MACH_MSG_TYPE_MOVE_SEND_ONCE);
	msg.head.msgh_local_port = reply.name;
	code("send", mach_msg(&msg.head, MACH_SEND_MSG | (cancel ? MACH_SEND_CANCEL : 0), HEADER,
			      0, MACH_PORT_NULL, 0, cancel == 2 ? other : notify));
	tell_told(notify, to.name, reply.name);
	tell_name("the destination", to.name);
	tell_name("the reply", reply.name);
	swept_end(to);
	swept_end(reply);
}
EACH("mach_msg/header-rights-leave-sends", rights_leave, 0, KIND_send, KIND_send)
EACH("mach_msg/header-rights-leave-send-onces", rights_leave, 0, KIND_send_once, KIND_send_once)
EACH("mach_msg/header-rights-leave-send-and-send-once", rights_leave, 0, KIND_send, KIND_send_once)
EACH("mach_msg/header-rights-leave-sends-cancelling", rights_leave, 1, KIND_send, KIND_send)
EACH("mach_msg/header-rights-leave-send-onces-cancelling", rights_leave, 1, KIND_send_once,
     KIND_send_once)
EACH("mach_msg/header-rights-leave-sends-cancelling-another", rights_leave, 2, KIND_send, KIND_send)

/* A request on the reply alone, whose right leaves beside a destination that fails. */
CASE("mach_msg/header-fails-and-requests-stay")
{
	mach_port_name_t notify = make_receive();
	struct swept reply, to;
	struct message msg;

	elsewhere = make_task(FALSE);
	reply = swept_make(KIND_send, 1);
	to = swept_make(KIND_died, 1);
	ask_death(reply.name, notify);
	msg = message_to(to.name);
	msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND, MACH_MSG_TYPE_MOVE_SEND);
	msg.head.msgh_local_port = reply.name;
	code("send", send_sized(&msg, HEADER));
	tell_name("the reply", reply.name);
	tell_told(notify, to.name, reply.name);
	must("mach_port_destroy", mach_port_destroy(elsewhere, reply.there));
	tell_name("the reply, its port dead", reply.name);
	tell_told(notify, to.name, reply.name);
	swept_end(reply);
	swept_end(to);
}
