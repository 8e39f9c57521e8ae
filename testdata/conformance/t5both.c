/* t5both: a task is suspended, or ends, while its thread waits or calls. */
#include "suite.h"

#include <mach/notify.h>
#include <mach/thread_info.h>

#include "child.h"
#include "t5wrong.h"

static void tell_state(const char *what, mach_port_name_t thread)
{
	thread_basic_info_data_t basic;
	mach_msg_type_number_t n = THREAD_BASIC_INFO_COUNT;

	must("thread_info", thread_info(thread, THREAD_BASIC_INFO, (thread_info_t)&basic, &n));
	mach_printf("%s: state %d, flags %d, suspended %d\n", what, basic.run_state, basic.flags,
		    basic.suspend_count);
}

/* The child receives once from its port. */
static void child_receives(struct child *c)
{
	struct message msg;

	c->shared->numbers[1] = 0;
	step_done(0);
	c->shared->numbers[0] = mach_msg_trap(&msg.head, MACH_RCV_MSG, 0, sizeof(msg), c->port, 0,
					      MACH_PORT_NULL);
	c->shared->numbers[1] = msg.head.msgh_id;
}

/* We keep a send right to the port. */
static mach_port_name_t start_child_receiver(void)
{
	mach_port_name_t port = make_port();

	child_make();
	child.port = port;
	child_give(port, MACH_MSG_TYPE_MOVE_RECEIVE);
	child_start(child_receives);
	fact("it has begun", step_comes(0));
	seconds_settle();
	return port;
}

static void send_id(mach_port_name_t port, mach_msg_id_t id)
{
	struct message msg = message_to(port);

	msg.head.msgh_id = id;
	must("send", send_sized(&msg, HEADER));
}

static void tell_child(void)
{
	child_ends();
	mach_printf("it received 0x%lx, id %ld\n", child.shared->numbers[0],
		    child.shared->numbers[1]);
}

CASE("task_suspend/in-a-receive")
{
	mach_port_name_t port = start_child_receiver();

	tell_state("waiting", child.thread);
	code("task_suspend", task_suspend(child.task));
	tell_state("suspended", child.thread);
	send_id(port, 9);
	seconds_settle();
	fact("it came out", child.shared->steps[7]);
	tell_state("with its message", child.thread);
	code("task_resume", task_resume(child.task));
	tell_child();
}

CASE("task_suspend/in-a-receive-aborted")
{
	start_child_receiver();
	code("task_suspend", task_suspend(child.task));
	code("thread_abort", thread_abort(child.thread));
	tell_state("aborted", child.thread);
	seconds_settle();
	fact("it came out", child.shared->steps[7]);
	code("task_resume", task_resume(child.task));
	child_ends();
	mach_printf("it received 0x%lx\n", child.shared->numbers[0]);
}

CASE("task_suspend/in-a-receive-then-terminated")
{
	mach_port_name_t port = start_child_receiver();

	code("task_suspend", task_suspend(child.task));
	send_id(port, 9);
	code("task_terminate", task_terminate(child.task));
	tell_name("the task", child.task);
	tell_name("the thread", child.thread);
	tell_name("the port", port);
}

CASE("task_terminate/in-a-receive-with-a-right")
{
	mach_port_name_t port = start_child_receiver(), carried = make_port(),
			 notify = make_receive();
	struct message msg = message_with(port, TYPE_PORT(MACH_MSG_TYPE_COPY_SEND), carried);

	watch_senders(carried, notify);
	must("task_suspend", task_suspend(child.task));
	must("send", send_sized(&msg, HEADER + ITEM));
	must("ours goes", mach_port_deallocate(self, carried));
	count("told before", drain(notify));
	code("task_terminate", task_terminate(child.task));
	count("told after", drain(notify));
}

CASE("task_suspend/new-thread-of-a-suspended-task")
{
	mach_port_name_t task = make_task(FALSE), thread;

	must("task_suspend", task_suspend(task));
	thread = make_thread_in(task);
	tell_state("new", thread);
	code("thread_resume", thread_resume(thread));
	tell_state("resumed", thread);
	code("thread_resume", thread_resume(thread));
	code("thread_terminate", thread_terminate(thread));
	code("task_resume", task_resume(task));
}

/* A thread asks for its own end; nobody waits for the answer. */
static struct second one;

static void second_ends_itself(struct second *s)
{
	struct message msg;

	while (!*(volatile mach_msg_size_t *)&s->size)
		swtch();
	msg = message_to(*(volatile mach_port_name_t *)&s->port);
	msg.head.msgh_id = 2016;
	s->answer = mach_msg_trap(&msg.head, MACH_SEND_MSG, HEADER, 0, MACH_PORT_NULL, 0,
				  MACH_PORT_NULL);
}

CASE("thread_terminate/itself-by-its-own-message")
{
	mach_port_name_t notify = make_receive();

	memset(&one, 0, sizeof(one));
	second_start(&one, second_ends_itself);
	*(volatile mach_port_name_t *)&one.port = one.thread;
	watch_death(one.thread, notify);
	*(volatile mach_msg_size_t *)&one.size = 1;
	fact("it is dead", dies(one.thread));
	count("notifications", drain(notify));
	fact("its call returned", one.done);
	tell_name("it", one.thread);
	mach_port_destroy(self, one.thread);
}

CASE("task_terminate/threads-that-never-ran")
{
	mach_port_name_t task = make_task(FALSE), notify = make_receive();
	int i;

	for (i = 0; i < 4; i++)
		watch_death(make_thread_in(task), notify);
	code("task_terminate", task_terminate(task));
	count("notifications", drain(notify));
}
