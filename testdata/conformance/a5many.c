/* a5many: many notifications at once: in which order they come. */
#include "suite.h"

#include <mach/task_special_ports.h>
#include <mach/thread_special_ports.h>

#include "notes.h"

/* Words for names of which there are many. */
static char numbers[64][4];

static const char *numbered(const char *letter, unsigned n)
{
	static unsigned next;
	char *word = numbers[next++ % 64];

	word[0] = letter[0];
	word[1] = (char)('0' + n / 10);
	word[2] = (char)('0' + n % 10);
	word[3] = 0;
	return word;
}

/* Send-once rights to one port, n of them, each with a request. */
static void many_requests(long n, long cancelled, long again)
{
	mach_port_name_t port = make_receive(), notify = make_receive(), name[40];
	mach_port_name_t previous;
	long i;

	words_begin();
	for (i = 0; i < n; i++) {
		name[i] = called(numbered("r", (unsigned)i), send_once_to(port));
		must_arm(name[i], MACH_NOTIFY_DEAD_NAME, notify);
	}
	for (i = 0; i < cancelled; i++) {
		must("cancel", mach_port_request_notification(self, name[i * 2],
			MACH_NOTIFY_DEAD_NAME, 0, MACH_PORT_NULL, MACH_MSG_TYPE_MOVE_SEND_ONCE,
			&previous));
		must("deallocate", mach_port_deallocate(self, previous));
	}
	for (i = 0; i < again; i++)
		must_arm(name[i * 2], MACH_NOTIFY_DEAD_NAME, notify);
	count("told of those cancelled", drain(notify));
	must("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
	tell_notes("told", notify);
}
EACH("notification/dead-names-1", many_requests, 1, 0, 0)
EACH("notification/dead-names-2", many_requests, 2, 0, 0)
EACH("notification/dead-names-3", many_requests, 3, 0, 0)
EACH("notification/dead-names-4", many_requests, 4, 0, 0)
EACH("notification/dead-names-5", many_requests, 5, 0, 0)
EACH("notification/dead-names-8", many_requests, 8, 0, 0)
EACH("notification/dead-names-9", many_requests, 9, 0, 0)
EACH("notification/dead-names-17", many_requests, 17, 0, 0)
EACH("notification/dead-names-40", many_requests, 40, 0, 0)
EACH("notification/dead-names-6-one-cancelled", many_requests, 6, 1, 0)
EACH("notification/dead-names-6-three-cancelled", many_requests, 6, 3, 0)
EACH("notification/dead-names-6-one-cancelled-and-again", many_requests, 6, 1, 1)
EACH("notification/dead-names-6-three-cancelled-and-again", many_requests, 6, 3, 3)
EACH("notification/dead-names-9-four-cancelled-two-again", many_requests, 9, 4, 2)

/* The send-once rights go by themselves, in one way or another, and new ones come. */
CASE("notification/dead-names-of-names-used-again")
{
	mach_port_name_t port = make_receive(), notify = make_receive(), name[8];
	int i;

	words_begin();
	for (i = 0; i < 8; i++) {
		name[i] = called(numbered("a", (unsigned)i), send_once_to(port));
		must_arm(name[i], MACH_NOTIFY_DEAD_NAME, notify);
	}
	for (i = 1; i < 8; i += 3)
		must("deallocate", mach_port_deallocate(self, name[i]));
	tell_notes("deallocated", notify);
	tell_notes("at the port", port);
	for (i = 1; i < 8; i += 2) {
		name[i] = called(numbered("b", (unsigned)i), send_once_to(port));
		must_arm(name[i], MACH_NOTIFY_DEAD_NAME, notify);
	}
	must("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
	tell_notes("told", notify);
}

/* Names of one port in many tasks. */
static void many_tasks(long n, long port_dies, long unused)
{
	mach_port_name_t port = make_port(), notify = make_receive(), task[12];
	long i;

	(void)unused;
	words_begin();
	must_arm(port, MACH_NOTIFY_DEAD_NAME, notify);
	called("ours", port);
	for (i = 0; i < n; i++) {
		task[i] = make_task(FALSE);
		called(numbered("t", (unsigned)i), (mach_port_name_t)(FREE_NAME + i));
		must("insert", mach_port_insert_right(task[i], (mach_port_name_t)(FREE_NAME + i),
						      port, MACH_MSG_TYPE_COPY_SEND));
		must("request", arm_by(task[i], (mach_port_name_t)(FREE_NAME + i),
				       MACH_NOTIFY_DEAD_NAME, 0, notify,
				       MACH_MSG_TYPE_MAKE_SEND_ONCE));
	}
	if (port_dies)
		must("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
	else
		for (i = 0; i < n; i++)
			must("task_terminate", task_terminate(task[i]));
	tell_notes("told", notify);
	for (i = 0; i < n && port_dies; i++)
		tell_name_in(task[i], "there", (mach_port_name_t)(FREE_NAME + i));
}
EACH("notification/dead-names-of-three-tasks", many_tasks, 3, 1, 0)
EACH("notification/dead-names-of-twelve-tasks", many_tasks, 12, 1, 0)
EACH("notification/port-deleted-of-three-tasks", many_tasks, 3, 0, 0)

/* Everything a port can owe when it dies, at one port. */
static void port_owes(long how, long set, long unused)
{
	mach_port_name_t port = make_port(), notify = make_port(), inner = make_port();
	mach_port_name_t deep = make_port(), once[6];
	struct message msg;
	int i;

	(void)unused;
	words_begin();
	called("port", port);
	called("inner", inner);
	called("deep", deep);
	for (i = 0; i < 6; i++)
		once[i] = called(numbered("o", (unsigned)i), send_once_to(notify));
	must_arm(port, MACH_NOTIFY_NO_SENDERS, notify);
	must_arm(port, MACH_NOTIFY_DEAD_NAME, notify);
	must_arm(inner, MACH_NOTIFY_NO_SENDERS, notify);
	must_arm(inner, MACH_NOTIFY_DEAD_NAME, notify);
	must_arm(deep, MACH_NOTIFY_DEAD_NAME, notify);
	if (set)
		must("move_member", mach_port_move_member(self, port, make_set()));
	/* In port's queue: a request with a reply right, a receive right, a right. */
	msg = message_with(port, TYPE_PORT(MACH_MSG_TYPE_MOVE_SEND_ONCE), once[0]);
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MOVE_SEND_ONCE);
	msg.head.msgh_local_port = once[1];
	must("send", send_sized(&msg, HEADER + ITEM));
	send_right(inner, once[2], MACH_MSG_TYPE_MOVE_SEND_ONCE, 1);
	send_right(deep, once[3], MACH_MSG_TYPE_MOVE_SEND_ONCE, 1);
	send_right(inner, deep, MACH_MSG_TYPE_MOVE_RECEIVE, 2);
	send_right(inner, once[4], MACH_MSG_TYPE_MOVE_SEND_ONCE, 3);
	send_right(port, inner, MACH_MSG_TYPE_MOVE_RECEIVE, 4);
	send_right(port, once[5], MACH_MSG_TYPE_MOVE_SEND_ONCE, 5);
	switch (how) {
	case 0:
		code("receive -1", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
		break;
	case 1:
		code("destroy", mach_port_destroy(self, port));
		break;
	case 2:
		must("insert", mach_port_insert_right(make_task(FALSE), FREE_NAME, port,
						      MACH_MSG_TYPE_MOVE_RECEIVE));
		code("task_terminate", task_terminate(fixtures.tasks[0]));
		break;
	case 3:
		send_right(notify, port, MACH_MSG_TYPE_MOVE_RECEIVE, 9);
		tell_notes("before", notify);
		code("receive -1", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
		break;
	}
	tell_notes("told", notify);
	tell_name("port", port);
	tell_name("inner", inner);
	tell_name("deep", deep);
}
EACH("notification/all-that-a-port-owes-receive-right-given-up", port_owes, 0, 0, 0)
EACH("notification/all-that-a-port-owes-destroyed", port_owes, 1, 0, 0)
EACH("notification/all-that-a-port-owes-with-its-task", port_owes, 2, 0, 0)
EACH("notification/all-that-a-port-owes-received-and-given-up", port_owes, 3, 0, 0)
EACH("notification/all-that-a-port-owes-in-a-set", port_owes, 0, 1, 0)

/* Which of the two is told first, when the name goes with its last send right. */
static void both_armed(long kind, long how, long unused)
{
	mach_port_name_t notify = make_receive(), name, owner = MACH_PORT_NULL, port = make_port();

	(void)unused;
	words_begin();
	called("it", port);
	must_arm(port, MACH_NOTIFY_NO_SENDERS, notify);
	name = port;
	if (kind == KIND_send) {
		owner = make_task(FALSE);
		must("insert", mach_port_insert_right(owner, FREE_NAME, port,
						      MACH_MSG_TYPE_MOVE_RECEIVE));
	}
	must_arm(name, MACH_NOTIFY_DEAD_NAME, notify);
	switch (how) {
	case 0: code("deallocate", mach_port_deallocate(self, name)); break;
	case 1: code("send -1", mach_port_mod_refs(self, name, MACH_PORT_RIGHT_SEND, -1)); break;
	case 2: code("destroy", mach_port_destroy(self, name)); break;
	}
	tell_name("left", name);
	tell_notes("told", notify);
}
#define BOTH(name, kind)								\
	EACH("notification/both-armed-" name "-deallocated", both_armed, kind, 0, 0)	\
	EACH("notification/both-armed-" name "-down", both_armed, kind, 1, 0)		\
	EACH("notification/both-armed-" name "-destroyed", both_armed, kind, 2, 0)
BOTH("send", KIND_send)
BOTH("send-receive", KIND_send_receive)

/* A send-once right with a request: destroyed, the port and the request are told. */
CASE("notification/send-once-then-port-deleted")
{
	mach_port_name_t port = make_receive(), name = send_once_to(port);

	words_begin();
	called("it", name);
	must_arm(name, MACH_NOTIFY_DEAD_NAME, port);
	must("deallocate", mach_port_deallocate(self, name));
	tell_notes("told", port);
}

/* ---- A task dies with all it has. */

enum held { A_SEND, A_RECEIVE, A_SEND_ONCE, A_SET, A_QUEUE, A_DEAD_NAME, A_BOTH, HELD };

static void give_held(mach_port_name_t task, mach_port_name_t name, enum held held, unsigned n,
		      mach_port_name_t notify)
{
	mach_port_name_t port = make_port();

	switch (held) {
	case A_SEND:
		must("insert", mach_port_insert_right(task, name, port, MACH_MSG_TYPE_MOVE_SEND));
		must_arm(port, MACH_NOTIFY_NO_SENDERS, notify);
		must("request", arm_by(task, name, MACH_NOTIFY_DEAD_NAME, 0, notify,
				       MACH_MSG_TYPE_MAKE_SEND_ONCE));
		break;
	case A_RECEIVE:
		called(numbered("p", n), port);
		must_arm(port, MACH_NOTIFY_DEAD_NAME, notify);
		must_arm(port, MACH_NOTIFY_NO_SENDERS, notify);
		must("insert", mach_port_insert_right(task, name, port, MACH_MSG_TYPE_MOVE_RECEIVE));
		break;
	case A_SEND_ONCE:
		must("insert", mach_port_insert_right(task, name, notify,
						      MACH_MSG_TYPE_MAKE_SEND_ONCE));
		must("request", arm_by(task, name, MACH_NOTIFY_DEAD_NAME, 0, notify,
				       MACH_MSG_TYPE_MAKE_SEND_ONCE));
		break;
	case A_SET:
		must("allocate_name", mach_port_allocate_name(task, MACH_PORT_RIGHT_PORT_SET, name));
		break;
	case A_QUEUE:
		send_right(port, notify, MACH_MSG_TYPE_MAKE_SEND_ONCE, 1);
		must("insert", mach_port_insert_right(task, name, port, MACH_MSG_TYPE_MOVE_RECEIVE));
		break;
	case A_DEAD_NAME:
		must("allocate_name", mach_port_allocate_name(task, MACH_PORT_RIGHT_DEAD_NAME, name));
		break;
	case A_BOTH:
		called(numbered("b", n), port);
		must_arm(port, MACH_NOTIFY_PORT_DESTROYED, notify);
		must("send", mach_port_insert_right(task, name, port, MACH_MSG_TYPE_COPY_SEND));
		must("receive", mach_port_insert_right(task, name, port, MACH_MSG_TYPE_MOVE_RECEIVE));
		must("request", arm_by(task, name, MACH_NOTIFY_DEAD_NAME, 0, notify,
				       MACH_MSG_TYPE_MAKE_SEND_ONCE));
		break;
	case HELD: break;
	}
}

/* Rights given in one order of names or the other; its own port watched, too. */
static void task_dies(long down, long threads, long by_itself)
{
	mach_port_name_t task = make_task(FALSE), notify = make_receive(), name;
	mach_port_name_t thread[2] = { MACH_PORT_NULL, MACH_PORT_NULL };
	unsigned n;
	long i;

	(void)by_itself;
	words_begin();
	called("the task", task);
	must_arm(task, MACH_NOTIFY_DEAD_NAME, notify);
	for (i = 0; i < threads; i++) {
		must("thread_create", thread_create(task, &thread[i]));
		called(numbered("T", (unsigned)i), keep_name(thread[i]));
		must_arm(thread[i], MACH_NOTIFY_DEAD_NAME, notify);
	}
	for (n = 0; n < 2 * HELD; n++) {
		name = (mach_port_name_t)(FREE_NAME + (down ? 100 - n : n));
		called(numbered("n", n), name);
		give_held(task, name, (enum held)(n % HELD), n, notify);
	}
	called("ours in it", 4);
	must("insert", mach_port_insert_right(task, 4, notify, MACH_MSG_TYPE_MAKE_SEND));
	must("request", arm_by(task, 4, MACH_NOTIFY_DEAD_NAME, 0, notify,
			       MACH_MSG_TYPE_MAKE_SEND_ONCE));
	code("task_terminate", task_terminate(task));
	tell_notes("told", notify);
	tell_name("the task", task);
}
EACH("notification/task-dies-names-upward", task_dies, 0, 0, 0)
EACH("notification/task-dies-names-downward", task_dies, 1, 0, 0)
EACH("notification/task-dies-with-threads", task_dies, 0, 2, 0)

/* Its special ports, and the ports registered with it. */
CASE("notification/task-dies-with-ports-of-its-own")
{
	mach_port_name_t task = make_task(FALSE), notify = make_receive(), port[4], name;
	unsigned i;

	words_begin();
	called("the task", task);
	must_arm(task, MACH_NOTIFY_DEAD_NAME, notify);
	for (i = 0; i < 4; i++) {
		port[i] = make_port();
		must("set_mscount", mach_port_set_mscount(self, port[i], i + 10));
		must_arm(port[i], MACH_NOTIFY_NO_SENDERS, notify);
	}
	must("bootstrap", task_set_special_port(task, TASK_BOOTSTRAP_PORT, port[0]));
	must("exception", task_set_special_port(task, TASK_EXCEPTION_PORT, port[1]));
	must("kernel", task_set_special_port(task, TASK_KERNEL_PORT, port[2]));
	name = port[3];
	must("register", mach_ports_register(task, &name, 1));
	for (i = 0; i < 4; i++)
		must("deallocate", mach_port_deallocate(self, port[i]));
	tell_notes("before", notify);
	must("insert", mach_port_insert_right(task, FREE_NAME, notify,
					      MACH_MSG_TYPE_MAKE_SEND_ONCE));
	code("task_terminate", task_terminate(task));
	tell_notes("told", notify);
}

/* A thread dies: its port, and its special ports. */
CASE("notification/thread-dies-with-ports-of-its-own")
{
	mach_port_name_t task = make_task(FALSE), notify = make_receive(), port[2], thread;
	unsigned i;

	words_begin();
	must("thread_create", thread_create(task, &thread));
	called("the thread", keep_name(thread));
	must_arm(thread, MACH_NOTIFY_DEAD_NAME, notify);
	for (i = 0; i < 2; i++) {
		port[i] = make_port();
		must("set_mscount", mach_port_set_mscount(self, port[i], i + 10));
		must_arm(port[i], MACH_NOTIFY_NO_SENDERS, notify);
	}
	must("exception", thread_set_special_port(thread, THREAD_EXCEPTION_PORT, port[0]));
	must("kernel", thread_set_special_port(thread, THREAD_KERNEL_PORT, port[1]));
	for (i = 0; i < 2; i++)
		must("deallocate", mach_port_deallocate(self, port[i]));
	tell_notes("before", notify);
	code("thread_terminate", thread_terminate(thread));
	tell_notes("told", notify);
}

/* Sets owe nothing; their members are in none. */
CASE("notification/set-goes-with-messages")
{
	mach_port_name_t set = make_set(), one = make_port(), two = make_port();
	mach_port_name_t notify = make_receive();

	words_begin();
	called("the set", set);
	must("move_member", mach_port_move_member(self, one, set));
	must("move_member", mach_port_move_member(self, two, set));
	send_right(one, notify, MACH_MSG_TYPE_MAKE_SEND_ONCE, 1);
	send_plain(two, 2);
	code("request", arm(set, MACH_NOTIFY_DEAD_NAME, 0, notify));
	tell_notes("refused", notify);
	code("destroy", mach_port_destroy(self, set));
	tell_status("one", one);
	tell_status("two", two);
	tell_notes("one", one);
	tell_notes("two", two);
	tell_notes("told", notify);
}

/* So many that the port's table of requests grows by pages: runs of numbers, as told. */
static mach_port_name_t first_of_many = 3000000;

static kern_return_t request_many(mach_port_name_t port, mach_port_name_t notify, long n,
				  long *made)
{
	mach_port_name_t name = MACH_PORT_NULL, previous;
	kern_return_t kr = KERN_SUCCESS;

	first_of_many += 1000000;
	for (*made = 0; *made < n && kr == KERN_SUCCESS; ++*made) {
		name = first_of_many + (mach_port_name_t)*made;
		must("insert", mach_port_insert_right(self, name, port,
						      MACH_MSG_TYPE_MAKE_SEND_ONCE));
		kr = mach_port_request_notification(self, name, MACH_NOTIFY_DEAD_NAME, 0, notify,
						    MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous);
	}
	return kr;
}

CASE("notification/dead-names-1500")
{
	mach_port_name_t port = make_receive(), notify = make_receive();
	long n, i, from = -1, last = -1, it;
	struct message msg;

	code("requests", request_many(port, notify, 1500, &n));
	must("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
	for (i = 0; receive(notify, &msg) == MACH_MSG_SUCCESS; i++) {
		it = (long)((mach_port_name_t)msg.item[0].word - first_of_many);
		if (it != last - 1) {
			if (i > 0)
				mach_printf("told of %ld down to %ld\n", from, last);
			from = it;
		}
		last = it;
	}
	mach_printf("told of %ld down to %ld\n", from, last);
	count("told", (size_t)i);
	for (i = 0; i < n; i++)
		must("destroy", mach_port_destroy(self, first_of_many + (mach_port_name_t)i));
}
