/* t5host: the host, its processor, its processor set, and what is scheduled on them. */
#include "suite.h"

#include <mach/host_info.h>
#include <mach/policy.h>
#include <mach/processor_info.h>
#include <mach/time_value.h>

#include "message.h"
#include "worker.h"

#define PRIV host_priv_port

static mach_port_name_t default_name(void)
{
	mach_port_name_t set = MACH_PORT_NULL;

	must("processor_set_default", processor_set_default(host, &set));
	return keep_name(set);
}

static mach_port_name_t default_set(void)
{
	mach_port_name_t set = MACH_PORT_NULL;

	must("host_processor_set_priv", host_processor_set_priv(PRIV, default_name(), &set));
	return keep_name(set);
}

static mach_port_name_t processor(void)
{
	processor_array_t list = NULL;
	mach_msg_type_number_t n = 0;
	mach_port_name_t name = MACH_PORT_NULL;

	must("host_processors", host_processors(PRIV, &list, &n));
	if (n > 0)
		name = keep_name(list[0]);
	vm_deallocate(self, (vm_offset_t)list, n * sizeof(*list));
	return name;
}

static mach_port_name_t idle_thread(void)
{
	mach_port_name_t thread = MACH_PORT_NULL;

	must("thread_create", thread_create(make_task(FALSE), &thread));
	return keep_name(thread);
}

enum thing { HOST, HOST_PRIV, PROCESSOR, SET, SET_NAME, TASK, THREAD, PORT, DEAD_TASK, NOTHING };

static mach_port_name_t make_thing(enum thing thing)
{
	switch (thing) {
	case HOST: return host;
	case HOST_PRIV: return PRIV;
	case PROCESSOR: return processor();
	case SET: return default_set();
	case SET_NAME: return default_name();
	case TASK: return make_task(FALSE);
	case THREAD: return idle_thread();
	case PORT: return make_port();
	case DEAD_TASK: return make_dead_task();
	case NOTHING: return MACH_PORT_NULL;
	}
	return MACH_PORT_NULL;
}

/* ---- Each routine on each thing. */

enum routine {
	HOST_PROCESSORS, PROCESSOR_START, PROCESSOR_EXIT, PROCESSOR_SET_DEFAULT,
	PROCESSOR_SET_CREATE, PROCESSOR_SET_DESTROY, PROCESSOR_ASSIGN, PROCESSOR_GET_ASSIGNMENT,
	THREAD_ASSIGN, THREAD_ASSIGN_DEFAULT, THREAD_GET_ASSIGNMENT, TASK_ASSIGN,
	TASK_ASSIGN_DEFAULT, TASK_GET_ASSIGNMENT, THREAD_PRIORITY, THREAD_MAX_PRIORITY,
	TASK_PRIORITY, SET_MAX_PRIORITY, THREAD_POLICY, SET_POLICY_ENABLE, SET_POLICY_DISABLE,
	SET_TASKS, SET_THREADS, HOST_PROCESSOR_SETS, HOST_SET_PRIV, THREAD_DEPRESS_ABORT,
	HOST_SET_TIME, HOST_ADJUST_TIME, HOST_GET_TIME, VM_WIRE, THREAD_WIRE, HOST_INFO,
	PROCESSOR_INFO, SET_INFO, PROCESSOR_CONTROL, HOST_GET_TIME64, HOST_SET_TIME64,
	HOST_ADJUST_TIME64, HOST_GET_KERNEL_VERSION, HOST_GET_UPTIME64, WIRE_ALL_MEMORY,
};

static void freed(void *list, mach_msg_type_number_t n)
{
	mach_port_name_t *names = list;
	mach_msg_type_number_t i;

	for (i = 0; i < n; i++)
		mach_port_deallocate(self, names[i]);
	vm_deallocate(self, (vm_offset_t)list, n * sizeof(*names));
}

static kern_return_t call(enum routine routine, mach_port_name_t name)
{
	mach_port_name_t out = MACH_PORT_NULL, other = MACH_PORT_NULL;
	mach_port_name_t *list = NULL;
	mach_msg_type_number_t n = 64;
	integer_t info[64];
	time_value_t time = { 0, 0 }, old;
	time_value64_t time64 = { 0, 0 }, old64;
	kernel_version_t version;
	kern_return_t kr = KERN_FAILURE;

	switch (routine) {
	case HOST_PROCESSORS:
		kr = host_processors(name, &list, &n);
		if (kr == KERN_SUCCESS)
			freed(list, n);
		return kr;
	case PROCESSOR_START: return processor_start(name);
	case PROCESSOR_EXIT: return processor_exit(name);
	case PROCESSOR_SET_DEFAULT: kr = processor_set_default(name, &out); break;
	case PROCESSOR_SET_CREATE: kr = processor_set_create(name, &out, &other); break;
	case PROCESSOR_SET_DESTROY: return processor_set_destroy(name);
	case PROCESSOR_ASSIGN: return processor_assign(name, default_set(), FALSE);
	case PROCESSOR_GET_ASSIGNMENT: kr = processor_get_assignment(name, &out); break;
	case THREAD_ASSIGN: return thread_assign(name, default_set());
	case THREAD_ASSIGN_DEFAULT: return thread_assign_default(name);
	case THREAD_GET_ASSIGNMENT: kr = thread_get_assignment(name, &out); break;
	case TASK_ASSIGN: return task_assign(name, default_set(), FALSE);
	case TASK_ASSIGN_DEFAULT: return task_assign_default(name, FALSE);
	case TASK_GET_ASSIGNMENT: kr = task_get_assignment(name, &out); break;
	case THREAD_PRIORITY: return thread_priority(name, 30, FALSE);
	case THREAD_MAX_PRIORITY: return thread_max_priority(name, default_set(), 25);
	case TASK_PRIORITY: return task_priority(name, 25, FALSE);
	case SET_MAX_PRIORITY: return processor_set_max_priority(name, 25, FALSE);
	case THREAD_POLICY: return thread_policy(name, POLICY_TIMESHARE, 0);
	case SET_POLICY_ENABLE: return processor_set_policy_enable(name, POLICY_TIMESHARE);
	case SET_POLICY_DISABLE: return processor_set_policy_disable(name, POLICY_FIXEDPRI, FALSE);
	case SET_TASKS:
		kr = processor_set_tasks(name, &list, &n);
		if (kr == KERN_SUCCESS)
			freed(list, n);
		return kr;
	case SET_THREADS:
		kr = processor_set_threads(name, &list, &n);
		if (kr == KERN_SUCCESS)
			freed(list, n);
		return kr;
	case HOST_PROCESSOR_SETS:
		kr = host_processor_sets(name, &list, &n);
		if (kr == KERN_SUCCESS)
			freed(list, n);
		return kr;
	case HOST_SET_PRIV: kr = host_processor_set_priv(name, default_name(), &out); break;
	case THREAD_DEPRESS_ABORT: return thread_depress_abort(name);
	case HOST_SET_TIME: time.seconds = 1700000000; return host_set_time(name, time);
	case HOST_ADJUST_TIME: return host_adjust_time(name, time, &old);
	case HOST_GET_TIME: return host_get_time(name, &time);
	case VM_WIRE: return vm_wire(name, self, island(1), PAGE, VM_PROT_READ);
	case THREAD_WIRE: return thread_wire(name, keep_name(mach_thread_self()), FALSE);
	case HOST_INFO: return host_info(name, HOST_SCHED_INFO, info, &n);
	case PROCESSOR_INFO: kr = processor_info(name, PROCESSOR_BASIC_INFO, &out, info, &n); break;
	case SET_INFO: kr = processor_set_info(name, PROCESSOR_SET_BASIC_INFO, &out, info, &n); break;
	case PROCESSOR_CONTROL: return processor_control(name, info, 1);
	case HOST_GET_TIME64: return host_get_time64(name, &time64);
	case HOST_SET_TIME64: time64.seconds = 1700000000; return host_set_time64(name, time64);
	case HOST_ADJUST_TIME64: return host_adjust_time64(name, time64, &old64);
	case HOST_GET_KERNEL_VERSION: return host_get_kernel_version(name, version);
	case HOST_GET_UPTIME64: return host_get_uptime64(name, &time64);
	case WIRE_ALL_MEMORY: return vm_wire_all(name, make_task(TRUE), 0);
	}
	if (kr == KERN_SUCCESS && out == host) {
		mach_port_deallocate(self, out);
	} else if (kr == KERN_SUCCESS) {
		keep_name(out);
		keep_name(other);
	}
	return kr;
}

static void on_thing(long routine, long thing, long unused)
{
	(void)unused;
	code("answer", call((enum routine)routine, make_thing((enum thing)thing)));
}
#define ON(routine_name, routine)						\
	EACH(routine_name "/on-null", on_thing, routine, NOTHING, 0)		\
	EACH(routine_name "/on-dead-task", on_thing, routine, DEAD_TASK, 0) \
	EACH(routine_name "/on-host", on_thing, routine, HOST, 0)		\
	EACH(routine_name "/on-privileged-host", on_thing, routine, HOST_PRIV, 0) \
	EACH(routine_name "/on-processor", on_thing, routine, PROCESSOR, 0)	\
	EACH(routine_name "/on-set", on_thing, routine, SET, 0)			\
	EACH(routine_name "/on-set-name", on_thing, routine, SET_NAME, 0)	\
	EACH(routine_name "/on-task", on_thing, routine, TASK, 0)		\
	EACH(routine_name "/on-thread", on_thing, routine, THREAD, 0)
ON("host_processors", HOST_PROCESSORS)
ON("processor_start", PROCESSOR_START)
ON("processor_exit", PROCESSOR_EXIT)
ON("processor_set_default", PROCESSOR_SET_DEFAULT)
ON("processor_set_create", PROCESSOR_SET_CREATE)
ON("processor_set_destroy", PROCESSOR_SET_DESTROY)
ON("processor_assign", PROCESSOR_ASSIGN)
ON("processor_get_assignment", PROCESSOR_GET_ASSIGNMENT)
ON("thread_assign", THREAD_ASSIGN)
ON("thread_assign_default", THREAD_ASSIGN_DEFAULT)
ON("thread_get_assignment", THREAD_GET_ASSIGNMENT)
ON("task_assign", TASK_ASSIGN)
ON("task_assign_default", TASK_ASSIGN_DEFAULT)
ON("task_get_assignment", TASK_GET_ASSIGNMENT)
ON("thread_priority", THREAD_PRIORITY)
ON("thread_max_priority", THREAD_MAX_PRIORITY)
ON("task_priority", TASK_PRIORITY)
ON("processor_set_max_priority", SET_MAX_PRIORITY)
ON("thread_policy", THREAD_POLICY)
ON("processor_set_policy_enable", SET_POLICY_ENABLE)
ON("processor_set_policy_disable", SET_POLICY_DISABLE)
ON("processor_set_tasks", SET_TASKS)
ON("processor_set_threads", SET_THREADS)
ON("host_processor_sets", HOST_PROCESSOR_SETS)
ON("host_processor_set_priv", HOST_SET_PRIV)
ON("thread_depress_abort", THREAD_DEPRESS_ABORT)
ON("host_set_time", HOST_SET_TIME)
ON("host_adjust_time", HOST_ADJUST_TIME)
ON("host_get_time", HOST_GET_TIME)
ON("vm_wire", VM_WIRE)
ON("thread_wire", THREAD_WIRE)
ON("host_info", HOST_INFO)
ON("processor_info", PROCESSOR_INFO)
ON("processor_set_info", SET_INFO)
ON("processor_control", PROCESSOR_CONTROL)
ON("host_get_time64", HOST_GET_TIME64)
ON("host_set_time64", HOST_SET_TIME64)
ON("host_adjust_time64", HOST_ADJUST_TIME64)
ON("host_get_kernel_version", HOST_GET_KERNEL_VERSION)
ON("host_get_uptime64", HOST_GET_UPTIME64)
ON("vm_wire_all", WIRE_ALL_MEMORY)

/* ---- The host. */

static void host_count(long flavor, long n, long privileged)
{
	integer_t info[64];
	mach_msg_type_number_t got = (mach_msg_type_number_t)n;
	kern_return_t kr;

	memset(info, 0, sizeof(info));
	kr = host_info(privileged ? PRIV : host, (int)flavor, info, &got);
	code("host_info", kr);
	if (kr == KERN_SUCCESS)
		mach_printf("count %u\n", got);
}
#define COUNTS(name, flavor, full)						\
	EACH("host_info/" name "-count-0", host_count, flavor, 0, 0)		\
	EACH("host_info/" name "-count-less", host_count, flavor, (full) - 1, 0) \
	EACH("host_info/" name "-count-exact", host_count, flavor, full, 0)	\
	EACH("host_info/" name "-count-more", host_count, flavor, 64, 0)
COUNTS("basic", HOST_BASIC_INFO, HOST_BASIC_INFO_COUNT)
COUNTS("slots", HOST_PROCESSOR_SLOTS, 1)
COUNTS("sched", HOST_SCHED_INFO, HOST_SCHED_INFO_COUNT)
COUNTS("load", HOST_LOAD_INFO, HOST_LOAD_INFO_COUNT)
EACH("host_info/basic-privileged", host_count, HOST_BASIC_INFO, 64, 1)
EACH("host_info/flavor-0", host_count, 0, 64, 0)
EACH("host_info/flavor-5", host_count, 5, 64, 0)
EACH("host_info/flavor-minus-1", host_count, -1, 64, 0)

CASE("host_info/basic")
{
	struct host_basic_info info;
	mach_msg_type_number_t n = HOST_BASIC_INFO_COUNT;

	must("host_info", host_info(host, HOST_BASIC_INFO, (host_info_t)&info, &n));
	mach_printf("words %u, processors %d of %d, type %d, subtype %d\n", n, info.avail_cpus,
		    info.max_cpus, info.cpu_type, info.cpu_subtype);
	fact("pages of memory", info.memory_size != 0 && info.memory_size % PAGE == 0);
}

CASE("host_info/sched")
{
	struct host_sched_info info;
	mach_msg_type_number_t n = HOST_SCHED_INFO_COUNT;

	must("host_info", host_info(host, HOST_SCHED_INFO, (host_info_t)&info, &n));
	mach_printf("time-out %d ms, quantum %d ms\n", info.min_timeout, info.min_quantum);
}

CASE("host_info/slots")
{
	integer_t info[64];
	mach_msg_type_number_t n = 64;

	must("host_info", host_info(host, HOST_PROCESSOR_SLOTS, info, &n));
	mach_printf("%u slot, the first is %d\n", n, info[0]);
}

CASE("host_get_kernel_version/text")
{
	kernel_version_t version;

	memset(version, 0x55, sizeof(version));
	must("host_get_kernel_version", host_get_kernel_version(host, version));
	fact("it begins with GNU Mach", memcmp(version, "GNU Mach ", 9) == 0);
	fact("it ends", strlen(version) < sizeof(version));
	fact("zeros to the end", version[sizeof(version) - 1] == 0);
}

/* ---- Time. */

static boolean_t after(const time_value64_t *a, const time_value64_t *b)
{
	return a->seconds > b->seconds ||
	       (a->seconds == b->seconds && a->nanoseconds >= b->nanoseconds);
}

CASE("host_get_time/in-order")
{
	time_value64_t one, two;
	time_value_t old;

	must("host_get_time64", host_get_time64(host, &one));
	must("host_get_time", host_get_time(host, &old));
	must("host_get_time64", host_get_time64(host, &two));
	fact("later", after(&two, &one));
	fact("the other clock is the same one", old.seconds >= one.seconds && old.seconds <= two.seconds);
	fact("parts are in range", one.nanoseconds >= 0 && one.nanoseconds < 1000000000 &&
					   old.microseconds >= 0 && old.microseconds < 1000000);
}

CASE("host_get_uptime64/in-order")
{
	time_value64_t one, two;

	must("host_get_uptime64", host_get_uptime64(host, &one));
	must("host_get_uptime64", host_get_uptime64(host, &two));
	fact("later", after(&two, &one));
	fact("the machine has just begun", one.seconds < 3600);
}

CASE("host_set_time/set-and-read")
{
	time_value_t set = { 1600000000, 500000 };
	time_value64_t before, now, up_before, up;

	must("host_get_time64", host_get_time64(host, &before));
	must("host_get_uptime64", host_get_uptime64(host, &up_before));
	code("host_set_time", host_set_time(PRIV, set));
	must("host_get_time64", host_get_time64(host, &now));
	must("host_get_uptime64", host_get_uptime64(host, &up));
	fact("it was set", now.seconds >= 1600000000 && now.seconds < 1600000060);
	fact("uptime went on", after(&up, &up_before) && up.seconds < up_before.seconds + 60);
	code("host_set_time64", host_set_time64(PRIV, before));
	must("host_get_time64", host_get_time64(host, &now));
	fact("it was set back", now.seconds >= before.seconds && now.seconds < before.seconds + 60);
}

CASE("host_set_time64/by-anyone")
{
	time_value64_t set = { 1600000000, 0 }, before, now;

	must("host_get_time64", host_get_time64(host, &before));
	code("host_set_time64", host_set_time64(host, set));
	must("host_get_time64", host_get_time64(host, &now));
	fact("it was set", now.seconds >= 1600000000 && now.seconds < 1600000060);
	must("host_set_time64", host_set_time64(PRIV, before));
}

CASE("host_adjust_time/what-is-left")
{
	time_value_t big = { 1000, 0 }, none = { 0, 0 }, old = { 7, 7 };

	code("first", host_adjust_time(PRIV, big, &old));
	mach_printf("left before: %ld %d\n", old.seconds, old.microseconds);
	code("second", host_adjust_time(PRIV, none, &old));
	fact("most of it was left", old.seconds >= 990 && old.seconds <= 1000);
	code("third", host_adjust_time(PRIV, none, &old));
	mach_printf("left before: %ld %d\n", old.seconds, old.microseconds);
}

/* ---- The processor and its set. */

CASE("host_processors/one")
{
	processor_array_t list = NULL;
	mach_msg_type_number_t n = 0;
	mach_port_name_t other;

	code("host_processors", host_processors(PRIV, &list, &n));
	count("processors", n);
	tell_name("it is", keep_name(list[0]));
	other = processor();
	fact("the same each time", other == list[0]);
	vm_deallocate(self, (vm_offset_t)list, n * sizeof(*list));
}

static void processor_count(long flavor, long n, long unused)
{
	integer_t info[64];
	mach_msg_type_number_t got = (mach_msg_type_number_t)n;
	mach_port_name_t out = MACH_PORT_NULL;
	kern_return_t kr = processor_info(processor(), (int)flavor, &out, info, &got);

	(void)unused;
	code("processor_info", kr);
	if (kr != KERN_SUCCESS)
		return;
	fact("host is the unprivileged one", out == host);
	mach_port_deallocate(self, out);
	mach_printf("count %u: type %d, subtype %d, running %d, slot %d, master %d\n", got, info[0],
		    info[1], info[2], info[3], info[4]);
}
EACH("processor_info/basic", processor_count, PROCESSOR_BASIC_INFO, 5, 0)
EACH("processor_info/basic-more", processor_count, PROCESSOR_BASIC_INFO, 64, 0)
EACH("processor_info/basic-less", processor_count, PROCESSOR_BASIC_INFO, 4, 0)
EACH("processor_info/flavor-0", processor_count, 0, 64, 0)
EACH("processor_info/flavor-2", processor_count, 2, 64, 0)

static void set_count(long flavor, long n, long control)
{
	integer_t info[64];
	mach_msg_type_number_t got = (mach_msg_type_number_t)n;
	mach_port_name_t out = MACH_PORT_NULL;
	kern_return_t kr = processor_set_info(control ? default_set() : default_name(), (int)flavor,
					      &out, info, &got);

	code("processor_set_info", kr);
	if (kr != KERN_SUCCESS)
		return;
	fact("host is the unprivileged one", out == host);
	mach_port_deallocate(self, out);
	mach_printf("count %u\n", got);
	if (flavor == PROCESSOR_SET_BASIC_INFO)
		mach_printf("processors %d, tasks %d, threads %d\n", info[0], info[1] > 0, info[2] > 0);
	else
		mach_printf("policies %d, maximum priority %d\n", info[0], info[1]);
}
EACH("processor_set_info/basic", set_count, PROCESSOR_SET_BASIC_INFO, 5, 0)
EACH("processor_set_info/basic-control", set_count, PROCESSOR_SET_BASIC_INFO, 5, 1)
EACH("processor_set_info/basic-more", set_count, PROCESSOR_SET_BASIC_INFO, 64, 0)
EACH("processor_set_info/basic-less", set_count, PROCESSOR_SET_BASIC_INFO, 4, 0)
EACH("processor_set_info/sched", set_count, PROCESSOR_SET_SCHED_INFO, 2, 0)
EACH("processor_set_info/sched-less", set_count, PROCESSOR_SET_SCHED_INFO, 1, 0)
EACH("processor_set_info/flavor-0", set_count, 0, 64, 0)
EACH("processor_set_info/flavor-3", set_count, 3, 64, 0)

CASE("processor_set_info/counts-tasks-and-threads")
{
	struct processor_set_basic_info before, now;
	mach_msg_type_number_t n = PROCESSOR_SET_BASIC_INFO_COUNT;
	mach_port_name_t set = default_name(), out;

	must("info", processor_set_info(set, PROCESSOR_SET_BASIC_INFO, &out, (void *)&before, &n));
	mach_port_deallocate(self, out);
	idle_thread();
	must("info", processor_set_info(set, PROCESSOR_SET_BASIC_INFO, &out, (void *)&now, &n));
	mach_port_deallocate(self, out);
	mach_printf("tasks + %d, threads + %d\n", now.task_count - before.task_count,
		    now.thread_count - before.thread_count);
}

CASE("processor_set_default/names")
{
	mach_port_name_t name = default_name(), set = default_set(), again = MACH_PORT_NULL;
	mach_port_name_t assigned = MACH_PORT_NULL, *list = NULL;
	mach_msg_type_number_t n = 0;

	fact("name and control are two", name != set);
	code("host_processor_set_priv with the control port",
	     host_processor_set_priv(PRIV, set, &again));
	fact("not a set's name gives none", again == MACH_PORT_NULL || again == set);
	keep_name(again);
	must("sets", host_processor_sets(host, &list, &n));
	mach_printf("%u set, the default one: %s\n", n, list[0] == name ? "yes" : "no");
	keep_name(list[0]);
	vm_deallocate(self, (vm_offset_t)list, n * sizeof(*list));
	code("processor's", processor_get_assignment(processor(), &assigned));
	fact("the default's name", keep_name(assigned) == name);
	code("task's", task_get_assignment(self, &assigned));
	fact("the default's name", keep_name(assigned) == name);
	code("thread's", thread_get_assignment(idle_thread(), &assigned));
	fact("the default's name", keep_name(assigned) == name);
}

CASE("host_processor_set_priv/not-a-set")
{
	mach_port_name_t out = MACH_PORT_NULL;

	code("null", host_processor_set_priv(PRIV, MACH_PORT_NULL, &out));
	code("dead", host_processor_set_priv(PRIV, MACH_PORT_DEAD, &out));
	code("a task", host_processor_set_priv(PRIV, self, &out));
	code("no name", host_processor_set_priv(PRIV, NO_NAME, &out));
}

CASE("processor_set_tasks/ours-is-there")
{
	mach_port_name_t *list = NULL;
	mach_msg_type_number_t n = 0, i;
	mach_port_name_t task = make_task(FALSE);
	int ours = 0, child = 0;

	must("processor_set_tasks", processor_set_tasks(default_set(), &list, &n));
	for (i = 0; i < n; i++) {
		ours += list[i] == self;
		child += list[i] == task;
	}
	mach_printf("ours %d, the child %d\n", ours, child);
	freed(list, n);
}

CASE("processor_set_threads/ours-is-there")
{
	mach_port_name_t *list = NULL, me = keep_name(mach_thread_self()), other = idle_thread();
	mach_msg_type_number_t n = 0, i;
	int ours = 0, theirs = 0;

	must("processor_set_threads", processor_set_threads(default_set(), &list, &n));
	for (i = 0; i < n; i++) {
		ours += list[i] == me;
		theirs += list[i] == other;
	}
	mach_printf("ours %d, the child's %d\n", ours, theirs);
	freed(list, n);
}

/* ---- Priorities and policies. */

static void tell_priorities(mach_port_name_t thread)
{
	struct thread_sched_info info;
	mach_msg_type_number_t n = THREAD_SCHED_INFO_COUNT;

	must("thread_info", thread_info(thread, THREAD_SCHED_INFO, (thread_info_t)&info, &n));
	mach_printf("policy %d, data %d, base %d, maximum %d, depressed %d, depress %d\n",
		    info.policy, info.data, info.base_priority, info.max_priority, info.depressed,
		    info.depress_priority);
}

static void priority(long value, long set_maximum, long unused)
{
	mach_port_name_t thread = idle_thread();

	(void)unused;
	code("thread_priority", thread_priority(thread, (int)value, (boolean_t)set_maximum));
	tell_priorities(thread);
	code("then 28", thread_priority(thread, 28, FALSE));
	tell_priorities(thread);
}
EACH("thread_priority/idle-25", priority, 25, 0, 0)
EACH("thread_priority/idle-24", priority, 24, 0, 0)
EACH("thread_priority/idle-0", priority, 0, 0, 0)
EACH("thread_priority/idle-63", priority, 63, 0, 0)
EACH("thread_priority/idle-64", priority, 64, 0, 0)
EACH("thread_priority/idle-minus-1", priority, -1, 0, 0)
EACH("thread_priority/idle-30-and-maximum", priority, 30, 1, 0)
EACH("thread_priority/idle-25-and-maximum", priority, 25, 1, 0)

static void maximum(long value, long which, long unused)
{
	mach_port_name_t thread = idle_thread();
	mach_port_name_t set = which == 0 ? default_set() : which == 1 ? default_name() :
			       which == 2 ? MACH_PORT_NULL : PRIV;

	(void)unused;
	code("thread_max_priority", thread_max_priority(thread, set, (int)value));
	tell_priorities(thread);
}
EACH("thread_max_priority/idle-10", maximum, 10, 0, 0)
EACH("thread_max_priority/idle-40", maximum, 40, 0, 0)
EACH("thread_max_priority/idle-0", maximum, 0, 0, 0)
EACH("thread_max_priority/idle-63", maximum, 63, 0, 0)
EACH("thread_max_priority/idle-64", maximum, 64, 0, 0)
EACH("thread_max_priority/idle-minus-1", maximum, -1, 0, 0)
EACH("thread_max_priority/idle-set-name", maximum, 10, 1, 0)
EACH("thread_max_priority/idle-no-set", maximum, 10, 2, 0)
EACH("thread_max_priority/idle-host-as-set", maximum, 10, 3, 0)

static void task_priorities(long value, long change, long unused)
{
	mach_port_name_t task = make_task(FALSE), thread = MACH_PORT_NULL, later = MACH_PORT_NULL;

	(void)unused;
	must("thread_create", thread_create(task, &thread));
	keep_name(thread);
	code("task_priority", task_priority(task, (int)value, (boolean_t)change));
	must("thread_create", thread_create(task, &later));
	keep_name(later);
	tell_priorities(thread);
	tell_priorities(later);
}
EACH("task_priority/child-30", task_priorities, 30, 0, 0)
EACH("task_priority/child-30-change", task_priorities, 30, 1, 0)
EACH("task_priority/child-20", task_priorities, 20, 0, 0)
EACH("task_priority/child-20-change", task_priorities, 20, 1, 0)
EACH("task_priority/child-64", task_priorities, 64, 0, 0)
EACH("task_priority/child-minus-1", task_priorities, -1, 1, 0)

static void set_maximum(long value, long change, long unused)
{
	mach_port_name_t set = default_set(), thread = idle_thread(), later;
	integer_t info[2];
	mach_msg_type_number_t n = 2;
	mach_port_name_t out = MACH_PORT_NULL;

	(void)unused;
	code("processor_set_max_priority",
	     processor_set_max_priority(set, (int)value, (boolean_t)change));
	later = idle_thread();
	must("info", processor_set_info(set, PROCESSOR_SET_SCHED_INFO, &out, info, &n));
	mach_port_deallocate(self, out);
	must("back", processor_set_max_priority(set, 25, FALSE));
	mach_printf("maximum %d\n", info[1]);
	tell_priorities(thread);
	tell_priorities(later);
}
EACH("processor_set_max_priority/30", set_maximum, 30, 0, 0)
EACH("processor_set_max_priority/20", set_maximum, 20, 0, 0)
EACH("processor_set_max_priority/20-change", set_maximum, 20, 1, 0)
EACH("processor_set_max_priority/64", set_maximum, 64, 0, 0)
EACH("processor_set_max_priority/minus-1", set_maximum, -1, 0, 0)

static void policy(long policy, long data, long enable)
{
	mach_port_name_t set = default_set(), thread = idle_thread();

	if (enable)
		code("enable", processor_set_policy_enable(set, POLICY_FIXEDPRI));
	code("thread_policy", thread_policy(thread, (int)policy, (int)data));
	tell_priorities(thread);
	code("disable", processor_set_policy_disable(set, POLICY_FIXEDPRI, TRUE));
	tell_priorities(thread);
}
EACH("thread_policy/idle-timeshare", policy, POLICY_TIMESHARE, 0, 0)
EACH("thread_policy/idle-timeshare-data", policy, POLICY_TIMESHARE, 50, 0)
EACH("thread_policy/idle-fixed-not-enabled", policy, POLICY_FIXEDPRI, 50, 0)
EACH("thread_policy/idle-fixed", policy, POLICY_FIXEDPRI, 50, 1)
EACH("thread_policy/idle-fixed-7-ms", policy, POLICY_FIXEDPRI, 7, 1)
EACH("thread_policy/idle-fixed-0-ms", policy, POLICY_FIXEDPRI, 0, 1)
EACH("thread_policy/idle-0", policy, 0, 0, 0)
EACH("thread_policy/idle-3", policy, 3, 0, 1)
EACH("thread_policy/idle-minus-1", policy, -1, 0, 0)

CASE("processor_set_policy/codes")
{
	mach_port_name_t set = default_set();

	code("enable 0", processor_set_policy_enable(set, 0));
	code("enable timeshare", processor_set_policy_enable(set, POLICY_TIMESHARE));
	code("enable 3", processor_set_policy_enable(set, 3));
	code("enable minus 1", processor_set_policy_enable(set, -1));
	code("disable 0", processor_set_policy_disable(set, 0, FALSE));
	code("disable timeshare", processor_set_policy_disable(set, POLICY_TIMESHARE, FALSE));
	code("disable fixed", processor_set_policy_disable(set, POLICY_FIXEDPRI, FALSE));
	code("disable 3", processor_set_policy_disable(set, 3, FALSE));
}

CASE("processor_set_create/nothing-is-made")
{
	mach_port_name_t set = 7, name = 7;

	code("processor_set_create", processor_set_create(PRIV, &set, &name));
	fact("outs are as they were", set == 7 && name == 7);
}

CASE("processor_control/commands")
{
	integer_t command[4] = { 0, 0, 0, 0 };
	mach_port_name_t p = processor();

	code("no words", processor_control(p, command, 0));
	code("four words", processor_control(p, command, 4));
}

static void assigns(long which, long unused, long more_unused)
{
	mach_port_name_t set = which == 0 ? default_set() : which == 1 ? default_name() : self;

	(void)unused;
	(void)more_unused;
	code("thread_assign", thread_assign(idle_thread(), set));
	code("task_assign", task_assign(make_task(FALSE), set, TRUE));
	code("processor_assign", processor_assign(processor(), set, TRUE));
}
EACH("assign/default-set", assigns, 0, 0, 0)
EACH("assign/set-name", assigns, 1, 0, 0)
EACH("assign/not-a-set", assigns, 2, 0, 0)

/* ---- Wiring. */

static void wires(long access, long privileged, long at)
{
	vm_offset_t base = terrain();

	code("vm_wire", vm_wire(privileged ? PRIV : host, self, base + (vm_offset_t)at, PAGE,
				(vm_prot_t)access));
	tell_memory("island", base, TERRAIN_PAGES);
}
EACH("vm_wire/read", wires, VM_PROT_READ, 1, 0)
EACH("vm_wire/read-write", wires, VM_PROT_READ | VM_PROT_WRITE, 1, 0)
EACH("vm_wire/none", wires, VM_PROT_NONE, 1, 0)
EACH("vm_wire/unprivileged", wires, VM_PROT_READ, 0, 0)
EACH("vm_wire/bad-access", wires, 8, 1, 0)
EACH("vm_wire/write-read-only", wires, VM_PROT_WRITE, 1, 0x2000)
EACH("vm_wire/no-access", wires, VM_PROT_READ, 1, 0x3000)
EACH("vm_wire/hole", wires, VM_PROT_READ, 1, 0x4000)
EACH("vm_wire/unaligned", wires, VM_PROT_READ, 1, 0x18)

CASE("vm_wire/arguments")
{
	vm_offset_t at = island(1);

	code("no host", vm_wire(self, self, at, PAGE, VM_PROT_READ));
	code("task is a thread", vm_wire(PRIV, idle_thread(), at, PAGE, VM_PROT_READ));
	code("task is null", vm_wire(PRIV, MACH_PORT_NULL, at, PAGE, VM_PROT_READ));
	code("too much without privilege", vm_wire(host, self, at, 16 << 20, VM_PROT_READ));
	code("bad access before too much", vm_wire(host, self, at, 16 << 20, 9));
}

CASE("vm_wire_all/arguments")
{
	code("flags 8", vm_wire_all(PRIV, self, 8));
	code("unprivileged", vm_wire_all(host, self, 0));
	code("task is a thread", vm_wire_all(PRIV, idle_thread(), 0));
	code("none", vm_wire_all(PRIV, make_task(TRUE), 0));
}

CASE("vm_wire_all/empty-task")
{
	code("vm_wire_all", vm_wire_all(PRIV, make_task(FALSE), 0));
}

CASE("thread_wire/codes")
{
	mach_port_name_t me = keep_name(mach_thread_self());

	code("wired", thread_wire(PRIV, me, TRUE));
	code("not wired", thread_wire(PRIV, me, FALSE));
	code("another thread", thread_wire(PRIV, idle_thread(), TRUE));
	code("null", thread_wire(PRIV, MACH_PORT_NULL, TRUE));
	code("a task", thread_wire(PRIV, self, TRUE));
	code("unprivileged", thread_wire(host, me, TRUE));
}

/* ---- Ids that have no routine. */

static void unknown(long id, long unused, long more_unused)
{
	union {
		mach_msg_header_t head;
		mig_reply_header_t reply;
		unsigned char room[512];
	} msg;

	(void)unused;
	(void)more_unused;
	memset(&msg, 0, sizeof(msg));
	msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_remote_port = host;
	msg.head.msgh_local_port = mig_get_reply_port();
	msg.head.msgh_id = (mach_msg_id_t)id;
	must("mach_msg", mach_msg(&msg.head, MACH_SEND_MSG | MACH_RCV_MSG, 32, sizeof(msg),
				  mig_get_reply_port(), 0, MACH_PORT_NULL));
	code("answer", msg.reply.RetCode);
}
EACH("host/id-2601", unknown, 2601, 0, 0)
EACH("host/id-2602", unknown, 2602, 0, 0)
EACH("host/id-2605", unknown, 2605, 0, 0)
EACH("host/id-2607", unknown, 2607, 0, 0)
EACH("host/id-2610", unknown, 2610, 0, 0)
EACH("host/id-2619", unknown, 2619, 0, 0)
EACH("host/id-2642", unknown, 2642, 0, 0)
EACH("host/id-2648", unknown, 2648, 0, 0)
EACH("host/id-2632-bare", unknown, 2632, 0, 0)
EACH("host/id-2638-bare", unknown, 2638, 0, 0)
