/* t5gsync: waiting on a word of memory, waking, and moving who waits. */
#include "suite.h"

#include "message.h"
#include "worker.h"

enum { SHARED = 1, QUAD = 2, TIMED = 4, BROADCAST = 8, MUTATE = 16 };

/* gsync_wake and gsync_requeue are sent without a reply; asked for one, the kernel answers. */
struct gsync_request {
	mach_msg_header_t head;
	struct item item[5];
	unsigned char room[64];
};

static kern_return_t ask(mach_port_name_t task, mach_port_name_t reply, mach_msg_id_t id, int items,
			 vm_offset_t address, const uint64_t *rest)
{
	union {
		struct gsync_request request;
		mig_reply_header_t reply;
	} msg;
	mach_msg_return_t mr;
	int i;

	memset(&msg, 0, sizeof(msg));
	msg.request.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
						    MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.request.head.msgh_remote_port = task;
	msg.request.head.msgh_local_port = reply;
	msg.request.head.msgh_id = id;
	for (i = 0; i < items; i++) {
		msg.request.item[i].type = TYPE_INTEGER;
		msg.request.item[i].word = i == 0 ? address : rest[i - 1];
	}
	msg.request.item[0].type.msgt_name = MACH_MSG_TYPE_INTEGER_64;
	msg.request.item[0].type.msgt_size = 64;
	if (id == 4206) {
		msg.request.item[1].type = msg.request.item[0].type;
		msg.request.item[2].type.msgt_name = MACH_MSG_TYPE_BOOLEAN;
	}
	mr = mach_msg_trap(&msg.request.head, MACH_SEND_MSG | MACH_RCV_MSG,
			   (mach_msg_size_t)(HEADER + items * ITEM), sizeof(msg), reply, 0,
			   MACH_PORT_NULL);
	if (mr != MACH_MSG_SUCCESS)
		return mr;
	return msg.reply.Head.msgh_id == id + 100 ? msg.reply.RetCode : MIG_REPLY_MISMATCH;
}

static kern_return_t wake(mach_port_name_t task, vm_offset_t at, unsigned value, int flags)
{
	return ask(task, mig_get_reply_port(), 4205, 3, at,
		   (uint64_t[]){ value, (unsigned)flags });
}

static kern_return_t requeue(mach_port_name_t task, vm_offset_t from, vm_offset_t to, int wake_one,
			     int flags)
{
	return ask(task, mig_get_reply_port(), 4206, 4, from,
		   (uint64_t[]){ to, (unsigned)wake_one, (unsigned)flags });
}

/* ---- Without waiting. */

static void waits(long flags, long low, long high)
{
	vm_offset_t at = island(1);

	((unsigned *)at)[0] = 7;
	((unsigned *)at)[1] = 8;
	code("gsync_wait", gsync_wait(self, at, (unsigned)low, (unsigned)high, 20, (int)flags));
}
EACH("gsync_wait/times-out", waits, TIMED, 7, 0)
EACH("gsync_wait/times-out-shared", waits, TIMED | SHARED, 7, 0)
EACH("gsync_wait/times-out-quad", waits, TIMED | QUAD, 7, 8)
EACH("gsync_wait/times-out-mutate", waits, TIMED | MUTATE, 7, 0)
EACH("gsync_wait/times-out-unknown-flags", waits, TIMED | 0x7fffffe0, 7, 0)
EACH("gsync_wait/other-value", waits, 0, 6, 0)
EACH("gsync_wait/other-value-shared", waits, SHARED, 6, 0)
EACH("gsync_wait/other-value-timed", waits, TIMED, 6, 0)
EACH("gsync_wait/other-low-quad", waits, QUAD, 6, 8)
EACH("gsync_wait/other-high-quad", waits, QUAD, 7, 9)
EACH("gsync_wait/other-high-not-quad", waits, TIMED, 7, 9)

CASE("gsync_wait/time-out-zero")
{
	vm_offset_t at = island(1);

	code("same value", gsync_wait(self, at, 0, 0, 0, TIMED));
	code("other value", gsync_wait(self, at, 1, 0, 0, TIMED));
}

/* Each routine at each place; the value is never what is there, so that none waits. */
static void wait_at(long relative, long offset, long flags)
{
	vm_offset_t base = terrain();

	code("gsync_wait", gsync_wait(self, place_at(base, relative, offset), 0xdeadbeef, 0, 0,
				      (int)flags | TIMED));
}
static void wait_there(long relative, long offset, long flags)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t base = terrain_in(task);

	code("gsync_wait", gsync_wait(task, place_at(base, relative, offset), 0xdeadbeef, 0, 0,
				      (int)flags | TIMED));
}
static void wake_at(long relative, long offset, long flags)
{
	vm_offset_t base = terrain();

	code("gsync_wake", wake(self, place_at(base, relative, offset), 5, (int)flags));
	code("stub", gsync_wake(self, place_at(base, relative, offset), 5, (int)flags));
}
static void wake_there(long relative, long offset, long flags)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t base = terrain_in(task);

	code("gsync_wake", wake(task, place_at(base, relative, offset), 5, (int)flags));
}
#define AT(X, name, ...)							\
	X(name "/offset-1", ## __VA_ARGS__, 1, 1)				\
	X(name "/offset-2", ## __VA_ARGS__, 1, 2)				\
	X(name "/offset-4", ## __VA_ARGS__, 1, 4)				\
	X(name "/read-only", ## __VA_ARGS__, 1, 0x2000)			\
	X(name "/no-access", ## __VA_ARGS__, 1, 0x3000)			\
	X(name "/hole", ## __VA_ARGS__, 1, 0x4000)				\
	X(name "/hole-misaligned", ## __VA_ARGS__, 1, 0x4002)			\
	X(name "/untouched", ## __VA_ARGS__, 1, 0x5000)			\
	X(name "/execute-only", ## __VA_ARGS__, 1, 0x6000)			\
	X(name "/last-word", ## __VA_ARGS__, 1, 0x8ffc)			\
	X(name "/page-zero", ## __VA_ARGS__, 0, 0)				\
	X(name "/map-end", ## __VA_ARGS__, 0, 0x800000000000)			\
	X(name "/kernel-address", ## __VA_ARGS__, 0, 0xffffffff81000000)
#define PLACE(case_name, function, flags, relative, at) \
	EACH(case_name, function, relative, at, flags)
AT(PLACE, "gsync_wait", wait_at, 0)
AT(PLACE, "gsync_wait-shared", wait_at, SHARED)
AT(PLACE, "gsync_wait-mutate", wait_at, MUTATE)
AT(PLACE, "gsync_wait-other-task", wait_there, 0)
AT(PLACE, "gsync_wake", wake_at, 0)
AT(PLACE, "gsync_wake-shared", wake_at, SHARED)
AT(PLACE, "gsync_wake-mutate", wake_at, MUTATE)
AT(PLACE, "gsync_wake-other-task", wake_there, 0)

CASE("gsync_wait/quad-into-hole")
{
	vm_offset_t at = island(1);

	code("low is other", gsync_wait(self, at + PAGE - 4, 1, 0, 0, QUAD | TIMED));
	code("low is the same", gsync_wait(self, at + PAGE - 4, 0, 0, 0, QUAD | TIMED));
}

CASE("gsync_wait/quad-across-pages")
{
	vm_offset_t at = island(2);

	*(unsigned *)(at + PAGE - 4) = 1;
	*(unsigned *)(at + PAGE) = 2;
	code("the same", gsync_wait(self, at + PAGE - 4, 1, 2, 0, QUAD | TIMED));
	code("other high", gsync_wait(self, at + PAGE - 4, 1, 3, 0, QUAD | TIMED));
}

/* ---- Tasks that are none. */

static void wrong_task(long kind, long routine, long unused)
{
	mach_port_name_t name = make_kind((enum name_kind)kind);
	vm_offset_t at = island(1);

	(void)unused;
	switch (routine) {
	case 0: code("gsync_wait", gsync_wait(name, at, 1, 0, 0, TIMED)); break;
	case 1: code("gsync_wake", wake(name, at, 1, 0)); break;
	case 2: code("gsync_requeue", requeue(name, at + 1, at, 0, 0)); break;
	case 3: code("gsync_wake stub", gsync_wake(name, at, 1, 0)); break;
	case 4: code("gsync_requeue stub", gsync_requeue(name, at + 1, at, 0, 0)); break;
	}
}
#define WRONG_TASKS(routine_name, routine)						\
	EACH(routine_name "/task-is-null", wrong_task, KIND_null, routine, 0)		\
	EACH(routine_name "/task-is-dead-port", wrong_task, KIND_dead_port, routine, 0)	\
	EACH(routine_name "/task-is-no-name", wrong_task, KIND_no_name, routine, 0)	\
	EACH(routine_name "/task-is-host", wrong_task, KIND_host, routine, 0)		\
	EACH(routine_name "/task-is-thread", wrong_task, KIND_thread, routine, 0)	\
	EACH(routine_name "/task-is-dead-task", wrong_task, KIND_dead_task, routine, 0)
WRONG_TASKS("gsync_wait", 0)
WRONG_TASKS("gsync_wake", 1)
WRONG_TASKS("gsync_requeue", 2)
WRONG_TASKS("gsync_wake-stub", 3)
WRONG_TASKS("gsync_requeue-stub", 4)

/* ---- Waking nobody. */

static void wakes_nobody(long flags, long unused, long more_unused)
{
	vm_offset_t at = island(1);

	(void)unused;
	(void)more_unused;
	((unsigned *)at)[0] = 7;
	code("gsync_wake", wake(self, at, 9, (int)flags));
	mach_printf("the word is %u\n", ((unsigned *)at)[0]);
	code("gsync_wait afterwards", gsync_wait(self, at, ((unsigned *)at)[0], 0, 10, TIMED));
}
EACH("gsync_wake/nobody", wakes_nobody, 0, 0, 0)
EACH("gsync_wake/nobody-shared", wakes_nobody, SHARED, 0, 0)
EACH("gsync_wake/nobody-broadcast", wakes_nobody, BROADCAST, 0, 0)
EACH("gsync_wake/nobody-mutate", wakes_nobody, MUTATE, 0, 0)
EACH("gsync_wake/nobody-mutate-shared", wakes_nobody, MUTATE | SHARED, 0, 0)

CASE("gsync_wake/mutate-other-task")
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t at = island_in(task, 1), data;
	mach_msg_type_number_t n;

	code("gsync_wake", wake(task, at + 8, 77, MUTATE));
	if (read_memory(task, at, PAGE, &data, &n) == KERN_SUCCESS)
		mach_printf("the word is %u\n", ((unsigned *)data)[2]);
}

CASE("gsync_wake/mutate-copy-on-write")
{
	vm_offset_t at = island(1);
	mach_port_name_t child;
	vm_offset_t data;
	mach_msg_type_number_t n;

	*(unsigned *)at = 1;
	child = make_task(TRUE);
	code("gsync_wake", wake(child, at, 2, MUTATE));
	mach_printf("ours is %u\n", *(unsigned *)at);
	if (read_memory(child, at, PAGE, &data, &n) == KERN_SUCCESS)
		mach_printf("the child's is %u\n", *(unsigned *)data);
}

static void requeue_nothing(long from, long to, long flags)
{
	vm_offset_t base = terrain();

	code("gsync_requeue",
	     requeue(self, base + (vm_offset_t)from, base + (vm_offset_t)to, 0, (int)flags));
}
EACH("gsync_requeue/source-misaligned", requeue_nothing, 2, 0, 0)
EACH("gsync_requeue/target-misaligned", requeue_nothing, 0, 2, 0)
EACH("gsync_requeue/source-hole", requeue_nothing, 0x4000, 0, 0)
EACH("gsync_requeue/target-hole", requeue_nothing, 0, 0x4000, 0)
EACH("gsync_requeue/source-no-access", requeue_nothing, 0x3000, 0, 0)
EACH("gsync_requeue/target-no-access", requeue_nothing, 0, 0x3000, 0)
EACH("gsync_requeue/target-read-only-mutate", requeue_nothing, 0, 0x2000, MUTATE)
EACH("gsync_requeue/nobody", requeue_nothing, 0, 8, 0)
EACH("gsync_requeue/nobody-broadcast", requeue_nothing, 0, 8, BROADCAST)

/* ---- Threads that wait. */

struct waiter {
	volatile int stage;
	mach_port_name_t task, reply, thread;
	vm_offset_t at;
	unsigned value;
	int milliseconds, flags;
	kern_return_t result;
};

static void wait_entry(void *argument)
{
	struct waiter *w = argument;
	mach_port_name_t task = w->task, reply = w->reply;

	/* In another task names are others. */
	if (task == MACH_PORT_NULL)
		task = mach_task_self_trap();
	if (reply == MACH_PORT_NULL)
		reply = mach_reply_port();
	__atomic_store_n(&w->stage, 1, __ATOMIC_RELEASE);
	w->result = ask(task, reply, 4204, 5, w->at,
			(uint64_t[]){ w->value, 0, (unsigned)w->milliseconds, (unsigned)w->flags });
	__atomic_store_n(&w->stage, 2, __ATOMIC_RELEASE);
	worker_stop();
}

enum { WAITERS = 4 };
static struct waiter waiters[WAITERS];

static void start_waiter(struct waiter *w, mach_port_name_t task, vm_offset_t at, unsigned value,
			 int flags)
{
	memset(w, 0, sizeof(*w));
	w->task = task;
	w->reply = make_receive();
	w->at = at;
	w->value = value;
	w->flags = flags;
	w->thread = make_worker(wait_entry, w);
	must("thread_resume", thread_resume(w->thread));
	if (!until_set(&w->stage, 1) || !until_waiting(w->thread))
		mach_printf("the waiter does not wait\n");
}

/* What became of a waiter: whoever was woken comes to its end before this ends. */
static void tell_waiter(const struct waiter *w)
{
	while (w->stage != 2 && run_state(w->thread) == TH_STATE_RUNNING)
		yield();
	mach_printf(" %s", w->stage == 2 ? mach_error_string(w->result) : "waits");
}

static void tell_waiters(int n)
{
	int i;

	mach_printf("waiters:");
	for (i = 0; i < n; i++)
		tell_waiter(&waiters[i]);
	mach_printf("\n");
}

static void end_waiters(int n)
{
	int i;

	for (i = 0; i < n; i++)
		must("thread_terminate", thread_terminate(waiters[i].thread));
}

static void one_waiter(long wait_flags, long wake_flags, long offset)
{
	vm_offset_t at = island(1);

	*(unsigned *)at = 3;
	start_waiter(&waiters[0], self, at, 3, (int)wait_flags);
	code("gsync_wake", wake(self, at + (vm_offset_t)offset, 4, (int)wake_flags));
	tell_waiters(1);
	mach_printf("the word is %u\n", *(unsigned *)at);
	code("again", wake(self, at + (vm_offset_t)offset, 5, 0));
	end_waiters(1);
}
EACH("gsync_wake/one", one_waiter, 0, 0, 0)
EACH("gsync_wake/one-mutate", one_waiter, 0, MUTATE, 0)
EACH("gsync_wake/one-broadcast", one_waiter, 0, BROADCAST, 0)
EACH("gsync_wake/one-timed", one_waiter, 0, TIMED | QUAD, 0)
EACH("gsync_wake/one-shared", one_waiter, SHARED, SHARED, 0)
EACH("gsync_wake/one-waits-shared", one_waiter, SHARED, 0, 0)
EACH("gsync_wake/one-wake-shared", one_waiter, 0, SHARED, 0)
EACH("gsync_wake/one-waits-mutate", one_waiter, MUTATE, 0, 0)
EACH("gsync_wake/one-at-another-word", one_waiter, 0, 0, 4)

static void three_waiters(long flags, long unused, long more_unused)
{
	vm_offset_t at = island(1);
	int i;

	(void)unused;
	(void)more_unused;
	for (i = 0; i < 3; i++)
		start_waiter(&waiters[i], self, at, 0, 0);
	code("gsync_wake", wake(self, at, 0, (int)flags));
	tell_waiters(3);
	code("gsync_wake", wake(self, at, 0, (int)flags));
	tell_waiters(3);
	end_waiters(3);
}
EACH("gsync_wake/three", three_waiters, 0, 0, 0)
EACH("gsync_wake/three-broadcast", three_waiters, BROADCAST, 0, 0)

static void requeues(long wake_one, long flags, long n)
{
	vm_offset_t at = island(1);
	int shared = (int)flags & SHARED, i;

	for (i = 0; i < n; i++)
		start_waiter(&waiters[i], self, at, 0, shared);
	code("gsync_requeue", requeue(self, at, at + 64, (int)wake_one, (int)flags));
	tell_waiters((int)n);
	code("wake all that stayed", wake(self, at, 0, BROADCAST | shared));
	tell_waiters((int)n);
	code("wake all that moved", wake(self, at + 64, 0, BROADCAST | shared));
	tell_waiters((int)n);
	end_waiters((int)n);
}
EACH("gsync_requeue/one-of-one", requeues, 0, 0, 1)
EACH("gsync_requeue/one-of-one-wake-one", requeues, 1, 0, 1)
EACH("gsync_requeue/two-of-two-wake-one", requeues, 1, 0, 2)
EACH("gsync_requeue/one-of-three", requeues, 0, 0, 3)
EACH("gsync_requeue/one-of-three-wake-one", requeues, 1, 0, 3)
EACH("gsync_requeue/all-of-three", requeues, 0, BROADCAST, 3)
EACH("gsync_requeue/all-of-three-wake-one", requeues, 1, BROADCAST, 3)
EACH("gsync_requeue/one-of-one-shared", requeues, 0, SHARED, 1)
EACH("gsync_requeue/all-of-three-wake-one-shared", requeues, 1, BROADCAST | SHARED, 3)

CASE("gsync_requeue/another-key")
{
	vm_offset_t at = island(1);

	start_waiter(&waiters[0], self, at, 0, 0);
	code("gsync_wake", wake(self, at + 64, 0, 0));
	code("gsync_wake", wake(self, at, 0, 0));
	tell_waiters(1);
	end_waiters(1);
}

/* ---- What happens to who waits. */

CASE("gsync_wait/thread_abort")
{
	vm_offset_t at = island(1);

	start_waiter(&waiters[0], self, at, 0, 0);
	code("thread_abort", thread_abort(waiters[0].thread));
	tell_waiters(1);
	code("gsync_wake", wake(self, at, 0, 0));
	end_waiters(1);
}

CASE("gsync_wait/thread_abort-timed")
{
	vm_offset_t at = island(1);

	start_waiter(&waiters[0], self, at, 0, 0);
	waiters[0].milliseconds = 100000;
	code("thread_abort", thread_abort(waiters[0].thread));
	tell_waiters(1);
	end_waiters(1);
}

CASE("gsync_wait/thread_terminate")
{
	vm_offset_t at = island(1);

	start_waiter(&waiters[0], self, at, 0, 0);
	start_waiter(&waiters[1], self, at, 0, 0);
	code("thread_terminate", thread_terminate(waiters[0].thread));
	code("gsync_wake", wake(self, at, 0, 0));
	mach_printf("the other: ");
	while (waiters[1].stage != 2)
		yield();
	code("result", waiters[1].result);
	code("gsync_wake", wake(self, at, 0, 0));
	code("thread_terminate", thread_terminate(waiters[1].thread));
}

CASE("gsync_wait/thread_suspend")
{
	vm_offset_t at = island(1);

	start_waiter(&waiters[0], self, at, 0, 0);
	code("thread_suspend", thread_suspend(waiters[0].thread));
	code("gsync_wake", wake(self, at, 0, 0));
	tell_waiters(1);
	code("thread_resume", thread_resume(waiters[0].thread));
	tell_waiters(1);
	end_waiters(1);
}

CASE("gsync_wait/memory-deallocated")
{
	vm_offset_t at = island(1), again = at;

	start_waiter(&waiters[0], self, at, 0, 0);
	must("vm_deallocate", vm_deallocate(self, at, PAGE));
	code("gsync_wake", wake(self, at, 0, 0));
	tell_waiters(1);
	must("vm_allocate", vm_allocate(self, &again, PAGE, FALSE));
	code("gsync_wake, memory there again", wake(self, at, 0, 0));
	tell_waiters(1);
	end_waiters(1);
}

CASE("gsync_wait/memory-deallocated-shared")
{
	vm_offset_t at = island(1), again = at;

	start_waiter(&waiters[0], self, at, 0, SHARED);
	must("vm_deallocate", vm_deallocate(self, at, PAGE));
	must("vm_allocate", vm_allocate(self, &again, PAGE, FALSE));
	code("gsync_wait", gsync_wait(self, at, 1, 0, 0, SHARED));
	end_waiters(1);
}

CASE("gsync_wait/protected-later")
{
	vm_offset_t at = island(1);

	start_waiter(&waiters[0], self, at, 0, 0);
	must("vm_protect", vm_protect(self, at, PAGE, FALSE, VM_PROT_NONE));
	code("gsync_wake", wake(self, at, 0, 0));
	must("vm_protect", vm_protect(self, at, PAGE, FALSE, VM_PROT_READ));
	code("gsync_wake mutate", wake(self, at, 0, MUTATE));
	code("gsync_wake", wake(self, at, 0, 0));
	tell_waiters(1);
	end_waiters(1);
}

/* ---- Two tasks. */

/* A page that a child shares with us, and a waiter of the child on it. */
static mach_port_name_t child_waiter(struct waiter *w, vm_offset_t at, int flags)
{
	vm_offset_t stack = keep_memory(must_allocate(self, WORKER_STACK), WORKER_STACK);
	mach_port_name_t child;

	must("vm_inherit", vm_inherit(self, at, PAGE, VM_INHERIT_SHARE));
	memset(w, 0, sizeof(*w));
	w->at = at;
	w->value = *(unsigned *)at;
	w->flags = flags;
	child = make_task(TRUE);
	w->thread = make_worker_in(child, stack, wait_entry, w);
	must("thread_resume", thread_resume(w->thread));
	if (!until_set(&w->stage, 1) || !until_waiting(w->thread))
		mach_printf("the waiter does not wait\n");
	return child;
}

static void two_tasks(long wait_flags, long wake_flags, long which)
{
	vm_offset_t at = island(1);
	struct waiter *w = (struct waiter *)(at + 256);
	mach_port_name_t child;

	child = child_waiter(w, at, (int)wait_flags);
	code("gsync_wake", wake(which ? child : self, at, 4, (int)wake_flags));
	mach_printf("waiter:");
	tell_waiter(w);
	mach_printf("\n");
	mach_printf("the word is %u\n", *(unsigned *)at);
}
EACH("gsync_two-tasks/shared", two_tasks, SHARED, SHARED, 0)
EACH("gsync_two-tasks/shared-mutate", two_tasks, SHARED, SHARED | MUTATE, 0)
EACH("gsync_two-tasks/private", two_tasks, 0, 0, 0)
EACH("gsync_two-tasks/private-by-the-child's-port", two_tasks, 0, 0, 1)
EACH("gsync_two-tasks/shared-by-the-child's-port", two_tasks, SHARED, SHARED, 1)
EACH("gsync_two-tasks/shared-mutate-by-the-child's-port", two_tasks, SHARED, SHARED | MUTATE, 1)
EACH("gsync_two-tasks/waits-shared-wakes-private", two_tasks, SHARED, 0, 0)

CASE("gsync_two-tasks/child-ends")
{
	vm_offset_t at = island(1);
	struct waiter *w = (struct waiter *)(at + 256);
	mach_port_name_t child = child_waiter(w, at, SHARED);

	code("task_terminate", task_terminate(child));
	code("gsync_wake", wake(self, at, 0, SHARED));
}

CASE("gsync_two-tasks/child-suspended")
{
	vm_offset_t at = island(1);
	struct waiter *w = (struct waiter *)(at + 256);
	mach_port_name_t child = child_waiter(w, at, SHARED);

	code("task_suspend", task_suspend(child));
	code("gsync_wake", wake(self, at, 0, SHARED));
	fact("it waits", w->stage == 1);
	code("task_resume", task_resume(child));
	fact("it goes on", until_set(&w->stage, 2));
	code("result", w->result);
}

/* We wait on another task's word, and are woken through our own task's thread. */
CASE("gsync_two-tasks/waits-in-another")
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t at = island_in(task, 1);

	start_waiter(&waiters[0], task, at, 0, 0);
	code("wake in our own", wake(self, at, 0, 0));
	code("wake in the other", wake(task, at, 0, 0));
	tell_waiters(1);
	end_waiters(1);
}

CASE("gsync_two-tasks/the-other-ends")
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t at = island_in(task, 1);

	start_waiter(&waiters[0], task, at, 0, 0);
	code("task_terminate", task_terminate(task));
	tell_waiters(1);
	code("thread_abort", thread_abort(waiters[0].thread));
	tell_waiters(1);
	end_waiters(1);
}
