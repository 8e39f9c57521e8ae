/* senders: threads that wait in mach_msg for room, and messages that are forced. */
#include "suite.h"

#include "second.h"

static struct second one, two, three;

static void start_sender(struct second *s, mach_port_name_t port, mach_msg_id_t id,
			 mach_msg_option_t option)
{
	s->message = message_to(port);
	s->message.head.msgh_id = id;
	s->size = HEADER;
	s->option = option;
	second_start(s, second_sends);
}

static size_t tell_ids(mach_port_name_t port)
{
	struct message msg;
	size_t n = 0;

	mach_printf("ids:");
	for (; receive(port, &msg) == MACH_MSG_SUCCESS; n++) {
		mach_printf(" %d", msg.head.msgh_id);
		nap(1);
	}
	mach_printf("\n");
	return n;
}

static void sender_waits(long option, long unused, long more_unused)
{
	mach_port_name_t port = make_port();
	struct message msg;

	(void)unused;
	(void)more_unused;
	fill_queue(port);
	start_sender(&one, port, 200, (mach_msg_option_t)option);
	fact("it waits", !one.done);
	tell_received(port, &msg);
	second_tell(&one, "the sender");
	count("messages", tell_ids(port));
	second_end(&one);
}
EACH("mach_msg/sender-waits-for-room", sender_waits, 0, 0, 0)
EACH("mach_msg/sender-waits-for-room-in-time", sender_waits, MACH_SEND_TIMEOUT, 0, 0)
EACH("mach_msg/sender-waits-for-room-with-send-notify", sender_waits,
     MACH_SEND_TIMEOUT | MACH_SEND_NOTIFY, 0, 0)

CASE("mach_msg/senders-wait-in-order")
{
	mach_port_name_t port = make_port();

	fill_queue(port);
	start_sender(&one, port, 201, 0);
	start_sender(&two, port, 202, MACH_SEND_TIMEOUT);
	start_sender(&three, port, 203, 0);
	count("messages", tell_ids(port));
	second_tell(&one, "the first");
	second_tell(&two, "the second");
	second_tell(&three, "the third");
	second_end(&one);
	second_end(&two);
	second_end(&three);
}

CASE("mach_msg/sender-waits-send-once-passes")
{
	mach_port_name_t port = make_port(), once = send_once_to(port);
	struct message msg = message_to(once);

	fill_queue(port);
	start_sender(&one, port, 201, 0);
	msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE, 0);
	msg.head.msgh_id = 300;
	code("send", send_sized(&msg, HEADER));
	count("messages", tell_ids(port));
	second_tell(&one, "the sender");
	second_end(&one);
}

/* A message full of rights that waits for room. */
static void start_laden_sender(mach_port_name_t port, mach_port_name_t reply,
			       mach_port_name_t body, mach_msg_type_name_t disposition)
{
	one.message = message_with(port, TYPE_PORT(disposition), body);
	one.message.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	one.message.head.msgh_local_port = reply;
	one.size = HEADER + ITEM;
	one.option = 0;
	second_start(&one, second_sends);
}

static void sender_waits_port_goes(long by_destroy, long disposition, long unused)
{
	mach_port_name_t port = make_port(), reply = make_receive(), body = make_port();
	struct message msg;

	(void)unused;
	fill_queue(port);
	start_laden_sender(port, reply, body, (mach_msg_type_name_t)disposition);
	tell_name("carried", body);
	if (by_destroy)
		must("mach_port_destroy", mach_port_destroy(self, port));
	else
		must("mach_port_mod_refs",
		     mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
	second_tell(&one, "the sender");
	tell_name("the destination", port);
	tell_name("carried", body);
	mach_printf("at the reply port: ");
	tell_received(reply, &msg);
	second_end(&one);
}
EACH("mach_msg/sender-waits-port-dies", sender_waits_port_goes, 0, 17, 0)
EACH("mach_msg/sender-waits-port-destroyed", sender_waits_port_goes, 1, 17, 0)
EACH("mach_msg/sender-waits-port-dies-receive-right-carried", sender_waits_port_goes, 0, 16, 0)

/* The thread ends: its message is its task's again. */
static void sender_terminated(long disposition, long unused, long more_unused)
{
	static struct name_list before, after;
	mach_port_name_t port = make_port(), reply = make_receive(), body = make_port();
	struct message msg;

	(void)unused;
	(void)more_unused;
	fill_queue(port);
	start_laden_sender(port, reply, body, (mach_msg_type_name_t)disposition);
	list_names(&before);
	code("thread_terminate", thread_terminate(one.thread));
	list_names(&after);
	count("names more", after.count - before.count);
	tell_name("the thread", one.thread);
	tell_name("the destination", port);
	tell_name("carried", body);
	mach_printf("at the reply port: ");
	tell_received(reply, &msg);
	count("messages", tell_ids(port));
	second_end(&one);
	/* The reply right came back as a right of its own. */
	destroy_new_names(&before, &after);
}
EACH("thread_terminate/of-a-waiting-sender", sender_terminated, 17, 0, 0)
EACH("thread_terminate/of-a-waiting-sender-receive-right-carried", sender_terminated, 16, 0, 0)

CASE("mach_msg/sender-waits-receive-right-moves")
{
	mach_port_name_t port = make_port(), carrier = make_port();
	struct message msg;

	fill_queue(port);
	start_sender(&one, port, 200, 0);
	msg = message_with(carrier, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), port);
	must("send", send_sized(&msg, HEADER + ITEM));
	seconds_settle();
	fact("on its way, it waits", !one.done);
	must("receive", receive(carrier, &msg));
	seconds_settle();
	fact("arrived, it waits", !one.done);
	count("messages", tell_ids(port));
	second_tell(&one, "the sender");
	second_end(&one);
}

CASE("mach_msg/sender-waits-send-right-goes")
{
	mach_port_name_t port = make_port();

	fill_queue(port);
	start_sender(&one, port, 200, 0);
	must("mach_port_deallocate", mach_port_deallocate(self, port));
	seconds_settle();
	fact("it waits", !one.done);
	count("messages", tell_ids(port));
	second_tell(&one, "the sender");
	second_end(&one);
}

/* Memory is taken when the message is sent, not when there is room. */
static void sender_waits_with_memory(long deallocate, long unused, long more_unused)
{
	mach_port_name_t port = make_port();
	vm_offset_t data = island(2);
	struct message msg;

	(void)unused;
	(void)more_unused;
	pattern_fill(data, 2 * PAGE, 1);
	fill_queue(port);
	one.message = message_with(port, TYPE_BYTES(2 * 4096), data);
	one.message.item[0].type.msgt_deallocate = deallocate & 1;
	one.size = HEADER + ITEM;
	one.option = 0;
	second_start(&one, second_sends);
	tell_memory("the sender's", data, 2);
	if (!deallocate)
		pattern_fill(data, 2 * PAGE, 2);
	while (receive(port, &msg) == MACH_MSG_SUCCESS && msg.head.msgh_id != 1000)
		nap(1);
	second_tell(&one, "the sender");
	tell_item(&msg.item[0]);
	count("wrong bytes", pattern_wrong(keep_memory(msg.item[0].address, 2 * PAGE),
					   2 * PAGE, 1));
	second_end(&one);
}
EACH("mach_msg/sender-waits-with-memory", sender_waits_with_memory, 0, 0, 0)
EACH("mach_msg/sender-waits-with-memory-deallocate", sender_waits_with_memory, 1, 0, 0)

/* ---- Forced messages. */

static mach_msg_return_t force(mach_port_name_t port, mach_port_name_t notify, mach_msg_id_t id)
{
	struct message msg = message_to(port);

	msg.head.msgh_id = id;
	return mach_msg(&msg.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT | MACH_SEND_NOTIFY, HEADER,
			0, MACH_PORT_NULL, 0, notify);
}

CASE("mach_msg/send-notify-twice")
{
	mach_port_name_t port = make_port(), notify = make_receive();
	struct message msg;

	fill_queue(port);
	code("once", force(port, notify, 200));
	code("twice", force(port, notify, 201));
	mach_printf("before: ");
	tell_received(notify, &msg);
	count("messages", tell_ids(port));
	mach_printf("after: ");
	if (tell_received(notify, &msg) == MACH_MSG_SUCCESS) {
		tell_item(&msg.item[0]);
		fact("it names the port", (mach_port_name_t)msg.item[0].word == port);
	}
	fill_queue(port);
	code("again", force(port, notify, 202));
}

CASE("mach_msg/send-notify-port-dies")
{
	mach_port_name_t port = make_port(), notify = make_receive();
	struct message msg;

	fill_queue(port);
	code("forced", force(port, notify, 200));
	must("mach_port_mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
	tell_received(notify, &msg);
}
