/* deathorder: in which order the news come when much dies at once. */
#include "suite.h"

#include "message.h"

#include <mach/notify.h>

enum { WATCHED = 20 };

static mach_port_name_t news;
static struct {
	mach_port_name_t name;
	char word[8];
} watched[WATCHED];
static size_t watching;

static void expect_news(void)
{
	news = make_receive();
	watching = 0;
	must("mach_port_set_qlimit", mach_port_set_qlimit(self, news, 16));
}

/* When what name stands for dies, the news say word. */
static mach_port_name_t watch(mach_port_name_t name, const char *word)
{
	mach_port_name_t previous = MACH_PORT_NULL;

	must("mach_port_request_notification",
	     mach_port_request_notification(self, name, MACH_NOTIFY_DEAD_NAME, 0, news,
					    MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous));
	watched[watching].name = name;
	memcpy(watched[watching++].word, word, strlen(word) + 1);
	return name;
}

static void tell_news(void)
{
	struct message msg;
	size_t i;

	mach_printf("news:");
	while (receive(news, &msg) == MACH_MSG_SUCCESS) {
		if (msg.head.msgh_id == MACH_NOTIFY_SEND_ONCE) {
			mach_printf(" send-once");
			continue;
		}
		for (i = 0; i < watching; i++)
			if (watched[i].name == (mach_port_name_t)msg.item[0].word)
				mach_printf(" %s", watched[i].word);
	}
	mach_printf("\n");
}

static void die(mach_port_name_t port)
{
	code("it dies", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
}

static void put_in(mach_port_name_t port, mach_port_name_t in)
{
	struct message msg = message_with(in, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), port);

	must("mach_msg", send_sized(&msg, HEADER + ITEM));
}

/* b's queue has c in it; d is beside it. All are watched. */
static void make_nest(mach_port_name_t *b, mach_port_name_t *d)
{
	mach_port_name_t c = watch(make_port(), "c");

	*b = watch(make_port(), "b");
	*d = watch(make_port(), "d");
	put_in(c, *b);
}

CASE("notification/order-of-queued-rights")
{
	mach_port_name_t a = make_port(), b, d;

	expect_news();
	watch(a, "a");
	make_nest(&b, &d);
	put_in(b, a);
	put_in(d, a);
	die(a);
	tell_news();
}

CASE("notification/order-of-rights-in-a-refused-message")
{
	mach_port_name_t b, d, to = make_port();
	struct message msg;

	expect_news();
	make_nest(&b, &d);
	msg = message_with(to, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), b);
	msg.item[1].type = TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE);
	msg.item[1].port = (mach_port_name_inlined_t){ .name = d };
	msg.item[2].type = TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE);
	msg.item[2].port = (mach_port_name_inlined_t){ .name = NO_NAME };
	code("mach_msg", send_sized(&msg, HEADER + 3 * ITEM));
	tell_news();
}

/* A buffer with room for the header only: the rest is destroyed. */
CASE("notification/order-of-rights-in-a-message-too-large")
{
	mach_port_name_t b, d, to = make_port();
	struct message msg;

	expect_news();
	make_nest(&b, &d);
	msg = message_with(to, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), b);
	msg.item[1].type = TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE);
	msg.item[1].port = (mach_port_name_inlined_t){ .name = d };
	must("mach_msg", send_sized(&msg, HEADER + 2 * ITEM));
	code("receive", receive_sized(to, &msg, HEADER, 0));
	tell_news();
}

/* A message that would be in itself. */
CASE("notification/order-of-rights-in-a-circle")
{
	mach_port_name_t b, d;
	struct message msg;

	expect_news();
	make_nest(&b, &d);
	msg = message_with(b, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), b);
	msg.item[1].type = TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE);
	msg.item[1].port = (mach_port_name_inlined_t){ .name = d };
	code("mach_msg", send_sized(&msg, HEADER + 2 * ITEM));
	tell_news();
}

/* The kernel refuses the request and destroys what it carries. */
CASE("notification/order-of-rights-in-a-request")
{
	mach_port_name_t b, d;
	struct message msg;

	expect_news();
	make_nest(&b, &d);
	msg = message_with(self, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), b);
	msg.head.msgh_id = 999999;
	msg.item[1].type = TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE);
	msg.item[1].port = (mach_port_name_inlined_t){ .name = d };
	code("mach_msg", send_sized(&msg, HEADER + 2 * ITEM));
	tell_news();
}

/* A task ends: its rights go name by name. */
CASE("notification/order-of-rights-of-a-task")
{
	mach_port_name_t task = make_task(FALSE), b, d;

	expect_news();
	make_nest(&b, &d);
	must("mach_port_insert_right",
	     mach_port_insert_right(task, 20, b, MACH_MSG_TYPE_MOVE_RECEIVE));
	must("mach_port_insert_right",
	     mach_port_insert_right(task, 10, d, MACH_MSG_TYPE_MOVE_RECEIVE));
	watch(task, "task");
	must("task_terminate", task_terminate(task));
	tell_news();
}
