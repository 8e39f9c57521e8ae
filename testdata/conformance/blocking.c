/* blocking: several threads that wait at one place: who is served, and what ends a wait. */
#include "suite.h"

#include "child.h"
#include "notes.h"
#include "worker.h"

enum { MANY = 5 };

static struct second s[MANY];
static int started;		/* s[0] to s[started - 1] are threads */
static int apart = -1;		/* one that will not wait: suspended, or ended */

/*
 * Until all that were woken have done what they do, and wait again; each may wake
 * one who was looked at before.
 */
static void quiet(void)
{
	int i, rounds = 0;

	while (rounds < 3) {
		rounds++;
		for (i = 0; i < started; i++)
			if (i != apart && run_state(s[i].thread) != TH_STATE_WAITING) {
				until_waiting(s[i].thread);
				rounds = 0;
			}
	}
}

/* Starts s[i], which goes and waits. */
static void start(int i, void (*body)(struct second *))
{
	vm_offset_t stack = island(SECOND_STACK);

	s[i].body = body;
	s[i].begun = s[i].done = FALSE;
	s[i].park = make_receive();
	s[i].thread = make_thread(self, (vm_offset_t)second_main, (vm_offset_t)&s[i],
				  stack + SECOND_STACK * PAGE);
	must("thread_resume", thread_resume(s[i].thread));
	until_waiting(s[i].thread);
	started = i + 1;
}

/* ---- Those who wait for a message. */

static void receiver_for(int i, mach_port_name_t port, mach_msg_size_t size,
			 mach_msg_option_t option)
{
	memset(&s[i].message, 0, sizeof(s[i].message));
	s[i].port = port;
	s[i].size = size;
	s[i].option = option;
	start(i, second_receives);
}

static void receivers_for(int n, mach_port_name_t port)
{
	int i;

	for (i = 0; i < n; i++)
		receiver_for(i, port, 0, 0);
}

/* In the order in which they came to wait. */
static void tell_all(int n)
{
	int i;

	quiet();
	for (i = 0; i < n; i++) {
		if (!s[i].done)
			mach_printf("%d: waits\n", i + 1);
		else if (s[i].answer == MACH_MSG_SUCCESS)
			mach_printf("%d: message %d\n", i + 1, s[i].message.head.msgh_id);
		else
			mach_printf("%d: %s\n", i + 1, mach_error_string(s[i].answer));
	}
}

static void end_all(int n)
{
	while (n-- > 0)
		if (n != apart)
			second_end(&s[n]);
		else
			mach_port_deallocate(self, s[n].thread);
	started = 0;
	apart = -1;
}

/* One of them is made to leave. */
enum leaving { ABORTED, TERMINATED, SUSPENDED, TOO_SMALL };

static void leaves(enum leaving leaving, int which)
{
	switch (leaving) {
	case ABORTED: code("thread_abort", thread_abort(s[which].thread)); break;
	case TERMINATED:
		code("thread_terminate", thread_terminate(s[which].thread));
		apart = which;
		break;
	case SUSPENDED:
		code("thread_suspend", thread_suspend(s[which].thread));
		apart = which;
		break;
	case TOO_SMALL: break;
	}
}

static void receivers(long from_set, long messages, long unused)
{
	mach_port_name_t a = make_port(), b = make_port(), set;
	int i;

	(void)unused;
	if (from_set) {
		set = make_set();
		must("move_member", mach_port_move_member(self, a, set));
		must("move_member", mach_port_move_member(self, b, set));
		receivers_for(MANY, set);
	} else {
		receivers_for(MANY, a);
	}
	for (i = 0; i < messages; i++) {
		send_plain(from_set && i % 2 ? b : a, 100 + i);
		quiet();	/* a message counts until its receiver runs */
	}
	tell_all(MANY);
	tell_status("a", a);
	end_all(MANY);
}
EACH("blocking/receivers-of-a-port", receivers, 0, 3, 0)
EACH("blocking/receivers-of-a-port-each-served", receivers, 0, 5, 0)
EACH("blocking/receivers-of-a-port-one-message-more", receivers, 0, 6, 0)
EACH("blocking/receivers-of-a-set", receivers, 1, 3, 0)
EACH("blocking/receivers-of-a-set-each-served", receivers, 1, 5, 0)

/* One of them leaves in some way; messages come for the others. */
static void one_leaves(long leaving, long which, long from_set)
{
	mach_port_name_t port = make_port(), at = from_set ? make_set() : port;
	struct message msg;
	int i;

	if (from_set)
		must("move_member", mach_port_move_member(self, port, at));
	for (i = 0; i < 3; i++)
		if (i == which && leaving == TOO_SMALL)
			receiver_for(i, at, HEADER, MACH_RCV_LARGE);
		else
			receiver_for(i, at, 0, 0);
	leaves((enum leaving)leaving, (int)which);
	for (i = 0; i < 3; i++) {
		msg = message_with(port, TYPE_INTEGER, 7);
		msg.head.msgh_id = 100 + i;
		must("send", send_sized(&msg, HEADER + ITEM));
		quiet();
	}
	tell_all(3);
	if (leaving == SUSPENDED) {
		apart = -1;
		code("thread_resume", thread_resume(s[which].thread));
		tell_all(3);
	}
	count("messages left", drain(at));
	end_all(3);
}
#define LEAVES(name, leaving)								\
	EACH("blocking/receivers-first-" name, one_leaves, leaving, 0, 0)		\
	EACH("blocking/receivers-middle-" name, one_leaves, leaving, 1, 0)		\
	EACH("blocking/receivers-last-" name, one_leaves, leaving, 2, 0)		\
	EACH("blocking/receivers-of-a-set-middle-" name, one_leaves, leaving, 1, 1)
LEAVES("aborted", ABORTED)
LEAVES("terminated", TERMINATED)
LEAVES("suspended", SUSPENDED)
LEAVES("too-small", TOO_SMALL)

/* Waits that end by themselves, and one that does not. */
static void receives_in_time(struct second *it)
{
	it->answer = mach_msg_trap(&it->message.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
				   sizeof(it->message), it->port, it->option, MACH_PORT_NULL);
}

static void in_time(long from_set, long unused, long more_unused)
{
	mach_port_name_t port = make_port(), at = from_set ? make_set() : port;

	(void)unused;
	(void)more_unused;
	if (from_set)
		must("move_member", mach_port_move_member(self, port, at));
	receiver_for(0, at, 0, 0);
	s[1].port = s[2].port = at;
	s[1].option = 100;	/* milliseconds */
	s[2].option = 60000;
	start(1, receives_in_time);
	start(2, receives_in_time);
	fact("one is timed out", comes_true(&s[1].done));
	send_plain(port, 100);
	tell_all(3);
	send_plain(port, 101);
	tell_all(3);
	count("messages left", drain(at));
	end_all(3);
}
EACH("blocking/receivers-one-timed-out", in_time, 0, 0, 0)
EACH("blocking/receivers-of-a-set-one-timed-out", in_time, 1, 0, 0)

/* ---- Those who wait for room. */

static void sender_to(int i, mach_port_name_t port, mach_msg_option_t option)
{
	s[i].message = message_to(port);
	s[i].message.head.msgh_id = 201 + i;
	s[i].size = HEADER;
	s[i].option = option;
	start(i, second_sends);
}

static void senders_to(int n, mach_port_name_t port)
{
	int i;

	for (i = 0; i < n; i++)
		sender_to(i, port, 0);
}

/* The ids that are queued, or come while they are taken. */
static void tell_ids(const char *what, mach_port_name_t port, int n)
{
	struct message msg;

	mach_printf("%s:", what);
	while (n-- > 0 && receive(port, &msg) == MACH_MSG_SUCCESS) {
		mach_printf(" %d", msg.head.msgh_id);
		quiet();
	}
	mach_printf("\n");
}

/* The same, where senders came in together: they did in the order in which they ran. */
static void tell_ids_in_any_order(const char *what, mach_port_name_t port)
{
	struct message msg;
	int sender[3] = { 0 }, i;

	mach_printf("%s:", what);
	while (receive(port, &msg) == MACH_MSG_SUCCESS) {
		if (msg.head.msgh_id < 201)
			mach_printf(" %d", msg.head.msgh_id);
		else
			sender[msg.head.msgh_id - 201]++;
		quiet();
	}
	for (i = 0; i < 3; i++)
		while (sender[i]-- > 0)
			mach_printf(" %d", 201 + i);
	mach_printf("\n");
}

static void limit_changes(long first, long then, long last)
{
	mach_port_name_t port = make_port();

	fill_queue(port);
	senders_to(3, port);
	code("set_qlimit", mach_port_set_qlimit(self, port, (mach_port_msgcount_t)first));
	tell_all(3);
	tell_status("port", port);
	code("set_qlimit", mach_port_set_qlimit(self, port, (mach_port_msgcount_t)then));
	tell_all(3);
	tell_status("port", port);
	tell_ids("taken", port, 3);
	tell_all(3);
	tell_status("port", port);
	code("set_qlimit", mach_port_set_qlimit(self, port, (mach_port_msgcount_t)last));
	tell_all(3);
	tell_ids_in_any_order("taken", port);
	tell_all(3);
	tell_status("port", port);
	end_all(3);
}
EACH("blocking/senders-limit-6-then-7", limit_changes, 6, 7, 16)
EACH("blocking/senders-limit-5-then-16", limit_changes, 5, 16, 1)
EACH("blocking/senders-limit-1-then-2", limit_changes, 1, 2, 5)
EACH("blocking/senders-limit-0-then-5", limit_changes, 0, 5, 5)
EACH("blocking/senders-limit-0-then-0", limit_changes, 0, 0, 16)
EACH("blocking/senders-limit-4-then-6", limit_changes, 4, 6, 1)
EACH("blocking/senders-limit-16-then-1", limit_changes, 16, 1, 1)
EACH("blocking/senders-limit-2-then-4", limit_changes, 2, 4, 4)

/* A limit of none: a message only by a send-once right, or straight to who waits? */
CASE("blocking/sender-limit-0-receiver-waits")
{
	mach_port_name_t port = make_port();

	must("set_qlimit", mach_port_set_qlimit(self, port, 0));
	receiver_for(0, port, 0, 0);
	sender_to(1, port, 0);
	tell_all(2);
	code("set_qlimit", mach_port_set_qlimit(self, port, 1));
	tell_all(2);
	end_all(2);
}

static void one_sender_leaves(long leaving, long which, long unused)
{
	mach_port_name_t port = make_port();

	(void)unused;
	fill_queue(port);
	senders_to(3, port);
	leaves((enum leaving)leaving, (int)which);
	tell_all(3);
	tell_ids("taken", port, 20);
	tell_all(3);
	end_all(3);
}
#define SENDER_LEAVES(name, leaving)							\
	EACH("blocking/senders-first-" name, one_sender_leaves, leaving, 0, 0)		\
	EACH("blocking/senders-middle-" name, one_sender_leaves, leaving, 1, 0)		\
	EACH("blocking/senders-last-" name, one_sender_leaves, leaving, 2, 0)
SENDER_LEAVES("aborted", ABORTED)
SENDER_LEAVES("terminated", TERMINATED)

static void sends_in_time(struct second *it)
{
	it->answer = mach_msg_trap(&it->message.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, HEADER, 0,
				   MACH_PORT_NULL, it->option, MACH_PORT_NULL);
}

CASE("blocking/senders-one-timed-out")
{
	mach_port_name_t port = make_port();
	int i;

	fill_queue(port);
	for (i = 0; i < 3; i++) {
		s[i].message = message_to(port);
		s[i].message.head.msgh_id = 201 + i;
		s[i].option = i == 1 ? 100 : 60000;
		start(i, sends_in_time);
	}
	fact("one is timed out", comes_true(&s[1].done));
	tell_all(3);
	tell_ids("taken", port, 20);
	tell_all(3);
	end_all(3);
}

/* Laden senders whose port goes, with a queue that is laden, too: who is told when. */
static void laden_port_goes(long how, long unused, long more_unused)
{
	mach_port_name_t port = make_port(), watch = make_receive(), inner[3], first, task;
	int i;

	(void)unused;
	(void)more_unused;
	words_begin();
	called("port", port);
	task = called("its task", make_task(FALSE));
	must_arm(task, MACH_NOTIFY_DEAD_NAME, watch);
	must("insert", mach_port_insert_right(task, FREE_NAME + 9, watch,
					      MACH_MSG_TYPE_MAKE_SEND_ONCE));
	must_arm(port, MACH_NOTIFY_NO_SENDERS, watch);
	must_arm(port, MACH_NOTIFY_DEAD_NAME, watch);
	first = called("in the queue", make_port());
	must_arm(first, MACH_NOTIFY_DEAD_NAME, watch);
	send_right(port, first, MACH_MSG_TYPE_MOVE_RECEIVE, 1);
	must("set_qlimit", mach_port_set_qlimit(self, port, 1));
	for (i = 0; i < 3; i++) {
		inner[i] = called(i == 0 ? "first" : i == 1 ? "second" : "third", make_port());
		must_arm(inner[i], MACH_NOTIFY_DEAD_NAME, watch);
		s[i].message = message_with(port, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), inner[i]);
		s[i].size = HEADER + ITEM;
		s[i].option = 0;
		start(i, second_sends);
	}
	switch (how) {
	case 0: code("destroy", mach_port_destroy(self, port)); break;
	case 1:
		code("receive -1", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
		break;
	case 2:
		must("insert", mach_port_insert_right(task, FREE_NAME, port,
						      MACH_MSG_TYPE_MOVE_RECEIVE));
		code("task_terminate", task_terminate(task));
		break;
	}
	tell_all(3);
	tell_notes("told", watch);
	tell_name("port", port);
	end_all(3);
}
EACH("blocking/senders-laden-port-destroyed", laden_port_goes, 0, 0, 0)
EACH("blocking/senders-laden-port-dies", laden_port_goes, 1, 0, 0)
EACH("blocking/senders-laden-port-dies-with-its-task", laden_port_goes, 2, 0, 0)

/* The port goes into a set, and out of it, and to its backup: its senders wait on. */
static void senders_port_moves(long how, long unused, long more_unused)
{
	mach_port_name_t port = make_port(), set = make_set(), carrier = make_port(), at = set;
	struct message msg;

	(void)unused;
	(void)more_unused;
	fill_queue(port);
	senders_to(2, port);
	switch (how) {
	case 0: must("move_member", mach_port_move_member(self, port, set)); break;
	case 1:
		must("move_member", mach_port_move_member(self, port, set));
		must("destroy", mach_port_destroy(self, set));
		at = port;
		break;
	case 2:
		must_arm(port, MACH_NOTIFY_PORT_DESTROYED, carrier);
		must("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
		code("received", receive(carrier, &msg));
		at = keep_name(msg.item[0].port.name);
		break;
	case 3:
		must("rename", mach_port_rename(self, port, at = fresh_name()));
		break;
	}
	tell_all(2);
	tell_ids("taken", at, 20);
	tell_all(2);
	end_all(2);
}
EACH("blocking/senders-port-into-a-set", senders_port_moves, 0, 0, 0)
EACH("blocking/senders-port-through-a-set", senders_port_moves, 1, 0, 0)
EACH("blocking/senders-port-to-its-backup", senders_port_moves, 2, 0, 0)
EACH("blocking/senders-port-renamed", senders_port_moves, 3, 0, 0)

/* Room that comes while another wants it, too. */
CASE("blocking/senders-and-one-who-does-not-wait")
{
	mach_port_name_t port = make_port();
	struct message msg;

	fill_queue(port);
	senders_to(2, port);
	code("receive", receive(port, &msg));
	quiet();
	msg = message_to(port);
	msg.head.msgh_id = 300;
	code("send", send_sized(&msg, HEADER));
	tell_all(2);
	tell_ids("taken", port, 20);
	tell_all(2);
	end_all(2);
}

/* ---- A task with threads that wait in each way ends. */

static void child_blocks(struct child *c)
{
	struct message msg = message_to(c->port);

	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = (mach_port_name_t)c->at;
	step_done(0);
	mach_msg_trap(&msg.head, MACH_SEND_MSG, HEADER, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL);
}

static void child_ends_blocked(long suspended, long unused, long more_unused)
{
	mach_port_name_t port = child.port = make_port(), reply = make_port();
	mach_port_name_t watch = make_receive();
	struct message msg;

	(void)unused;
	(void)more_unused;
	words_begin();
	called("reply", reply);
	must_arm(reply, MACH_NOTIFY_NO_SENDERS, watch);
	must_arm(reply, MACH_NOTIFY_DEAD_NAME, watch);
	fill_queue(port);
	child.at = reply;
	child_make();
	child_give(port, MACH_MSG_TYPE_MAKE_SEND);
	child_give(reply, MACH_MSG_TYPE_MOVE_RECEIVE);
	child_start(child_blocks);
	fact("it runs", step_comes(0));
	settle();
	if (suspended)
		code("task_suspend", task_suspend(child.task));
	tell_name_in(child.task, "reply, there", reply);
	code("task_terminate", task_terminate(child.task));
	tell_notes("told", watch);
	tell_name("reply", reply);
	count("messages", drain(port));
	msg = message_to(port);
	code("room again", send_sized(&msg, HEADER));
}
EACH("blocking/task-ends-in-a-send", child_ends_blocked, 0, 0, 0)
EACH("blocking/task-ends-suspended-in-a-send", child_ends_blocked, 1, 0, 0)

/* Many messages through few places, several on either side: none lost. */
static volatile long taken;

static void takes_many(struct second *it)
{
	for (;;) {
		it->answer = mach_msg_trap(&it->message.head, MACH_RCV_MSG, 0, sizeof(it->message),
					   it->port, 0, MACH_PORT_NULL);
		if (it->answer != MACH_MSG_SUCCESS)
			return;
		__atomic_add_fetch(&taken, 1, __ATOMIC_SEQ_CST);
	}
}

static void sends_many(struct second *it)
{
	int i;

	for (i = 0; i < 300 && it->answer == MACH_MSG_SUCCESS; i++) {
		struct message msg = it->message;

		it->answer = mach_msg_trap(&msg.head, MACH_SEND_MSG, HEADER, 0, MACH_PORT_NULL, 0,
					   MACH_PORT_NULL);
	}
}

static void storm(long limit, long from_set, long unused)
{
	mach_port_name_t port = make_port(), at = from_set ? make_set() : port;
	int i;

	(void)unused;
	if (from_set)
		must("move_member", mach_port_move_member(self, port, at));
	must("set_qlimit", mach_port_set_qlimit(self, port, (mach_port_msgcount_t)limit));
	taken = 0;
	for (i = 0; i < MANY; i++) {
		s[i].port = at;
		s[i].message = message_to(port);
		s[i].answer = MACH_MSG_SUCCESS;
		start(i, i < 2 ? takes_many : sends_many);
	}
	for (i = 2; i < MANY; i++) {
		fact("it sent all", comes_true(&s[i].done));
		code("the last", s[i].answer);
	}
	for (i = 0; i < 2000 && taken < 900; i++)
		nap(1);
	count("taken", (size_t)taken);
	must("destroy", mach_port_destroy(self, at));
	for (i = 0; i < 2; i++)
		second_tell(&s[i], "a receiver");
	end_all(MANY);
}
EACH("blocking/storm-limit-1", storm, 1, 0, 0)
EACH("blocking/storm-limit-16", storm, 16, 0, 0)
EACH("blocking/storm-of-a-set-limit-2", storm, 2, 1, 0)

CASE("mach_msg/message-counts-until-its-receiver-runs")
{
	mach_port_name_t port = make_port();
	struct message msg;
	int i;

	receivers_for(1, port);
	must("thread_suspend", thread_suspend(s[0].thread));
	for (i = 0; i < 7; i++) {
		msg = message_to(port);
		msg.head.msgh_id = 100 + i;
		code("send", mach_msg(&msg.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, HEADER, 0,
				      MACH_PORT_NULL, 0, MACH_PORT_NULL));
		tell_status("port", port);
	}
	must("thread_resume", thread_resume(s[0].thread));
	quiet();
	tell_status("port", port);
	end_all(1);
}
