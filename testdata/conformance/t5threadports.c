/* t5threadports: what is no thread, a thread's ports, its name. */
#include "suite.h"

#include <mach/notify.h>
#include <mach/thread_special_ports.h>

#include "message.h"
#include "t5wrong.h"

static mach_port_name_t some_port;
static kernel_debug_name_t some_name;
static int some_int;
static unsigned int some_sequence;
static mach_msg_type_number_t some_count;
static sampled_pc_array_t samples;

WRONG_THREAD(thread_terminate, thread_terminate(port))
WRONG_THREAD(thread_suspend, thread_suspend(port))
WRONG_THREAD(thread_resume, thread_resume(port))
WRONG_THREAD(thread_abort, thread_abort(port))
WRONG_THREAD(thread_get_special_port,
	     thread_get_special_port(port, THREAD_EXCEPTION_PORT, &some_port))
WRONG_THREAD(thread_set_special_port,
	     thread_set_special_port(port, THREAD_EXCEPTION_PORT, MACH_PORT_NULL))
WRONG_THREAD(thread_set_name, thread_set_name(port, "a name"))
WRONG_THREAD(thread_get_name, thread_get_name(port, some_name))
WRONG_THREAD(thread_enable_pc_sampling, thread_enable_pc_sampling(port, &some_int, 1))
WRONG_THREAD(thread_disable_pc_sampling, thread_disable_pc_sampling(port, &some_int))
WRONG_THREAD(thread_get_sampled_pcs,
	     thread_get_sampled_pcs(port, &some_sequence, samples, &some_count))
WRONG_THREAD(thread_terminate_release,
	     thread_terminate_release(port, self, MACH_PORT_NULL, MACH_PORT_NULL, 0, 0))

/* ---- Special ports and names. */

static void special(long which, long unused, long more_unused)
{
	mach_port_name_t thread = make_thread_in(make_task(FALSE)), port = make_port(), got = 99;

	(void)unused;
	(void)more_unused;
	code("get", thread_get_special_port(thread, (int)which, &got));
	mach_printf("at first: %s\n",
		    got == 99 ? "as it was" : got == thread ? "the thread" : port_word(got));
	code("set", thread_set_special_port(thread, (int)which, port));
	got = 99;
	code("get", thread_get_special_port(thread, (int)which, &got));
	mach_printf("then: %s\n",
		    got == 99 ? "as it was" : got == port ? "ours" : port_word(got));
	code("set to null", thread_set_special_port(thread, (int)which, MACH_PORT_NULL));
	got = 99;
	code("get", thread_get_special_port(thread, (int)which, &got));
	mach_printf("then: %s\n", got == 99 ? "as it was" : port_word(got));
	tell_name("ours", port);
}
EACH("thread_set_special_port/kernel", special, THREAD_KERNEL_PORT, 0, 0)
EACH("thread_set_special_port/exception", special, THREAD_EXCEPTION_PORT, 0, 0)
EACH("thread_set_special_port/which-0", special, 0, 0, 0)
EACH("thread_set_special_port/which-2", special, 2, 0, 0)
EACH("thread_set_special_port/which-4", special, 4, 0, 0)
EACH("thread_set_special_port/which-minus-1", special, -1, 0, 0)

static void special_kind(long kind, long unused, long more_unused)
{
	mach_port_name_t thread = make_thread_in(make_task(FALSE));
	mach_port_name_t port = make_kind((enum name_kind)kind), got = 99;

	(void)unused;
	(void)more_unused;
	code("set", thread_set_special_port(thread, THREAD_EXCEPTION_PORT, port));
	must("get", thread_get_special_port(thread, THREAD_EXCEPTION_PORT, &got));
	mach_printf("then: %s\n", got == port ? "the port" : port_word(got));
}
#define SPECIAL_KIND(name, kind) \
	EACH("thread_set_special_port/to-" name, special_kind, kind, 0, 0)
KINDS(SPECIAL_KIND)

CASE("thread_set_special_port/kernel-port-of-oneself")
{
	mach_port_name_t thread = keep_name(mach_thread_self()), port = make_port(), got;

	code("set", thread_set_special_port(thread, THREAD_KERNEL_PORT, port));
	got = mach_thread_self();
	fact("mach_thread_self is the port", got == port);
	code("set to null", thread_set_special_port(thread, THREAD_KERNEL_PORT, MACH_PORT_NULL));
	mach_printf("mach_thread_self is %s\n", port_word(mach_thread_self()));
	code("set back", thread_set_special_port(thread, THREAD_KERNEL_PORT, thread));
	got = mach_thread_self();
	fact("mach_thread_self is the thread", got == thread);
}

CASE("thread_set_special_port/goes-with-the-thread")
{
	mach_port_name_t thread = make_thread_in(make_task(FALSE)), port = make_port(),
			 notify = make_receive();

	must("set", thread_set_special_port(thread, THREAD_EXCEPTION_PORT, port));
	watch_senders(port, notify);
	must("ours goes", mach_port_deallocate(self, port));
	count("told before", drain(notify));
	must("thread_terminate", thread_terminate(thread));
	count("told after", drain(notify));
}

static void named(long length, long unused, long more_unused)
{
	mach_port_name_t thread = make_thread_in(make_task(FALSE));
	kernel_debug_name_t name, got;
	long i;

	(void)unused;
	(void)more_unused;
	for (i = 0; i < length; i++)
		name[i] = (char)('a' + i % 26);
	name[length] = '\0';
	code("thread_set_name", thread_set_name(thread, name));
	code("thread_get_name", thread_get_name(thread, got));
	mach_printf("%s\n", got);
}
EACH("thread_set_name/empty", named, 0, 0, 0)
EACH("thread_set_name/short", named, 5, 0, 0)
EACH("thread_set_name/30", named, 30, 0, 0)
EACH("thread_set_name/31", named, 31, 0, 0)
EACH("thread_set_name/32", named, 32, 0, 0)
EACH("thread_set_name/63", named, 63, 0, 0)
