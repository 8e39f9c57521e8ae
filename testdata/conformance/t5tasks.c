/* t5tasks: tasks: what they are asked, what their children have, their end. */
#include "suite.h"

#include <mach/notify.h>
#include <mach/task_info.h>
#include <mach/task_special_ports.h>

#include "child.h"
#include "t5wrong.h"

static natural_t words[1024];
static mach_msg_type_number_t words_count;

static kern_return_t info(mach_port_name_t task, int flavor, mach_msg_type_number_t count)
{
	memset(words, 0xff, sizeof(words));
	words_count = count;
	return task_info(task, flavor, (task_info_t)words, &words_count);
}

static void tell_basic(const char *what, mach_port_name_t task)
{
	const struct task_basic_info *basic = (const struct task_basic_info *)words;

	must("task_info", info(task, TASK_BASIC_INFO, TASK_BASIC_INFO_COUNT));
	mach_printf("%s: suspended %d, priority %d\n", what, basic->suspend_count,
		    basic->base_priority);
}

/* ---- Ports that are not tasks. */

static mach_port_array_t some_ports;
static thread_array_t some_threads;
static sampled_pc_array_t samples;
static emulation_vector_t vector;
static mach_msg_type_number_t some_count;
static mach_port_name_t some_port, no_port = MACH_PORT_NULL;
static int some_int;
static unsigned int some_sequence;

WRONG_TASK(task_suspend, task_suspend(port))
WRONG_TASK(task_resume, task_resume(port))
WRONG_TASK(task_threads, task_threads(port, &some_threads, &some_count))
WRONG_TASK(task_info, info(port, TASK_BASIC_INFO, TASK_BASIC_INFO_COUNT))
WRONG_TASK(task_get_special_port, task_get_special_port(port, TASK_BOOTSTRAP_PORT, &some_port))
WRONG_TASK(task_set_special_port,
	   task_set_special_port(port, TASK_BOOTSTRAP_PORT, MACH_PORT_NULL))
WRONG_TASK(mach_ports_register, mach_ports_register(port, &no_port, 1))
WRONG_TASK(mach_ports_lookup, mach_ports_lookup(port, &some_ports, &some_count))
WRONG_TASK(task_priority, task_priority(port, 30, FALSE))
WRONG_TASK(task_assign, task_assign(port, default_set(), FALSE))
WRONG_TASK(task_assign_default, task_assign_default(port, FALSE))
WRONG_TASK(task_get_assignment, task_get_assignment(port, &some_port))
WRONG_TASK(task_set_name, task_set_name(port, "a name"))
WRONG_TASK(task_set_essential, task_set_essential(port, FALSE))
WRONG_TASK(task_ras_control, task_ras_control(port, 0, 0, 0))
WRONG_TASK(task_set_emulation, task_set_emulation(port, 0x1000, 1))
WRONG_TASK(task_get_emulation_vector,
	   task_get_emulation_vector(port, &some_int, &vector, &some_count))
WRONG_TASK(task_enable_pc_sampling, task_enable_pc_sampling(port, &some_int, 1))
WRONG_TASK(task_disable_pc_sampling, task_disable_pc_sampling(port, &some_int))
WRONG_TASK(task_get_sampled_pcs,
	   task_get_sampled_pcs(port, &some_sequence, samples, &some_count))

/* ---- Information. */

static void info_count(long flavor, long count, long unused)
{
	mach_port_name_t task = make_task(FALSE);

	(void)unused;
	code("task_info", info(task, (int)flavor, (mach_msg_type_number_t)count));
	mach_printf("words %u\n", words_count);
}
#define INFO(name, flavor, words) EACH("task_info/" name, info_count, flavor, words, 0)
INFO("basic-no-words", TASK_BASIC_INFO, 0)
INFO("basic-without-64-bits-one-short", TASK_BASIC_INFO, TASK_BASIC_INFO_COUNT - 13)
INFO("basic-without-64-bits", TASK_BASIC_INFO, TASK_BASIC_INFO_COUNT - 12)
INFO("basic-one-word-more", TASK_BASIC_INFO, TASK_BASIC_INFO_COUNT - 11)
INFO("basic-one-short", TASK_BASIC_INFO, TASK_BASIC_INFO_COUNT - 1)
INFO("basic-all", TASK_BASIC_INFO, TASK_BASIC_INFO_COUNT)
INFO("basic-more", TASK_BASIC_INFO, TASK_BASIC_INFO_COUNT + 1)
INFO("basic-most", TASK_BASIC_INFO, 1024)
INFO("basic-too-many", TASK_BASIC_INFO, 1025)
INFO("events-no-words", TASK_EVENTS_INFO, 0)
INFO("events-one-short", TASK_EVENTS_INFO, TASK_EVENTS_INFO_COUNT - 1)
INFO("events-all", TASK_EVENTS_INFO, TASK_EVENTS_INFO_COUNT)
INFO("events-most", TASK_EVENTS_INFO, 1024)
INFO("times-no-words", TASK_THREAD_TIMES_INFO, 0)
INFO("times-without-64-bits-one-short", TASK_THREAD_TIMES_INFO, TASK_THREAD_TIMES_INFO_COUNT - 9)
INFO("times-without-64-bits", TASK_THREAD_TIMES_INFO, TASK_THREAD_TIMES_INFO_COUNT - 8)
INFO("times-one-short", TASK_THREAD_TIMES_INFO, TASK_THREAD_TIMES_INFO_COUNT - 1)
INFO("times-all", TASK_THREAD_TIMES_INFO, TASK_THREAD_TIMES_INFO_COUNT)
INFO("times-most", TASK_THREAD_TIMES_INFO, 1024)
INFO("flavor-0", 0, 1024)
INFO("flavor-4", 4, 1024)
INFO("flavor-minus-1", -1, 1024)
INFO("flavor-1000", 1000, 1024)

CASE("task_info/basic-of-a-new-task")
{
	const struct task_basic_info *basic = (const struct task_basic_info *)words;
	mach_port_name_t task = make_task(FALSE);

	must("task_info", info(task, TASK_BASIC_INFO, TASK_BASIC_INFO_COUNT));
	mach_printf("suspended %d, priority %d, virtual %lu, resident %lu\n",
		    basic->suspend_count, basic->base_priority, basic->virtual_size,
		    basic->resident_size);
	mach_printf("times %ld.%d %ld.%d, 64 bits %ld.%ld %ld.%ld\n", basic->user_time.seconds,
		    basic->user_time.microseconds, basic->system_time.seconds,
		    basic->system_time.microseconds, basic->user_time64.seconds,
		    basic->user_time64.nanoseconds, basic->system_time64.seconds,
		    basic->system_time64.nanoseconds);
	fact("the creation times are one",
	     basic->creation_time.seconds == basic->creation_time64.seconds &&
		     basic->creation_time.microseconds == basic->creation_time64.nanoseconds / 1000);
}

CASE("task_info/basic-one-short-leaves-64-bits-alone")
{
	const struct task_basic_info *basic = (const struct task_basic_info *)words;
	mach_port_name_t task = make_task(FALSE);

	must("task_info", info(task, TASK_BASIC_INFO, TASK_BASIC_INFO_COUNT - 12));
	mach_printf("suspended %d, priority %d, user %ld, behind %ld\n", basic->suspend_count,
		    basic->base_priority, basic->user_time.seconds, basic->user_time64.seconds);
}

CASE("task_info/basic-sizes")
{
	const struct task_basic_info *basic = (const struct task_basic_info *)words;
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t at = must_allocate(task, 4 * PAGE), page = island(1);

	must("task_info", info(task, TASK_BASIC_INFO, TASK_BASIC_INFO_COUNT));
	mach_printf("virtual %lu\n", basic->virtual_size);
	must("vm_write", vm_write(task, at, page, 4096));
	must("vm_protect", vm_protect(task, at + PAGE, PAGE, FALSE, VM_PROT_NONE));
	must("task_info", info(task, TASK_BASIC_INFO, TASK_BASIC_INFO_COUNT));
	mach_printf("virtual %lu\n", basic->virtual_size);
	must("vm_deallocate", vm_deallocate(task, at, 3 * PAGE));
	must("task_info", info(task, TASK_BASIC_INFO, TASK_BASIC_INFO_COUNT));
	mach_printf("virtual %lu\n", basic->virtual_size);
}

CASE("task_info/events-of-a-new-task")
{
	const struct task_events_info *events = (const struct task_events_info *)words;

	must("task_info", info(make_task(FALSE), TASK_EVENTS_INFO, TASK_EVENTS_INFO_COUNT));
	mach_printf("%lu %lu %lu %lu %lu, messages %lu %lu\n", events->faults, events->zero_fills,
		    events->reactivations, events->pageins, events->cow_faults,
		    events->messages_sent, events->messages_received);
}

CASE("task_info/events-count-messages")
{
	const struct task_events_info *events = (const struct task_events_info *)words;
	mach_port_name_t port = make_port();
	struct message msg = message_to(port);
	unsigned long sent, received;
	int i;

	must("task_info", info(self, TASK_EVENTS_INFO, TASK_EVENTS_INFO_COUNT));
	sent = events->messages_sent;
	received = events->messages_received;
	must("task_info", info(self, TASK_EVENTS_INFO, TASK_EVENTS_INFO_COUNT));
	mach_printf("by one call: sent %lu, received %lu\n", events->messages_sent - sent,
		    events->messages_received - received);
	sent = events->messages_sent;
	received = events->messages_received;
	for (i = 0; i < 3; i++)
		must("send", send_sized(&msg, HEADER));
	must("receive", receive(port, &msg));
	must("task_info", info(self, TASK_EVENTS_INFO, TASK_EVENTS_INFO_COUNT));
	mach_printf("by three more sent and one received: sent %lu, received %lu\n",
		    events->messages_sent - sent, events->messages_received - received);
}

CASE("task_info/events-count-faults")
{
	const struct task_events_info *events = (const struct task_events_info *)words;
	vm_offset_t at = island(8);
	unsigned long zero_fills;
	int i;

	must("task_info", info(self, TASK_EVENTS_INFO, TASK_EVENTS_INFO_COUNT));
	zero_fills = events->zero_fills;
	for (i = 0; i < 8; i++)
		*(volatile char *)(at + i * PAGE) = 1;
	must("task_info", info(self, TASK_EVENTS_INFO, TASK_EVENTS_INFO_COUNT));
	mach_printf("zero fills %lu\n", events->zero_fills - zero_fills);
	fact("faults are no fewer", events->faults >= events->zero_fills);
}

CASE("task_info/times-of-a-new-task")
{
	const struct task_thread_times_info *times = (const struct task_thread_times_info *)words;
	mach_port_name_t task = make_task(FALSE);

	make_thread_in(task);
	must("task_info", info(task, TASK_THREAD_TIMES_INFO, TASK_THREAD_TIMES_INFO_COUNT));
	mach_printf("%ld.%d %ld.%d, 64 bits %ld.%ld %ld.%ld\n", times->user_time.seconds,
		    times->user_time.microseconds, times->system_time.seconds,
		    times->system_time.microseconds, times->user_time64.seconds,
		    times->user_time64.nanoseconds, times->system_time64.seconds,
		    times->system_time64.nanoseconds);
}

/* ---- Suspend and resume. */

CASE("task_suspend/counts")
{
	mach_port_name_t task = make_task(FALSE);
	int i;

	tell_basic("at first", task);
	code("resumed", task_resume(task));
	for (i = 0; i < 3; i++)
		code("suspended", task_suspend(task));
	tell_basic("then", task);
	for (i = 0; i < 4; i++)
		code("resumed", task_resume(task));
	tell_basic("at last", task);
}

CASE("task_suspend/many-times")
{
	mach_port_name_t task = make_task(FALSE);
	int i;

	for (i = 0; i < 1000; i++)
		must("task_suspend", task_suspend(task));
	tell_basic("then", task);
	for (i = 0; i < 1000; i++)
		must("task_resume", task_resume(task));
	code("once more", task_resume(task));
}

/* Counts for ever. */
static void child_counts(struct child *c)
{
	for (;;)
		c->shared->numbers[0]++;
}

static void tell_whether_it_runs(const char *what)
{
	volatile long *number = &child.shared->numbers[0];
	long before;
	int i;

	settle();
	before = *number;
	for (i = 0; i < 200 && *number == before; i++)
		nap(1);
	fact(what, *number != before);
}

/* Looks for a short time only: what has stopped does not go on. */
static void tell_whether_it_stopped(const char *what)
{
	long before = child.shared->numbers[0];

	nap(50);
	fact(what, child.shared->numbers[0] == before);
}

CASE("task_suspend/stops-its-thread")
{
	child_make();
	child_start(child_counts);
	tell_whether_it_runs("it runs");
	code("task_suspend", task_suspend(child.task));
	tell_whether_it_stopped("it has stopped");
	code("again", task_suspend(child.task));
	code("task_resume", task_resume(child.task));
	tell_whether_it_stopped("it has stopped");
	code("task_resume", task_resume(child.task));
	tell_whether_it_runs("it runs");
}

CASE("task_suspend/and-its-thread")
{
	child_make();
	child_start(child_counts);
	tell_whether_it_runs("it runs");
	code("task_suspend", task_suspend(child.task));
	code("thread_suspend", thread_suspend(child.thread));
	code("task_resume", task_resume(child.task));
	tell_whether_it_stopped("it has stopped");
	code("thread_resume", thread_resume(child.thread));
	tell_whether_it_runs("it runs");
	code("thread_suspend", thread_suspend(child.thread));
	code("task_suspend", task_suspend(child.task));
	code("thread_resume", thread_resume(child.thread));
	tell_whether_it_stopped("it has stopped");
	code("thread_resume", thread_resume(child.thread));
	code("task_resume", task_resume(child.task));
	tell_whether_it_runs("it runs");
}

CASE("task_suspend/before-it-has-a-thread")
{
	child_make();
	code("task_suspend", task_suspend(child.task));
	child_start(child_counts);
	nap(30);
	mach_printf("it came to %ld\n", child.shared->numbers[0]);
	code("thread_resume", thread_resume(child.thread));
	code("task_resume", task_resume(child.task));
	tell_whether_it_runs("it runs");
}

CASE("task_suspend/child-of-a-suspended-task")
{
	mach_port_name_t task = make_task(FALSE), below = MACH_PORT_NULL;

	must("task_suspend", task_suspend(task));
	code("task_create", task_create(task, FALSE, &below));
	keep_name(below);
	tell_basic("the child", below);
	code("task_resume", task_resume(below));
	must("task_terminate", task_terminate(below));
}

CASE("task_suspend/terminated-while-suspended")
{
	child_make();
	child_start(child_counts);
	tell_whether_it_runs("it runs");
	must("task_suspend", task_suspend(child.task));
	code("task_terminate", task_terminate(child.task));
	tell_name("the task", child.task);
	tell_name("the thread", child.thread);
}

static void child_resumes_us(struct child *c)
{
	step_comes(0);
	nap(50);
	c->shared->numbers[0] = task_resume(c->port);
	c->shared->numbers[1] = task_resume(c->port);
}

CASE("task_suspend/itself")
{
	child_make();
	child.port = fresh_name();
	must("our task", mach_port_insert_right(child.task, child.port, self,
						MACH_MSG_TYPE_COPY_SEND));
	child_start(child_resumes_us);
	step_done(0);
	code("task_suspend", task_suspend(self));
	child_ends();
	code("the child's task_resume", (kern_return_t)child.shared->numbers[0]);
	code("again", (kern_return_t)child.shared->numbers[1]);
}

CASE("trap_task_suspend/itself")
{
	child_make();
	child.port = fresh_name();
	must("our task", mach_port_insert_right(child.task, child.port, self,
						MACH_MSG_TYPE_COPY_SEND));
	child_start(child_resumes_us);
	step_done(0);
	code("trap", syscall_task_suspend(self));
	child_ends();
	code("the child's task_resume", (kern_return_t)child.shared->numbers[0]);
	code("again", (kern_return_t)child.shared->numbers[1]);
}

/* ---- Threads of a task. */

static void tell_threads(mach_port_name_t task, const mach_port_name_t *known, size_t n)
{
	thread_array_t threads = NULL;
	mach_msg_type_number_t got = 99;
	size_t i, j;

	code("task_threads", task_threads(task, &threads, &got));
	mach_printf("threads %u:", got);
	for (i = 0; i < got; i++) {
		for (j = 0; j < n && known[j] != threads[i]; j++)
			;
		if (j < n)
			mach_printf(" %zu", j);
		else
			mach_printf(" %s", port_word(threads[i]));
	}
	mach_printf("\n");
	fact("no memory", threads == NULL);
	for (i = 0; i < got; i++)
		if (MACH_PORT_VALID(threads[i]))
			mach_port_deallocate(self, threads[i]);
	if (got != 0)
		vm_deallocate(self, (vm_offset_t)threads, got * sizeof(*threads));
}

CASE("task_threads/none")
{
	tell_threads(make_task(FALSE), NULL, 0);
}

CASE("task_threads/one-after-the-other")
{
	mach_port_name_t task = make_task(FALSE), threads[4];
	int i;

	for (i = 0; i < 4; i++)
		threads[i] = make_thread_in(task);
	tell_threads(task, threads, 4);
	must("thread_terminate", thread_terminate(threads[1]));
	tell_threads(task, threads, 4);
	must("thread_terminate", thread_terminate(threads[3]));
	threads[1] = make_thread_in(task);
	tell_threads(task, threads, 4);
}

CASE("task_threads/many")
{
	mach_port_name_t task = make_task(FALSE);
	thread_array_t threads = NULL;
	mach_msg_type_number_t got = 0;
	mach_port_name_t thread, last = MACH_PORT_NULL;
	int i;

	for (i = 0; i < 200; i++) {
		must("thread_create", thread_create(task, &thread));
		mach_port_deallocate(self, thread);
	}
	code("task_threads", task_threads(task, &threads, &got));
	count("threads", got);
	for (i = 0; i < (int)got; i++) {
		if (threads[i] == last)
			mach_printf("twice the same\n");
		last = threads[i];
		must("thread_terminate", thread_terminate(threads[i]));
		mach_port_deallocate(self, threads[i]);
	}
	vm_deallocate(self, (vm_offset_t)threads, got * sizeof(*threads));
	tell_threads(task, NULL, 0);
}

CASE("task_threads/references")
{
	mach_port_name_t task = make_task(FALSE), thread = make_thread_in(task);
	thread_array_t threads = NULL;
	mach_msg_type_number_t got = 0;

	must("task_threads", task_threads(task, &threads, &got));
	tell_name("the thread", thread);
	vm_deallocate(self, (vm_offset_t)threads, got * sizeof(*threads));
}

CASE("task_threads/itself")
{
	mach_port_name_t thread = keep_name(mach_thread_self());

	tell_threads(self, &thread, 1);
}
