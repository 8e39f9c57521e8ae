/* threads: the registers of another thread, and what ends a task without exception ports. */
#include "suite.h"

#include "message.h"

static struct i386_thread_state zero_state;

static mach_port_name_t make_thread(mach_port_name_t task)
{
	mach_port_name_t thread = MACH_PORT_NULL;

	must("thread_create", thread_create(task, &thread));
	return keep_name(thread);
}

/* A flavor and a number of words. */
static void set_state(long flavor, long words, long unused)
{
	(void)unused;
	code("thread_set_state",
	     thread_set_state(make_thread(make_task(FALSE)), (int)flavor,
			      (thread_state_t)&zero_state, (mach_msg_type_number_t)words));
}
EACH("thread_set_state/flavor-99", set_state, 99, i386_THREAD_STATE_COUNT, 0)
EACH("thread_set_state/thread-state", set_state, i386_THREAD_STATE, i386_THREAD_STATE_COUNT, 0)
EACH("thread_set_state/a-word-too-few", set_state, i386_THREAD_STATE,
     i386_THREAD_STATE_COUNT - 1, 0)
EACH("thread_set_state/a-word-too-many", set_state, i386_THREAD_STATE,
     i386_THREAD_STATE_COUNT + 1, 0)
EACH("thread_set_state/no-words", set_state, i386_THREAD_STATE, 0, 0)

static void set_segments(long cs, long ss, long unused)
{
	struct i386_thread_state state = zero_state;

	(void)unused;
	state.cs = (unsigned)cs;
	state.ss = (unsigned)ss;
	code("thread_set_state",
	     thread_set_state(make_thread(make_task(FALSE)), i386_REGS_SEGS_STATE,
			      (thread_state_t)&state, i386_THREAD_STATE_COUNT));
}
EACH("thread_set_state/code-segment-null", set_segments, 0, 0x1f, 0)
EACH("thread_set_state/stack-segment-null", set_segments, 0x17, 0, 0)
EACH("thread_set_state/code-segment-of-the-kernel", set_segments, 0x8, 0x1f, 0)
EACH("thread_set_state/stack-segment-of-the-kernel", set_segments, 0x17, 0x10, 0)

/* What is no thread, or not one that may be changed. */
static void set_state_of(long kind, long flavor, long words)
{
	code("thread_set_state",
	     thread_set_state(make_kind((enum name_kind)kind), (int)flavor,
			      (thread_state_t)&zero_state, (mach_msg_type_number_t)words));
}
EACH("thread_set_state/of-a-task", set_state_of, KIND_dead_task, i386_THREAD_STATE,
     i386_THREAD_STATE_COUNT)
EACH("thread_set_state/of-a-host", set_state_of, KIND_host, i386_THREAD_STATE,
     i386_THREAD_STATE_COUNT)
EACH("thread_set_state/of-itself", set_state_of, KIND_thread, i386_THREAD_STATE,
     i386_THREAD_STATE_COUNT)
EACH("thread_set_state/of-itself-a-wrong-flavor", set_state_of, KIND_thread, 99, 0)
EACH("thread_set_state/of-a-host-a-wrong-flavor", set_state_of, KIND_host, 99, 0)

CASE("thread_set_state/of-an-ended-thread")
{
	mach_port_name_t thread = make_thread(make_task(FALSE));

	must("thread_terminate", thread_terminate(thread));
	code("thread_set_state",
	     thread_set_state(thread, i386_THREAD_STATE, (thread_state_t)&zero_state,
			      i386_THREAD_STATE_COUNT));
}

/* ---- A child of one thread that touches what it must not. */

/* Ten milliseconds at a port to which nobody sends. */
static void pause_at(mach_port_name_t empty)
{
	mach_msg_header_t msg;

	mach_msg(&msg, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(msg), empty, 10,
		 MACH_PORT_NULL);
}

static void tell_whether_it_ends(mach_port_name_t task)
{
	mach_port_name_t empty = make_receive();
	mach_port_type_t type = 0;
	int i;

	for (i = 0; i < 200; i++) {
		if (mach_port_type(self, task, &type) == KERN_SUCCESS &&
		    type == MACH_PORT_TYPE_DEAD_NAME)
			break;
		pause_at(empty);
	}
	mach_printf("the task: %s\n", type == MACH_PORT_TYPE_DEAD_NAME ? "ended" : "lives");
}

/* These run in the child: nothing of the harness may be called. */
static _Noreturn void child_reads(volatile char *at)
{
	(void)*at;
	for (;;)
		;
}
static _Noreturn void child_writes(volatile char *at)
{
	*at = 1;
	for (;;)
		;
}
static _Noreturn void child_calls(void (*at)(void))
{
	at();
	for (;;)
		;
}
/* mach_msg has an argument on the stack. */
static _Noreturn void child_traps(vm_offset_t stack)
{
	__asm__ volatile("movq %0, %%rsp; movq $-25, %%rax; syscall; 1: jmp 1b"
			 :
			 : "r"(stack)
			 : "memory");
	__builtin_unreachable();
}

enum { READS, WRITES, CALLS, TRAPS };

static void child(long what, long relative, long at)
{
	static const vm_offset_t code_of[] = {
		(vm_offset_t)child_reads, (vm_offset_t)child_writes, (vm_offset_t)child_calls,
		(vm_offset_t)child_traps,
	};
	struct i386_thread_state state = zero_state;
	vm_offset_t base = terrain(), stack = island(2);
	mach_port_name_t task = make_task(TRUE), thread = make_thread(task);

	state.rip = code_of[what];
	state.rdi = place_at(base, relative, at);
	state.ursp = stack + 2 * PAGE - 8;
	must("thread_set_state",
	     thread_set_state(thread, i386_THREAD_STATE, (thread_state_t)&state,
			      i386_THREAD_STATE_COUNT));
	must("thread_resume", thread_resume(thread));
	tell_whether_it_ends(task);
}
EACH("exception/read-of-a-hole", child, READS, 1, 0x4000)
EACH("exception/read-of-no-access", child, READS, 1, 0x3000)
EACH("exception/write-of-a-hole", child, WRITES, 1, 0x4000)
EACH("exception/write-of-read-only", child, WRITES, 1, 0x2000)
EACH("exception/call-into-a-hole", child, CALLS, 1, 0x4000)
EACH("exception/read-of-page-zero", child, READS, 0, 0x10)
EACH("exception/trap-with-its-stack-in-a-hole", child, TRAPS, 1, 0x4000)

/* ---- A thread that waits for a message. */

struct waiting {
	mach_port_name_t port, nothing;
	mach_msg_option_t option;
	mach_msg_return_t mr;
	mach_msg_size_t told;
	volatile int done;
};

static void wait_for_message(void *argument)
{
	struct waiting *w = argument;
	struct message msg;

	w->mr = mach_msg(&msg.head, MACH_RCV_MSG | w->option, 0, HEADER, w->port, 0,
			 MACH_PORT_NULL);
	w->told = msg.head.msgh_size;
	w->done = 1;
	for (;;) /* until it is ended: an end of its own would make names */
		mach_msg(&msg.head, MACH_RCV_MSG, 0, sizeof(msg), w->nothing, 0, MACH_PORT_NULL);
}

/* A message too large for a receiver that waits already. */
static void too_large_while_waiting(long option, long unused, long more_unused)
{
	static struct waiting w;
	mach_port_name_t port = make_port(), empty = make_receive(), thread = MACH_PORT_NULL;
	struct message msg = message_to(port);
	int i;

	(void)unused;
	(void)more_unused;
	w = (struct waiting){ .port = port, .nothing = make_receive(),
			      .option = (mach_msg_option_t)option };
	must("mach_thread_spawn", mach_thread_spawn(wait_for_message, &w, &thread));
	keep_name(thread);
	pause_at(empty);
	msg.item[0].type = TYPE_INTEGER;
	must("send", send_sized(&msg, HEADER + ITEM));
	for (i = 0; i < 200 && !w.done; i++)
		pause_at(empty);
	must("thread_terminate", thread_terminate(thread));
	code("received", w.mr);
	mach_printf("size told: %u\n", w.told);
	count("messages left", drain(port));
}
EACH("mach_msg/too-large-for-one-who-waits", too_large_while_waiting, 0, 0, 0)
EACH("mach_msg/too-large-for-one-who-waits-large", too_large_while_waiting, MACH_RCV_LARGE, 0, 0)
