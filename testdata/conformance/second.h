/*
 * A second thread of the task: what it does ends a wait of the case's own
 * thread, or it waits while the case looks on. It uses traps only, for the
 * reply port that stubs use is the first thread's; it never ends by itself.
 */
#ifndef SECOND_H
#define SECOND_H

#include <libmach/libmach.h>
#include <mach/thread_info.h>

#include "fixture.h"
#include "message.h"

struct second {
	void (*body)(struct second *);
	mach_port_name_t thread, port, park;
	volatile boolean_t begun, done;
	mach_msg_return_t answer;
	mach_msg_option_t option;
	mach_msg_size_t size;
	struct message message;
};

enum { SECOND_STACK = 4 };

/* Lets other threads run. */
static inline void nap(mach_msg_timeout_t milliseconds)
{
	mach_port_name_t port = mach_reply_port();
	struct message msg;

	mach_msg(&msg.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(msg), port,
		 milliseconds, MACH_PORT_NULL);
	mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1);
}

/* Time enough for a thread that is about to block, or was just woken. */
static inline void settle(void)
{
	nap(20);
}

/* Whether it comes true within two seconds. */
static inline boolean_t comes_true(const volatile boolean_t *condition)
{
	int i;

	for (i = 0; i < 2000 && !*condition; i++)
		nap(1);
	return *condition;
}

static inline void second_park(mach_port_name_t park)
{
	struct message msg;

	for (;;)
		mach_msg_trap(&msg.head, MACH_RCV_MSG, 0, sizeof(msg), park, 0, MACH_PORT_NULL);
}

static inline void second_main(struct second *s)
{
	s->begun = TRUE;
	s->body(s);
	s->done = TRUE;
	second_park(s->park);
}

/* A thread of a task, suspended, that will call entry(argument). */
static inline mach_port_name_t make_thread(mach_port_name_t task, vm_offset_t entry,
					   vm_offset_t argument, vm_offset_t stack_end)
{
	struct i386_thread_state state;
	mach_port_name_t thread = MACH_PORT_NULL;

	must("thread_create", thread_create(task, &thread));
	memset(&state, 0, sizeof(state));
	state.rip = entry;
	state.rdi = argument;
	state.ursp = stack_end - 8;	/* as after a call */
	must("thread_set_state",
	     thread_set_state(thread, i386_THREAD_STATE, (thread_state_t)&state,
			      i386_THREAD_STATE_COUNT));
	return thread;
}

/* Those that were started and have not ended. */
static struct second *seconds[8];

/*
 * Lets them run until each waits in the kernel or is held there: in its call, or,
 * when that is over, where it parks. One that was woken counts as running.
 */
static inline void seconds_settle(void)
{
	struct thread_basic_info info;
	mach_msg_type_number_t n;
	size_t which;
	int i;

	for (which = 0; which < sizeof(seconds) / sizeof(*seconds); which++)
		for (i = 0; seconds[which] != NULL && i < 500; i++) {
			n = THREAD_BASIC_INFO_COUNT;
			if (thread_info(seconds[which]->thread, THREAD_BASIC_INFO,
					(thread_info_t)&info, &n) != KERN_SUCCESS ||
			    info.run_state != TH_STATE_RUNNING)
				break;
			nap(1);
		}
}

/* Starts s->body(s), and waits until it has come to its wait. */
static inline void second_start(struct second *s, void (*body)(struct second *))
{
	size_t which = 0;
	vm_offset_t stack = island(SECOND_STACK);

	s->body = body;
	s->begun = s->done = FALSE;
	s->park = make_receive();
	s->thread = make_thread(self, (vm_offset_t)second_main, (vm_offset_t)s,
				stack + SECOND_STACK * PAGE);
	must("thread_resume", thread_resume(s->thread));
	while (which < sizeof(seconds) / sizeof(*seconds) - 1 && seconds[which] != NULL &&
	       seconds[which] != s)
		which++;
	seconds[which] = s;
	if (!comes_true(&s->begun))
		mach_printf("the second thread does not run\n");
	seconds_settle();
}

/* Whether it comes to wait in the kernel, which a busy machine may let take long. */
static inline boolean_t second_waits(struct second *s)
{
	struct thread_basic_info info;
	mach_msg_type_number_t n;
	int i;

	for (i = 0; i < 2000; i++) {
		n = THREAD_BASIC_INFO_COUNT;
		if (thread_info(s->thread, THREAD_BASIC_INFO, (thread_info_t)&info, &n) ==
		    KERN_SUCCESS && info.run_state == TH_STATE_WAITING)
			return TRUE;
		nap(1);
	}
	mach_printf("the second thread does not wait\n");
	return FALSE;
}

/* Its end; each second needs one before the case ends. */
static inline void second_end(struct second *s)
{
	size_t which;

	for (which = 0; which < sizeof(seconds) / sizeof(*seconds); which++)
		if (seconds[which] == s)
			seconds[which] = NULL;
	thread_terminate(s->thread);
	mach_port_deallocate(self, s->thread);
}

/* Whether it came out of its call, and with what. */
static inline void second_tell(struct second *s, const char *what)
{
	if (comes_true(&s->done))
		code(what, s->answer);
	else
		mach_printf("%s: still in its call\n", what);
}

static inline void second_receives(struct second *s)
{
	s->answer = mach_msg_trap(&s->message.head, MACH_RCV_MSG | s->option, 0,
				  s->size != 0 ? s->size : sizeof(s->message), s->port, 0,
				  MACH_PORT_NULL);
}

/* A message of the case's, which waits for room. */
static inline void second_sends(struct second *s)
{
	s->answer = mach_msg_trap(&s->message.head, MACH_SEND_MSG | s->option, s->size, 0,
				  MACH_PORT_NULL, 60000, MACH_PORT_NULL);
}

static inline void fill_queue(mach_port_name_t port)
{
	struct message msg;
	int i;

	for (i = 0; i < 5; i++) {
		msg = message_to(port);
		msg.head.msgh_id = 100 + i;
		must("send", send_sized(&msg, HEADER));
	}
}

#endif
