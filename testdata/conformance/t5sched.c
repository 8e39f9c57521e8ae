/* t5sched: thread_info; priorities, policies, processor sets; the traps of scheduling. */
#include "suite.h"

#include <mach/policy.h>
#include <mach/task_info.h>
#include <mach/thread_info.h>
#include <mach/thread_switch.h>

#include "second.h"
#include "t5wrong.h"

static natural_t words[1024];
static mach_msg_type_number_t words_count;
static const struct thread_basic_info *const basic = (const struct thread_basic_info *)words;
static const struct thread_sched_info *const sched = (const struct thread_sched_info *)words;

static kern_return_t info(mach_port_name_t thread, int flavor, mach_msg_type_number_t count)
{
	memset(words, 0xff, sizeof(words));
	words_count = count;
	return thread_info(thread, flavor, (thread_info_t)words, &words_count);
}

static mach_port_name_t some_port;

WRONG_THREAD(thread_info, info(port, THREAD_BASIC_INFO, THREAD_BASIC_INFO_COUNT))
WRONG_THREAD(thread_priority, thread_priority(port, 30, FALSE))
WRONG_THREAD(thread_max_priority, thread_max_priority(port, default_set(), 30))
WRONG_THREAD(thread_policy, thread_policy(port, POLICY_TIMESHARE, 0))
WRONG_THREAD(thread_depress_abort, thread_depress_abort(port))
WRONG_THREAD(thread_assign, thread_assign(port, default_set()))
WRONG_THREAD(thread_assign_default, thread_assign_default(port))
WRONG_THREAD(thread_get_assignment, thread_get_assignment(port, &some_port))

static mach_port_name_t a_thread(void)
{
	return make_thread_in(make_task(FALSE));
}

/* ---- thread_info. */

static void info_count(long flavor, long count, long unused)
{
	mach_port_name_t thread = a_thread();

	(void)unused;
	code("thread_info", info(thread, (int)flavor, (mach_msg_type_number_t)count));
	mach_printf("words %u\n", words_count);
}
#define INFO(name, flavor, words) EACH("thread_info/" name, info_count, flavor, words, 0)
INFO("basic-no-words", THREAD_BASIC_INFO, 0)
INFO("basic-without-64-bits-one-short", THREAD_BASIC_INFO, THREAD_BASIC_INFO_COUNT - 13)
INFO("basic-without-64-bits", THREAD_BASIC_INFO, THREAD_BASIC_INFO_COUNT - 12)
INFO("basic-one-short", THREAD_BASIC_INFO, THREAD_BASIC_INFO_COUNT - 1)
INFO("basic-all", THREAD_BASIC_INFO, THREAD_BASIC_INFO_COUNT)
INFO("basic-most", THREAD_BASIC_INFO, 1024)
INFO("basic-too-many", THREAD_BASIC_INFO, 1025)
INFO("sched-no-words", THREAD_SCHED_INFO, 0)
INFO("sched-two-short", THREAD_SCHED_INFO, THREAD_SCHED_INFO_COUNT - 2)
INFO("sched-all", THREAD_SCHED_INFO, THREAD_SCHED_INFO_COUNT)
INFO("sched-most", THREAD_SCHED_INFO, 1024)
INFO("flavor-0", 0, 1024)
INFO("flavor-3", 3, 1024)
INFO("flavor-minus-1", -1, 1024)

/* The answer has a word more than was asked for, which is the stub's affair. */
CASE("thread_info/sched-one-short")
{
	code("thread_info", info(a_thread(), THREAD_SCHED_INFO, THREAD_SCHED_INFO_COUNT - 1));
}

static void tell_state(const char *what, mach_port_name_t thread)
{
	static const char *const states[] = {
		"?", "running", "stopped", "waiting", "uninterruptible", "halted",
	};

	must("thread_info", info(thread, THREAD_BASIC_INFO, THREAD_BASIC_INFO_COUNT));
	mach_printf("%s: %s, flags %d, suspended %d, priority %d\n", what,
		    basic->run_state >= 1 && basic->run_state <= 5 ? states[basic->run_state] : "?",
		    basic->flags, basic->suspend_count, basic->base_priority);
}

static void tell_sched(const char *what, mach_port_name_t thread)
{
	must("thread_info", info(thread, THREAD_SCHED_INFO, THREAD_SCHED_INFO_COUNT));
	mach_printf("%s: policy %d, data %d, base %d, maximum %d, depressed %d from %d, on %d\n",
		    what, sched->policy, sched->data, sched->base_priority, sched->max_priority,
		    sched->depressed, sched->depress_priority, sched->last_processor);
}

CASE("thread_info/of-a-new-thread")
{
	mach_port_name_t thread = a_thread();

	tell_state("new", thread);
	mach_printf("times %ld.%d %ld.%d\n", basic->user_time.seconds,
		    basic->user_time.microseconds, basic->system_time.seconds,
		    basic->system_time.microseconds);
	tell_sched("new", thread);
}

CASE("thread_info/of-oneself")
{
	mach_port_name_t thread = keep_name(mach_thread_self());

	tell_state("oneself", thread);
	mach_printf("sleep time %d\n", basic->sleep_time);
	tell_sched("oneself", thread);
}

static struct second one;

static void second_spins(struct second *s)
{
	while (!*(volatile mach_msg_size_t *)&s->size)
		;
}

CASE("thread_info/of-a-running-thread")
{
	memset(&one, 0, sizeof(one));
	second_start(&one, second_spins);
	must("thread_info", info(one.thread, THREAD_BASIC_INFO, THREAD_BASIC_INFO_COUNT));
	mach_printf("state %d, suspended %d\n", basic->run_state, basic->suspend_count);
	must("thread_suspend", thread_suspend(one.thread));
	must("thread_info", info(one.thread, THREAD_BASIC_INFO, THREAD_BASIC_INFO_COUNT));
	mach_printf("state %d, suspended %d\n", basic->run_state, basic->suspend_count);
	must("thread_abort", thread_abort(one.thread));
	must("thread_info", info(one.thread, THREAD_BASIC_INFO, THREAD_BASIC_INFO_COUNT));
	mach_printf("aborted: state %d, suspended %d\n", basic->run_state, basic->suspend_count);
	must("thread_resume", thread_resume(one.thread));
	must("thread_info", info(one.thread, THREAD_BASIC_INFO, THREAD_BASIC_INFO_COUNT));
	mach_printf("resumed: state %d, suspended %d\n", basic->run_state, basic->suspend_count);
	second_end(&one);
}

CASE("thread_info/of-a-waiting-thread")
{
	memset(&one, 0, sizeof(one));
	one.port = make_port();
	second_start(&one, second_receives);
	tell_state("waiting", one.thread);
	must("thread_suspend", thread_suspend(one.thread));
	tell_state("suspended", one.thread);
	must("thread_suspend", thread_suspend(one.thread));
	tell_state("twice", one.thread);
	must("thread_abort", thread_abort(one.thread));
	tell_state("aborted", one.thread);
	must("thread_resume", thread_resume(one.thread));
	tell_state("once", one.thread);
	second_end(&one);
}

CASE("thread_info/of-a-waiting-sender")
{
	memset(&one, 0, sizeof(one));
	one.port = make_port();
	fill_queue(one.port);
	one.message = message_to(one.port);
	one.size = HEADER;
	second_start(&one, second_sends);
	tell_state("waiting", one.thread);
	must("thread_suspend", thread_suspend(one.thread));
	tell_state("suspended", one.thread);
	second_end(&one);
}

CASE("thread_info/aborted-before-it-ran")
{
	mach_port_name_t thread = a_thread();

	must("thread_abort", thread_abort(thread));
	tell_state("aborted", thread);
	must("thread_suspend", thread_suspend(thread));
	tell_state("suspended", thread);
}

CASE("thread_info/of-a-suspended-tasks-thread")
{
	mach_port_name_t task = make_task(FALSE), thread = make_thread_in(task);

	must("task_suspend", task_suspend(task));
	tell_state("both", thread);
	must("thread_resume", thread_resume(thread));
	tell_state("the task only", thread);
	must("thread_suspend", thread_suspend(thread));
	tell_state("both", thread);
}

/* ---- Priorities. */

static void prioritised(long priority, long set_max, long unused)
{
	mach_port_name_t thread = a_thread();

	(void)unused;
	code("thread_priority", thread_priority(thread, (int)priority, (boolean_t)set_max));
	tell_sched("then", thread);
	code("thread_priority 25", thread_priority(thread, 25, FALSE));
	tell_sched("then", thread);
}
EACH("thread_priority/minus-1", prioritised, -1, 0, 0)
EACH("thread_priority/0", prioritised, 0, 0, 0)
EACH("thread_priority/24", prioritised, 24, 0, 0)
EACH("thread_priority/25", prioritised, 25, 0, 0)
EACH("thread_priority/40", prioritised, 40, 0, 0)
EACH("thread_priority/63", prioritised, 63, 0, 0)
EACH("thread_priority/64", prioritised, 64, 0, 0)
EACH("thread_priority/24-and-maximum", prioritised, 24, 1, 0)
EACH("thread_priority/40-and-maximum", prioritised, 40, 1, 0)

static void maximum(long priority, long set, long unused)
{
	mach_port_name_t thread = a_thread();

	(void)unused;
	must("thread_priority", thread_priority(thread, 30, FALSE));
	code("thread_max_priority",
	     thread_max_priority(thread, set ? default_set() : default_set_name(), (int)priority));
	tell_sched("then", thread);
	code("thread_priority 20", thread_priority(thread, 20, FALSE));
	tell_sched("then", thread);
}
EACH("thread_max_priority/minus-1", maximum, -1, 1, 0)
EACH("thread_max_priority/0", maximum, 0, 1, 0)
EACH("thread_max_priority/20", maximum, 20, 1, 0)
EACH("thread_max_priority/28", maximum, 28, 1, 0)
EACH("thread_max_priority/40", maximum, 40, 1, 0)
EACH("thread_max_priority/64", maximum, 64, 1, 0)
EACH("thread_max_priority/by-the-sets-name", maximum, 28, 0, 0)

static void task_prioritised(long priority, long change, long unused)
{
	mach_port_name_t task = make_task(FALSE), first = make_thread_in(task),
			 second = make_thread_in(task);
	task_basic_info_data_t of_task;
	mach_msg_type_number_t n = TASK_BASIC_INFO_COUNT;

	(void)unused;
	must("thread_priority", thread_priority(first, 35, TRUE));
	code("task_priority", task_priority(task, (int)priority, (boolean_t)change));
	must("task_info", task_info(task, TASK_BASIC_INFO, (task_info_t)&of_task, &n));
	mach_printf("the task: %d\n", of_task.base_priority);
	tell_sched("the first", first);
	tell_sched("the second", second);
	tell_sched("a new one", make_thread_in(task));
}
EACH("task_priority/minus-1", task_prioritised, -1, 0, 0)
EACH("task_priority/10", task_prioritised, 10, 0, 0)
EACH("task_priority/10-and-threads", task_prioritised, 10, 1, 0)
EACH("task_priority/30", task_prioritised, 30, 0, 0)
EACH("task_priority/30-and-threads", task_prioritised, 30, 1, 0)
EACH("task_priority/40-and-threads", task_prioritised, 40, 1, 0)
EACH("task_priority/64", task_prioritised, 64, 0, 0)

/* ---- Policies. */

static void with_policy(long policy, long data, long enabled)
{
	mach_port_name_t thread = a_thread();

	if (enabled)
		code("enable", processor_set_policy_enable(default_set(), POLICY_FIXEDPRI));
	code("thread_policy", thread_policy(thread, (int)policy, (int)data));
	tell_sched("then", thread);
	mach_printf("current %s\n", sched->policy == POLICY_FIXEDPRI &&
		    sched->cur_priority == sched->base_priority ? "as the base" : "as it may be");
	if (enabled) {
		code("thread_policy", thread_policy(thread, (int)policy, 200));
		tell_sched("then", thread);
		code("disable", processor_set_policy_disable(default_set(), POLICY_FIXEDPRI, FALSE));
		tell_sched("then", thread);
		code("enable", processor_set_policy_enable(default_set(), POLICY_FIXEDPRI));
		code("disable with its threads",
		     processor_set_policy_disable(default_set(), POLICY_FIXEDPRI, TRUE));
		tell_sched("then", thread);
	}
}
EACH("thread_policy/timeshare", with_policy, POLICY_TIMESHARE, 10, 0)
EACH("thread_policy/fixed-not-enabled", with_policy, POLICY_FIXEDPRI, 100, 0)
EACH("thread_policy/0", with_policy, 0, 0, 0)
EACH("thread_policy/3", with_policy, 3, 0, 0)
EACH("thread_policy/minus-1", with_policy, -1, 0, 0)
EACH("thread_policy/fixed-0", with_policy, POLICY_FIXEDPRI, 0, 1)
EACH("thread_policy/fixed-10", with_policy, POLICY_FIXEDPRI, 10, 1)
EACH("thread_policy/fixed-15", with_policy, POLICY_FIXEDPRI, 15, 1)
EACH("thread_policy/fixed-100", with_policy, POLICY_FIXEDPRI, 100, 1)
EACH("thread_policy/timeshare-enabled", with_policy, POLICY_TIMESHARE, 100, 1)

CASE("processor_set_policy_disable/arguments")
{
	code("timeshare", processor_set_policy_disable(default_set(), POLICY_TIMESHARE, FALSE));
	code("0", processor_set_policy_disable(default_set(), 0, FALSE));
	code("3", processor_set_policy_disable(default_set(), 3, FALSE));
	code("fixed, not enabled", processor_set_policy_disable(default_set(), POLICY_FIXEDPRI, FALSE));
	code("enable 0", processor_set_policy_enable(default_set(), 0));
	code("enable 3", processor_set_policy_enable(default_set(), 3));
	code("enable timeshare", processor_set_policy_enable(default_set(), POLICY_TIMESHARE));
	code("by the name", processor_set_policy_enable(default_set_name(), POLICY_FIXEDPRI));
}

/* ---- Assignment and wiring. */

CASE("thread_get_assignment/is-the-default-set")
{
	mach_port_name_t set = default_set_name(), got = MACH_PORT_NULL;

	code("thread", thread_get_assignment(a_thread(), &got));
	fact("it is", got == set);
	code("task", task_get_assignment(make_task(FALSE), &got));
	fact("it is", got == set);
	tell_name("the set", set);
}

CASE("thread_assign/to-anything")
{
	mach_port_name_t thread = a_thread(), task = make_task(FALSE);

	code("thread, the set", thread_assign(thread, default_set()));
	code("thread, its name", thread_assign(thread, default_set_name()));
	code("thread, null", thread_assign(thread, MACH_PORT_NULL));
	code("thread, default", thread_assign_default(thread));
	code("task, the set", task_assign(task, default_set(), TRUE));
	code("task, null", task_assign(task, MACH_PORT_NULL, FALSE));
	code("task, default", task_assign_default(task, TRUE));
}

CASE("thread_wire/arguments")
{
	mach_port_name_t thread = keep_name(mach_thread_self());

	code("the host", thread_wire(host, thread, TRUE));
	code("oneself", thread_wire(host_priv_port, thread, TRUE));
	code("oneself not", thread_wire(host_priv_port, thread, FALSE));
	code("another", thread_wire(host_priv_port, a_thread(), TRUE));
	code("a task", thread_wire(host_priv_port, self, TRUE));
	code("null", thread_wire(host_priv_port, MACH_PORT_NULL, TRUE));
	code("a task as host", thread_wire(self, thread, TRUE));
}

/* ---- Depression, and the traps. */

static void second_depressed(struct second *s)
{
	s->answer = thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 600000);
}

CASE("thread_depress_abort/not-depressed")
{
	mach_port_name_t thread = a_thread();

	code("thread_depress_abort", thread_depress_abort(thread));
	tell_sched("then", thread);
	code("trap", syscall_thread_depress_abort(thread));
	code("oneself", syscall_thread_depress_abort(keep_name(mach_thread_self())));
}

CASE("thread_switch/waits-until-aborted")
{
	memset(&one, 0, sizeof(one));
	second_start(&one, second_depressed);
	tell_state("it", one.thread);
	tell_sched("it", one.thread);
	code("thread_depress_abort", thread_depress_abort(one.thread));
	seconds_settle();
	fact("it came out", one.done);
	code("thread_abort", thread_abort(one.thread));
	second_tell(&one, "its answer");
	second_end(&one);
}

static void switches(long option, long milliseconds, long unused)
{
	(void)unused;
	code("null", thread_switch(MACH_PORT_NULL, (int)option, (unsigned)milliseconds));
	code("no name", thread_switch(NO_NAME, (int)option, (unsigned)milliseconds));
	code("a task", thread_switch(self, (int)option, (unsigned)milliseconds));
	code("oneself", thread_switch(keep_name(mach_thread_self()), (int)option,
				      (unsigned)milliseconds));
	code("another", thread_switch(a_thread(), (int)option, (unsigned)milliseconds));
	tell_sched("oneself", keep_name(mach_thread_self()));
}
EACH("thread_switch/none", switches, SWITCH_OPTION_NONE, 0, 0)
EACH("thread_switch/none-with-a-time", switches, SWITCH_OPTION_NONE, 10, 0)
EACH("thread_switch/depress", switches, SWITCH_OPTION_DEPRESS, 10, 0)
EACH("thread_switch/depress-no-time", switches, SWITCH_OPTION_DEPRESS, 0, 0)
EACH("thread_switch/wait", switches, SWITCH_OPTION_WAIT, 10, 0)
EACH("thread_switch/option-3", switches, 3, 10, 0)
EACH("thread_switch/option-minus-1", switches, -1, 10, 0)

CASE("trap_swtch/alone")
{
	mach_printf("swtch %d, swtch_pri %d %d %d\n", swtch(), swtch_pri(0), swtch_pri(63),
		    swtch_pri(-1));
	tell_sched("oneself", keep_name(mach_thread_self()));
}

CASE("trap_evc_wait/no-such-event")
{
	static const unsigned int events[] = { 0, 1, 9, 10, 11, 1000, (unsigned int)-1 };
	size_t i;

	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		code("evc_wait", evc_wait(events[i]));
		code("evc_wait_clear", evc_wait_clear(events[i]));
	}
}

static kern_return_t trap_create(mach_port_name_t port)
{
	return syscall_task_create(port, FALSE, &some_port);
}
CASE("trap_task_create/of-what-is-no-task") { wrong_for_task(trap_create); }
CASE("trap_task_terminate/of-what-is-no-task") { wrong_for_task(syscall_task_terminate); }
CASE("trap_task_suspend/of-what-is-no-task") { wrong_for_task(syscall_task_suspend); }
CASE("trap_thread_depress_abort/of-what-is-no-thread")
{
	wrong_for_thread(syscall_thread_depress_abort);
}

static kern_return_t trap_special(mach_port_name_t port)
{
	return syscall_task_set_special_port(port, 99, NO_NAME);
}
CASE("trap_task_set_special_port/of-what-is-no-task") { wrong_for_task(trap_special); }

CASE("trap_task_create/and-terminate")
{
	mach_port_name_t task = 99;

	code("trap", syscall_task_create(self, TRUE, &task));
	tell_name("the task", keep_name(task));
	code("suspend", syscall_task_suspend(task));
	code("task_resume", task_resume(task));
	code("set special port", syscall_task_set_special_port(task, 99, MACH_PORT_NULL));
	code("terminate", syscall_task_terminate(task));
	tell_name("the task", task);
	code("again", syscall_task_terminate(task));
}
