/* A routine asked of ports that are not what it wants, one line for each kind. */
#ifndef T5WRONG_H
#define T5WRONG_H

#include <mach/notify.h>

#include "fixture.h"

typedef kern_return_t (*asking)(mach_port_name_t);

static inline mach_port_name_t make_thread_in(mach_port_name_t task)
{
	mach_port_name_t thread = MACH_PORT_NULL;

	must("thread_create", thread_create(task, &thread));
	return keep_name(thread);
}

static inline mach_port_name_t make_dead_thread(void)
{
	mach_port_name_t thread = make_thread_in(make_task(FALSE));

	must("thread_terminate", thread_terminate(thread));
	return thread;
}

static inline mach_port_name_t default_set_name(void)
{
	mach_port_name_t set = MACH_PORT_NULL;

	must("processor_set_default", processor_set_default(host, &set));
	return keep_name(set);
}

static inline mach_port_name_t default_set(void)
{
	mach_port_name_t set = MACH_PORT_NULL;

	must("host_processor_set_priv",
	     host_processor_set_priv(host_priv_port, default_set_name(), &set));
	return keep_name(set);
}

static inline void ask_wrong_ports(asking ask)
{
	code("null", ask(MACH_PORT_NULL));
	code("the dead port", ask(MACH_PORT_DEAD));
	code("no name", ask(NO_NAME));
	code("a receive right", ask(make_receive()));
	code("a send-once right", ask(send_once_to(make_receive())));
	code("a dead name", ask(make_dead()));
	code("a port set", ask(make_set()));
	code("the host", ask(host));
	code("the privileged host", ask(host_priv_port));
	code("a processor set", ask(default_set()));
}

static inline void wrong_for_task(asking ask)
{
	ask_wrong_ports(ask);
	code("a thread", ask(make_thread_in(make_task(FALSE))));
	code("a dead task", ask(make_dead_task()));
}

static inline void wrong_for_thread(asking ask)
{
	ask_wrong_ports(ask);
	code("a task", ask(make_task(FALSE)));
	code("a dead thread", ask(make_dead_thread()));
}

#define WRONG_TASK(routine, ...)						\
	static kern_return_t ask_##routine(mach_port_name_t port)		\
	{									\
		return __VA_ARGS__;						\
	}									\
	CASE(#routine "/of-what-is-no-task") { wrong_for_task(ask_##routine); }

#define WRONG_THREAD(routine, ...)						\
	static kern_return_t ask_##routine(mach_port_name_t port)		\
	{									\
		return __VA_ARGS__;						\
	}									\
	CASE(#routine "/of-what-is-no-thread") { wrong_for_thread(ask_##routine); }

/* Sends us a message when a name becomes dead; the names of such messages. */
static inline void watch_death(mach_port_name_t name, mach_port_name_t notify)
{
	mach_port_name_t previous = MACH_PORT_NULL;

	must("mach_port_request_notification",
	     mach_port_request_notification(self, name, MACH_NOTIFY_DEAD_NAME, 0, notify,
					    MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous));
}

static inline void watch_senders(mach_port_name_t port, mach_port_name_t notify)
{
	mach_port_name_t previous = MACH_PORT_NULL;

	must("mach_port_request_notification",
	     mach_port_request_notification(self, port, MACH_NOTIFY_NO_SENDERS, 0, notify,
					    MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous));
}

#endif
