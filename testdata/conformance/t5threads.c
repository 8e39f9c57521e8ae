/* t5threads: threads suspended, resumed, aborted and ended, in their waits too. */
#include "suite.h"

#include <mach/notify.h>

#include "child.h"
#include "t5wrong.h"

static struct second one, two;

static void start_receiver(struct second *s, mach_port_name_t port, mach_msg_option_t option)
{
	memset(s, 0, sizeof(*s));
	s->port = port;
	s->option = option;
	second_start(s, second_receives);
}

static void start_sender(struct second *s, mach_port_name_t port)
{
	memset(s, 0, sizeof(*s));
	fill_queue(port);
	s->message = message_to(port);
	s->message.head.msgh_id = 7;
	s->size = HEADER;
	second_start(s, second_sends);
}

static void send_id(mach_port_name_t port, mach_msg_id_t id)
{
	struct message msg = message_to(port);

	msg.head.msgh_id = id;
	must("send", send_sized(&msg, HEADER));
}

static void tell_second(struct second *s)
{
	second_tell(s, "its answer");
	mach_printf("its message: id %d, size %u\n", s->message.head.msgh_id,
		    s->message.head.msgh_size);
}

/* ---- Counts. */

CASE("thread_suspend/counts")
{
	mach_port_name_t thread = make_thread_in(make_task(FALSE));

	code("suspended", thread_suspend(thread));
	code("suspended", thread_suspend(thread));
	code("resumed", thread_resume(thread));
	code("resumed", thread_resume(thread));
	code("aborted", thread_abort(thread));
	code("suspended", thread_suspend(thread));
}

CASE("thread_resume/more-often-than-suspended")
{
	mach_port_name_t port = make_port();

	start_receiver(&one, port, 0);
	code("resumed", thread_resume(one.thread));
	code("suspended", thread_suspend(one.thread));
	code("suspended", thread_suspend(one.thread));
	code("resumed", thread_resume(one.thread));
	code("resumed", thread_resume(one.thread));
	code("resumed", thread_resume(one.thread));
	send_id(port, 9);
	tell_second(&one);
	second_end(&one);
}

CASE("thread_suspend/many-times")
{
	mach_port_name_t thread = make_thread_in(make_task(FALSE));
	int i;

	for (i = 0; i < 1000; i++)
		must("thread_suspend", thread_suspend(thread));
	for (i = 0; i < 1000; i++)
		must("thread_resume", thread_resume(thread));
	must("once more for the one it began with", thread_suspend(thread));
	code("the first", thread_resume(thread));
	must("thread_terminate", thread_terminate(thread));
}

/* ---- Itself: another thread resumes the case's own. */

static void second_resumes(struct second *s)
{
	struct message msg = message_to(s->port);

	while (!s->message.item[0].word)
		swtch();
	nap(30);
	msg.head.msgh_id = 2063;
	s->answer = mach_msg_trap(&msg.head, MACH_SEND_MSG, HEADER, 0, MACH_PORT_NULL, 0,
				  MACH_PORT_NULL);
}

CASE("thread_suspend/itself")
{
	mach_port_name_t thread = keep_name(mach_thread_self());

	memset(&one, 0, sizeof(one));
	one.port = thread;
	second_start(&one, second_resumes);
	*(volatile uint64_t *)&one.message.item[0].word = 1;
	code("thread_suspend", thread_suspend(thread));
	second_tell(&one, "the other's message");
	code("thread_resume", thread_resume(thread));
	second_end(&one);
}

CASE("thread_abort/itself")
{
	code("thread_abort", thread_abort(keep_name(mach_thread_self())));
}

/* ---- Suspended in a wait. */

CASE("thread_suspend/in-a-receive")
{
	mach_port_name_t port = make_port();

	start_receiver(&one, port, 0);
	code("thread_suspend", thread_suspend(one.thread));
	send_id(port, 9);
	seconds_settle();
	fact("it came out", one.done);
	count("messages left", drain(port));
	code("thread_resume", thread_resume(one.thread));
	tell_second(&one);
	second_end(&one);
}

CASE("thread_suspend/in-a-receive-another-waits")
{
	mach_port_name_t port = make_port();

	start_receiver(&one, port, 0);
	start_receiver(&two, port, 0);
	code("thread_suspend", thread_suspend(one.thread));
	send_id(port, 1);
	seconds_settle();
	fact("the first came out", one.done);
	fact("the second came out", two.done);
	send_id(port, 2);
	mach_printf("the second: ");
	tell_second(&two);
	code("thread_resume", thread_resume(one.thread));
	mach_printf("the first: ");
	tell_second(&one);
	second_end(&one);
	second_end(&two);
}

static void second_receives_in_time(struct second *s)
{
	s->answer = mach_msg_trap(&s->message.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
				  sizeof(s->message), s->port, 60, MACH_PORT_NULL);
}

CASE("thread_suspend/in-a-receive-with-a-time-out")
{
	mach_port_name_t port = make_port();

	memset(&one, 0, sizeof(one));
	one.port = port;
	second_start(&one, second_receives_in_time);
	code("thread_suspend", thread_suspend(one.thread));
	nap(100);
	fact("it came out", one.done);
	send_id(port, 9);
	code("thread_resume", thread_resume(one.thread));
	second_tell(&one, "its answer");
	count("messages left", drain(port));
	second_end(&one);
}

CASE("thread_suspend/in-a-send")
{
	mach_port_name_t port = make_port();

	start_sender(&one, port);
	code("thread_suspend", thread_suspend(one.thread));
	count("messages", drain(port));
	seconds_settle();
	fact("it came out", one.done);
	count("messages", drain(port));
	code("thread_resume", thread_resume(one.thread));
	second_tell(&one, "its answer");
	count("messages", drain(port));
	second_end(&one);
}

CASE("thread_suspend/in-a-receive-the-port-dies")
{
	mach_port_name_t port = make_port();

	start_receiver(&one, port, 0);
	code("thread_suspend", thread_suspend(one.thread));
	must("dies", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
	seconds_settle();
	fact("it came out", one.done);
	code("thread_resume", thread_resume(one.thread));
	second_tell(&one, "its answer");
	second_end(&one);
}

CASE("thread_terminate/suspended-in-a-receive")
{
	mach_port_name_t port = make_port();

	start_receiver(&one, port, 0);
	must("thread_suspend", thread_suspend(one.thread));
	code("thread_terminate", thread_terminate(one.thread));
	tell_name("it", one.thread);
	send_id(port, 9);
	count("messages left", drain(port));
	mach_port_deallocate(self, one.thread);
}

CASE("thread_terminate/suspended-with-its-message")
{
	mach_port_name_t port = make_port(), carried = make_port(), notify = make_receive();
	struct message msg = message_with(port, TYPE_PORT(MACH_MSG_TYPE_COPY_SEND), carried);

	watch_senders(carried, notify);
	start_receiver(&one, port, 0);
	must("thread_suspend", thread_suspend(one.thread));
	must("send", send_sized(&msg, HEADER + ITEM));
	must("ours goes", mach_port_deallocate(self, carried));
	count("told before", drain(notify));
	code("thread_terminate", thread_terminate(one.thread));
	tell_name("the carried right", carried);
	count("told after", drain(notify));
	mach_port_deallocate(self, one.thread);
}

/* ---- Aborted. */

static void aborted_in_a_receive(long option, long in_a_set, long suspended)
{
	mach_port_name_t port = make_port(), set = make_set();

	if (in_a_set)
		must("mach_port_move_member", mach_port_move_member(self, port, set));
	start_receiver(&one, in_a_set ? set : port, (mach_msg_option_t)option);
	if (suspended)
		code("thread_suspend", thread_suspend(one.thread));
	code("thread_abort", thread_abort(one.thread));
	if (suspended) {
		seconds_settle();
		fact("it came out", one.done);
		send_id(port, 8);
		code("thread_resume", thread_resume(one.thread));
	}
	second_tell(&one, "its answer");
	if (!suspended)
		send_id(port, 9);
	count("messages left", drain(in_a_set ? set : port));
	second_end(&one);
}
EACH("thread_abort/in-a-receive", aborted_in_a_receive, 0, 0, 0)
EACH("thread_abort/in-a-receive-large", aborted_in_a_receive, MACH_RCV_LARGE, 0, 0)
EACH("thread_abort/in-a-receive-from-a-set", aborted_in_a_receive, 0, 1, 0)
EACH("thread_abort/in-a-receive-suspended", aborted_in_a_receive, 0, 0, 1)
EACH("thread_abort/in-a-receive-from-a-set-suspended", aborted_in_a_receive, 0, 1, 1)

CASE("thread_abort/twice")
{
	mach_port_name_t port = make_port();

	start_receiver(&one, port, 0);
	must("thread_suspend", thread_suspend(one.thread));
	code("thread_abort", thread_abort(one.thread));
	code("thread_abort", thread_abort(one.thread));
	must("thread_resume", thread_resume(one.thread));
	second_tell(&one, "its answer");
	second_end(&one);
}

CASE("thread_abort/with-its-message-taken")
{
	mach_port_name_t port = make_port();

	start_receiver(&one, port, 0);
	must("thread_suspend", thread_suspend(one.thread));
	send_id(port, 9);
	code("thread_abort", thread_abort(one.thread));
	code("thread_resume", thread_resume(one.thread));
	tell_second(&one);
	count("messages left", drain(port));
	second_end(&one);
}

static void aborted_in_a_send(long suspended, long unused, long more_unused)
{
	mach_port_name_t port = make_port();

	(void)unused;
	(void)more_unused;
	start_sender(&one, port);
	if (suspended)
		code("thread_suspend", thread_suspend(one.thread));
	code("thread_abort", thread_abort(one.thread));
	if (suspended) {
		seconds_settle();
		fact("it came out", one.done);
		code("thread_resume", thread_resume(one.thread));
	}
	second_tell(&one, "its answer");
	mach_printf("its message: bits 0x%x, size %u, id %d, to %s\n", one.message.head.msgh_bits,
		    one.message.head.msgh_size, one.message.head.msgh_id,
		    one.message.head.msgh_remote_port == port ? "the port" :
		    port_word(one.message.head.msgh_remote_port));
	tell_name("the port", port);
	count("messages left", drain(port));
	second_end(&one);
}
EACH("thread_abort/in-a-send", aborted_in_a_send, 0, 0, 0)
EACH("thread_abort/in-a-send-suspended", aborted_in_a_send, 1, 0, 0)

static void second_calls(struct second *s)
{
	s->message = message_to(s->port);
	s->message.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
						   MACH_MSG_TYPE_MAKE_SEND_ONCE);
	s->message.head.msgh_local_port = s->option;
	s->answer = mach_msg_trap(&s->message.head, MACH_SEND_MSG | MACH_RCV_MSG, HEADER,
				  sizeof(s->message), s->option, 0, MACH_PORT_NULL);
}

CASE("thread_abort/in-a-call")
{
	mach_port_name_t port = make_port();

	memset(&one, 0, sizeof(one));
	one.port = port;
	one.option = (mach_msg_option_t)make_receive();
	second_start(&one, second_calls);
	code("thread_abort", thread_abort(one.thread));
	second_tell(&one, "its answer");
	count("requests", drain(port));
	tell_name("the reply port", (mach_port_name_t)one.option);
	second_end(&one);
}

static void waits_in_switch(struct second *s)
{
	s->answer = thread_switch(MACH_PORT_NULL, 2, 600000);
}

CASE("thread_abort/in-a-timed-wait")
{
	memset(&one, 0, sizeof(one));
	second_start(&one, waits_in_switch);
	fact("it came out", one.done);
	code("thread_abort", thread_abort(one.thread));
	second_tell(&one, "its answer");
	second_end(&one);
}

static void second_counts(struct second *s)
{
	while (!*(volatile mach_msg_size_t *)&s->size)
		(*(volatile uint64_t *)&s->message.item[0].word)++;
}

CASE("thread_abort/running")
{
	int i;

	memset(&one, 0, sizeof(one));
	second_start(&one, second_counts);
	for (i = 0; i < 20; i++)
		must("thread_abort", thread_abort(one.thread));
	*(volatile mach_msg_size_t *)&one.size = 1;
	fact("it came to its end", comes_true(&one.done));
	second_end(&one);
}

CASE("thread_abort/never-started")
{
	mach_port_name_t thread = make_thread_in(self);

	code("thread_abort", thread_abort(thread));
	code("thread_abort", thread_abort(thread));
	code("thread_terminate", thread_terminate(thread));
}

/* ---- Many at a time. */

enum { MANY = 24 };
static struct second many[MANY];
static volatile uint64_t total;

static void second_adds(struct second *s)
{
	int i;

	for (i = 0; i < 1000; i++) {
		__atomic_fetch_add(&total, 1, __ATOMIC_SEQ_CST);
		if (i % 100 == 0)
			swtch();
	}
	s->answer = KERN_SUCCESS;
}

CASE("thread_create/many-that-run")
{
	int i, ended = 0;

	total = 0;
	for (i = 0; i < MANY; i++) {
		memset(&many[i], 0, sizeof(many[i]));
		second_start(&many[i], second_adds);
	}
	for (i = 0; i < MANY; i++) {
		ended += comes_true(&many[i].done);
		second_end(&many[i]);
	}
	mach_printf("%d ended, %lu added\n", ended, total);
}

/* ---- Its end is told. */

CASE("thread_terminate/told-before-the-answer")
{
	mach_port_name_t thread = make_thread_in(self), notify = make_receive();

	watch_death(thread, notify);
	code("thread_terminate", thread_terminate(thread));
	count("notifications", drain(notify));
	tell_name("it", thread);
}

/* ---- thread_terminate_release. */

enum { NO_NAMES = 1, NO_MEMORY = 2, NO_TASK = 4, OTHER_TASK = 8, BAD_THREAD_NAME = 16 };

static void released(long how, long unused, long more_unused)
{
	mach_port_name_t port = make_port(), reply = make_receive(), task = self, name;
	vm_offset_t at = island(2);

	(void)unused;
	(void)more_unused;
	start_receiver(&one, port, 0);
	must("a reference", mach_port_mod_refs(self, one.thread, MACH_PORT_RIGHT_SEND, 1));
	if (how & NO_TASK)
		task = host;
	if (how & OTHER_TASK)
		task = make_task(FALSE);
	name = how & BAD_THREAD_NAME ? reply : how & NO_NAMES ? MACH_PORT_NULL : one.thread;
	code("thread_terminate_release",
	     thread_terminate_release(one.thread, task, name,
				      how & NO_NAMES ? MACH_PORT_NULL : reply,
				      how & NO_MEMORY ? 0 : at, how & NO_MEMORY ? 0 : PAGE));
	tell_name("the thread", one.thread);
	tell_name("the reply port", reply);
	tell_memory("the memory", at, 2);
	if (how & NO_TASK)
		must("thread_terminate", thread_terminate(one.thread));
	mach_port_destroy(self, one.thread);
}
EACH("thread_terminate_release/all", released, 0, 0, 0)
EACH("thread_terminate_release/no-names", released, NO_NAMES, 0, 0)
EACH("thread_terminate_release/no-memory", released, NO_MEMORY, 0, 0)
EACH("thread_terminate_release/neither", released, NO_NAMES | NO_MEMORY, 0, 0)
EACH("thread_terminate_release/no-task", released, NO_TASK, 0, 0)
EACH("thread_terminate_release/another-task", released, OTHER_TASK, 0, 0)
EACH("thread_terminate_release/another-name", released, BAD_THREAD_NAME, 0, 0)
