/* t5times: the times of threads and tasks, as thread_info and task_info tell them. */
#include "suite.h"

#include <mach/task_info.h>

#include "worker.h"

/* In milliseconds. */
static long ms(time_value_t t)
{
	return (long)t.seconds * 1000 + t.microseconds / 1000;
}

static long ms64(struct time_value64 t)
{
	return (long)t.seconds * 1000 + (long)t.nanoseconds / 1000000;
}

/* What a host counts in steps of its own may still come after. */
static boolean_t same(long a, long b)
{
	return a - b <= 2 && b - a <= 2;
}

static long uptime(void)
{
	struct time_value64 now;

	must("host_get_uptime64", host_get_uptime64(host, &now));
	return ms64(now);
}

static struct thread_basic_info basic(mach_port_name_t thread)
{
	struct thread_basic_info info;
	mach_msg_type_number_t n = THREAD_BASIC_INFO_COUNT;

	must("thread_info", thread_info(thread, THREAD_BASIC_INFO, (thread_info_t)&info, &n));
	return info;
}

static struct task_basic_info ended(mach_port_name_t task)
{
	struct task_basic_info info;
	mach_msg_type_number_t n = TASK_BASIC_INFO_COUNT;

	must("task_info", task_info(task, TASK_BASIC_INFO, (task_info_t)&info, &n));
	return info;
}

static struct task_thread_times_info living(mach_port_name_t task)
{
	struct task_thread_times_info info;
	mach_msg_type_number_t n = TASK_THREAD_TIMES_INFO_COUNT;

	must("task_info", task_info(task, TASK_THREAD_TIMES_INFO, (task_info_t)&info, &n));
	return info;
}

static void sleep_ms(int time)
{
	trap3(-61, 0, 2, time);
}

__attribute__((naked)) static void spin(void *unused)
{
	(void)unused;
	__asm__ volatile("1: incq %rax\n\tjmp 1b");
}

static void rest(void *unused)
{
	(void)unused;
	worker_stop();
}

/* Until the thread has computed for so long; at worst a minute. */
static boolean_t until_computed(mach_port_name_t thread, long time)
{
	int i;

	for (i = 0; i < 6000; i++) {
		if (ms(basic(thread).user_time) >= time)
			return TRUE;
		sleep_ms(10);
	}
	return FALSE;
}

CASE("thread_info/times-of-a-thread-that-computes")
{
	mach_port_name_t thread = make_worker(spin, NULL);
	struct thread_basic_info info;
	long start, time;

	start = uptime();
	must("thread_resume", thread_resume(thread));
	fact("its time in code grows", until_computed(thread, 100));
	must("thread_suspend", thread_suspend(thread));
	time = uptime() - start;
	info = basic(thread);
	fact("more than in the kernel", ms(info.user_time) > ms(info.system_time));
	fact("no more than went by", ms(info.user_time) + ms(info.system_time) <= time + 20);
	fact("in 64 bits the same", ms64(info.user_time64) == ms(info.user_time));
	sleep_ms(50);
	fact("while it is suspended it stays", same(ms(basic(thread).user_time), ms(info.user_time)));
	must("thread_terminate", thread_terminate(thread));
}

CASE("thread_info/times-of-a-thread-that-waits")
{
	mach_port_name_t thread = make_worker(rest, NULL);
	struct thread_basic_info before, after;

	must("thread_resume", thread_resume(thread));
	fact("waits", until_waiting(thread));
	before = basic(thread);
	sleep_ms(100);
	after = basic(thread);
	fact("it stays in code", same(ms(after.user_time), ms(before.user_time)));
	fact("and in the kernel", same(ms(after.system_time), ms(before.system_time)));
	must("thread_terminate", thread_terminate(thread));
}

CASE("thread_info/times-of-a-thread-that-calls")
{
	mach_port_name_t thread = mach_thread_self();
	struct thread_basic_info before = basic(thread), after;
	long start = uptime(), time;
	int i, j;

	for (i = 0; i < 1000; i++) {
		for (j = 0; j < 200; j++) {
			mach_port_name_t name = make_receive();

			must("mach_port_mod_refs",
			     mach_port_mod_refs(self, name, MACH_PORT_RIGHT_RECEIVE, -1));
			fixtures.name_count--;
		}
		after = basic(thread);
		if (ms(after.system_time) - ms(before.system_time) >= 50)
			break;
	}
	time = uptime() - start;
	fact("the kernel's time grows", ms(after.system_time) - ms(before.system_time) >= 50);
	fact("no more than went by", ms(after.user_time) + ms(after.system_time) -
	     ms(before.user_time) - ms(before.system_time) <= time + 20);
	mach_port_deallocate(self, thread);
}

CASE("task_info/times-of-threads-that-live-and-ended")
{
	vm_offset_t stack = keep_memory(must_allocate(self, 2 * WORKER_STACK), 2 * WORKER_STACK);
	mach_port_name_t task, one, other;
	long first, second;

	must("vm_inherit", vm_inherit(self, stack, 2 * WORKER_STACK, VM_INHERIT_COPY));
	task = make_task(TRUE);
	one = make_worker_in(task, stack, spin, NULL);
	other = make_worker_in(task, stack + WORKER_STACK, spin, NULL);
	must("thread_resume", thread_resume(one));
	must("thread_resume", thread_resume(other));
	fact("both compute", until_computed(one, 50) && until_computed(other, 50));
	must("thread_suspend", thread_suspend(one));
	must("thread_suspend", thread_suspend(other));
	first = ms(basic(one).user_time);
	second = ms(basic(other).user_time);
	fact("living: both", same(ms(living(task).user_time), first + second));
	mach_printf("ended: %ld\n", ms(ended(task).user_time));
	must("thread_terminate", thread_terminate(one));
	mach_port_destroy(self, one);
	fact("one ended: as much as it had", ms(ended(task).user_time) >= first);
	fact("in 64 bits the same", ms64(ended(task).user_time64) == ms(ended(task).user_time));
	fact("living: the other", same(ms(living(task).user_time), second));
	must("thread_terminate", thread_terminate(other));
	mach_port_destroy(self, other);
	fact("both ended: the sum", ms(ended(task).user_time) >= first + second);
	mach_printf("living: %ld\n", ms(living(task).user_time));
}
