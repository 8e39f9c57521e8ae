/*
 * a5graph: ports in messages in ports: some calls, drawn by lot, that build a heap
 * of them and take it down again, and what is told at each step.
 */
#include "suite.h"

#include "notes.h"

enum { PORTS = 8, TASKS = 2 };

static const char *const port_words[PORTS] = { "A", "B", "C", "D", "E", "F", "G", "H" };

static mach_port_name_t port[PORTS], task[TASKS], set[2], watch;
static uint32_t lot;

static unsigned draw(unsigned n)
{
	lot = lot * 1664525 + 1013904223;
	return (lot >> 9) % n;
}

static void tell_code(kern_return_t kr)
{
	mach_printf(": %s\n", mach_error_string(kr));
}

/* What has come to watch; the rights that come back get the name of their port. */
static void tell_watch(void)
{
	struct message msg;

	while (tell_note(watch, &msg))
		if (msg.head.msgh_id == MACH_NOTIFY_PORT_DESTROYED &&
		    MACH_PORT_VALID(msg.item[0].port.name))
			called("one that came back", port[draw(PORTS)] = msg.item[0].port.name);
}

static mach_msg_return_t send_laden(unsigned to, unsigned from)
{
	static const mach_msg_type_name_t how[] = { 16, 16, 17, 19, 20, 21, 18 };
	struct message msg;
	unsigned type = how[draw(7)], reply = draw(4), i = draw(PORTS);

	mach_printf("to %s, %s by %u", word_of(port[to]), word_of(port[from]), type);
	msg = message_with(port[to], TYPE_PORT(type), port[from]);
	msg.head.msgh_id = 1;
	if (type == 18)
		msg.item[0].word = send_once_to(watch);
	if (reply == 1) {
		msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
		msg.head.msgh_local_port = watch;
	} else if (reply == 2) {
		mach_printf(", reply %s", word_of(port[i]));
		msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MOVE_SEND);
		msg.head.msgh_local_port = port[i];
	}
	msg.item[1].type = TYPE_PORT(MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.item[1].word = watch;
	return send_sized(&msg, HEADER + ITEM + (draw(3) == 0 ? ITEM : 0));
}

static mach_msg_return_t take(unsigned from)
{
	struct message msg;
	mach_msg_return_t mr = receive(port[from], &msg);

	mach_printf("from %s", word_of(port[from]));
	if (mr != MACH_MSG_SUCCESS)
		return mr;
	keep_name(msg.head.msgh_remote_port);
	keep_name(msg.item[0].port.name);
	if (msg.head.msgh_size > HEADER + ITEM)
		keep_name(msg.item[1].port.name);
	mach_printf(", %d, got %s", msg.head.msgh_id, word_of(msg.item[0].port.name));
	if (msg.head.msgh_id == 1 && MACH_PORT_VALID(msg.item[0].port.name)) {
		port[draw(PORTS)] = msg.item[0].port.name;
		tell_name(", it is", msg.item[0].port.name);
	}
	return mr;
}

static void step(void)
{
	unsigned what = draw(40), i = draw(PORTS), j = draw(PORTS), k = draw(2);
	const char *it;

	if (port[i] == MACH_PORT_NULL && draw(3) > 0)
		what = 38;
	it = word_of(port[i]);
	if (what < 4) {
		mach_printf("dead-name of %s", it);
		tell_code(arm(port[i], MACH_NOTIFY_DEAD_NAME, draw(2), watch));
	} else if (what < 7) {
		mach_printf("no-senders of %s", it);
		tell_code(arm(port[i], MACH_NOTIFY_NO_SENDERS, draw(3), watch));
	} else if (what < 9) {
		mach_printf("port-destroyed of %s to %s", it, k ? "watch" : word_of(port[j]));
		tell_code(arm(port[i], MACH_NOTIFY_PORT_DESTROYED, 0, k ? watch : port[j]));
	} else if (what < 18) {
		tell_code(send_laden(i, j));
	} else if (what < 21) {
		tell_code(take(i));
	} else if (what < 23) {
		mach_printf("%s into set %u", it, k);
		tell_code(mach_port_move_member(self, port[i], draw(4) ? set[k] : MACH_PORT_NULL));
	} else if (what < 26) {
		mach_printf("%s to task %u", it, k);
		tell_code(mach_port_insert_right(task[k], port[i], port[i],
						 draw(3) ? MACH_MSG_TYPE_MOVE_RECEIVE :
						 draw(2) ? MACH_MSG_TYPE_COPY_SEND :
						 MACH_MSG_TYPE_MAKE_SEND_ONCE));
	} else if (what < 28) {
		mach_printf("dead-name of %s of task %u", it, k);
		tell_code(arm_by(task[k], port[i], MACH_NOTIFY_DEAD_NAME, 0, watch,
				 MACH_MSG_TYPE_MAKE_SEND_ONCE));
	} else if (what < 30) {
		mach_printf("%s made a send right", it);
		tell_code(mach_port_insert_right(self, port[i], port[i], MACH_MSG_TYPE_MAKE_SEND));
	} else if (what < 32) {
		mach_printf("%s deallocated", it);
		tell_code(mach_port_deallocate(self, port[i]));
	} else if (what < 34) {
		mach_printf("%s receive -1", it);
		tell_code(mach_port_mod_refs(self, port[i], MACH_PORT_RIGHT_RECEIVE, -1));
	} else if (what < 36) {
		mach_printf("%s destroyed", it);
		tell_code(mach_port_destroy(self, port[i]));
	} else if (what < 37) {
		mach_printf("%s of task %u destroyed", it, k);
		tell_code(mach_port_destroy(task[k], port[i]));
	} else if (what < 38) {
		mach_printf("%s of task %u extracted", it, k);
		mach_msg_type_name_t type = 0;
		mach_port_name_t right = MACH_PORT_NULL;

		tell_code(mach_port_extract_right(task[k], port[i], MACH_MSG_TYPE_MOVE_RECEIVE,
						  &right, &type));
		if (MACH_PORT_VALID(right))
			called("extracted", port[j] = keep_name(right));
	} else if (what < 39) {
		mach_printf("%s again", it);
		called(port_words[i], port[i] = make_port());
		tell_code(mach_port_set_qlimit(self, port[i], 16));
	} else {
		mach_printf("task %u again", k);
		must("terminate", task_terminate(task[k]));
		fixtures.task_count = 0;
		tell_watch();
		task[k] = make_task(FALSE);
		fixtures.tasks[0] = task[0];
		fixtures.tasks[1] = task[1];
		fixtures.task_count = 2;
		tell_code(KERN_SUCCESS);
	}
	tell_watch();
}

/*
 * A name that is gone means nothing, before the kernel gives it to something else:
 * to a new reply port, as each stub whose request cannot be sent takes one.
 */
static void forget_gone(void)
{
	static struct name_list list;
	size_t i;

	list_names(&list);
	for (i = 0; i < PORTS; i++)
		if (!has_name(&list, port[i]) || port[i] == mig_get_reply_port())
			port[i] = MACH_PORT_NULL;
	for (i = 0; i < fixtures.name_count; i++)
		if (fixtures.names[i] == mig_get_reply_port())
			fixtures.names[i] = MACH_PORT_NULL;
}

static void graph(long seed, long steps, long unused)
{
	unsigned i;

	(void)unused;
	lot = (uint32_t)seed * 7919;
	words_begin();
	watch = called("watch", make_receive());
	for (i = 0; i < PORTS; i++) {
		called(port_words[i], port[i] = make_port());
		must("set_qlimit", mach_port_set_qlimit(self, port[i], 16));
	}
	for (i = 0; i < TASKS; i++)
		task[i] = make_task(FALSE);
	for (i = 0; i < 2; i++)
		set[i] = called(i ? "set 1" : "set 0", make_set());
	while (steps-- > 0) {
		step();
		forget_gone();
	}
	for (i = 0; i < PORTS; i++) {
		mach_printf("%s is over", word_of(port[i]));
		tell_code(mach_port_destroy(self, port[i]));
		tell_watch();
		forget_gone();
	}
	for (i = 0; i < TASKS; i++) {
		mach_printf("task %u is over", i);
		tell_code(task_terminate(task[i]));
		tell_watch();
	}
	fixtures.task_count = 0;
	forget_gone();
}
#define GRAPH(n) EACH("notification/graph-" #n, graph, n, 60, 0)
GRAPH(1) GRAPH(2) GRAPH(3) GRAPH(4) GRAPH(5) GRAPH(6) GRAPH(7) GRAPH(8) GRAPH(9) GRAPH(10)
GRAPH(11) GRAPH(12) GRAPH(13) GRAPH(14) GRAPH(15) GRAPH(16) GRAPH(17) GRAPH(18) GRAPH(19) GRAPH(20)
