/* t5depress: a thread that gives way, and what others see of it. */
#include "suite.h"

#include <mach/thread_switch.h>

#include "worker.h"

/*
 * The thread that gives way runs when nobody else wants to. So as long as the
 * case looks on without a wait, it stays as it is.
 */
static struct yielder {
	volatile int stage;	/* 1 before, 2 afterwards */
	int milliseconds, answer;
} yielder;

static void give_way(void *argument)
{
	struct yielder *y = argument;

	y->stage = 1;
	y->answer = (int)trap3(-61, MACH_PORT_NULL, SWITCH_OPTION_DEPRESS, y->milliseconds);
	__atomic_store_n(&y->stage, 2, __ATOMIC_RELEASE);
	worker_stop();
}

static struct thread_sched_info sched(mach_port_name_t thread)
{
	struct thread_sched_info info;
	mach_msg_type_number_t n = THREAD_SCHED_INFO_COUNT;

	must("thread_info", thread_info(thread, THREAD_SCHED_INFO, (thread_info_t)&info, &n));
	return info;
}

static void tell(const char *what, mach_port_name_t thread)
{
	struct thread_sched_info info = sched(thread);
	struct thread_basic_info basic;
	mach_msg_type_number_t n = THREAD_BASIC_INFO_COUNT;

	must("thread_info", thread_info(thread, THREAD_BASIC_INFO, (thread_info_t)&basic, &n));
	mach_printf("%s: base %d, maximum %d, depressed %d from %d, current %s\n", what,
		    info.base_priority, info.max_priority, info.depressed, info.depress_priority,
		    info.cur_priority == 63 ? "63" : "better");
	fact("basic_info says the same", basic.base_priority == info.base_priority &&
	     (basic.cur_priority == 63) == (info.cur_priority == 63));
}

static long uptime(void)
{
	struct time_value64 now;

	must("host_get_uptime64", host_get_uptime64(host, &now));
	return (long)now.seconds * 1000 + (long)now.nanoseconds / 1000000;
}

/* Until the thread has given way; without a wait. */
static mach_port_name_t depressed_thread(int milliseconds)
{
	mach_port_name_t thread = make_worker(give_way, &yielder);

	memset(&yielder, 0, sizeof(yielder));
	yielder.milliseconds = milliseconds;
	must("thread_resume", thread_resume(thread));
	while (!sched(thread).depressed && yielder.stage != 2)
		;
	return thread;
}

static void goes_on(mach_port_name_t thread)
{
	fact("goes on", until_set(&yielder.stage, 2));
	code("its answer", yielder.answer);
	tell("then", thread);
	must("thread_terminate", thread_terminate(thread));
}

CASE("thread_switch/depressed")
{
	mach_port_name_t thread = depressed_thread(100000);

	tell("it", thread);
	mach_printf("stage %d, run state %d\n", yielder.stage, run_state(thread));
	goes_on(thread);
}

CASE("thread_switch/depressed-without-a-time")
{
	mach_port_name_t thread = depressed_thread(0);

	tell("it", thread);
	goes_on(thread);
}

CASE("thread_switch/depressed-until-its-time-is-over")
{
	long start = uptime(), time;
	mach_port_name_t thread = depressed_thread(100);

	tell("it", thread);
	while (sched(thread).depressed)
		;
	time = uptime() - start;
	fact("not before", time >= 90);
	fact("not long after", time < 2000);
	goes_on(thread);
}

CASE("thread_switch/depressed-while-others-wait")
{
	mach_port_name_t thread = make_worker(give_way, &yielder);

	memset(&yielder, 0, sizeof(yielder));
	yielder.milliseconds = 100000;
	must("thread_resume", thread_resume(thread));
	trap3(-61, 0, SWITCH_OPTION_WAIT, 100);
	mach_printf("stage %d\n", yielder.stage);
	tell("it", thread);
	goes_on(thread);
}

CASE("thread_depress_abort/depressed")
{
	mach_port_name_t thread = depressed_thread(100000);

	code("thread_depress_abort", thread_depress_abort(thread));
	tell("it", thread);
	code("again", thread_depress_abort(thread));
	goes_on(thread);
}

CASE("thread_depress_abort/depressed-by-trap")
{
	mach_port_name_t thread = depressed_thread(100000);

	code("syscall_thread_depress_abort", syscall_thread_depress_abort(thread));
	tell("it", thread);
	goes_on(thread);
}

CASE("thread_priority/depressed")
{
	mach_port_name_t thread = depressed_thread(100000);

	code("thread_priority", thread_priority(thread, 40, FALSE));
	tell("it", thread);
	code("thread_priority", thread_priority(thread, 50, TRUE));
	tell("it", thread);
	code("too good", thread_priority(thread, 30, FALSE));
	code("thread_depress_abort", thread_depress_abort(thread));
	tell("it", thread);
	goes_on(thread);
}

CASE("thread_suspend/depressed")
{
	mach_port_name_t thread = depressed_thread(100);

	code("thread_suspend", thread_suspend(thread));
	tell("it", thread);
	mach_printf("run state %d\n", run_state(thread));
	trap3(-61, 0, SWITCH_OPTION_WAIT, 300);
	tell("later", thread);
	mach_printf("stage %d\n", yielder.stage);
	code("thread_resume", thread_resume(thread));
	goes_on(thread);
}

CASE("thread_abort/depressed")
{
	mach_port_name_t thread = depressed_thread(100000);

	code("thread_abort", thread_abort(thread));
	goes_on(thread);
}

CASE("thread_terminate/depressed")
{
	mach_port_name_t thread = depressed_thread(100000);

	code("thread_terminate", thread_terminate(thread));
	mach_printf("stage %d\n", yielder.stage);
}

/* The one who was first goes on when another gives way, and when it is named. */
CASE("thread_switch/depressed-let-go-by-a-hint")
{
	mach_port_name_t thread = depressed_thread(100000);

	code("thread_switch", (kern_return_t)trap3(-61, thread, SWITCH_OPTION_NONE, 0));
	goes_on(thread);
}

CASE("thread_switch/depressed-let-go-by-swtch_pri")
{
	mach_port_name_t thread = depressed_thread(100000);
	int i;

	for (i = 0; i < 1000000 && yielder.stage != 2; i++)
		trap3(-59, 0, 0, 0);
	goes_on(thread);
}

CASE("thread_switch/depressed-let-go-by-another-that-gives-way")
{
	mach_port_name_t thread = depressed_thread(100000);

	code("thread_switch", (kern_return_t)trap3(-61, 0, SWITCH_OPTION_DEPRESS, 5000));
	mach_printf("stage %d\n", yielder.stage);
	goes_on(thread);
}
