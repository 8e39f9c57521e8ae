/* forced: SEND_NOTIFY onto a full queue, and the msg-accepted notification owed for it. */
#include "suite.h"

#include <mach/notify.h>

#include "child.h"

static struct second one;

enum { FORCE = MACH_SEND_MSG | MACH_SEND_NOTIFY, LATE = 500 };

static mach_msg_return_t force_sized(struct message *msg, mach_msg_size_t size,
				     mach_msg_option_t option, mach_port_name_t notify)
{
	return mach_msg(&msg->head, FORCE | option, size, 0, MACH_PORT_NULL, 0, notify);
}

static mach_msg_return_t force(mach_port_name_t port, mach_port_name_t notify)
{
	struct message msg = message_to(port);

	msg.head.msgh_id = LATE;
	return force_sized(&msg, HEADER, 0, notify);
}

/* A receive right with as many messages as it may have. */
static mach_port_name_t full_port(void)
{
	mach_port_name_t port = make_port();

	fill_queue(port);
	return port;
}

/* Whether mach_port_names knows of the request, too. */
static boolean_t listed(mach_port_name_t name)
{
	mach_port_name_array_t names = NULL;
	mach_port_type_array_t types = NULL;
	mach_msg_type_number_t n = 0, m = 0, i;
	boolean_t found = FALSE;

	must("mach_port_names", mach_port_names(self, &names, &n, &types, &m));
	for (i = 0; i < n; i++)
		if (names[i] == name)
			found = (types[i] & MACH_PORT_TYPE_MAREQUEST) != 0;
	vm_deallocate(self, (vm_offset_t)names, n * sizeof(*names));
	vm_deallocate(self, (vm_offset_t)types, m * sizeof(*types));
	return found;
}

/* All that lies at the notification port, and whether it is about the name. */
static void tell_notes(mach_port_name_t notify, mach_port_name_t name)
{
	struct message msg;

	while (receive(notify, &msg) == MACH_MSG_SUCCESS) {
		mach_port_name_t about = (mach_port_name_t)msg.item[0].word;

		tell_header(&msg, notify);
		if (msg.head.msgh_id == MACH_NOTIFY_SEND_ONCE)
			continue;
		tell_item(&msg.item[0]);
		if (msg.head.msgh_id == MACH_NOTIFY_PORT_DESTROYED)
			keep_name(about);
		else if (msg.head.msgh_id != MACH_NOTIFY_NO_SENDERS)
			mach_printf("about: %s\n", about == MACH_PORT_NULL ? "null" :
				    about == name ? "the name" : "another name");
	}
	mach_printf("no more notes\n");
}

static void tell_ids(mach_port_name_t port)
{
	struct message msg;

	mach_printf("ids:");
	while (receive(port, &msg) == MACH_MSG_SUCCESS) {
		keep_name(msg.head.msgh_remote_port);
		mach_printf(" %d", msg.head.msgh_id);
		nap(1);
	}
	mach_printf("\n");
}

static void tell_count(mach_port_name_t port)
{
	mach_port_status_t status;

	memset(&status, 0, sizeof(status));
	if (mach_port_get_receive_status(self, port, &status) == KERN_SUCCESS)
		mach_printf("queued: %u of %u\n", status.mps_msgcount, status.mps_qlimit);
}

/* ---- What a name tells while its message waits. */

CASE("mach_msg/forced-is-seen-in-the-type")
{
	mach_port_name_t port = full_port(), notify = make_receive();
	struct message msg;

	tell_name("before", port);
	code("force", force(port, notify));
	tell_name("forced", port);
	fact("in mach_port_names", listed(port));
	tell_count(port);
	for (int i = 0; i < 5; i++)
		must("receive", receive(port, &msg));
	tell_name("all but one taken", port);
	tell_notes(notify, port);
	tell_received(port, &msg);
	tell_name("taken", port);
	fact("in mach_port_names", listed(port));
	tell_notes(notify, port);
}

/* With a reply port, a right and memory in it, it arrives as any other. */
CASE("mach_msg/forced-with-rights-and-memory")
{
	mach_port_name_t port = full_port(), notify = make_receive(), reply = make_receive();
	mach_port_name_t body = make_port();
	vm_offset_t data = island(1);
	struct message msg = message_with(port, TYPE_PORT(MACH_MSG_TYPE_COPY_SEND), body);

	pattern_fill(data, PAGE, 1);
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = reply;
	msg.item[1].type = TYPE_BYTES(4096);
	msg.item[1].address = data;
	code("force", force_sized(&msg, HEADER + 2 * ITEM, 0, notify));
	for (int i = 0; i < 5; i++)
		must("receive", receive(port, &msg));
	tell_received(port, &msg);
	tell_item(&msg.item[0]);
	fact("the right", (mach_port_name_t)msg.item[0].word == body);
	tell_item(&msg.item[1]);
	count("wrong bytes", pattern_wrong(keep_memory(msg.item[1].address, PAGE), PAGE, 1));
	tell_notes(notify, port);
}

/* ---- What becomes of the name meanwhile. */

CASE("mach_port_rename/forced-message-waits")
{
	mach_port_name_t port = full_port(), notify = make_receive(), name = fresh_name();

	code("force", force(port, notify));
	code("rename", mach_port_rename(self, port, name));
	tell_name("the new name", name);
	code("again", force(name, notify));
	tell_ids(name);
	tell_notes(notify, name);
	tell_name("taken", name);
}

/* A send right only; a task keeps the receive right, or it comes back. */
static mach_port_name_t full_send(mach_port_name_t *task)
{
	mach_port_name_t port = full_port();

	*task = make_task(FALSE);
	must("mach_port_insert_right",
	     mach_port_insert_right(*task, FREE_NAME, port, MACH_MSG_TYPE_MOVE_RECEIVE));
	return port;
}

static mach_port_name_t back_from(mach_port_name_t task)
{
	mach_port_name_t port = MACH_PORT_NULL;
	mach_msg_type_name_t type = 0;

	must("mach_port_extract_right",
	     mach_port_extract_right(task, FREE_NAME, MACH_MSG_TYPE_MOVE_RECEIVE, &port, &type));
	return keep_name(port);
}

CASE("mach_msg/forced-send-right-only")
{
	mach_port_name_t task, port = full_send(&task), notify = make_receive();

	code("force", force(port, notify));
	tell_name("forced", port);
	code("again", force(port, notify));
	fact("the receive right comes to the name", back_from(task) == port);
	tell_name("with the receive right", port);
	tell_ids(port);
	tell_notes(notify, port);
	tell_name("taken", port);
}

static void name_goes(long references, long by_mod_refs, long unused)
{
	mach_port_name_t task, port = full_send(&task), notify = make_receive();

	(void)unused;
	must("mach_port_mod_refs",
	     mach_port_mod_refs(self, port, MACH_PORT_RIGHT_SEND, (int)references - 1));
	code("force", force(port, notify));
	if (by_mod_refs)
		code("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_SEND, -1));
	else
		code("deallocate", mach_port_deallocate(self, port));
	tell_name("then", port);
	tell_notes(notify, port);
	tell_ids(back_from(task));
	tell_notes(notify, port);
}
EACH("mach_port_deallocate/forced-message-waits", name_goes, 1, 0, 0)
EACH("mach_port_deallocate/forced-message-waits-two-references", name_goes, 2, 0, 0)
EACH("mach_port_mod_refs/forced-message-waits", name_goes, 1, 1, 0)
EACH("mach_port_mod_refs/forced-message-waits-two-references", name_goes, 2, 1, 0)

/* The name of a send right is given up and taken up again while the message waits. */
CASE("mach_msg/forced-name-goes-and-comes")
{
	mach_port_name_t task, port = full_send(&task), notify = make_receive();

	code("force", force(port, notify));
	must("mach_port_destroy", mach_port_destroy(self, port));
	must("mach_port_allocate_name",
	     mach_port_allocate_name(self, MACH_PORT_RIGHT_RECEIVE, port));
	tell_name("another port there", port);
	tell_ids(back_from(task));
	tell_notes(notify, port);
	tell_name("taken", port);
}

enum how { BY_DESTROY, BY_RECEIVE, BY_SEND, BY_DEALLOCATE };

static void receiver_goes(long how, long sends, long unused)
{
	mach_port_name_t port = make_receive(), notify = make_receive();
	struct message msg;

	(void)unused;
	for (int i = 0; i < 5; i++) {
		msg = message_to(port);
		msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
		must("send", send_sized(&msg, HEADER));
	}
	if (sends)
		must("mach_port_insert_right",
		     mach_port_insert_right(self, port, port, MACH_MSG_TYPE_MAKE_SEND));
	msg = message_to(port);
	msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
	code("force", force_sized(&msg, HEADER, 0, notify));
	tell_name("forced", port);
	switch (how) {
	case BY_DESTROY: code("destroy", mach_port_destroy(self, port)); break;
	case BY_RECEIVE:
		code("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
		break;
	case BY_SEND:
		code("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_SEND, -1));
		break;
	case BY_DEALLOCATE: code("deallocate", mach_port_deallocate(self, port)); break;
	}
	tell_name("then", port);
	tell_notes(notify, port);
	tell_ids(port);
	tell_notes(notify, port);
}
EACH("mach_port_destroy/forced-message-waits-receive", receiver_goes, BY_DESTROY, 0, 0)
EACH("mach_port_destroy/forced-message-waits-send-receive", receiver_goes, BY_DESTROY, 1, 0)
EACH("mach_port_mod_refs/forced-message-waits-receive", receiver_goes, BY_RECEIVE, 0, 0)
EACH("mach_port_mod_refs/forced-message-waits-send-receive", receiver_goes, BY_RECEIVE, 1, 0)
EACH("mach_port_mod_refs/forced-message-waits-send-of-both", receiver_goes, BY_SEND, 1, 0)
EACH("mach_port_deallocate/forced-message-waits-send-of-both", receiver_goes, BY_DEALLOCATE, 1, 0)

/* The port dies by another task's hand: nobody looked at the name yet. */
static void dies_elsewhere(long with_request, long task_ends, long unused)
{
	mach_port_name_t task, port = full_send(&task), notify = make_receive();
	mach_port_name_t previous = MACH_PORT_NULL;

	(void)unused;
	if (with_request)
		must("mach_port_request_notification",
		     mach_port_request_notification(self, port, MACH_NOTIFY_DEAD_NAME, 1, notify,
						    MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous));
	code("force", force(port, notify));
	if (task_ends)
		must("task_terminate", task_terminate(task));
	else
		must("mach_port_destroy", mach_port_destroy(task, FREE_NAME));
	seconds_settle();
	tell_notes(notify, port);
	tell_name("then", port);
}
EACH("mach_msg/forced-port-dies", dies_elsewhere, 0, 0, 0)
EACH("mach_msg/forced-port-dies-dead-name-requested", dies_elsewhere, 1, 0, 0)
EACH("mach_msg/forced-receiver-terminated", dies_elsewhere, 0, 1, 0)

/* The receive right travels, its queue with it. */
static void receiver_travels(long sends, long take_on_the_way, long unused)
{
	mach_port_name_t port = sends ? full_port() : make_receive();
	mach_port_name_t notify = make_receive(), carrier = make_port(), got;
	struct message msg;

	(void)unused;
	for (int i = 0; !sends && i < 5; i++) {
		msg = message_to(port);
		msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
		must("send", send_sized(&msg, HEADER));
	}
	msg = message_to(port);
	if (!sends)
		msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
	code("force", force_sized(&msg, HEADER, 0, notify));
	msg = message_with(carrier, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), port);
	must("send", send_sized(&msg, HEADER + ITEM));
	tell_name("on its way", port);
	tell_notes(notify, port);
	if (take_on_the_way) {
		must("mach_port_destroy", mach_port_destroy(self, carrier));
		tell_notes(notify, port);
		tell_name("destroyed on the way", port);
		return;
	}
	must("receive", receive(carrier, &msg));
	got = keep_name((mach_port_name_t)msg.item[0].word);
	tell_name("arrived", got);
	tell_ids(got);
	tell_notes(notify, port);
	tell_name("taken", got);
}
EACH("mach_msg/forced-receive-right-moves", receiver_travels, 0, 0, 0)
EACH("mach_msg/forced-receive-right-moves-send-stays", receiver_travels, 1, 0, 0)
EACH("mach_msg/forced-receive-right-dies-on-the-way", receiver_travels, 0, 1, 0)
EACH("mach_msg/forced-receive-right-dies-on-the-way-send-stays", receiver_travels, 1, 1, 0)

CASE("mach_port_request_notification/port-destroyed-forced-message-waits")
{
	mach_port_name_t port = full_port(), notify = make_receive(), backup = make_receive();
	mach_port_name_t previous = MACH_PORT_NULL, got;
	struct message msg;

	must("mach_port_request_notification",
	     mach_port_request_notification(self, port, MACH_NOTIFY_PORT_DESTROYED, 0, backup,
					    MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous));
	code("force", force(port, notify));
	code("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
	tell_name("then", port);
	tell_notes(notify, port);
	must("receive", receive(backup, &msg));
	got = keep_name((mach_port_name_t)msg.item[0].word);
	tell_name("what came", got);
	tell_ids(got);
	tell_notes(notify, port);
}

/* ---- Rights to the destination that have no name, or go with the message. */

static void nameless(long disposition, long references, long unused)
{
	mach_port_name_t task, port = full_send(&task), notify = make_receive();
	struct message msg = message_to(port);

	(void)unused;
	must("mach_port_mod_refs",
	     mach_port_mod_refs(self, port, MACH_PORT_RIGHT_SEND, (int)references - 1));
	msg.head.msgh_bits = MACH_MSGH_BITS((unsigned)disposition, 0);
	code("force", force_sized(&msg, HEADER, 0, notify));
	mach_printf("bits then: 0x%x\n", msg.head.msgh_bits);
	tell_name("forced", port);
	msg = message_to(port);
	msg.head.msgh_bits = MACH_MSGH_BITS((unsigned)disposition, 0);
	code("again", force_sized(&msg, HEADER, 0, notify));
	tell_name("then", port);
	tell_ids(back_from(task));
	tell_notes(notify, port);
}
EACH("mach_msg/forced-moved-send-right", nameless, MACH_MSG_TYPE_MOVE_SEND, 1, 0)
EACH("mach_msg/forced-moved-send-right-two-references", nameless, MACH_MSG_TYPE_MOVE_SEND, 2, 0)
EACH("mach_msg/forced-copied-send-right-two-references", nameless, MACH_MSG_TYPE_COPY_SEND, 2, 0)

/* The second forced message takes the name along: the first one's request loses it. */
CASE("mach_msg/forced-then-moved-with-another")
{
	mach_port_name_t task, port = full_send(&task), notify = make_receive();
	mach_port_name_t carrier = make_port();
	struct message msg;

	code("force", force(port, notify));
	msg = message_with(carrier, TYPE_PORT(MACH_MSG_TYPE_MOVE_SEND), port);
	must("send", send_sized(&msg, HEADER + ITEM));
	tell_name("moved", port);
	must("receive", receive(carrier, &msg));
	keep_name((mach_port_name_t)msg.item[0].word);
	tell_name("back", (mach_port_name_t)msg.item[0].word);
	tell_ids(back_from(task));
	tell_notes(notify, port);
}

CASE("mach_msg/forced-to-a-send-once-right")
{
	mach_port_name_t port = full_port(), once = send_once_to(port), notify = make_receive();
	struct message msg = message_to(once);

	msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE, 0);
	code("force", force_sized(&msg, HEADER, 0, notify));
	tell_name("the port", port);
	tell_count(port);
	tell_ids(port);
	tell_notes(notify, port);
}

CASE("mach_msg/forced-to-the-kernel")
{
	mach_port_name_t notify = make_receive(), reply = make_receive();
	struct message msg = message_to(self);

	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = reply;
	code("force", force_sized(&msg, HEADER, 0, notify));
	tell_received(reply, &msg);
	tell_notes(notify, self);
}

CASE("mach_msg/forced-with-room")
{
	mach_port_name_t port = make_port(), notify = make_receive();

	code("force", force(port, notify));
	tell_name("the port", port);
	tell_ids(port);
	tell_notes(notify, port);
}

/* ---- The notification's port. */

static void bad_notify(long kind, long forced_before, long unused)
{
	mach_port_name_t port = full_port(), reply = make_receive(), body = make_port();
	mach_port_name_t notify = make_kind((enum name_kind)kind);
	struct message msg = message_with(port, TYPE_PORT(MACH_MSG_TYPE_MAKE_SEND), body);

	(void)unused;
	if (forced_before)
		must("force", force(port, make_receive()) == MACH_SEND_WILL_NOTIFY ? 0 : 1);
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = reply;
	code("force", force_sized(&msg, HEADER + ITEM, MACH_SEND_TIMEOUT, notify));
	mach_printf("then: bits 0x%x, remote %s, local %s\n", msg.head.msgh_bits,
		    msg.head.msgh_remote_port == port ? "the port" :
		    port_word(msg.head.msgh_remote_port),
		    msg.head.msgh_local_port == reply ? "the receive right" :
		    port_word(msg.head.msgh_local_port));
	if (msg.head.msgh_local_port != reply && MACH_PORT_VALID(msg.head.msgh_local_port))
		tell_name("the local name", keep_name(msg.head.msgh_local_port));
	tell_item(&msg.item[0]);
	fact("the body's name", (mach_port_name_t)msg.item[0].word == body);
	tell_name("the destination", port);
	tell_name("the right", body);
	tell_count(port);
}
EACH("mach_msg/forced-notify-null", bad_notify, KIND_null, 0, 0)
EACH("mach_msg/forced-notify-dead-port", bad_notify, KIND_dead_port, 0, 0)
EACH("mach_msg/forced-notify-no-name", bad_notify, KIND_no_name, 0, 0)
EACH("mach_msg/forced-notify-send", bad_notify, KIND_send, 0, 0)
EACH("mach_msg/forced-notify-send-once", bad_notify, KIND_send_once, 0, 0)
EACH("mach_msg/forced-notify-dead-name", bad_notify, KIND_dead_name, 0, 0)
EACH("mach_msg/forced-notify-port-set", bad_notify, KIND_port_set, 0, 0)
EACH("mach_msg/forced-notify-send-receive", bad_notify, KIND_send_receive, 0, 0)
EACH("mach_msg/forced-twice-notify-null", bad_notify, KIND_null, 1, 0)
EACH("mach_msg/forced-twice-notify-no-name", bad_notify, KIND_no_name, 1, 0)
EACH("mach_msg/forced-twice-notify-receive", bad_notify, KIND_receive, 1, 0)

CASE("mach_msg/forced-notify-is-the-port")
{
	mach_port_name_t port = full_port();

	code("force", force(port, port));
	tell_count(port);
	tell_ids(port);
}

/* The notification comes before the message for which the room is. */
CASE("mach_msg/forced-notify-is-the-port-and-a-sender-waits")
{
	mach_port_name_t port = full_port();

	one.message = message_to(port);
	one.message.head.msgh_id = 200;
	one.size = HEADER;
	one.option = 0;
	second_start(&one, second_sends);
	code("force", force(port, port));
	tell_count(port);
	code("qlimit", mach_port_set_qlimit(self, port, 6));
	seconds_settle();
	tell_count(port);
	tell_ids(port);
	second_tell(&one, "the sender");
	second_end(&one);
}

CASE("mach_msg/forced-notify-port-dies")
{
	mach_port_name_t port = full_port(), notify = make_receive();

	code("force", force(port, notify));
	must("mach_port_destroy", mach_port_destroy(self, notify));
	tell_name("forced", port);
	tell_ids(port);
	tell_name("taken", port);
}

CASE("mach_msg/forced-notify-port-moves")
{
	mach_port_name_t port = full_port(), notify = make_receive(), task = make_task(FALSE);

	code("force", force(port, notify));
	must("mach_port_insert_right",
	     mach_port_insert_right(task, FREE_NAME, notify, MACH_MSG_TYPE_MOVE_RECEIVE));
	tell_ids(port);
	notify = back_from(task);
	tell_notes(notify, port);
}

/* It goes to a full queue itself, and counts there. */
CASE("mach_msg/forced-notify-queue-full")
{
	mach_port_name_t port = full_port(), notify = full_port();

	code("force", force(port, notify));
	tell_ids(port);
	tell_count(notify);
	tell_ids(notify);
}

CASE("mach_msg/forced-notify-send-once-count")
{
	mach_port_name_t port = full_port(), notify = make_receive();
	mach_port_status_t status;

	code("force", force(port, notify));
	must("mach_port_get_receive_status", mach_port_get_receive_status(self, notify, &status));
	count("send-once rights", status.mps_sorights);
	count("made", status.mps_mscount);
	tell_ids(port);
	must("mach_port_get_receive_status", mach_port_get_receive_status(self, notify, &status));
	count("send-once rights", status.mps_sorights);
	tell_notes(notify, port);
	must("mach_port_get_receive_status", mach_port_get_receive_status(self, notify, &status));
	count("send-once rights", status.mps_sorights);
}

/* ---- How the message is taken. */

CASE("mach_msg/forced-taken-header-only")
{
	mach_port_name_t port = full_port(), notify = make_receive();
	struct message msg = message_with(port, TYPE_INTEGER, 1);

	code("force", force_sized(&msg, HEADER + ITEM, 0, notify));
	for (int i = 0; i < 5; i++)
		must("receive", receive(port, &msg));
	code("large", receive_sized(port, &msg, HEADER, MACH_RCV_LARGE));
	tell_notes(notify, port);
	tell_name("still", port);
	code("too large", receive_sized(port, &msg, HEADER, 0));
	tell_notes(notify, port);
	tell_name("taken", port);
}

CASE("mach_msg/forced-taken-with-bad-notify")
{
	mach_port_name_t port = full_port(), notify = make_receive();
	struct message msg;

	code("force", force(port, notify));
	for (int i = 0; i < 5; i++)
		must("receive", receive(port, &msg));
	code("receive", receive_sized(port, &msg, sizeof(msg), MACH_RCV_NOTIFY));
	tell_notes(notify, port);
}

CASE("mach_msg/forced-taken-no-memory")
{
	mach_port_name_t port = full_port(), notify = make_receive();
	struct message msg;

	code("force", force(port, notify));
	for (int i = 0; i < 5; i++)
		must("receive", receive(port, &msg));
	code("receive", mach_msg((mach_msg_header_t *)MAP_END, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
				 sizeof(msg), port, 0, MACH_PORT_NULL));
	tell_notes(notify, port);
}

static void in_a_set(long before, long leaves, long unused)
{
	mach_port_name_t port = full_port(), notify = make_receive(), set = make_set();
	struct message msg;

	(void)unused;
	if (before)
		must("mach_port_move_member", mach_port_move_member(self, port, set));
	code("force", force(port, notify));
	if (!before)
		must("mach_port_move_member", mach_port_move_member(self, port, set));
	tell_name("forced", port);
	for (int i = 0; i < 5; i++)
		must("receive", receive(set, &msg));
	tell_notes(notify, port);
	if (leaves)
		must("mach_port_destroy", mach_port_destroy(self, set));
	tell_received(leaves ? port : set, &msg);
	tell_notes(notify, port);
	tell_name("taken", port);
}
EACH("mach_msg/forced-in-a-set", in_a_set, 1, 0, 0)
EACH("mach_msg/forced-then-in-a-set", in_a_set, 0, 0, 0)
EACH("mach_msg/forced-in-a-set-that-dies", in_a_set, 1, 1, 0)

/* A queue of no length is full, also when somebody waits for a message. */
static void no_queue(long receiver, long unused, long more_unused)
{
	mach_port_name_t port = make_port(), notify = make_receive();

	(void)unused;
	(void)more_unused;
	must("mach_port_set_qlimit", mach_port_set_qlimit(self, port, 0));
	if (receiver) {
		one.port = port;
		one.size = 0;
		one.option = 0;
		second_start(&one, second_receives);
	}
	code("force", force(port, notify));
	seconds_settle();
	tell_name("forced", port);
	if (receiver) {
		second_tell(&one, "the receiver");
		mach_printf("id %d\n", one.message.head.msgh_id);
		second_end(&one);
	}
	tell_count(port);
	tell_notes(notify, port);
	tell_ids(port);
	tell_notes(notify, port);
}
EACH("mach_msg/forced-queue-of-no-length", no_queue, 0, 0, 0)
EACH("mach_msg/forced-queue-of-no-length-receiver-waits", no_queue, 1, 0, 0)

/* ---- Another task's message, at the same port. */

static void child_forces(struct child *c)
{
	c->shared->numbers[0] = force(c->port, (mach_port_name_t)c->at);
	c->shared->numbers[1] = force(c->port, (mach_port_name_t)c->at);
}

/* The child's notification port is ours again before the message is taken. */
static void another_task(long ends, long unused, long more_unused)
{
	mach_port_name_t port = full_port(), notify = make_receive(), theirs = make_receive();
	mach_msg_type_name_t type;

	(void)unused;
	(void)more_unused;
	child_make();
	child_give(port, MACH_MSG_TYPE_MAKE_SEND);
	child_give(theirs, MACH_MSG_TYPE_MOVE_RECEIVE);
	code("force", force(port, notify));
	child.port = port;
	child.at = theirs;
	child_start(child_forces);
	if (!step_comes(7))
		mach_printf("the child does not come to its end\n");
	code("the child", (kern_return_t)child.shared->numbers[0]);
	code("the child again", (kern_return_t)child.shared->numbers[1]);
	tell_name("forced", port);
	tell_name_in(child.task, "forced by the child", port);
	must("mach_port_extract_right",
	     mach_port_extract_right(child.task, theirs, MACH_MSG_TYPE_MOVE_RECEIVE, &theirs,
				     &type));
	keep_name(theirs);
	if (ends)
		must("task_terminate", task_terminate(child.task));
	tell_ids(port);
	tell_name("taken", port);
	if (!ends)
		tell_name_in(child.task, "taken, in the child", port);
	mach_printf("ours: ");
	tell_notes(notify, port);
	mach_printf("the child's: ");
	tell_notes(theirs, port);
}
EACH("mach_msg/forced-by-two-tasks", another_task, 0, 0, 0)
EACH("mach_msg/forced-by-a-task-that-ends", another_task, 1, 0, 0)

/* ---- With other options. */

CASE("mach_msg/forced-after-a-while")
{
	mach_port_name_t port = full_port(), notify = make_receive();
	struct message msg = message_to(port);

	code("force", mach_msg(&msg.head, FORCE | MACH_SEND_TIMEOUT, HEADER, 0, MACH_PORT_NULL,
			       50, notify));
	tell_name("forced", port);
	tell_ids(port);
	tell_notes(notify, port);
}

/* Nothing is received when the message was forced. */
CASE("mach_msg/forced-and-receive")
{
	mach_port_name_t port = full_port(), notify = make_receive(), from = make_port();
	struct message msg = message_to(from);

	must("send", send_sized(&msg, HEADER));
	msg = message_to(port);
	code("force", mach_msg(&msg.head, FORCE | MACH_RCV_MSG | MACH_RCV_TIMEOUT, HEADER,
			       sizeof(msg), from, 0, notify));
	mach_printf("bits then: 0x%x\n", msg.head.msgh_bits);
	tell_count(from);
	tell_name("forced", port);
	tell_ids(port);
	tell_notes(notify, port);
}

static void with_cancel(long notify_kind, long full, long unused)
{
	mach_port_name_t task, port = make_port(), watch = make_receive();
	mach_port_name_t notify, previous = MACH_PORT_NULL;
	struct message msg;

	(void)unused;
	if (full)
		fill_queue(port);
	task = make_task(FALSE);
	must("mach_port_insert_right",
	     mach_port_insert_right(task, FREE_NAME, port, MACH_MSG_TYPE_MOVE_RECEIVE));
	must("mach_port_request_notification",
	     mach_port_request_notification(self, port, MACH_NOTIFY_DEAD_NAME, 1, watch,
					    MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous));
	notify = notify_kind == KIND_receive ? watch : make_kind((enum name_kind)notify_kind);
	msg = message_to(port);
	msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND, 0);
	code("force", force_sized(&msg, HEADER, MACH_SEND_CANCEL, notify));
	mach_printf("bits then: 0x%x\n", msg.head.msgh_bits);
	tell_name("then", port);
	tell_ids(back_from(task));
	tell_notes(watch, port);
}
EACH("mach_msg/forced-with-cancel", with_cancel, KIND_receive, 1, 0)
EACH("mach_msg/forced-with-cancel-room", with_cancel, KIND_receive, 0, 0)
EACH("mach_msg/forced-with-cancel-notify-null", with_cancel, KIND_null, 1, 0)
EACH("mach_msg/forced-with-cancel-notify-no-name", with_cancel, KIND_no_name, 1, 0)

/* A message that would make a circle is destroyed: the notification comes at once. */
CASE("mach_msg/forced-circular")
{
	mach_port_name_t port = full_port(), notify = make_receive();
	struct message msg = message_with(port, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), port);

	code("force", force_sized(&msg, HEADER + ITEM, 0, notify));
	tell_notes(notify, port);
	tell_name("then", port);
}

CASE("thread_abort/of-a-sender-that-may-force")
{
	mach_port_name_t port = full_port(), notify = make_receive();

	one.message = message_to(port);
	one.size = HEADER;
	one.option = MACH_SEND_NOTIFY | MACH_SEND_TIMEOUT;
	second_start(&one, second_sends);
	code("thread_abort", thread_abort(one.thread));
	second_tell(&one, "the sender");
	tell_name("then", port);
	tell_notes(notify, port);
	second_end(&one);
}

/* A forced message counts as sent. */
CASE("task_info/forced-message-is-counted")
{
	mach_port_name_t port = full_port(), notify = make_receive();
	struct task_events_info before, after;
	mach_msg_type_number_t n = TASK_EVENTS_INFO_COUNT;

	must("task_info", task_info(self, TASK_EVENTS_INFO, (task_info_t)&before, &n));
	code("force", force(port, notify));
	code("again", force(port, notify));
	n = TASK_EVENTS_INFO_COUNT;
	must("task_info", task_info(self, TASK_EVENTS_INFO, (task_info_t)&after, &n));
	count("sent", after.messages_sent - before.messages_sent);
}

/* When the receiver goes, which is told first. */
CASE("mach_msg/forced-order-of-notifications")
{
	mach_port_name_t port = full_port(), notify = make_receive();
	mach_port_name_t previous = MACH_PORT_NULL;
	struct message msg = message_to(port);

	must("mach_port_request_notification",
	     mach_port_request_notification(self, port, MACH_NOTIFY_DEAD_NAME, 1, notify,
					    MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous));
	must("mach_port_request_notification",
	     mach_port_request_notification(self, port, MACH_NOTIFY_NO_SENDERS, 0, notify,
					    MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous));
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = notify;
	code("force", force_sized(&msg, HEADER, 0, notify));
	must("mach_port_mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
	tell_notes(notify, port);
	tell_name("then", port);
}

/* ---- Senders that were suspended while they waited. */

static struct second two;

static void start_waiter(struct second *s, mach_port_name_t port, mach_msg_id_t id)
{
	s->message = message_to(port);
	s->message.head.msgh_id = id;
	s->size = HEADER;
	s->option = 0;
	second_start(s, second_sends);
}

/* The room that it is woken for is anybody's. */
CASE("thread_suspend/in-a-send-the-room-is-taken")
{
	mach_port_name_t port = full_port();
	struct message msg;

	start_waiter(&one, port, 200);
	code("thread_suspend", thread_suspend(one.thread));
	must("receive", receive(port, &msg));
	seconds_settle();
	tell_count(port);
	msg = message_to(port);
	msg.head.msgh_id = 300;
	code("send", send_sized(&msg, HEADER));
	code("thread_resume", thread_resume(one.thread));
	seconds_settle();
	fact("it came out", one.done);
	tell_ids(port);
	second_tell(&one, "its answer");
	second_end(&one);
}

CASE("thread_suspend/in-a-send-the-port-dies")
{
	mach_port_name_t port = full_port();
	struct message msg;

	start_waiter(&one, port, 200);
	code("thread_suspend", thread_suspend(one.thread));
	must("receive", receive(port, &msg));
	must("mach_port_destroy", mach_port_destroy(self, port));
	code("thread_resume", thread_resume(one.thread));
	second_tell(&one, "its answer");
	second_end(&one);
}

CASE("thread_suspend/in-a-send-the-limit-grows")
{
	mach_port_name_t port = full_port();

	start_waiter(&one, port, 200);
	code("thread_suspend", thread_suspend(one.thread));
	must("mach_port_set_qlimit", mach_port_set_qlimit(self, port, 7));
	seconds_settle();
	tell_count(port);
	code("thread_resume", thread_resume(one.thread));
	second_tell(&one, "its answer");
	tell_ids(port);
	second_end(&one);
}

CASE("thread_abort/in-a-send-suspended-with-room")
{
	mach_port_name_t port = full_port();
	struct message msg;

	start_waiter(&one, port, 200);
	code("thread_suspend", thread_suspend(one.thread));
	must("receive", receive(port, &msg));
	seconds_settle();
	code("thread_abort", thread_abort(one.thread));
	seconds_settle();
	tell_count(port);
	code("thread_resume", thread_resume(one.thread));
	second_tell(&one, "its answer");
	tell_ids(port);
	second_end(&one);
}

/* Whether another that waits gets the room. */
CASE("thread_suspend/in-a-send-another-waits")
{
	mach_port_name_t port = full_port();
	struct message msg;

	start_waiter(&one, port, 200);
	start_waiter(&two, port, 201);
	code("thread_suspend", thread_suspend(one.thread));
	must("receive", receive(port, &msg));
	seconds_settle();
	fact("the other came out", two.done);
	tell_count(port);
	code("thread_resume", thread_resume(one.thread));
	tell_ids(port);
	second_tell(&one, "its answer");
	second_tell(&two, "the other's");
	second_end(&one);
	second_end(&two);
}

CASE("thread_suspend/in-a-send-another-waits-longer")
{
	mach_port_name_t port = full_port();
	struct message msg;

	start_waiter(&one, port, 200);
	start_waiter(&two, port, 201);
	code("thread_suspend", thread_suspend(two.thread));
	must("receive", receive(port, &msg));
	seconds_settle();
	fact("the other came out", one.done);
	tell_count(port);
	code("thread_resume", thread_resume(two.thread));
	tell_ids(port);
	second_tell(&one, "the other's");
	second_tell(&two, "its answer");
	second_end(&one);
	second_end(&two);
}
